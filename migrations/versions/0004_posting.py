"""The posting functions of the ledger, what a lot came from, and what an entry promised."""

from migrations.run_sql import run_sql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run_sql("0004_posting.sql")


def downgrade() -> None:
    run_sql("0004_posting_down.sql")
    run_sql("0003_ledger.sql", start="CREATE FUNCTION points_digest")
