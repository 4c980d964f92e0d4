"""Ways for points to expire, a bounded expiry run, and when members are warned."""

from migrations.run_sql import run_sql

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    run_sql("0012_expiry.sql")


def downgrade() -> None:
    run_sql("0012_expiry_down.sql")
