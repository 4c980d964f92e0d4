"""Every kind of reward, stock, points that come back, and points held at a checkout."""

from migrations.run_sql import run_sql

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    run_sql("0011_rewards.sql")


def downgrade() -> None:
    run_sql("0011_rewards_down.sql")
