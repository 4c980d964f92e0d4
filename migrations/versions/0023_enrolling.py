"""Bulk actions that enroll people who are no members yet."""

from migrations.run_sql import run_sql

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    run_sql("0023_enrolling.sql")


def downgrade() -> None:
    run_sql("0023_enrolling_down.sql")
