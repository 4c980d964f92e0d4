"""The outbox: outside work is a row first, done with no transaction open, settled once, tried again, given up loudly."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core import clock, ids, outbox
from app.core.db import UnitOfWork, open_transaction, unit_of_work
from app.core.errors import Conflict, Unavailable
from app.core.outbox import OutboxMessage, Settle

SHOP, OTHER = ids.new_id(), ids.new_id()
WAITING, DONE, FAILED = range(3)


@pytest.fixture(autouse=True)
def _clean(clean_database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty tables, and no deliverers but the test's own."""
    monkeypatch.setattr(outbox, "_deliverers", {})


def want(key: str = "1", *, shop: UUID = SHOP, kind: str = "x", **options: Any) -> None:
    with unit_of_work(shop) as uow:
        uow.outbox(kind, {"key": key}, key=key, **options)


def rows(shop: UUID = SHOP) -> list[dict[str, Any]]:
    with unit_of_work(shop) as uow:
        return uow.all("SELECT key, state, attempts, last_error, lease_until FROM outbox ORDER BY key")


def later(shop: UUID = SHOP) -> None:
    """Let every wait and lease be over."""
    with unit_of_work(shop) as uow:
        uow.execute("UPDATE outbox SET not_before = now(), lease_until = now() - interval '1 second'")


def delivers(deliver: Callable[[OutboxMessage], Settle | None], **options: Any) -> None:
    outbox.delivers("x", **options)(deliver)


def test_work_is_done_after_the_commit_without_a_transaction() -> None:
    seen: list[OutboxMessage] = []

    def deliver(message: OutboxMessage) -> None:
        assert not open_transaction()
        seen.append(message)

    delivers(deliver)
    want("1")
    assert outbox.drain() == 1
    (one,) = seen
    assert (one.shop_id, one.kind, one.key, one.payload, one.attempts) == (SHOP, "x", "1", {"key": "1"}, 1)
    assert [(row["key"], row["state"]) for row in rows()] == [("1", DONE)]
    assert outbox.drain() == 0


def test_work_of_a_transaction_that_failed_is_not_there() -> None:
    def fail() -> None:
        with unit_of_work(SHOP) as uow:
            uow.outbox("x", {}, key="1")
            raise ValueError

    with pytest.raises(ValueError):
        fail()
    assert rows() == []


def test_the_same_key_is_stored_once_for_each_kind_and_shop() -> None:
    for _ in range(2):
        want("1")
    want("1", kind="y")
    want("1", shop=OTHER)
    assert len(rows()) == 2 and len(rows(OTHER)) == 1


def test_many_at_once() -> None:
    with unit_of_work(SHOP) as uow:
        outbox.put_many(uow, "x", [(str(number), {"n": number}) for number in range(5)] + [("1", {"n": 9})])
        outbox.put_many(uow, "x", [])
        assert uow.scalar("SELECT sum((payload->>'n')::int) FROM outbox") == 10


def test_settling_stands_or_falls_with_the_mark() -> None:
    answers = iter([ZeroDivisionError(), None])

    def deliver(_: OutboxMessage) -> Settle:
        def settle(uow: UnitOfWork) -> None:
            uow.outbox("y", {}, key="settled")
            error = next(answers)
            if error:
                raise error

        return settle

    delivers(deliver)
    want("1")
    outbox.drain()
    assert [(row["key"], row["state"]) for row in rows()] == [("1", WAITING)]
    later()
    outbox.drain()
    assert [(row["key"], row["state"]) for row in rows()] == [("1", DONE), ("settled", WAITING)]


def test_work_waits_for_its_time() -> None:
    seen: list[str] = []
    delivers(lambda message: seen.append(message.key))
    want("1", not_before=clock.now() + timedelta(hours=1))
    assert outbox.drain() == 0
    later()
    assert outbox.drain() == 1


class Busy(Unavailable):
    """Passes."""

    code = "busy_now"


class Never(Conflict):
    """Does not pass."""

    code = "never"


def test_what_may_pass_is_tried_again_with_growing_waits() -> None:
    def deliver(_: OutboxMessage) -> None:
        raise Busy

    delivers(deliver)
    want("1")
    waits = []
    for _ in range(4):
        outbox.drain()
        with unit_of_work(SHOP) as uow:
            waits.append(round(uow.scalar("SELECT extract(epoch FROM not_before - now()) FROM outbox")))
        later()
    assert waits == [2, 4, 8, 16]
    assert rows()[0]["last_error"] == "Busy:busy_now"


