"""One-click tasks that were run, who uses which, and what staff wrote to invite members."""

from migrations.run_sql import run_sql

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    run_sql("0019_quick_actions.sql")


def downgrade() -> None:
    run_sql("0019_quick_actions_down.sql")
