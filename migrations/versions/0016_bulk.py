"""Actions on many members at once: runs, their rows, the file while it is read; tags of members."""

from migrations.run_sql import run_sql

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    run_sql("0016_bulk.sql")


def downgrade() -> None:
    run_sql("0016_bulk_down.sql")
