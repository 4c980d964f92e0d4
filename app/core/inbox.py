"""The inbox: what a platform tells us is stored before it is answered, then handled in batches.

`put` is one durable insert. The drain claims a shop's rows, hands them to the topic handlers in one transaction and
marks them done; on an error each row is tried alone, so that one poisonous row cannot hold up the others.
The body is sealed with the shop's key while it waits and is dropped once it has been handled.
"""

import logging
import random
import re
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import psycopg
from sqlalchemy.exc import SQLAlchemyError

from app.core import bell, clock, crypto, ids
from app.core.db import UnitOfWork, cross_shop, engine, is_contention, unit_of_work
from app.core.errors import Unavailable
from app.core.settings import get_settings

log = logging.getLogger(__name__)

BELL = "inbox"
MAX_ATTEMPTS = 5
_RETRY_SECONDS = (2, 10, 60, 300)
READY, DONE, IGNORED, PARKED = range(4)
_LOOK_SECONDS = 0.3
_TURNS = 5


@dataclass(slots=True)
class Delivery:
    """One stored webhook, in the order of the columns that are claimed. The body is sealed until it is handled."""

    id: UUID
    topic: str
    webhook_id: str
    event_id: str
    triggered_at: datetime | None
    received_at: datetime
    body: bytes
    attempts: int = 0
    outcome: str = ""

    def json(self) -> Any:
        """The parsed body. Raises ValueError."""
        return orjson.loads(self.body)

    def ignore(self, reason: str) -> None:
        """Say why this delivery deliberately changes nothing."""
        self.outcome = reason


TopicHandler = Callable[[UnitOfWork, Sequence[Delivery]], None]
_handlers: dict[str, TopicHandler] = {}


def on_topic(*topics: str) -> Callable[[TopicHandler], TopicHandler]:
    """Register the one handler of these topics; it gets all waiting deliveries of them in order of arrival."""

    def register(handler: TopicHandler) -> TopicHandler:
        for topic in topics:
            if _handlers.setdefault(topic, handler) is not handler:
                raise ValueError(f"{topic} has two handlers")
        return handler

    return register


def registered_topics() -> frozenset[str]:
    """Every topic that somebody handles."""
    return frozenset(_handlers)


_PUT = "SELECT inbox_put(%s, %s, %s, %s, %s, %s, %s)"


def put(
    shop_id: UUID, topic: str, webhook_id: str, event_id: str, triggered_at: datetime | None, payload: bytes
) -> bool:
    """Store one delivery durably and ring the drain. False when its webhook id is known. Raises Unavailable."""
    sealed = _keys(shop_id).seal_bytes(payload, "inbox")
    row = (shop_id, ids.new_id(), topic, webhook_id, event_id, triggered_at, sealed)
    stored = _insert(row)
    bell.ring_soon(BELL)
    return stored


def _insert(row: tuple[Any, ...]) -> bool:
    """One autocommitted statement. Connections that died in the pool are replaced; the webhook id makes that safe."""
    died: Exception | None = None
    for _ in range(get_settings().database_pool_size + 1):
        raw = _raw_connection()
        try:
            return bool(raw.driver_connection.execute(_PUT, row).fetchone()[0])
        except psycopg.OperationalError as error:
            died = error
            if not raw.driver_connection.broken:
                break
            raw.invalidate()
        finally:
            raw.close()
    raise Unavailable() from died


def _raw_connection() -> Any:
    try:
        return engine().raw_connection()
    except (SQLAlchemyError, psycopg.OperationalError) as error:
        raise Unavailable() from error


def _keys(shop_id: UUID) -> crypto.ShopKeys:
    keys = crypto.cached_keys(shop_id)
    if keys is None:
        with unit_of_work(shop_id) as uow:
            keys = crypto.shop_keys(uow)
    return keys


