"""What the pipeline's tables need to be fast."""

from migrations.run_sql import run_sql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    run_sql("0009_pipeline.sql")


def downgrade() -> None:
    run_sql("0009_pipeline_down.sql")
