"""The state of the schema: which migrations exist, which are applied, and how to apply them."""

from functools import lru_cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from app.core.db import UnitOfWork

_ROOT = Path(__file__).resolve().parents[2]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_ROOT / "migrations"))
    config.set_main_option("prepend_sys_path", str(_ROOT))
    config.set_main_option("path_separator", "os")
    return config


def upgrade(revision: str = "head") -> None:
    """Apply migrations as the owner of the schema."""
    command.upgrade(_config(), revision)


def downgrade(revision: str) -> None:
    """Take migrations back to a revision."""
    command.downgrade(_config(), revision)


@lru_cache(maxsize=1)
def head() -> str:
    """The newest migration in the code."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def applied(uow: UnitOfWork) -> str:
    """The migration the database is at; empty when it was never migrated."""
    if uow.scalar("SELECT to_regclass('alembic_version')::text") is None:
        return ""
    return str(uow.scalar("SELECT version_num FROM alembic_version") or "")
