"""A scheduled program may offer its draft rewards when it starts."""

from migrations.run_sql import run_sql

revision = "0028"
down_revision = "0026"


def upgrade() -> None:
    run_sql("0028_rewards_at_start.sql")


def downgrade() -> None:
    run_sql("0028_rewards_at_start_down.sql")
