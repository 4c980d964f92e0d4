"""The list of members: any filter with any order, right and bounded, whatever the size of the shop."""

from datetime import date, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import psycopg
import pytest

from app.core import db, ids, paging
from app.core.db import UnitOfWork
from app.core.paging import Page, StaleCursor
from app.domains.members import queries
from app.domains.members import service as members
from app.domains.members.queries import listing
from app.domains.members.schemas import MembersFilter, Person
from app.domains.points import service as points
from app.domains.points.schemas import Credit
from tests.fixtures.paging import there_and_back
from tests.fixtures.shop import TestShop

MANY = 20_000

_GENERATE = """
WITH made AS (
  INSERT INTO members (shop_id, id, status, source, merged_into, enrolled_at)
  SELECT %(shop)s, md5(n::text || 'member')::uuid, CASE WHEN n %% 10 = 0 THEN 'merged' WHEN n %% 10 = 1 THEN 'guest'
      WHEN n %% 997 = 0 THEN 'blocked' ELSE 'active' END, CASE WHEN n %% 10 = 1 THEN 'guest' ELSE 'shopify' END,
    CASE WHEN n %% 10 = 0 THEN md5('2member')::uuid END, timestamptz '2026-01-01 00:00+00' + n * interval '7 minutes'
  FROM generate_series(1, %(many)s) n RETURNING id, enrolled_at)
INSERT INTO points_accounts (shop_id, member_id, available, qualifying, updated_at)
SELECT %(shop)s, id, ('x' || substr(id::text, 1, 3))::bit(12)::int, ('x' || substr(id::text, 1, 4))::bit(16)::int, enrolled_at
FROM made WHERE id::text < 'f'
"""
_TIERS = """
INSERT INTO tiers (shop_id, id, program_id, ladder_id, name, threshold)
SELECT %(shop)s, gen_random_uuid(), program_id, id, 'Tier ' || n, n * 1000 + 7
FROM tier_ladders, generate_series(1, 2) n RETURNING id
"""


def generate(uow: UnitOfWork, many: int) -> list[UUID]:
    """Members with points and two tiers, the second of which hardly anybody has; the tiers' ids."""
    uow.execute(
        "SET LOCAL statement_timeout = '60s'"
    )  # so many rows at once are the test's, not the product's
    uow.execute(_GENERATE, {"shop": uow.shop, "many": many})
    tiers = [row["id"] for row in uow.all(_TIERS, {"shop": uow.shop})]
    uow.execute(
        "INSERT INTO member_tiers (shop_id, member_id, ladder_id, tier_id, since) SELECT m.shop_id, m.id, l.id,"
        " (%(tiers)s::uuid[])[CASE WHEN m.id::text < '01' THEN 2 ELSE 1 END], m.enrolled_at FROM members m, tier_ladders l",
        {"tiers": tiers},
    )
    points.refresh_standings(uow)
    return tiers


def filters(tiers: list[UUID]) -> list[dict[str, Any]]:
    """Every filter that is offered, wide and narrow, alone and in pairs."""
    single: list[dict[str, Any]] = [
        {"status": "active"}, {"status": "blocked"}, {"status": "merged"}, {"status": "erased"},
        {"source": "guest"}, {"source": "shopify"}, {"tier": tiers[0]}, {"tier": tiers[1]},
        {"points_from": 10}, {"points_from": 4000, "points_to": 4010}, {"points_to": 0},
        {"enrolled_from": date(2026, 1, 2)}, {"enrolled_from": date(2026, 2, 1), "enrolled_to": date(2026, 2, 2)},
    ]  # fmt: skip
    pairs = [a | b for a, b in product(single, single) if not a.keys() & b.keys()]
    return [{}, *single, *pairs]


def expected(rows: list[dict[str, Any]], wanted: dict[str, Any], sort: str) -> list[UUID]:
    """What the filters and the order mean, in plain Python."""

    def passes(row: dict[str, Any]) -> bool:
        day = row["enrolled_at"].date()
        return (
            (row["status"] == wanted["status"] if "status" in wanted else row["status"] != "merged")
            and wanted.get("source") in (None, row["source"])
            and wanted.get("tier") in (None, row["tier_id"])
            and wanted.get("points_from", 0) <= row["available"] <= wanted.get("points_to", 10**9)
            and wanted.get("enrolled_from", date.min) <= day <= wanted.get("enrolled_to", date.max)
        )

    column = "enrolled_at" if sort == "newest" else sort
    found = sorted((row[column], row["id"]) for row in rows if passes(row))
    return [member_id for _, member_id in reversed(found)]


