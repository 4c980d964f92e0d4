"""Runs a file of migrations/sql as it stands, in the migration's transaction."""

from pathlib import Path

from alembic import op

_FOLDER = Path(__file__).parent / "sql"


def run_sql(name: str, *, start: str = "") -> None:
    """Execute every statement of the file, or those from the line that begins with `start`.

    The text goes past SQLAlchemy, which would read % signs as placeholders.
    """
    text = (_FOLDER / name).read_text(encoding="utf-8")
    text = text[text.index(start) :]
    op.get_bind().connection.driver_connection.execute(text)
