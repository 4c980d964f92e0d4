"""Other dates for points that were earned before the terms of expiry changed. The kind stays in the type on the way back."""

from alembic import op

from migrations.run_sql import run_sql

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("ALTER TYPE points_kind ADD VALUE IF NOT EXISTS 'redate'")
    run_sql("0020_redating.sql")


def downgrade() -> None:
    run_sql("0020_redating_down.sql")
