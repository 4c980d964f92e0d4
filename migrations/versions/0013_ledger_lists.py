"""What the ledger's screens need to stay fast: rare kinds and used-up lots found by index, totals summed now and then."""

from migrations.run_sql import run_sql

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    run_sql("0013_ledger_lists.sql")


def downgrade() -> None:
    run_sql("0013_ledger_lists_down.sql")