# One look into the index for each shop: grouping would read every waiting row, for each batch anew.
_READY_SHOPS = """
WITH RECURSIVE shop AS (
  (SELECT shop_id FROM inbox WHERE state = 0 ORDER BY shop_id LIMIT 1)
  UNION ALL
  SELECT (SELECT i.shop_id FROM inbox i WHERE i.state = 0 AND i.shop_id > s.shop_id ORDER BY i.shop_id LIMIT 1)
  FROM shop s WHERE s.shop_id IS NOT NULL)
SELECT s.shop_id FROM shop s CROSS JOIN LATERAL (
  SELECT i.id FROM inbox i WHERE i.shop_id = s.shop_id AND i.state = 0 AND i.not_before <= now() ORDER BY i.id LIMIT 1) first
ORDER BY first.id LIMIT 500
"""

_COLUMNS = "id, topic, webhook_id, event_id, triggered_at, received_at, payload, attempts"

_CLAIM = f"""
SELECT {_COLUMNS} FROM inbox WHERE shop_id = %(shop)s AND state = 0 AND not_before <= now()
ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""

_CLAIM_ONE = f"""
SELECT {_COLUMNS} FROM inbox WHERE shop_id = %(shop)s AND id = %(id)s AND state = 0 FOR UPDATE SKIP LOCKED
"""

_DONE = """
UPDATE inbox SET state = 1, done_at = clock_timestamp(), payload = NULL
WHERE shop_id = %(shop)s AND id = ANY(%(ids)s) AND state = 0
"""

_IGNORED = """
UPDATE inbox i SET state = 2, outcome = v.outcome, done_at = clock_timestamp(), payload = NULL
FROM unnest(%(ids)s::uuid[], %(outcomes)s::text[]) AS v (id, outcome)
WHERE i.shop_id = %(shop)s AND i.id = v.id AND i.state = 0
"""

_FAIL = """
UPDATE inbox SET attempts = attempts + 1, last_error = %(error)s,
  state = CASE WHEN attempts + 1 >= %(max)s THEN 3 ELSE 0 END,
  not_before = now() + make_interval(secs => %(delay)s)
