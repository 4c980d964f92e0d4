"""Segments: groups of members by conditions or by hand, kept up to date from orders and the ledger."""
