"""Runs migrations as the owner of the schema; the application's role gets only what it needs."""

from urllib.parse import urlsplit

from alembic import context
from sqlalchemy import create_engine, text

from app.core.settings import get_settings


def run() -> None:
    settings = get_settings()
    owner = create_engine(settings.owner_url.replace("postgresql://", "postgresql+psycopg://", 1))
    app_role = urlsplit(settings.database_url).username or ""
    with owner.connect() as connection:
        connection.execute(text("SELECT set_config('lock_timeout', '5s', false)"))
        connection.execute(text("SELECT set_config('loyalnest.app_role', :role, false)"), {"role": app_role})
        connection.execute(text("SELECT set_config('app.cross_shop', 'on', false)"))
        connection.commit()
        context.configure(connection=connection, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
    owner.dispose()


run()
