"""The points ledger and its posting functions."""

from migrations.run_sql import run_sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_sql("0003_ledger.sql")


def downgrade() -> None:
    run_sql("0003_ledger_down.sql")