_ALL = """
SELECT m.id, m.status, m.source, m.enrolled_at, t.tier_id, coalesce(a.available, 0) AS available,
  coalesce(a.qualifying, 0) AS qualifying
FROM members m LEFT JOIN member_tiers t ON t.member_id = m.id LEFT JOIN points_accounts a ON a.member_id = m.id
"""


@pytest.mark.parametrize(("few", "walk"), [(listing.FEW, listing.WALK), (0, 7), (30, 20)])
def test_pages_hold_exactly_who_passes_in_order(
    shop: TestShop, monkeypatch: pytest.MonkeyPatch, few: int, walk: int
) -> None:
    monkeypatch.setattr(listing, "FEW", few)
    monkeypatch.setattr(listing, "WALK", walk)
    with shop.work() as uow:
        tiers = generate(uow, 60)
        rows = uow.all(_ALL)
        for wanted, sort in product(filters(tiers)[::5], ("newest", "available", "qualifying")):
            asked = wanted | {"sort": sort, "limit": 8}

            def read(cursor: str | None, asked: dict[str, Any] = asked) -> Page[Any]:
                query = MembersFilter.model_validate(asked | {"cursor": cursor})
                return listing.page(uow, query, None, "UTC").page

            found = there_and_back(read, exact=walk == listing.WALK)
            assert [row["id"] for row in found] == expected(rows, wanted, sort), (wanted, sort)


def touched(plan: dict[str, Any]) -> int:
    """How many rows a plan's scans looked at."""
    here = 0
    if "Scan" in plan["Node Type"] and "Relation Name" in plan:
        rows = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
        here = round(rows * plan["Actual Loops"])
    return here + sum(touched(one) for one in plan.get("Plans", []))


def test_no_filter_with_no_order_looks_at_more_than_a_bounded_number(
    shop: TestShop, database_owner_url: str
) -> None:
    with shop.work() as uow:
        tiers = generate(uow, MANY)
    with psycopg.connect(database_owner_url, autocommit=True) as owner:
        owner.execute("VACUUM ANALYZE members, member_tiers, points_standings, points_accounts")
    seen: dict[str, int] = {}
    with shop.work() as uow:
        plain = uow.all

        def watched(sql: str, values: Any = None) -> list[dict[str, Any]]:
            plan = uow.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + sql, values).fetchone()
            assert plan is not None
            seen[sql] = touched(plan["QUERY PLAN"][0]["Plan"])
            return plain(sql, values)

        uow.all = watched  # type: ignore[method-assign]
        for wanted, sort in product(filters(tiers), ("newest", "available", "qualifying")):
            cursor = None
            for way in ("next_cursor", "previous_cursor", "next_cursor"):
                seen.clear()
                query = MembersFilter.model_validate(wanted | {"sort": sort, "cursor": cursor})
                cursor = getattr(listing.page(uow, query, None, "UTC").page, way)
                # Each member that is looked at costs its row and up to three look-ups by key.
                assert sum(seen.values()) <= 4 * listing.WALK + 500, (wanted, sort, cursor, seen)


def test_merged_members_are_hidden_unless_asked_for(shop: TestShop) -> None:
    with shop.work() as uow:
        one, two = (members.enroll(uow, [Person(number)])[number].id for number in (1, 2))
        merge_id = members.merge(uow, one, two)
        assert merge_id

        def listed(**query: Any) -> list[UUID]:
            return [row["id"] for row in queries.listed(uow, MembersFilter(**query)).page.items]

        assert (listed(), listed(status="merged")) == ([one], [two])
        assert listed(sort="qualifying") == []
        points.refresh_standings(uow)
        assert listed(sort="qualifying") == [one]
        members.unmerge(uow, merge_id)
        points.refresh_standings(uow)
        assert sorted(listed(sort="available")) == sorted([one, two])


@pytest.mark.parametrize("cursor", ["x", "WzFd", "WyJ4IiwieSJd", "W251bGwsbnVsbF0"])
def test_a_cursor_of_another_list_is_refused(shop: TestShop, cursor: str) -> None:
    with shop.work() as uow:
        for sort in ("newest", "available"):
            with pytest.raises(StaleCursor):
                queries.listed(uow, MembersFilter.model_validate({"sort": sort, "cursor": cursor}))


def order(uow: UnitOfWork) -> list[UUID]:
    return [row["id"] for row in queries.listed(uow, MembersFilter(sort="qualifying")).page.items]


