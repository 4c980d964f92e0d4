"""Short forms of the crash drills."""
