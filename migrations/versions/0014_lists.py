"""What staff keep about lists: saved views, their choice of columns, and selections on their way to an action."""

from migrations.run_sql import run_sql

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    run_sql("0014_lists.sql")


def downgrade() -> None:
    run_sql("0014_lists_down.sql")
