"""Runs a file of migrations/sql as it stands, in the migration's transaction."""

from pathlib import Path

from alembic import op

_FOLDER = Path(__file__).parent / "sql"


def run_sql(name: str) -> None:
    """Execute every statement of the file; past SQLAlchemy, which would read % signs as placeholders."""
    text = (_FOLDER / name).read_text(encoding="utf-8")
    op.get_bind().connection.driver_connection.execute(text)
