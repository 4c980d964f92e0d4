"""A schedule may offer draft rewards at the start, and whoever was enrolled by e-mail is looked up in Shopify once."""

from migrations.run_sql import run_sql

revision = "0028"
down_revision = "0026"


def upgrade() -> None:
    run_sql("0028_starts_and_lookups.sql")


def downgrade() -> None:
    run_sql("0028_starts_and_lookups_down.sql")
