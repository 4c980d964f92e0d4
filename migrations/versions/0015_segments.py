"""Segments of members, the facts their conditions ask, rewards for segments, and what members agreed to."""

from migrations.run_sql import run_sql

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    run_sql("0015_segments.sql")


def downgrade() -> None:
    run_sql("0015_segments_down.sql")
