"""The database: engine, model base and the unit of work, which is the only place that commits.

One psycopg connection serves a unit of work. Hot paths run SQL text on it; configuration screens use the ORM session
that is bound to the same connection and therefore to the same transaction.
"""

import contextlib
import logging
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, TypeVar
from uuid import UUID

import orjson
import psycopg
from psycopg.rows import dict_row
from psycopg.types.array import ListDumper
from psycopg.types.json import set_json_loads
from sqlalchemy import Connection, DateTime, Engine, MetaData, create_engine, func
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, declared_attr, mapped_column
from sqlalchemy.pool import PoolProxiedConnection

from app.core import clock, crypto, events, ids
from app.core.errors import Contention, Unavailable
from app.core.settings import get_settings

log = logging.getLogger(__name__)
T = TypeVar("T")
set_json_loads(orjson.loads)

_CONVENTION = {
    "pk": "%(table_name)s_pkey",
    "fk": "%(table_name)s_%(column_0_name)s_fkey",
    "uq": "%(table_name)s_%(column_0_name)s_key",
    "ix": "%(table_name)s_%(column_0_name)s_idx",
}


class Base(DeclarativeBase):
    """Base of all mapped tables."""

    metadata = MetaData(naming_convention=_CONVENTION)
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: DateTime(timezone=True)}


class ShopOwned:
    """A row that belongs to one shop: key (shop_id, id), guarded by the statement guard and by row-level security."""

    shop_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=ids.new_id)

    @declared_attr.directive
    @classmethod
    def created_at(cls) -> Mapped[datetime]:
        return mapped_column(server_default=func.now())

    @declared_attr.directive
    @classmethod
    def updated_at(cls) -> Mapped[datetime]:
        return mapped_column(server_default=func.now(), onupdate=clock.now)


@dataclass(frozen=True)
class Actor:
    """Who does something; goes into the audit trail."""

    kind: Literal["system", "staff", "api_key", "member", "operator"]
    id: str
    label: str = ""


SYSTEM = Actor("system", "system")


@dataclass(frozen=True)
class JobCall:
    """A job to be sent to the queue after the commit."""

    name: str
    arguments: dict[str, Any]


# Texts without anything that an array would have to quote, joined by commas; a text with a comma of its own is told by the
# count, and the word for no value by itself.
_BARE = re.compile(r"[\w:./-]+(?:,[\w:./-]+)*", re.ASCII)


class _Arrays(ListDumper):
    """psycopg's arrays, with ids, numbers and bare texts joined as they are: a batch writes thousands without a quote."""

    def dump(self, obj: list[Any]) -> Any:
        kinds = set(map(type, obj))
        if kinds == {UUID}:
            return f"{{{','.join([one.hex for one in obj])}}}".encode()
        if kinds == {int}:
            return f"{{{','.join(map(str, obj))}}}".encode()
        if kinds == {str}:
            text = ",".join(obj)
            if text.count(",") == len(obj) - 1 and _BARE.fullmatch(text) and "null" not in text.lower():
                return f"{{{text}}}".encode()
        return super().dump(obj)


psycopg.adapters.register_dumper(list, _Arrays)

_engine: Engine | None = None
_open = threading.local()


def engine() -> Engine:
    """The engine of this process, made at first use."""
    global _engine
    if _engine is None:
        settings = get_settings()
        _engine = create_engine(
            settings.database_url.replace("postgresql://", "postgresql+psycopg://", 1),
            isolation_level="AUTOCOMMIT",
            pool_size=settings.database_pool_size,
            max_overflow=0,
            pool_timeout=0.25 if settings.environment == "production" else 5,
            pool_recycle=1800,
            # A unit of work ends its transaction itself before it gives its connection back.
            pool_reset_on_return=None,
            connect_args={
                "connect_timeout": 5,
                "application_name": "loyalnest",
                "options": "-c lock_timeout=5s -c statement_timeout=30s -c idle_in_transaction_session_timeout=60s"
                " -c timezone=UTC -c jit=off",
            },
        )
    return _engine


def dispose_engine() -> None:
    """Close every pooled connection; for forked workers and tests."""
    global _engine
    if _engine is not None:
        _engine.dispose()
        _engine = None


_CONTENTION = (
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
    psycopg.errors.LockNotAvailable,
)
_OUTAGE = (
    psycopg.errors.AdminShutdown,
    psycopg.errors.CrashShutdown,
    psycopg.errors.CannotConnectNow,
    psycopg.errors.TooManyConnections,
)


