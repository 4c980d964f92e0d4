"""PostgreSQL and Valkey of a data folder: started when nobody runs them, shared by everything that needs them."""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dev import ports, processes
from dev.data import DataFolder
from dev.failure import Refused
from dev.postgres import THROW_AWAY, PostgresServer, Running
from dev.roles import DatabaseUrls, adopt_database, ensure_database
from dev.valkey import ValkeyServer


@dataclass(frozen=True)
class Services:
    """Where the database and the queue are."""

    database: DatabaseUrls
    redis_url: str


@dataclass(frozen=True)
class LocalServices:
    """The embedded servers of one data folder. A person's DATABASE_URL or REDIS_URL takes a server's place."""

    data: DataFolder

    @property
    def postgres(self) -> PostgresServer:
        return PostgresServer(
            self.data.postgres, self.data.logs / "postgres.log", self.data.secrets["superuser_password"]
        )

    @property
    def valkey(self) -> ValkeyServer:
        return ValkeyServer(
            self.data.valkey, self.data.logs / "valkey.log", self.data.secrets["valkey_password"]
        )

    @property
    def own_database(self) -> bool:
        return not os.environ.get("DATABASE_URL")

    @property
    def own_redis(self) -> bool:
        return not os.environ.get("REDIS_URL")

    def connect(self) -> Services:
        """The addresses of the running servers, roles and database made sure of. Raises Refused when one is down."""
        return Services(self._database(), self._redis())

    def _database(self) -> DatabaseUrls:
        if self.own_database:
            port = _port_of(self.postgres.running(), "PostgreSQL")
            return ensure_database(self.postgres.url(port), self.data.secrets)
        if os.environ.get("DATABASE_OWNER_URL"):
            return DatabaseUrls(os.environ["DATABASE_OWNER_URL"], os.environ["DATABASE_URL"])
        return adopt_database(os.environ["DATABASE_URL"], self.data.secrets)

    def _redis(self) -> str:
        if not self.own_redis:
            return os.environ["REDIS_URL"]
        return self.valkey.url(_port_of(self.valkey.running(), "Valkey"))

    def start_detached(self, database_port: int | None = None, redis_port: int | None = None) -> bool:
        """Start what is not running, in the background. Returns whether anything had to be started."""
        free_database, free_redis = ports.free(2)
        started = False
        if self.own_database and not self.postgres.running():
            processes.let_go(self.postgres.start(database_port or free_database, detached=True))
            started = True
        if self.own_redis and not self.valkey.running():
            processes.let_go(self.valkey.start(redis_port or free_redis, detached=True))
            started = True
        return started

    def stop(self) -> None:
        """Stop both servers, whoever started them."""
        self.valkey.stop()
        self.postgres.stop()
        self._borrowed.unlink(missing_ok=True)

    @property
    def _borrowed(self) -> Path:
        return self.data.path / ".borrowed"

    def lease(self) -> contextlib.ExitStack:
        """Say that the servers are in use; hand it back with `release`. Call with the lock `services` held."""
        lease = contextlib.ExitStack()
        lease.enter_context(self.data.locked("lease", shared=True))
        return lease

    def release(self, lease: contextlib.ExitStack) -> None:
        """Stop using the servers; the last user stops them when they were started only for the moment."""
        with self.data.locked("services"):
            lease.close()
            with self.data.locked_now("lease") as alone:
                if alone and self._borrowed.exists():
                    self.stop()

    @contextlib.contextmanager
    def borrowed(self) -> Iterator[Services]:
        """Use the servers for a moment, started when they are not running."""
        with self.data.locked("services"):
            if self.start_detached():
                self._borrowed.touch()
            lease = self.lease()
        try:
            yield self.connect()
        finally:
            self.release(lease)


@dataclass(frozen=True)
class ThrowAway:
    """Servers that live as long as one run: fast, not durable, deleted afterwards."""

    folder: Path
    admin_url: str
    redis_url: str
    secrets: dict[str, str]


REDIS_DATABASES = 64
_PREFIX = "loyalnest-"
_STALE_SECONDS = 3 * 3600


@contextlib.contextmanager
def throw_away(*, durable: bool = False) -> Iterator[ThrowAway]:
    """Start both servers in a temporary folder and remove everything at the end; `durable` writes to disk for real."""
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    data = DataFolder(folder)
    try:
        data.prepare()
        database_port, redis_port = ports.free(2)
        postgres = PostgresServer(
            data.postgres,
            data.logs / "postgres.log",
            data.secrets["superuser_password"],
            {} if durable else THROW_AWAY,
        )
        valkey = ValkeyServer(
            data.valkey,
            data.logs / "valkey.log",
            data.secrets["valkey_password"],
            databases=REDIS_DATABASES,
            durable=durable,
        )
        try:
            postgres.start(database_port)
            valkey.start(redis_port)
            yield ThrowAway(folder, postgres.url(database_port), valkey.url(redis_port), data.secrets)
        finally:
            valkey.stop()
            postgres.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep() -> None:
    """Remove what runs that were killed hours ago could not remove themselves."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        data = DataFolder(folder)
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime < _STALE_SECONDS or not data.secrets_file.exists():
                continue
            if PostgresServer(data.postgres, data.logs / "postgres.log", "").running() is None:
                shutil.rmtree(folder, ignore_errors=True)


def _port_of(found: Running | None, name: str) -> int:
    if found is None:
        raise Refused(f"{name} is not running on this data folder; start it with ./dev.sh up.")
    return found.port
