"""Services for the tests: a database of its own for every worker, made before the application is imported.

`./dev.sh test` names running servers in TEST_DATABASE_ADMIN_URL and TEST_REDIS_URL; a plain pytest starts its own.
"""

import contextlib
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import redis
from hypothesis import HealthCheck, settings
from psycopg import sql

from dev.services import REDIS_DATABASES, throw_away
from dev.testbed import Server, variables

_FIXTURES = Path(__file__).parent / "fixtures"
pytest_plugins = sorted(f"tests.fixtures.{file.stem}" for file in _FIXTURES.glob("[a-z]*.py"))

_PASSED = ("TEST_DATABASE_ADMIN_URL", "TEST_REDIS_URL", "TEST_OWNER_PASSWORD", "TEST_APP_PASSWORD")
_running = contextlib.ExitStack()

# How long an example takes says how busy the machine is; what speed is promised is measured by the benchmarks.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def _server() -> Server:
    """The servers of this run, started by whoever comes first; workers inherit them through the environment."""
    if not os.environ.get(_PASSED[0]) or not os.environ.get(_PASSED[1]):
        started = Server.of(_running.enter_context(throw_away()))
        found = (started.admin_url, started.redis_url, started.owner_password, started.app_password)
        os.environ.update(dict(zip(_PASSED, found, strict=True)))
    os.environ.setdefault("TEST_OWNER_PASSWORD", "owner-in-tests")
    os.environ.setdefault("TEST_APP_PASSWORD", "application-in-tests")
    return Server(*(os.environ[name] for name in _PASSED))


def pytest_configure(config: pytest.Config) -> None:
    """Make this process's database and point the application's settings at it."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    server = _server()
    if worker is None:
        server.make_template()
        if _spreads_out(config):
            return
    number = int((worker or "gw0").removeprefix("gw"))
    urls = server.make_database(f"loyalnest_{worker or 'gw0'}")
    os.environ.update(variables(urls, _numbered(server.redis_url, 1 + number % (REDIS_DATABASES - 1))))


def _spreads_out(config: pytest.Config) -> bool:
    return bool(getattr(config.option, "numprocesses", None))


def pytest_unconfigure() -> None:
    """Stop what this process started."""
    _running.close()


def _numbered(url: str, number: int) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{number}"))


@pytest.fixture(scope="session")
def database_url() -> str:
    """URL of this worker's database for the application's role."""
    return os.environ["DATABASE_URL"]


@pytest.fixture(scope="session")
def database_owner_url() -> str:
    """URL of this worker's database for its owner."""
    return os.environ["DATABASE_OWNER_URL"]


@pytest.fixture(scope="session")
def redis_url() -> str:
    """URL of this worker's Valkey database."""
    return os.environ["REDIS_URL"]


@pytest.fixture
def valkey(redis_url: str) -> Iterator["redis.Redis"]:
    """A client of this worker's Valkey database, emptied before the test."""
    with contextlib.closing(redis.Redis.from_url(redis_url)) as client:
        client.flushdb()
        yield client


@cache
def _truncation(owner_url: str) -> bytes | None:
    """One statement that empties every table, written once: the schema does not change during a run."""
    with psycopg.connect(owner_url) as connection:
        names = [
            row[0]
            for row in connection.execute(
                "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
                " AND c.relname <> 'alembic_version' ORDER BY 1"
            )
        ]
        tables = sql.SQL(", ").join(map(sql.Identifier, names))
        statement = sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(tables)
        return statement.as_bytes(connection) if names else None


@pytest.fixture
def clean_database(database_owner_url: str) -> None:
    """Every table is empty when the test begins."""
    statement = _truncation(database_owner_url)
    if statement:
        with psycopg.connect(database_owner_url) as connection:
            connection.execute(statement)
