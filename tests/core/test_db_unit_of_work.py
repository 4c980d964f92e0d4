"""The unit of work: one transaction, whole or not at all, with what follows it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

from app.core import clock, db, ids, jobs
from app.core.db import SYSTEM, Actor, JobCall, UnitOfWork, cross_shop, open_transaction, unit_of_work
from app.core.errors import Unavailable
from app.core.settings import get_settings
from app.domains.programs.models import Program

SHOP = ids.new_id()
OTHER = ids.new_id()


@pytest.fixture(autouse=True)
def _clean(clean_database: None) -> None:
    """Empty tables."""


def put(uow: UnitOfWork, key: str, shop_id: UUID = SHOP) -> None:
    uow.execute(
        "INSERT INTO idempotency_keys (shop_id, principal, key, request_hash) VALUES (%(shop)s, 'p', %(key)s, 'h')",
        {"shop": shop_id, "key": key},
    )


def keys(shop_id: UUID = SHOP) -> list[str]:
    with unit_of_work(shop_id) as uow:
        return [row["key"] for row in uow.all("SELECT key FROM idempotency_keys ORDER BY key")]


def fail(error: BaseException, *keys_before: str) -> None:
    with unit_of_work(SHOP) as uow:
        for key in keys_before:
            put(uow, key)
        raise error


def test_what_is_done_is_committed_at_the_end() -> None:
    with unit_of_work(SHOP) as uow:
        put(uow, "a")
        with ThreadPoolExecutor(1) as elsewhere:
            assert elsewhere.submit(keys).result() == []
    assert keys() == ["a"]


@pytest.mark.parametrize("error", [ValueError(), KeyboardInterrupt(), SystemExit()])
def test_any_exception_undoes_everything(error: BaseException) -> None:
    with pytest.raises(type(error)):
        fail(error, "a", "b")
    assert keys() == []


def test_rows_are_dicts_and_parameters_are_not_text() -> None:
    with unit_of_work(SHOP) as uow:
        put(uow, "'; DROP TABLE shops; --")
        assert uow.one("SELECT 1 AS one, 'x' AS two") == {"one": 1, "two": "x"}
        assert uow.scalar("SELECT count(*) FROM idempotency_keys") == 1
        assert uow.one("SELECT 1 WHERE false") is None and uow.scalar("SELECT 1 WHERE false") is None
        assert uow.all("SELECT 1 WHERE false") == []


def test_the_clock_stands_still_inside() -> None:
    at = datetime(2026, 2, 29 - 1, 12, tzinfo=UTC)
    with clock.use_clock(lambda: at), unit_of_work(SHOP) as uow:
        assert uow.now == at
    assert clock.now() != at


def test_the_actor_is_the_system_unless_named() -> None:
    staff = Actor("staff", "1", "owner")
    with unit_of_work(SHOP) as uow:
        assert uow.actor == SYSTEM
    with unit_of_work(SHOP, actor=staff) as uow:
        assert uow.actor == staff


def test_what_follows_runs_after_the_commit_only() -> None:
    seen: list[list[str]] = []
    with unit_of_work(SHOP) as uow:
        put(uow, "a")
        uow.after_commit(lambda: seen.append(keys()))
        assert seen == []
    assert seen == [["a"]]


def test_what_follows_is_forgotten_when_it_fails() -> None:
    seen: list[int] = []

    def try_it() -> None:
        with unit_of_work(SHOP) as uow:
            uow.after_commit(lambda: seen.append(1))
            raise ValueError

    with pytest.raises(ValueError):
        try_it()
    assert seen == []


def test_a_failure_of_what_follows_is_not_the_callers(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[int] = []
    with unit_of_work(SHOP) as uow:
        put(uow, "a")
        uow.after_commit(lambda: seen.append(1 // 0))
        uow.after_commit(lambda: seen.append(2))
    assert seen == [2] and keys() == ["a"] and "after-commit" in caplog.text


def test_jobs_are_sent_after_the_commit_with_the_shop(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[list[JobCall]] = []
    monkeypatch.setattr(jobs, "send", sent.append)
    with unit_of_work(SHOP) as uow:
        uow.enqueue("a.b", number=1)
        uow.enqueue("a.c", shop_id="another")
        assert sent == []
    assert sent == [
        [JobCall("a.b", {"number": 1, "shop_id": str(SHOP)}), JobCall("a.c", {"shop_id": "another"})]
    ]
    with pytest.raises(ValueError):
        fail(ValueError())
    assert len(sent) == 1


def test_a_savepoint_undoes_its_block_only(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[list[JobCall]] = []
    monkeypatch.setattr(jobs, "send", sent.append)

    def inner(uow: UnitOfWork) -> None:
        with uow.savepoint():
            put(uow, "b")
            uow.enqueue("b")
            uow.execute("SELECT 1 / 0")

    with unit_of_work(SHOP) as uow:
        put(uow, "a")
        uow.enqueue("a")
        with pytest.raises(psycopg.errors.DivisionByZero):
            inner(uow)
        with uow.savepoint():
            put(uow, "c")
            uow.enqueue("c")
    assert keys() == ["a", "c"]
    assert [call.name for call in sent[0]] == ["a", "c"]


def test_savepoints_nest() -> None:
    def inner(uow: UnitOfWork) -> None:
        with uow.savepoint():
            put(uow, "outer")
            with uow.savepoint():
                put(uow, "kept")
            raise ValueError

    with unit_of_work(SHOP) as uow:
        with pytest.raises(ValueError):
            inner(uow)
        put(uow, "last")
    assert keys() == ["last"]


def test_whether_a_transaction_is_open_is_known_by_thread() -> None:
    assert not open_transaction()
    with unit_of_work(SHOP):
        assert open_transaction()
        with ThreadPoolExecutor(1) as elsewhere:
            assert elsewhere.submit(open_transaction).result() is False
        with unit_of_work(OTHER):
            assert open_transaction()
        assert open_transaction()
    assert not open_transaction()
    with pytest.raises(ValueError):
        fail(ValueError())
    assert not open_transaction()


def test_connections_carry_nothing_into_the_next_unit() -> None:
    with unit_of_work(SHOP) as uow:
        uow.execute("SET LOCAL statement_timeout = '1min'")
    with cross_shop("test") as uow:
        assert uow.scalar("SELECT coalesce(current_setting('app.shop_id', true), '')") == ""
    with unit_of_work(OTHER) as uow:
        assert uow.scalar("SELECT current_setting('statement_timeout')") == "30s"
        assert uow.scalar("SELECT coalesce(current_setting('app.cross_shop', true), '')") == ""
        assert uow.scalar("SELECT current_setting('timezone')") == "UTC"


def test_work_across_shops_has_no_shop_of_its_own() -> None:
    with cross_shop("test") as uow, pytest.raises(RuntimeError, match="spans shops"):
        _ = uow.shop


def test_a_shop_is_an_id_and_nothing_else() -> None:
    text: Any = "x'); DROP TABLE shops; --"
    with pytest.raises(ValueError), unit_of_work(text):
        pass


def test_connections_that_died_are_replaced() -> None:
    engine = db.engine()
    raws = [engine.raw_connection() for _ in range(3)]
    for raw in raws:
        raw.driver_connection.close()  # type: ignore[union-attr]
        raw.close()
    with unit_of_work(SHOP) as uow:
        assert uow.scalar("SELECT 1") == 1


def test_without_a_connection_left_callers_hear_it_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_POOL_SIZE", "1")
    monkeypatch.setenv("ENVIRONMENT", "production")
    get_settings.cache_clear()
    db.dispose_engine()
    try:
        with unit_of_work(SHOP), pytest.raises(Unavailable), unit_of_work(OTHER):
            pass
        with unit_of_work(OTHER) as uow:
            assert uow.scalar("SELECT 1") == 1
    finally:
        monkeypatch.undo()
        get_settings.cache_clear()
        db.dispose_engine()


def test_a_database_that_is_away_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    get_settings.cache_clear()
    db.dispose_engine()
    try:
        with pytest.raises(Unavailable), unit_of_work(SHOP):
            pass
        assert not open_transaction()
    finally:
        monkeypatch.undo()
        get_settings.cache_clear()
        db.dispose_engine()


def test_threads_do_not_share_transactions() -> None:
    barrier = threading.Barrier(4)

    def work(number: int) -> None:
        with unit_of_work(SHOP) as uow:
            put(uow, str(number))
            barrier.wait(5)
            assert uow.scalar("SELECT count(*) FROM idempotency_keys") == 1
            barrier.wait(5)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert keys() == ["0", "1", "2", "3"]


def test_the_session_and_the_text_see_one_state() -> None:
    with unit_of_work(SHOP) as uow:
        uow.execute(
            "INSERT INTO shops (shop_id, domain, installed_at) VALUES (%(shop)s, 'x.myshopify.com', now())",
            {"shop": SHOP},
        )
        uow.session.add(Program(name="One", points_per_unit=10))
        assert uow.scalar("SELECT name FROM programs") == "One"
        uow.execute("UPDATE programs SET name = 'Two'")
        uow.session.expire_all()
        found = uow.session.query(Program).one()
        assert found.name == "Two" and found.shop_id == SHOP
        found.name = "Three"
    with unit_of_work(SHOP) as uow:
        assert uow.scalar("SELECT name FROM programs") == "Three"


def test_the_session_is_undone_with_everything_else() -> None:
    def try_it() -> None:
        with unit_of_work(SHOP) as uow:
            uow.execute(
                "INSERT INTO shops (shop_id, domain, installed_at) VALUES (%(shop)s, 'x.myshopify.com', now())",
                {"shop": SHOP},
            )
            uow.session.add(Program(name="One", points_per_unit=10))
            uow.session.flush()
            raise ValueError

    with pytest.raises(ValueError):
        try_it()
    with unit_of_work(SHOP) as uow:
        assert uow.scalar("SELECT count(*) FROM programs") == 0


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("bigint", [1, -2, 2**62, 0]),
        ("bigint", [1, None]),
        ("text", ["plain", "bulk:1:2"]),
        ("text", ["a,b", "c"]),
        ("text", ["a", "", "b"]),
        ("text", ["null", "NULL", "annul"]),
        ("text", ['"', "\\", "{}", " ", "é", "a\nb"]),
        ("text", [None, "a"]),
        ("text", []),
        ("boolean", [True, False]),
        ("bytea", [b"\x00,", None]),
    ],
)
def test_an_array_arrives_as_it_was_sent(kind: str, values: list[Any]) -> None:
    """Numbers and bare texts are joined without a look at each; all others are quoted."""
    with unit_of_work(SHOP) as uow:
        found = uow.all(f"SELECT v FROM unnest(%(values)s::{kind}[]) AS v", {"values": values})
    assert [row["v"] for row in found] == values
