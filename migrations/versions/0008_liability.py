"""What outstanding points are worth."""

from migrations.run_sql import run_sql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    run_sql("0008_liability.sql")


def downgrade() -> None:
    run_sql("0008_liability_down.sql")
