"""Many credits lock and read their accounts at once, and say only what the caller cannot know."""

from migrations.run_sql import run_sql

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    run_sql("0029_lean_credits.sql")


def downgrade() -> None:
    run_sql("0029_lean_credits_down.sql")
