"""The upkeep of tables that grow with time."""

from datetime import UTC, datetime, timedelta

import pytest

from app.core import clock, ids
from app.core.db import cross_shop
from app.domains.shops import jobs
from tests.fixtures import rows
from tests.fixtures.shop import TestShop


def names(pattern: str) -> list[str]:
    with cross_shop("test") as uow:
        found = uow.all(
            "SELECT relname::text AS name FROM pg_class WHERE relispartition AND relname LIKE %(p)s",
            {"p": pattern},
        )
    return sorted(row["name"] for row in found)


def test_partitions_are_there_before_they_are_needed(shop: TestShop) -> None:
    jobs.tend_tables()
    month = datetime.now(UTC).replace(day=1)
    for table in ("inbox", "audit_entries"):
        assert f"{table}_{month:%Y%m}" in names(f"{table}_2%")
        later = (month + timedelta(days=95)).replace(day=1)
        assert f"{table}_{later:%Y%m}" in names(f"{table}_2%")
    before = names("%_2%")
    jobs.tend_tables()
    assert names("%_2%") == before


def test_old_webhooks_are_dropped_by_the_month(shop: TestShop) -> None:
    with rows.connect() as owner:
        owner.execute(
            "CREATE TABLE inbox_202501 PARTITION OF inbox FOR VALUES FROM ('2025-01-01') TO ('2025-02-01')"
        )
        owner.execute(
            "INSERT INTO inbox (shop_id, received_on, id, topic, webhook_id) VALUES (%s, '2025-01-05', %s, 'x', 'x')",
            (shop.id, ids.new_id()),
        )
    jobs.tend_tables()
    assert "inbox_202501" not in names("inbox_%")
    assert "inbox" not in rows.count(shop.id)
    assert names("audit_entries_2%")


@pytest.mark.parametrize(("age", "kept"), [(timedelta(hours=47), True), (timedelta(hours=49), False)])
def test_idempotency_keys_live_two_days(shop: TestShop, age: timedelta, kept: bool) -> None:
    with shop.work() as uow:
        uow.execute(
            "INSERT INTO idempotency_keys (shop_id, principal, key, request_hash, created_at)"
            " SELECT %(shop)s, 'staff:1', n::text, 'x', %(at)s FROM generate_series(1, 10) AS n",
            {"shop": shop.id, "at": clock.now() - age},
        )
    jobs.tend_tables()
    assert rows.count(shop.id).get("idempotency_keys", 0) == (10 if kept else 0)


def test_outside_work_done_long_ago_goes_and_failures_stay(shop: TestShop) -> None:
    with shop.work() as uow:
        for state in (0, 1, 2):
            uow.outbox("test", {}, key=str(state))
            uow.execute(
                "UPDATE outbox SET state = %(state)s, done_at = %(at)s WHERE kind = 'test' AND key = %(key)s",
                {"state": state, "key": str(state), "at": clock.now() - timedelta(days=31)},
            )
    jobs.tend_tables()
    with shop.work() as uow:
        left = uow.all("SELECT key FROM outbox WHERE kind = 'test' ORDER BY key")
    assert [row["key"] for row in left] == ["0", "2"]


def test_many_are_purged_in_slices(shop: TestShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_PURGE_ROWS", 3)
    test_idempotency_keys_live_two_days(shop, timedelta(days=9), False)
