"""Kernel tables: directory, keys, inbox, outbox, idempotency, audit."""

from migrations.run_sql import run_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    run_sql("0001_kernel.sql")


def downgrade() -> None:
    run_sql("0001_kernel_down.sql")