def test_what_does_not_pass_is_given_up_and_told() -> None:
    told: list[tuple[str, str]] = []

    def deliver(_: OutboxMessage) -> None:
        raise Never

    def on_failure(uow: UnitOfWork, message: OutboxMessage, error: Exception) -> None:
        assert uow.shop == SHOP
        told.append((message.key, type(error).__name__))

    delivers(deliver, on_failure=on_failure)
    want("1")
    assert outbox.drain() == 1 and outbox.drain() == 0
    assert told == [("1", "Never")]
    assert (rows()[0]["state"], rows()[0]["last_error"]) == (FAILED, "Never:never")


def test_in_the_end_it_is_given_up() -> None:
    told: list[int] = []

    def deliver(message: OutboxMessage) -> None:
        raise ValueError("noura@example.com")

    delivers(deliver, on_failure=lambda uow, message, error: told.append(message.attempts))
    want("1")
    for _ in range(outbox.MAX_ATTEMPTS + 2):
        outbox.drain()
        later()
    assert told == [outbox.MAX_ATTEMPTS]
    assert rows()[0]["last_error"] == "ValueError:", "messages of errors may quote personal data"


def test_work_whose_worker_died_is_taken_up_again() -> None:
    seen: list[int] = []
    delivers(lambda message: seen.append(message.attempts))
    want("1")
    assert len(outbox.lease()) == 1
    assert outbox.drain() == 0, "it is leased"
    later()
    assert outbox.drain() == 1 and seen == [2]


def test_a_worker_that_comes_late_settles_nothing() -> None:
    settled: list[int] = []
    delivers(lambda message: lambda uow: settled.append(message.attempts))
    want("1")
    (slow,) = outbox.lease()
    later()
    outbox.drain()
    outbox.deliver(slow)
    assert settled == [2]


def test_several_workers_do_each_piece_once() -> None:
    seen: list[str] = []
    delivers(lambda message: seen.append(message.key))
    for number in range(30):
        want(str(number))
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda _: outbox.drain(), range(4))) == 30
    assert len(seen) == len(set(seen)) == 30


def test_a_kind_nobody_does_stays(caplog: pytest.LogCaptureFixture) -> None:
    want("1", kind="unknown")
    assert outbox.drain() == 1
    assert rows()[0]["state"] == WAITING and "nobody delivers unknown" in caplog.text


def test_told_to_stop_it_stops_before_the_next_piece() -> None:
    seen: list[str] = []
    delivers(lambda message: seen.append(message.key))
    for number in range(5):
        want(str(number))
    assert outbox.drain(lambda: len(seen) >= 2) == 2
    assert sum(row["lease_until"] is not None for row in rows()) == 0


def test_slow_work_does_not_hold_up_other_work(valkey: object) -> None:
    started, release, quick = threading.Event(), threading.Event(), threading.Event()

    def deliver(message: OutboxMessage) -> None:
        if message.key == "slow":
            started.set()
            release.wait(10)
        else:
            quick.set()

    delivers(deliver)
    stop = threading.Event()
    thread = threading.Thread(target=outbox.serve, args=(stop.is_set, 0.1))
    thread.start()
    try:
        want("slow")
        assert started.wait(5)
        want("quick")
        assert quick.wait(5)
    finally:
        release.set()
        stop.set()
        thread.join(10)
    assert not thread.is_alive()
    assert {row["state"] for row in rows()} == {DONE}


def test_a_waiting_caller_gets_its_work_done_at_once() -> None:
    delivers(lambda message: None)
    want("1")
    want("2")
    assert outbox.deliver_one(SHOP, "x", "1", seconds=5)
    assert [(row["key"], row["state"]) for row in rows()] == [("1", DONE), ("2", WAITING)]
    assert outbox.deliver_one(SHOP, "x", "1", seconds=5)


def test_a_caller_does_not_wait_for_ever() -> None:
    release = threading.Event()

    def hang(_: OutboxMessage) -> None:
        release.wait(10)

    delivers(hang)
    want("1")
    try:
        assert not outbox.deliver_one(SHOP, "x", "1", seconds=0.2)
    finally:
        release.set()
    for _ in range(100):
        if rows()[0]["state"] == DONE:
            break
        threading.Event().wait(0.05)
    assert rows()[0]["state"] == DONE


def test_a_caller_inside_a_transaction_is_refused() -> None:
    with unit_of_work(SHOP), pytest.raises(RuntimeError):
        outbox.deliver_one(SHOP, "x", "1", seconds=1)


def test_kinds_are_known() -> None:
    delivers(lambda message: None)
    assert outbox.registered_kinds() == {"x"}
