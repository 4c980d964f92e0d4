"""Bulk actions in less time: points for many members by one statement, rows without a foreign key."""

from migrations.run_sql import run_sql

revision = "0026"
down_revision = "0024"


def upgrade() -> None:
    run_sql("0026_giving_many.sql")


def downgrade() -> None:
    run_sql("0026_giving_many_down.sql")
