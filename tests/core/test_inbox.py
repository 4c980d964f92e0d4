"""The inbox: stored before it is answered, handled in batches, nothing lost, nothing done twice."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from app.core import bell, crypto, ids, inbox
from app.core.db import UnitOfWork, cross_shop, unit_of_work
from app.core.errors import Contention
from app.core.inbox import DONE, IGNORED, PARKED, READY, Delivery

SHOP, OTHER = ids.new_id(), ids.new_id()
Handler = Callable[[UnitOfWork, Sequence[Delivery]], None]


@pytest.fixture(autouse=True)
def _clean(clean_database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty tables, and no handlers but the test's own."""
    monkeypatch.setattr(inbox, "_handlers", {})


def tell(number: int = 1, *, shop: UUID = SHOP, topic: str = "a/b", body: bytes = b'{"n":1}') -> bool:
    return inbox.put(shop, topic, f"w{number}", f"e{number}", datetime(2026, 11, 21, tzinfo=UTC), body)


def states(shop: UUID = SHOP) -> dict[str, int]:
    with unit_of_work(shop) as uow:
        return {row["webhook_id"]: row["state"] for row in uow.all("SELECT webhook_id, state FROM inbox")}


def later(shop: UUID = SHOP) -> None:
    """Let every wait be over."""
    with unit_of_work(shop) as uow:
        uow.execute("UPDATE inbox SET not_before = now()")


def handle(handler: Handler, *topics: str) -> None:
    inbox.on_topic(*(topics or ("a/b",)))(handler)


def note(seen: list[Any]) -> Handler:
    return lambda _, deliveries: seen.extend(one.webhook_id for one in deliveries)


def test_a_delivery_arrives_whole() -> None:
    seen: list[Delivery] = []
    handle(lambda _, deliveries: seen.extend(deliveries))
    assert tell(1, body='{"é":[1]}'.encode())
    assert inbox.drain_all() == 1
    (one,) = seen
    assert (one.topic, one.webhook_id, one.event_id, one.json()) == ("a/b", "w1", "e1", {"é": [1]})
    assert one.triggered_at == datetime(2026, 11, 21, tzinfo=UTC)
    assert abs(datetime.now(UTC) - one.received_at) < timedelta(minutes=1)
    assert states() == {"w1": DONE}
    assert inbox.drain_all() == 0


def test_the_same_webhook_is_stored_once_by_many() -> None:
    with ThreadPoolExecutor(8) as pool:
        stored = list(pool.map(lambda _: tell(1), range(16)))
    assert sorted(stored) == [False] * 15 + [True]


def test_two_shops_may_use_the_same_webhook_id() -> None:
    assert tell(1) and tell(1, shop=OTHER)


def test_deliveries_are_handled_in_order_of_arrival_in_one_batch() -> None:
    batches: list[list[str]] = []
    handle(lambda _, deliveries: batches.append([one.webhook_id for one in deliveries]), "a/b", "a/c")
    for number in range(5):
        tell(number, topic="a/b" if number % 2 else "a/c")
    inbox.drain_all()
    assert batches == [["w0", "w1", "w2", "w3", "w4"]]


def test_large_backlogs_go_in_batches() -> None:
    sizes: list[int] = []
    handle(lambda _, deliveries: sizes.append(len(deliveries)))
    for number in range(7):
        tell(number)
    assert inbox.drain_all(limit=3) == 7
    assert sizes == [3, 3, 1]