WHERE shop_id = %(shop)s AND id = %(id)s AND state = 0
RETURNING state
"""


def ready_shops() -> list[UUID]:
    """Shops with deliveries to handle, the longest waiting first."""
    with cross_shop("inbox drain looks for work") as uow:
        return [row["shop_id"] for row in uow.all(_READY_SHOPS)]


def drain_shop(shop_id: UUID, limit: int = 200) -> int:
    """Handle up to `limit` deliveries of one shop in one transaction. Returns how many were taken."""
    for turn in range(_TURNS):
        taken: list[Delivery] = []
        try:
            _drain(shop_id, _CLAIM, {"shop": shop_id, "limit": limit}, taken)
        except Exception as error:
            if is_contention(error):
                _give_way(turn, error)
                continue
            if not taken:
                raise
            log.warning(
                "a batch of %s deliveries failed and is tried one by one",
                len(taken),
                exc_info=len(taken) == 1,
            )
            for delivery in taken:
                _drain_one(shop_id, delivery.id)
        return len(taken)
    return 0


def _drain_one(shop_id: UUID, delivery_id: UUID) -> None:
    for turn in range(_TURNS):
        try:
            _drain(shop_id, _CLAIM_ONE, {"shop": shop_id, "id": delivery_id}, [])
        except Exception as error:
            if is_contention(error):
                _give_way(turn, error)
                continue
            log.warning("delivery %s failed", delivery_id, exc_info=True)
            _record_failure(shop_id, delivery_id, error)
        return


def _drain(shop_id: UUID, claim: str, where: dict[str, Any], taken: list[Delivery]) -> None:
    """Claim and handle in one transaction; `taken` tells the caller which, also when it raises."""
    with unit_of_work(shop_id) as uow:
        # Binary: the text form of a body would be twice as long.
        cursor = uow.driver.cursor(binary=True)
        taken += [Delivery(*row) for row in cursor.execute(claim, where).fetchall()]
        _handle(uow, taken)


def _give_way(turn: int, error: Exception) -> None:
    """Wait a moment for those who work on the same rows. That is no failure: it is not counted as an attempt, and when
    it lasts, the deliveries stay ready for the next look."""
    log.info("a batch gives way to others: %s", type(error).__name__)
    threading.Event().wait(random.uniform(0.01, 0.03) * 2**turn)  # noqa: S311 - only spreads retries


def _record_failure(shop_id: UUID, delivery_id: UUID, error: Exception) -> None:
    with unit_of_work(shop_id) as uow:
        attempts = uow.scalar(
            "SELECT attempts FROM inbox WHERE shop_id = %(shop)s AND id = %(id)s AND state = 0",
            {"shop": shop_id, "id": delivery_id},
        )
        state = uow.scalar(
            _FAIL,
            {
                "shop": shop_id,
                "id": delivery_id,
                "max": MAX_ATTEMPTS,
                "delay": _RETRY_SECONDS[min(attempts or 0, len(_RETRY_SECONDS) - 1)],
                "error": type(error).__name__,
            },
        )
    if state == PARKED:
        log.error("delivery %s of shop %s is parked after %s attempts", delivery_id, shop_id, MAX_ATTEMPTS)


def _handle(uow: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
    if not deliveries:
        return
    keys = crypto.shop_keys(uow)
    by_handler: dict[TopicHandler, list[Delivery]] = {}
    for delivery in deliveries:
        delivery.body = _without_nul(keys.unseal_bytes(delivery.body, "inbox"))
        handler = _handlers.get(delivery.topic)
        if handler is None:
            delivery.ignore("no handler")
            continue
        by_handler.setdefault(handler, []).append(delivery)
    for handler, batch in by_handler.items():
        handler(uow, batch)
    _finish(uow, deliveries)


# An escape is one when an odd number of backslashes stands there; pairs of them are text.
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


def _without_nul(body: bytes) -> bytes:
    """A JSON body without NUL characters: they mean nothing, and the database cannot store them."""
    return _NUL.sub(rb"\1", body) if rb"\u0000" in body else body


def _finish(uow: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
    done = [delivery.id for delivery in deliveries if not delivery.outcome]
    ignored = {delivery.id: delivery.outcome for delivery in deliveries if delivery.outcome}
    if done:
        uow.execute(_DONE, {"shop": uow.shop, "ids": done})
    if ignored:
        uow.execute(_IGNORED, {"shop": uow.shop, "ids": list(ignored), "outcomes": list(ignored.values())})


def drain_all(limit: int = 200, stop: Callable[[], bool] = lambda: False) -> int:
    """Empty the inbox of every shop, taking turns between shops, or until told to stop. Returns how many were taken.

    Several processes may do so at once: each takes rows that no other one has.
    """
    total, looked = 0, 0.0
    shops: list[UUID] = []
    while not stop():
        fresh = not shops or time.monotonic() - looked > _LOOK_SECONDS
        if fresh:
            shops, looked = ready_shops(), time.monotonic()
        took = {shop_id: _guarded(shop_id, limit) for shop_id in shops if not stop()}
        total += sum(took.values())
        if fresh and not any(took.values()):
            break
        # A full batch leaves more behind it: no need to look for work, until others have to have their turn.
        shops = [shop_id for shop_id, size in took.items() if size == limit]
    return total


def _guarded(shop_id: UUID, limit: int) -> int:
    try:
        return drain_shop(shop_id, limit)
    except Exception:
        log.exception("the inbox of shop %s could not be drained", shop_id)
        return 0


def serve(stop: Callable[[], bool], poll_seconds: float = 1.0) -> None:
    """Drain until told to stop: at once when the bell rings, and every second without it."""
    while not stop():
        bell.wait(BELL, poll_seconds)
        try:
            drain_all(stop=stop)
        except Exception:
            log.exception("drain failed; trying again")
            threading.Event().wait(poll_seconds)


def oldest_waiting(uow: UnitOfWork) -> timedelta | None:
    """Age of the oldest delivery that nobody has handled yet; None when all are."""
    oldest = uow.scalar("SELECT min(received_at) FROM inbox WHERE state = 0")
    return clock.now() - oldest if oldest else None


def parked(uow: UnitOfWork) -> Iterable[dict[str, Any]]:
    """Deliveries that failed for good and wait for a person."""
    return uow.all(
        "SELECT id, topic, webhook_id, received_at, attempts, last_error FROM inbox"
        " WHERE shop_id = %(shop)s AND state = 3 ORDER BY id LIMIT 200",
        {"shop": uow.shop},
    )
