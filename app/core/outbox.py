"""The outbox: work outside the database is a row in the transaction that wants it, and is done afterwards.

A worker leases a row, calls its deliverer with no transaction open, and settles the result in the transaction that
marks the row done. After a crash the lease runs out and the call is made again, so deliverers must be idempotent.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson

from app.core import bell, ids
from app.core.db import UnitOfWork, cross_shop, open_transaction, unit_of_work
from app.core.errors import LoyalNestError, Unavailable

log = logging.getLogger(__name__)

BELL = "outbox"
MAX_ATTEMPTS = 12
LEASE_SECONDS = 60
WORKERS = 4
_MAX_DELAY_SECONDS = 3600


@dataclass(frozen=True)
class OutboxMessage:
    """One piece of outside work."""

    shop_id: UUID
    id: UUID
    kind: str
    key: str
    payload: dict[str, Any]
    attempts: int
    created_at: datetime


Settle = Callable[[UnitOfWork], None]
Deliver = Callable[[OutboxMessage], Settle | None]
OnFailure = Callable[[UnitOfWork, OutboxMessage, Exception], None]


@dataclass(frozen=True)
class _Deliverer:
    deliver: Deliver
    on_failure: OnFailure | None


_deliverers: dict[str, _Deliverer] = {}


def delivers(kind: str, *, on_failure: OnFailure | None = None) -> Callable[[Deliver], Deliver]:
    """Register who does the work of `kind`, and what happens in the shop when it fails for good."""

    def register(function: Deliver) -> Deliver:
        _deliverers[kind] = _Deliverer(function, on_failure)
        return function

    return register


def registered_kinds() -> frozenset[str]:
    """Every kind of outside work that somebody does."""
    return frozenset(_deliverers)


_PUT = """
INSERT INTO outbox (shop_id, id, kind, key, payload, not_before)
VALUES (%(shop)s, %(id)s, %(kind)s, %(key)s, %(payload)s::jsonb, coalesce(%(not_before)s, now()))
ON CONFLICT (shop_id, kind, key) DO NOTHING
"""


def put(
    uow: UnitOfWork, kind: str, payload: dict[str, Any], *, key: str, not_before: datetime | None = None
) -> None:
    """Store one piece of work in the caller's transaction; the same (kind, key) is stored once."""
    uow.execute(
        _PUT,
        {
            "shop": uow.shop,
            "id": ids.new_id(),
            "kind": kind,
            "key": key,
            "payload": orjson.dumps(payload).decode(),
            "not_before": not_before,
        },
    )
    _ring_once(uow)


_PUT_MANY = """
INSERT INTO outbox (shop_id, id, kind, key, payload)
SELECT %(shop)s, v.id, %(kind)s, v.key, v.payload
FROM jsonb_to_recordset(%(rows)s::jsonb) AS v (id uuid, key text, payload jsonb)
ON CONFLICT (shop_id, kind, key) DO NOTHING
"""


def put_many(uow: UnitOfWork, kind: str, items: list[tuple[str, dict[str, Any]]]) -> None:
    """Store many pieces of work of one kind, given as (key, payload), with one statement."""
    if not items:
        return
    rows = [{"id": ids.new_id(), "key": key, "payload": payload} for key, payload in items]
    uow.execute(_PUT_MANY, {"shop": uow.shop, "kind": kind, "rows": orjson.dumps(rows).decode()})
    _ring_once(uow)


def _ring() -> None:
    bell.ring(BELL)


def _ring_once(uow: UnitOfWork) -> None:
    if _ring not in uow._after:
        uow.after_commit(_ring)


_LEASE = """
UPDATE outbox o SET attempts = o.attempts + 1, lease_until = now() + make_interval(secs => %(lease)s)
FROM (SELECT shop_id, id FROM outbox
      WHERE state = 0 AND not_before <= now() AND (lease_until IS NULL OR lease_until < now())
      ORDER BY not_before LIMIT %(limit)s FOR UPDATE SKIP LOCKED) d
WHERE o.shop_id = d.shop_id AND o.id = d.id
RETURNING o.shop_id, o.id, o.kind, o.key, o.payload, o.attempts, o.created_at
"""


def lease(limit: int = 1) -> list[OutboxMessage]:
    """Take due work for a minute."""
    with cross_shop("outbox looks for work") as uow:
        return [OutboxMessage(**row) for row in uow.all(_LEASE, {"limit": limit, "lease": LEASE_SECONDS})]


_LEASE_ONE = """
UPDATE outbox SET attempts = attempts + 1, lease_until = now() + make_interval(secs => %(lease)s)
WHERE shop_id = %(shop)s AND kind = %(kind)s AND key = %(key)s
  AND state = 0 AND not_before <= now() AND (lease_until IS NULL OR lease_until < now())
RETURNING shop_id, id, kind, key, payload, attempts, created_at
"""
_URGENT_POLL_SECONDS = 0.1


