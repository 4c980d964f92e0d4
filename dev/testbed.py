"""Databases for tests: one migrated template per run, one copy of it per pytest worker."""

import os
import subprocess
import sys
from dataclasses import dataclass

import psycopg
from psycopg import sql

from dev.data import REPOSITORY
from dev.environment import inherited
from dev.failure import Refused
from dev.roles import APPLICATION, OWNER, DatabaseUrls, ensure_database, with_database, with_login
from dev.services import ThrowAway

_TEMPLATE = "loyalnest_template"
_KEY = "dGVzdHMgdGVzdHMgdGVzdHMgdGVzdHMgdGVzdHMgdGU="


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server on which databases for tests may be made, and a Valkey beside it."""

    admin_url: str
    redis_url: str
    owner_password: str
    app_password: str

    @classmethod
    def of(cls, services: ThrowAway) -> "Server":
        """The server of throw-away services."""
        return cls(
            services.admin_url,
            services.redis_url,
            services.secrets["owner_password"],
            services.secrets["app_password"],
        )

    def _urls(self, database: str) -> DatabaseUrls:
        return DatabaseUrls(
            owner=with_login(self.admin_url, OWNER, self.owner_password, database),
            application=with_login(self.admin_url, APPLICATION, self.app_password, database),
        )

    def make_template(self) -> None:
        """Create and migrate the template, as an installation does. Raises Refused with the migration's output."""
        passwords = {"owner_password": self.owner_password, "app_password": self.app_password}
        urls = ensure_database(self.admin_url, passwords, _TEMPLATE)
        migrate({**inherited(), **variables(urls, self.redis_url)})

    def make_database(self, name: str) -> DatabaseUrls:
        """A fresh copy of the template; one of the same name is replaced."""
        with psycopg.connect(with_database(self.admin_url, "postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                    sql.Identifier(name), sql.Identifier(_TEMPLATE), sql.Identifier(OWNER)
                )
            )
        return self._urls(name)


def variables(urls: DatabaseUrls, redis_url: str) -> dict[str, str]:
    """The application's environment in tests: fixed keys, no Shopify, no mail."""
    return {
        "ENVIRONMENT": "development",
        "APP_URL": "http://127.0.0.1:8400",
        "DATABASE_URL": urls.application,
        "DATABASE_OWNER_URL": urls.owner,
        "REDIS_URL": redis_url,
        "MASTER_KEY": _KEY,
        "SHOPIFY_API_KEY": "test-api-key",
        "SHOPIFY_API_SECRET": "test-api-secret",
    }


def migrate(environment: dict[str, str]) -> None:
    """Bring a schema to the newest version. Raises Refused with the last line of what went wrong."""
    command = [sys.executable, "-m", "app.cli", "migrate"]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        detail = lines[-1] if lines else "no output"
        if os.environ.get("LOG_LEVEL") == "DEBUG":
            print(done.stderr, file=sys.stderr)
        raise Refused(f"The database could not be migrated: {detail}")
