"""RFM in fifths, for segments as for tiers: the cuts between scores are kept, and scores by how many months they look at."""

from migrations.run_sql import run_sql

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    run_sql("0024_rfm_in_fifths.sql")


def downgrade() -> None:
    run_sql("0024_rfm_in_fifths_down.sql")