def deliver_one(shop_id: UUID, kind: str, key: str, *, seconds: float) -> bool:
    """Do one committed piece of work at once, for a caller who waits. True when it is settled, well or not.

    The work runs in a thread that goes on when the time is over; when somebody else holds the row's lease, that one is
    waited for. False means that it is still open, or put off: the worker or that thread settles it later.
    """
    if open_transaction():
        raise RuntimeError("outside work is done after the commit")
    deadline = time.monotonic() + seconds
    where = {"shop": shop_id, "kind": kind, "key": key}
    attempt = _urgent().submit(_attempt, where)
    try:
        attempt.result(seconds)
    except TimeoutError:
        attempt.cancel()
        return False
    while (found := _state(where)) and found["leased"] and time.monotonic() < deadline:
        threading.Event().wait(_URGENT_POLL_SECONDS)
    return found is not None and found["state"] != 0


def _attempt(where: dict[str, Any]) -> None:
    try:
        with unit_of_work(where["shop"]) as uow:
            row = uow.one(_LEASE_ONE, {**where, "lease": LEASE_SECONDS})
    except Unavailable:
        log.warning("no connection for urgent %s; the worker will do it", where["kind"])
        return
    if row is not None:
        _guarded(OutboxMessage(**row))


def _state(where: dict[str, Any]) -> dict[str, Any] | None:
    with unit_of_work(where["shop"]) as uow:
        return uow.one(
            "SELECT state, state = 0 AND lease_until IS NOT NULL AS leased FROM outbox"
            " WHERE shop_id = %(shop)s AND kind = %(kind)s AND key = %(key)s",
            where,
        )


@lru_cache(maxsize=1)
def _urgent() -> ThreadPoolExecutor:
    """Few threads: when Shopify hangs, callers stop waiting instead of piling up."""
    return ThreadPoolExecutor(max_workers=4, thread_name_prefix="urgent")


def deliver(message: OutboxMessage) -> None:
    """Do one leased piece of work and settle it."""
    deliverer = _deliverers.get(message.kind)
    if deliverer is None:
        log.error("nobody delivers %s", message.kind)
        return
    try:
        settle = deliverer.deliver(message)
    except Exception as error:  # noqa: BLE001 - whatever a deliverer raises is noted and tried again
        _failed(message, deliverer, error)
        return
    with unit_of_work(message.shop_id) as uow:
        if _close(uow, message, state=1) and settle is not None:
            settle(uow)


def _failed(message: OutboxMessage, deliverer: _Deliverer, error: Exception) -> None:
    retryable = error.retryable if isinstance(error, LoyalNestError) else True
    if retryable and message.attempts < MAX_ATTEMPTS:
        delay = min(_MAX_DELAY_SECONDS, 2 ** min(message.attempts, 12))
        log.warning("%s %s will be tried again in %s s", message.kind, message.id, delay, exc_info=error)
        with unit_of_work(message.shop_id) as uow:
            uow.execute(
                "UPDATE outbox SET lease_until = NULL, last_error = %(error)s,"
                " not_before = now() + make_interval(secs => %(delay)s)"
                " WHERE shop_id = %(shop)s AND id = %(id)s AND state = 0",
                {"shop": message.shop_id, "id": message.id, "delay": delay, "error": _describe(error)},
            )
        return
    log.error("%s %s failed for good: %s", message.kind, message.id, _describe(error))
    with unit_of_work(message.shop_id) as uow:
        if _close(uow, message, state=2, error=_describe(error)) and deliverer.on_failure is not None:
            deliverer.on_failure(uow, message, error)


def _describe(error: Exception) -> str:
    """The class and code only: messages of foreign errors may quote personal data."""
    return f"{type(error).__name__}:{getattr(error, 'code', '')}"


def _close(uow: UnitOfWork, message: OutboxMessage, *, state: int, error: str | None = None) -> bool:
    """Mark a row settled; False when another worker did so after our lease ran out."""
    row = uow.one(
        "UPDATE outbox SET state = %(state)s, done_at = clock_timestamp(), lease_until = NULL, last_error = %(error)s"
        " WHERE shop_id = %(shop)s AND id = %(id)s AND state = 0 RETURNING id",
        {"shop": message.shop_id, "id": message.id, "state": state, "error": error},
    )
    return row is not None


def drain(stop: Callable[[], bool] = lambda: False) -> int:
    """Do due work one piece after the other until there is none or told to stop. Returns how many were taken.

    Pieces are leased singly: a lease that waits behind slow calls would run out, and another worker would repeat it.
    """
    total = 0
    while not stop() and (taken := lease(1)):
        total += 1
        _guarded(taken[0])
    return total


def _guarded(message: OutboxMessage) -> None:
    try:
        deliver(message)
    except Exception:
        log.exception("%s %s could not be settled; its lease runs out", message.kind, message.id)


def serve(stop: Callable[[], bool], poll_seconds: float = 1.0) -> None:
    """Deliver with a few threads until told to stop; calls in hand are finished first."""
    threads = [
        threading.Thread(target=_serve, args=(stop, poll_seconds), name=f"outbox-{number}", daemon=True)
        for number in range(WORKERS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _serve(stop: Callable[[], bool], poll_seconds: float) -> None:
    while not stop():
        bell.wait(BELL, poll_seconds)
        try:
            drain(stop)
        except Exception:
            log.exception("outbox failed; trying again")
            threading.Event().wait(poll_seconds)
