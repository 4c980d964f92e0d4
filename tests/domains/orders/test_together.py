"""Several drains at the same orders: whoever comes second waits for the first, and no delivery pays for it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event
from typing import Any

import pytest

from app.core import inbox
from app.core.db import unit_of_work
from app.domains.orders import queries, service
from tests.factories import payloads
from tests.fixtures.shop import TestShop


@contextmanager
def drains(size: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that each drain on a connection of their own, as drain processes do."""
    with ThreadPoolExecutor(size) as pool:
        yield pool


def test_two_drains_meet_at_one_new_order(shop: TestShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both hold a delivery about an order that nobody has stored yet."""
    met = Barrier(2, timeout=10)
    lock = queries.lock

    def meet(uow: Any, order_ids: Any) -> Any:
        if not met.broken:
            met.wait()
        return lock(uow, order_ids)

    shop.tell("orders/create", payloads.order(5, financial_status="pending"))
    shop.tell("orders/paid", payloads.order(5, updated_at=payloads.at(1)))
    monkeypatch.setattr(queries, "lock", meet)
    with drains(2) as pool:
        assert sum(pool.map(lambda _: inbox.drain_shop(shop.id, 1), range(2))) == 2
    assert shop.undone() == []
    with shop.work() as uow:
        assert uow.scalar("SELECT sum(attempts) FROM inbox") == 0
        assert uow.all("SELECT order_id, paid_at IS NOT NULL AS paid FROM orders") == [
            {"order_id": 5, "paid": True}
        ]
        assert uow.scalar("SELECT sum(points)::bigint FROM points_entries WHERE kind = 'award'") == 1299


def test_drains_that_lock_each_other_out_both_succeed(shop: TestShop) -> None:
    """A deadlock made on purpose. The drain waits first, so it is the one that PostgreSQL ends."""
    first, second = sorted((5, 6), key=lambda order_id: queries._number(shop.id, order_id))
    for number in (5, 6):
        shop.tell("orders/paid", payloads.order(number, customer=payloads.customer(number)))
    shop.drain()
    held, go = Event(), Event()

    def rival() -> None:
        with unit_of_work(shop.id) as uow:
            queries.lock(uow, [second])
            held.set()
            assert go.wait(10)
            queries.lock(uow, [first])

    for number in (5, 6):
        shop.tell("orders/cancelled", payloads.order(number, customer=payloads.customer(number)))
    with drains(2) as pool:
        other = pool.submit(rival)
        assert held.wait(10)
        mine = pool.submit(inbox.drain_shop, shop.id)
        _wait_until_blocked(shop)
        go.set()
        other.result(20)
        assert mine.result(20) == 2
    assert shop.undone() == []
    with shop.work() as uow:
        assert uow.scalar("SELECT sum(attempts) FROM inbox") == 0
        assert uow.scalar("SELECT sum(points)::bigint FROM points_entries") == 0


def _wait_until_blocked(shop: TestShop) -> None:
    for _ in range(200):
        with shop.work() as uow:
            if uow.scalar("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                return
        Event().wait(0.02)
    raise AssertionError("nobody waited")


def test_locks_are_taken_in_one_order_whatever_is_asked(shop: TestShop) -> None:
    with shop.work() as uow:
        numbers = [queries._number(shop.id, order_id) for order_id in (1, 2, 2**62)]
        assert all(-(2**63) <= number < 2**63 for number in numbers)
        assert len(set(numbers)) == 3
        queries.lock(uow, [2, 1, 2])
        assert uow.scalar("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 2


def test_a_batch_after_another_sees_what_it_left(shop: TestShop) -> None:
    """The rows are read after the lock: a snapshot from before would undo what the first batch wrote."""
    shop.tell("orders/paid", payloads.order(5))
    with ThreadPoolExecutor(1) as pool:
        with shop.work() as uow:
            queries.lock(uow, [5])
            waiting = pool.submit(inbox.drain_shop, shop.id)
            _wait_until_blocked(shop)

            def mark(facts: Any) -> None:
                facts.source_name = "first"

            service.change(uow, {5: [mark]}, {}, {})
        assert waiting.result(10) == 1
    with shop.work() as uow:
        assert uow.scalar("SELECT count(*) FROM orders") == 1
        assert uow.scalar("SELECT known FROM orders") is True