def is_contention(error: BaseException) -> bool:
    """Whether work failed only because others worked on the same rows, so that it succeeds when done again."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(cause, (Contention, *_CONTENTION))


def is_outage(error: BaseException) -> bool:
    """Whether work failed only because the database went away, so that it succeeds when done again with it back."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(cause, psycopg.OperationalError) and (
        # Without a state the server did not answer at all.
        cause.sqlstate is None or isinstance(cause, _OUTAGE) or cause.sqlstate.startswith("08")
    )


def open_transaction() -> bool:
    """Whether this thread holds a transaction; outbound calls refuse to run then."""
    return bool(getattr(_open, "depth", 0))


@dataclass
class UnitOfWork:
    """One transaction of one shop (or, rarely and by name, across shops) and what is to happen after it."""

    shop_id: UUID | None
    actor: Actor
    now: datetime
    _raw: PoolProxiedConnection
    _session: Session | None = None
    _jobs: list[JobCall] = field(default_factory=list)
    _after: list[Callable[[], None]] = field(default_factory=list)
    _known: dict[str, Any] = field(default_factory=dict)

    @property
    def shop(self) -> UUID:
        """The shop's id; an error in work across shops."""
        if self.shop_id is None:
            raise RuntimeError("this unit of work spans shops")
        return self.shop_id

    @property
    def driver(self) -> "psycopg.Connection[Any]":
        """The psycopg connection of this transaction."""
        connection = self._raw.driver_connection
        assert isinstance(connection, psycopg.Connection)
        return connection

    def execute(self, sql: str, params: Any = None) -> "psycopg.Cursor[dict[str, Any]]":
        """Run SQL text with %(name)s parameters. Pending ORM changes are flushed first, so both see one state."""
        if self._session is not None:
            self._session.flush()
        cursor = self.driver.cursor(row_factory=dict_row)
        return cursor.execute(sql, params)

    def one(self, sql: str, params: Any = None) -> dict[str, Any] | None:
        """The first row, or None."""
        return self.execute(sql, params).fetchone()

    def all(self, sql: str, params: Any = None) -> list[dict[str, Any]]:
        """Every row."""
        return self.execute(sql, params).fetchall()

    def tuples(self, sql: str, params: Any = None) -> list[tuple[Any, ...]]:
        """Every row, its columns in their order: for many rows of which little is wanted."""
        if self._session is not None:
            self._session.flush()
        return self.driver.execute(sql, params).fetchall()

    def scalar(self, sql: str, params: Any = None) -> Any:
        """The first column of the first row, or None."""
        row = self.one(sql, params)
        return next(iter(row.values())) if row else None

    def once(self, key: str, find: Callable[[], T]) -> T:
        """What `find` gives, asked once in this transaction; whoever changes it calls `forget`."""
        if key not in self._known:
            self._known[key] = find()
        found: T = self._known[key]
        return found

    def forget(self, key: str) -> None:
        """Let the next `once` ask again."""
        self._known.pop(key, None)

    @property
    def session(self) -> Session:
        """An ORM session in this transaction. Flush it, never commit it."""
        if self._session is None:
            from app.core.tenancy import guard

            self._session = Session(
                bind=Connection(engine(), connection=self._raw),
                expire_on_commit=False,
                join_transaction_mode="control_fully",
            )
            guard(self._session, self.shop_id)
        return self._session

    def publish(self, batch: Sequence[events.Event]) -> None:
        """Tell the subscribers facts of one type; they run now, in this transaction."""
        events.dispatch(self, batch)

    def enqueue(self, job_name: str, **arguments: Any) -> None:
        """Send a job once this transaction has been committed. Arguments are JSON primitives."""
        if self.shop_id is not None:
            arguments.setdefault("shop_id", str(self.shop_id))
        self._jobs.append(JobCall(job_name, arguments))

    def outbox(
        self, kind: str, payload: dict[str, Any], *, key: str, not_before: datetime | None = None
    ) -> None:
        """Store outside work durably; see app.core.outbox."""
        from app.core import outbox

        outbox.put(self, kind, payload, key=key, not_before=not_before)

    def seal(self, text: str | None, purpose: str) -> bytes | None:
        """Encrypt a personal datum with this shop's key."""
        return None if text is None else crypto.shop_keys(self).seal(text, purpose)

    def unseal(self, blob: bytes | None, purpose: str) -> str | None:
        """Decrypt what `seal` made for the same shop and purpose."""
        return None if blob is None else crypto.shop_keys(self).unseal(bytes(blob), purpose)

    def blind_index(self, text: str, purpose: str) -> bytes:
        """A keyed hash of the normalized value, for exact look-ups of an encrypted column."""
        return crypto.shop_keys(self).blind_index(text, purpose)

    def after_commit(self, action: Callable[[], None]) -> None:
        """Run `action` once the commit has succeeded; it must not fail the caller."""
        self._after.append(action)

    @contextlib.contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo only the inner block when it raises; the transaction goes on."""
        self.execute("SAVEPOINT inner_block")
        jobs, after = len(self._jobs), len(self._after)
        try:
            yield
        except BaseException:
            self.driver.execute("ROLLBACK TO SAVEPOINT inner_block")
            self._known.clear()
            if self._session is not None:
                self._session.expire_all()
            del self._jobs[jobs:], self._after[after:]
            raise
        self.execute("RELEASE SAVEPOINT inner_block")


def _checkout() -> PoolProxiedConnection:
    try:
        return engine().raw_connection()
    except PoolTimeout as error:
        raise Unavailable() from error
    except Exception as error:
        if isinstance(error.__cause__, psycopg.OperationalError) or isinstance(
            error, psycopg.OperationalError
        ):
            raise Unavailable() from error
        raise


def _command(raw: PoolProxiedConnection, sql: str) -> "psycopg.pq.abc.PGresult":
    """Run a command without parameters straight through libpq: half the processor time of a cursor."""
    connection = raw.driver_connection
    assert isinstance(connection, psycopg.Connection)
    result = connection.pgconn.exec_(sql.encode())
    if connection.broken:
        raise psycopg.OperationalError(result.get_error_message())
    if result.status not in (psycopg.pq.ExecStatus.COMMAND_OK, psycopg.pq.ExecStatus.TUPLES_OK):
        raise psycopg.errors.error_from_result(result)
    return result


def _begin(setting: str, value: str, mode: str) -> tuple[PoolProxiedConnection, datetime]:
    """Check out a connection, begin, set the scope. Gives the connection and the database's time.

    After a restart of the server every connection in the pool may be dead.
    """
    first = f"BEGIN {mode}; SELECT set_config('{setting}', '{value}', true), now()"
    died: Exception | None = None
    for _ in range(get_settings().database_pool_size + 1):
        raw = _checkout()
        try:
            found = _command(raw, first).get_value(0, 1)
            assert found is not None
            return raw, clock.chosen() or datetime.fromisoformat(found.decode()).astimezone(UTC)
        except psycopg.OperationalError as error:
            died = error
            raw.invalidate()
    raise Unavailable() from died


@contextlib.contextmanager
def _transaction(
    setting: str, value: str, shop_id: UUID | None, actor: Actor, mode: str = ""
) -> Iterator[UnitOfWork]:
    raw, now = _begin(setting, value, mode)
    work = UnitOfWork(shop_id, actor, now, raw)
    _open.depth = getattr(_open, "depth", 0) + 1
    try:
        yield work
        if work._session is not None:
            work._session.flush()
        if _command(raw, "COMMIT").command_status != b"COMMIT":
            raise RuntimeError("an error inside this unit of work was swallowed; nothing was committed")
    except BaseException:
        _roll_back(raw)
        raise
    finally:
        _open.depth -= 1
        if work._session is not None:
            work._session.expunge_all()
            work._session = None
        raw.close()
    _finish(work)


def _roll_back(raw: PoolProxiedConnection) -> None:
    try:
        _command(raw, "ROLLBACK")
    except psycopg.Error:
        raw.invalidate()


def _finish(work: UnitOfWork) -> None:
    """What follows the commit is best effort: everything that must not be lost is a row already."""
    for action in work._after:
        try:
            action()
        except Exception:
            log.warning("after-commit action failed", exc_info=True)
    if work._jobs:
        from app.core import jobs

        jobs.send(work._jobs)


def unit_of_work(
    shop_id: UUID, *, actor: Actor = SYSTEM, snapshot: bool = False
) -> contextlib.AbstractContextManager[UnitOfWork]:
    """One transaction that sees and writes only this shop's rows. Commits at the end, rolls back on any exception.

    With `snapshot` all its statements see the database as it was at the first, for reports that must add up.
    """
    mode = "ISOLATION LEVEL REPEATABLE READ" if snapshot else ""
    # The id becomes a part of a command's text, so nothing but an id may.
    scope = str(shop_id if type(shop_id) is UUID else UUID(str(shop_id)))
    return _transaction("app.shop_id", scope, shop_id, actor, mode)


def cross_shop(reason: str, *, actor: Actor = SYSTEM) -> contextlib.AbstractContextManager[UnitOfWork]:
    """One transaction over every shop, for the few places that need it; each use is logged with its reason."""
    log.debug("work across shops: %s", reason)
    return _transaction("app.cross_shop", "on", None, actor)
