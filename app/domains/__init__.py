"""One package per domain; see docs/architecture.md for the order in which they may import each other."""
