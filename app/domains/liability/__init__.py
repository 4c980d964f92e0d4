"""What outstanding points are worth in the books: expected breakage, deferred revenue, roll-forward, journal.

Read-only towards the ledger. A nightly job adds up each closed month by the month in which points were earned
(`liability_cells`); every figure is computed from those sums and from the open month, which is read live.
"""