def test_what_a_handler_writes_stands_or_falls_with_the_mark() -> None:
    calls = iter([1, 0, 0])

    def handler(uow: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
        uow.outbox("x", {}, key=deliveries[0].webhook_id)
        assert not next(calls)

    handle(handler)
    tell(1)
    inbox.drain_all()
    with unit_of_work(SHOP) as uow:
        assert uow.scalar("SELECT count(*) FROM outbox") == 1
    assert states() == {"w1": DONE}


def test_one_poisonous_delivery_does_not_hold_up_the_others() -> None:
    seen: list[str] = []

    def handler(_: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
        assert all(one.webhook_id != "w2" for one in deliveries)
        seen.extend(one.webhook_id for one in deliveries)

    handle(handler)
    for number in range(5):
        tell(number)
    inbox.drain_all()
    assert seen == ["w0", "w1", "w3", "w4"]
    assert states() == {"w0": DONE, "w1": DONE, "w2": READY, "w3": DONE, "w4": DONE}


def test_what_fails_is_tried_again_later_and_parked_in_the_end(caplog: pytest.LogCaptureFixture) -> None:
    tries: list[int] = []

    def handler(_: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
        tries.append(deliveries[0].attempts)
        raise ValueError("noura@example.com")

    handle(handler)
    tell(1)
    inbox.drain_all()
    assert tries == [0, 0], "once in the batch, once alone"
    assert inbox.drain_all() == 0, "it waits before it is tried again"
    for _ in range(10):
        later()
        inbox.drain_all()
    assert tries[::2] == list(range(inbox.MAX_ATTEMPTS))
    assert states() == {"w1": PARKED}
    with unit_of_work(SHOP) as uow:
        (row,) = inbox.parked(uow)
        assert row["last_error"] == "ValueError", "messages of errors may quote personal data"
        assert uow.scalar("SELECT payload IS NOT NULL FROM inbox")
    assert "is parked" in caplog.text


def test_the_wait_grows() -> None:
    handle(lambda *_: 1 / 0)
    tell(1)
    waits = []
    for _ in range(inbox.MAX_ATTEMPTS - 1):
        later()
        inbox.drain_all()
        with unit_of_work(SHOP) as uow:
            waits.append(round(uow.scalar("SELECT extract(epoch FROM not_before - now()) FROM inbox")))
    assert waits == [2, 10, 60, 300]


def test_a_body_that_does_not_open_holds_up_nobody() -> None:
    seen: list[str] = []
    handle(note(seen))
    tell(1)
    tell(2)
    with unit_of_work(SHOP) as uow:
        uow.execute("UPDATE inbox SET payload = 'x'::bytea WHERE webhook_id = 'w1'")
    for _ in range(inbox.MAX_ATTEMPTS):
        inbox.drain_all()
        later()
    assert seen == ["w2"] and states() == {"w1": PARKED, "w2": DONE}


def test_ignoring_says_why_and_drops_the_body() -> None:
    handle(lambda _, deliveries: deliveries[0].ignore("too old"))
    tell(1)
    inbox.drain_all()
    with unit_of_work(SHOP) as uow:
        assert uow.one("SELECT state, outcome, payload FROM inbox") == {
            "state": IGNORED,
            "outcome": "too old",
            "payload": None,
        }


def test_a_topic_without_a_handler_is_ignored() -> None:
    tell(1, topic="x/y")
    assert inbox.drain_all() == 1
    assert states() == {"w1": IGNORED}


def test_a_topic_has_one_handler() -> None:
    first: Handler = lambda *_: None  # noqa: E731
    handle(first)
    handle(first)
    with pytest.raises(ValueError, match="two handlers"):
        handle(lambda *_: None)
    assert inbox.registered_topics() == {"a/b"}


def test_shops_are_handled_each_in_its_own_transaction() -> None:
    seen: list[UUID] = []

    def handler(uow: UnitOfWork, _: Sequence[Delivery]) -> None:
        seen.append(uow.shop)
        assert uow.shop != SHOP

    handle(handler)
    tell(1)
    tell(2, shop=OTHER)
    inbox.drain_all()
    assert states(OTHER) == {"w2": DONE} and states() == {"w1": READY}
    assert seen == [SHOP, SHOP, OTHER], "the longest waiting shop first"


def test_several_workers_do_each_delivery_once() -> None:
    seen: list[str] = []
    handle(note(seen))
    for number in range(60):
        tell(number)
    with ThreadPoolExecutor(4) as pool:
        taken = sum(pool.map(lambda _: inbox.drain_all(limit=7), range(4)))
    assert taken == 60 and sorted(seen) == sorted(f"w{number}" for number in range(60))


def test_told_to_stop_it_stops_between_batches() -> None:
    seen: list[str] = []
    handle(note(seen))
    for number in range(10):
        tell(number)
    assert inbox.drain_all(limit=2, stop=lambda: len(seen) >= 4) == 4
    assert inbox.drain_all(stop=lambda: True) == 0
    assert inbox.drain_all() == 6


@contextmanager
def serving() -> Iterator[threading.Event]:
    stop = threading.Event()
    thread = threading.Thread(target=inbox.serve, args=(stop.is_set, 5.0))
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        bell.ring(inbox.BELL)
        thread.join(10)
        assert not thread.is_alive()


def test_a_served_inbox_is_handled_at_once(valkey: object) -> None:
    done = threading.Event()
    handle(lambda *_: done.set())
    with serving():
        tell(1)
        assert done.wait(2), "the bell wakes it before its poll of five seconds"


def test_without_a_cache_it_looks_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    done, stop = threading.Event(), threading.Event()
    handle(lambda *_: done.set())
    monkeypatch.setattr(bell, "wait", lambda *_: stop.wait(0.05))
    monkeypatch.setattr(bell, "ring_soon", lambda _: None)
    thread = threading.Thread(target=inbox.serve, args=(stop.is_set, 0.05))
    thread.start()
    try:
        tell(1)
        assert done.wait(5)
    finally:
        stop.set()
        thread.join(5)


def test_the_age_of_the_oldest_is_known() -> None:
    handle(lambda *_: None)
    with cross_shop("test") as uow:
        assert inbox.oldest_waiting(uow) is None
    tell(1)
    with cross_shop("test") as uow:
        uow.execute("UPDATE inbox SET received_at = now() - interval '5 minutes'")
    tell(2, shop=OTHER)
    with cross_shop("test") as uow:
        age = inbox.oldest_waiting(uow)
    assert age is not None and age >= timedelta(minutes=5)
    inbox.drain_all()
    with cross_shop("test") as uow:
        assert inbox.oldest_waiting(uow) is None


def test_contention_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "_give_way", lambda *_: None)
    wrapped = OperationalError("", {}, psycopg.errors.LockNotAvailable())
    errors: list[Exception] = [psycopg.errors.DeadlockDetected(), Contention(), wrapped]
    seen: list[str] = []

    def handler(_: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
        if errors:
            raise errors.pop()
        seen.extend(one.webhook_id for one in deliveries)

    handle(handler)
    tell(1)
    tell(2)
    assert inbox.drain_all() == 2
    assert seen == ["w1", "w2"]
    with unit_of_work(SHOP) as uow:
        assert uow.scalar("SELECT sum(attempts) FROM inbox") == 0


def test_contention_that_lasts_leaves_the_deliveries_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "_give_way", lambda *_: None)

    def handler(*_: object) -> None:
        raise psycopg.errors.SerializationFailure

    handle(handler)
    tell(1)
    for _ in range(inbox.MAX_ATTEMPTS + 1):
        assert inbox.drain_all() == 0
    assert states() == {"w1": READY}
    monkeypatch.setattr(inbox, "_handlers", {"a/b": lambda *_: None})
    assert inbox.drain_all() == 1


def test_a_backlog_is_handled_once_by_several_drains() -> None:
    seen: list[tuple[str, str]] = []

    def handler(_: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
        threading.Event().wait(0.02)
        seen.extend((one.webhook_id, threading.current_thread().name) for one in deliveries)

    handle(handler)
    for number in range(60):
        tell(number)
    with ThreadPoolExecutor(2) as pool:
        drains = [pool.submit(inbox.drain_all, 5) for _ in range(2)]
    assert sum(drain.result() for drain in drains) == 60
    assert sorted(webhook for webhook, _ in seen) == sorted(f"w{number}" for number in range(60))
    assert len({thread for _, thread in seen}) == 2


def test_a_webhook_repeated_after_midnight_is_known() -> None:
    handle(lambda *_: None)
    assert tell(1)
    with unit_of_work(SHOP) as uow:
        uow.execute("UPDATE inbox SET received_on = received_on - 1")
    assert not tell(1)
    assert tell(1, shop=OTHER)
    with unit_of_work(SHOP) as uow:
        uow.execute("UPDATE inbox SET received_on = received_on - 3")
    assert tell(1)


def test_finishing_does_not_read_what_was_done_long_ago() -> None:
    handle(lambda *_: None)
    for number in range(20):
        tell(number)
    with unit_of_work(SHOP) as uow:
        uow.execute("SET LOCAL enable_seqscan = off")
        plan = uow.all("EXPLAIN " + inbox._DONE, {"shop": SHOP, "ids": [ids.new_id()]})
    assert any("ready_idx" in row["QUERY PLAN"] or "shop_id_id_idx" in row["QUERY PLAN"] for row in plan)


def test_the_key_is_made_for_the_first_delivery() -> None:
    crypto.forget_keys()
    assert tell(1)
    crypto.forget_keys()
    seen: list[str] = []
    handle(note(seen))
    inbox.drain_all()
    assert seen == ["w1"]
