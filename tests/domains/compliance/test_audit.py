"""The audit trail: who, what, before and after; in the transaction of the change; of one shop."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from app.core import clock, ids
from app.core.db import Actor, unit_of_work
from app.core.paging import StaleCursor
from app.domains.compliance import service
from app.domains.compliance.service import Change
from tests.fixtures.shop import TestShop

STAFF = Actor("staff", "42", "owner")


def test_an_entry_says_who_changed_what(shop: TestShop) -> None:
    with unit_of_work(shop.id, actor=STAFF) as uow:
        service.record(uow, "thing.changed", ("thing", "7"), {"size": 1}, {"size": 2})
        now = uow.now
    with shop.work() as uow:
        (entry,) = service.list_entries(uow, ("thing", "7")).items
    assert (entry.actor_kind, entry.actor_id, entry.actor_label) == ("staff", "42", "owner")
    assert (entry.action, entry.before, entry.after, entry.created_at) == (
        "thing.changed",
        {"size": 1},
        {"size": 2},
        now,
    )


def test_it_stands_or_falls_with_the_change(shop: TestShop) -> None:
    def fail() -> None:
        with shop.work() as uow:
            service.record(uow, "thing.changed", ("thing", "7"), None, None)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with shop.work() as uow:
        assert service.list_entries(uow, ("thing", "7")).items == []


def test_many_changes_are_one_statement(shop: TestShop) -> None:
    with shop.work() as uow:
        service.record_many(uow, "thing.made", [Change("thing", str(n), None, {"n": n}) for n in range(500)])
        service.record_many(uow, "thing.made", [])
        page = service.list_entries(uow, limit=200)
    assert len(page.items) == 200 and page.next_cursor


def test_pages_follow_each_other_without_gap_or_repeat(shop: TestShop) -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    for minute in range(5):
        with clock.use_clock(lambda at=start + timedelta(minutes=minute): at), shop.work() as uow:
            service.record_many(uow, "thing.made", [Change("thing", "a"), Change("thing", "a")])
    seen, cursor = [], None
    with shop.work() as uow:
        while True:
            page = service.list_entries(uow, ("thing", "a"), limit=3, cursor=cursor)
            seen += [entry.id for entry in page.items]
            assert [entry.created_at for entry in page.items] == sorted(
                (entry.created_at for entry in page.items), reverse=True
            )
            cursor = page.next_cursor
            if cursor is None:
                break
    assert len(seen) == len(set(seen)) == 10


@pytest.mark.parametrize("cursor", ["x", "bm9wZQ", "WyJub3QgYSBkYXRlIiwieCJd", "W10"])
def test_a_foreign_cursor_is_refused(shop: TestShop, cursor: str) -> None:
    with shop.work() as uow, pytest.raises(StaleCursor):
        service.list_entries(uow, cursor=cursor)


def test_another_shop_reads_nothing(shop: TestShop, other_shop: TestShop) -> None:
    with shop.work() as uow:
        service.record(uow, "thing.changed", ("thing", "7"), None, None)
    with other_shop.work() as uow:
        assert service.list_entries(uow, ("thing", "7")).items == []


def test_the_application_cannot_change_history(shop: TestShop) -> None:
    for statement in (
        "UPDATE audit_entries SET action = 'x'",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), shop.work() as uow:
            uow.execute(statement)


def test_an_entry_without_subject_text_is_still_an_entry(shop: TestShop) -> None:
    odd = "naïve ' -- “quotes” \u0645\u0631\u062d\u0628\u0627"
    with shop.work() as uow:
        service.record(uow, "thing.changed", ("thing", odd), None, {"name": odd, "ids": [str(ids.new_id())]})
        (entry,) = service.list_entries(uow, ("thing", odd)).items
    assert entry.after is not None and entry.after["name"] == odd
