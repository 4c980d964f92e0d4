"""What the admin remembers of a person's choices."""

from migrations.run_sql import run_sql

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    run_sql("0010_admin.sql")


def downgrade() -> None:
    run_sql("0010_admin_down.sql")
