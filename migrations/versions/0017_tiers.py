"""Several ladders of tiers: what counts and for how long, benefits, where members stand on each, simulations."""

from migrations.run_sql import run_sql

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    run_sql("0017_tiers.sql")


def downgrade() -> None:
    run_sql("0017_tiers_down.sql")
