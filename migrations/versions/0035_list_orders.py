"""Standings carry what members are filtered by, so that a filtered list looks up nobody one by one."""

from migrations.run_sql import run_sql

revision = "0035"
down_revision = "0033"


def upgrade() -> None:
    run_sql("0035_list_orders.sql")


def downgrade() -> None:
    run_sql("0035_list_orders_down.sql")
