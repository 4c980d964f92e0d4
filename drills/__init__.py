"""Crash drills: something is killed or repeated on purpose while work goes on; afterwards the laws are checked.

`./dev.sh drill [F1 F3 …]` runs them at length on throw-away services; tests/drills runs the short forms. Drills that
kill PostgreSQL or Valkey start servers of their own. A drill reports what it measured and which laws did not hold.
"""