def credit(uow: UnitOfWork, member_id: UUID, count: int) -> None:
    points.credit(uow, [Credit(member_id, count, f"key:{ids.new_id()}", "thanks")])


def test_the_order_follows_postings_merges_and_partings(shop: TestShop, other_shop: TestShop) -> None:
    with shop.work() as uow:
        one, two, three = (members.enroll(uow, [Person(number)])[number].id for number in (1, 2, 3))
        credit(uow, one, 10)
        credit(uow, two, 20)
        assert points.refresh_standings(uow) == 3
        assert order(uow) == [two, one, three]
    with shop.work() as uow:
        assert points.refresh_standings(uow) == 0
        credit(uow, three, 15)
        points.refresh_standings(uow)
        assert order(uow) == [two, three, one]
        merge_id = members.merge(uow, one, three)
        points.refresh_standings(uow)
        assert merge_id
        assert order(uow) == [one, two]
        members.unmerge(uow, merge_id)
        points.refresh_standings(uow)
        assert order(uow) == [two, three, one]
        members.erase(uow, two)
        points.refresh_standings(uow)
        rows = queries.listed(uow, MembersFilter(sort="qualifying")).page.items
        assert (rows[0]["id"], rows[0]["status"]) == (two, "erased")
    with other_shop.work() as uow:
        points.refresh_standings(uow)
        assert order(uow) == []


def test_filters_of_an_order_by_points_follow_the_member(
    shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "FEW", -1)
    with shop.work() as uow:
        one, two = (members.enroll(uow, [Person(number)])[number].id for number in (1, 2))
        uow.execute("UPDATE members SET enrolled_at = enrolled_at - interval '1 day'")
        points.refresh_standings(uow)

    def listed(**asked: Any) -> set[UUID]:
        query = MembersFilter.model_validate({"sort": "available", **asked})
        return {row["id"] for row in members.listed(uow, query).page.items}

    with shop.work() as uow:
        assert (listed(status="active"), listed(status="blocked")) == ({one, two}, set())
        members.set_status(uow, one, "blocked")
        assert (listed(status="active"), listed(status="blocked")) == ({two}, {one})
        assert listed(sort="newest", points_to=0, status="blocked") == {one}
    with shop.work() as uow:
        members.erase(uow, one)
        assert (listed(status="blocked"), listed(status="erased")) == (set(), {one})
        assert points.refresh_standings(uow) == 0


def test_a_page_tells_how_many_match_where_that_is_bounded(
    shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "COUNT_CAP", 50)
    with shop.work() as uow:
        tiers = generate(uow, 60)
        rows = uow.all(_ALL)
        for wanted in filters(tiers)[1::3]:
            asked = MembersFilter.model_validate(wanted | {"sort": "available", "limit": 5})
            assert members.listed(uow, asked).total == min(50, len(expected(rows, wanted, "available"))), (
                wanted
            )
            monkeypatch.setattr(listing, "FEW", -1)
            assert members.listed(uow, asked).total is None
            monkeypatch.undo()
            monkeypatch.setattr(paging, "COUNT_CAP", 50)
        everybody = members.listed(uow, MembersFilter(limit=5))
        assert (everybody.total, everybody.more) == (50, True)


def test_what_commits_late_is_not_missed(shop: TestShop) -> None:
    with shop.work() as uow:
        early, late = (members.enroll(uow, [Person(number)])[number].id for number in (1, 2))
        credit(uow, early, 10)
        points.refresh_standings(uow)
    with shop.work() as slow:
        credit(slow, late, 30)
        with db.unit_of_work(shop.id) as uow:
            credit(uow, early, 5)
            points.refresh_standings(uow)
            assert order(uow) == [early, late]
    with shop.work() as uow:
        points.refresh_standings(uow)
        assert order(uow) == [late, early]


def test_who_comes_while_another_one_refreshes_does_not_wait(shop: TestShop) -> None:
    with shop.work() as uow:
        credit(uow, members.enroll(uow, [Person(1)])[1].id, 10)
        points.refresh_standings(uow)
    with shop.work() as uow:
        points.refresh_standings(uow)
        with db.unit_of_work(shop.id) as other:
            assert points.refresh_standings(other) == 0


def test_old_standings_are_not_read_again(shop: TestShop) -> None:
    with shop.work() as uow:
        points.refresh_standings(uow)
        before = uow.scalar("SELECT until FROM points_standings_seen")
        assert uow.now - before < timedelta(seconds=1)
