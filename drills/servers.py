"""A PostgreSQL and a Valkey of a drill's own, to be killed; the application points at them for the length of a block."""

import contextlib
import os
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.core import bell, crypto, jobs
from app.core.db import dispose_engine
from app.core.settings import get_settings
from app.domains.shops import service as shops
from dev import processes
from dev.data import DataFolder
from dev.postgres import THROW_AWAY, PostgresServer
from dev.roles import ensure_database
from dev.services import ThrowAway, throw_away
from dev.testbed import migrate, variables
from dev.valkey import ValkeyServer


@dataclass
class OwnServers:
    """Two servers that nobody else uses, on ports that stay the same."""

    postgres: PostgresServer
    postgres_port: int
    valkey: ValkeyServer
    valkey_port: int

    def kill_database(self) -> None:
        """Kill -9 of every PostgreSQL process."""
        with _reaped(self.postgres):
            self.postgres.kill()

    def start_database(self) -> None:
        """Start PostgreSQL again; it recovers from its log."""
        self.postgres.start(self.postgres_port)

    def kill_queue(self) -> None:
        """Kill -9 of Valkey."""
        found = self.valkey.running()
        if found is not None:
            with _reaped(self.valkey):
                processes.end(found.pid, ((signal.SIGKILL, 5.0),))

    def start_queue(self) -> None:
        """Start Valkey again, empty when it writes nothing to disk."""
        self.valkey.start(self.valkey_port)

    def stop(self) -> None:
        """Stop both, whoever started them."""
        for server in (self.valkey, self.postgres):
            with _reaped(server):
                server.stop()


@contextlib.contextmanager
def _reaped(server: PostgresServer | ValkeyServer) -> Iterator[None]:
    """Wait until the server that the block ends has left the process table: the threads of one that counts as ended
    may take a moment longer, and then Python warns of a child that nobody waited for."""
    found = server.running()
    yield
    if found is not None:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(found.pid, 0)


@contextlib.contextmanager
def own(*, durable: bool) -> Iterator[OwnServers]:
    """Start servers with a migrated database. `durable` makes both write to disk for real, otherwise Valkey keeps
    nothing."""
    with throw_away(durable=durable) as services:
        found = _of(services, durable)
        urls = ensure_database(services.admin_url, services.secrets)
        # Mail is off: a message counts as delivered, and the outbox can come to rest.
        environment = {**variables(urls, services.redis_url), "SMTP_URL": ""}
        migrate({**os.environ, **environment})
        with _pointed_at(environment):
            try:
                yield found
            finally:
                found.stop()


def _of(services: ThrowAway, durable: bool) -> OwnServers:
    data = DataFolder(services.folder)
    postgres_port, valkey_port = (urlsplit(url).port for url in (services.admin_url, services.redis_url))
    assert postgres_port is not None
    assert valkey_port is not None
    return OwnServers(
        PostgresServer(
            data.postgres,
            data.logs / "postgres.log",
            services.secrets["superuser_password"],
            {} if durable else THROW_AWAY,
        ),
        postgres_port,
        ValkeyServer(
            data.valkey, data.logs / "valkey.log", services.secrets["valkey_password"], durable=durable
        ),
        valkey_port,
    )


@contextlib.contextmanager
def _pointed_at(environment: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in environment}
    _forget()
    os.environ.update(environment)
    try:
        yield
    finally:
        _forget()
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _forget() -> None:
    """Everything that this process remembers of the services it used so far."""
    dispose_engine()
    for remembered in (get_settings, bell.client, jobs.connection):
        remembered.cache_clear()
    crypto.forget_keys()
    shops.forget_directory()
