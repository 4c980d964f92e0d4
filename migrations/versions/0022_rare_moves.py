"""An index of the moves between tiers that are few among many."""

from migrations.run_sql import run_sql

revision = "0022"
down_revision = "0020"


def upgrade() -> None:
    run_sql("0022_rare_moves.sql")


def downgrade() -> None:
    run_sql("0022_rare_moves_down.sql")
