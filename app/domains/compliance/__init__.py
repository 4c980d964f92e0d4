"""Compliance: the audit trail, and what the law gives a person: a copy of their data, and its erasure."""
