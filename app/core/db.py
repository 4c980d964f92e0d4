"""The database: engine, model base and the unit of work, which is the only place that commits.

One psycopg connection serves a unit of work. Hot paths run SQL text on it; configuration screens use the ORM session
that is bound to the same connection and therefore to the same transaction.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from sqlalchemy import Connection, DateTime, Engine, MetaData, create_engine, func
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, declared_attr, mapped_column
from sqlalchemy.pool import PoolProxiedConnection

from app.core import clock, crypto, events, ids
from app.core.errors import Unavailable
from app.core.settings import get_settings

log = logging.getLogger(__name__)

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

    def scalar(self, sql: str, params: Any = None) -> Any:
        """The first column of the first row, or None."""
        row = self.one(sql, params)
        return next(iter(row.values())) if row else None

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


def _begin(first: str) -> PoolProxiedConnection:
    """Check out a connection and begin. After a restart of the server every connection in the pool may be dead."""
    died: Exception | None = None
    for _ in range(get_settings().database_pool_size + 1):
        raw = _checkout()
        try:
            raw.driver_connection.execute(first)  # type: ignore[union-attr]
            return raw
        except psycopg.OperationalError as error:
            died = error
            raw.invalidate()
    raise Unavailable() from died


@contextlib.contextmanager
def _transaction(first: str, shop_id: UUID | None, actor: Actor) -> Iterator[UnitOfWork]:
    raw = _begin(first)
    work = UnitOfWork(shop_id, actor, clock.now(), raw)
    _open.depth = getattr(_open, "depth", 0) + 1
    try:
        yield work
        if work._session is not None:
            work._session.flush()
        work.driver.execute("COMMIT")
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
        raw.driver_connection.execute("ROLLBACK")  # type: ignore[union-attr]
    except psycopg.Error:
        raw.invalidate()


def _finish(work: UnitOfWork) -> None:
    """What follows the commit is best effort: everything that must not be lost is a row already."""
    from app.core import jobs

    for action in work._after:
        try:
            action()
        except Exception:
            log.warning("after-commit action failed", exc_info=True)
    if work._jobs:
        jobs.send(work._jobs)


@contextlib.contextmanager
def unit_of_work(shop_id: UUID, *, actor: Actor = SYSTEM) -> Iterator[UnitOfWork]:
    """One transaction that sees and writes only this shop's rows. Commits at the end, rolls back on any exception."""
    first = f"BEGIN; SELECT set_config('app.shop_id', '{UUID(str(shop_id))}', true)"
    with _transaction(first, shop_id, actor) as work:
        yield work


@contextlib.contextmanager
def cross_shop(reason: str, *, actor: Actor = SYSTEM) -> Iterator[UnitOfWork]:
    """One transaction over every shop, for the few places that need it; each use is logged with its reason."""
    log.debug("work across shops: %s", reason)
    first = "BEGIN; SELECT set_config('app.cross_shop', 'on', true)"
    with _transaction(first, None, actor) as work:
        yield work
