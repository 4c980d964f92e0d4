"""Points are taken from many members at once, and what bulk actions did is taken back so, too."""

from migrations.run_sql import run_sql

revision = "0033"
down_revision = "0029"


def upgrade() -> None:
    run_sql("0033_taking_many.sql")


def downgrade() -> None:
    run_sql("0033_taking_many_down.sql")
