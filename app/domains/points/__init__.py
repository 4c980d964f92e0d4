"""The points ledger: entries, lots and balances. Everything else only posts to it.

Postings run through the PostgreSQL functions of migrations/sql/0003_ledger.sql, which lock the member's account first.
What to post is decided by the pure `rules`. An order's points are always moved to the target that its present state
deserves, so any sequence of payments, edits, refunds and cancellations ends in the same place.
"""
