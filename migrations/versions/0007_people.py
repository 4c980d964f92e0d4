"""Guests, merges, duplicates and adjustments."""

from migrations.run_sql import run_sql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run_sql("0007_people.sql")


def downgrade() -> None:
    run_sql("0007_people_down.sql")
