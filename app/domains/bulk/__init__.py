"""Actions on many members at once: rehearsed, approved, run in slices, taken back, reported."""
