"""Tables of the domains except the ledger."""

from migrations.run_sql import run_sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_sql("0002_domains.sql")


def downgrade() -> None:
    run_sql("0002_domains_down.sql")
