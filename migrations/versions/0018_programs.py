"""Programs that start and end by themselves, say who earns and what shoppers read while they pause; the shop's look."""

from migrations.run_sql import run_sql

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    run_sql("0018_programs.sql")


def downgrade() -> None:
    run_sql("0018_programs_down.sql")
