"""The lists of moves and of tiers that end: filters, orders, pages that look no further than a bound, files."""

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from app.core import walking
from app.core.clock import use_clock
from app.core.paging import COUNT_CAP, Order, Place, StaleCursor
from app.core.permissions import ALL, Permission
from app.domains.tiers.queries import lists
from app.domains.tiers.schemas import EndingsQuery, MovesQuery
from tests.domains.tiers.conftest import Club
from tests.fixtures.paging import there_and_back
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, api_key, staff

CallAs = Callable[..., Caller]
TAB = "/app/tier-management"
API = "/v1/api/vip-tiers"
_MOVES = """
INSERT INTO tier_changes (shop_id, id, member_id, ladder_id, from_name, to_name, direction, value, reason, created_at)
SELECT m.shop_id, gen_random_uuid(), m.id, l.id, 'Bronze', 'Silver', CASE WHEN n % 3 = 0 THEN 'down' ELSE 'up' END, n,
  CASE WHEN n % 7 = 0 THEN 'by_hand' ELSE 'earned' END, timestamptz '2026-01-01 12:00+00' + n * interval '1 day'
FROM members m, tier_ladders l, generate_series(1, 15) n WHERE l.main
"""
_ENDINGS = """
UPDATE member_tiers SET ends_at = now() + interval '1 day' * (1 + ('x' || right(member_id::text, 2))::bit(8)::int % 60),
  grace_until = CASE WHEN right(member_id::text, 1) < '8' THEN now() + interval '90 days' END
"""


@pytest.fixture
def moved(club: Club) -> Club:
    """Two members with fifteen moves each, and five whose tier ends."""
    for _ in range(2):
        club.join()
    with club.work() as uow:
        uow.execute(_MOVES)
    for _ in range(3):
        club.join()
    club.review()
    with club.work() as uow:
        uow.execute(_ENDINGS)
    return club


def pages(read: Callable[[Any], Any], query: Any, scan: int) -> list[dict[str, Any]]:
    """What the list shows on all its pages."""
    return there_and_back(
        lambda cursor: read(query.model_copy(update={"cursor": cursor})).page, exact=scan == COUNT_CAP
    )


@pytest.mark.parametrize("scan", [walking.SCAN, 4])
def test_moves_are_all_there_in_order_whatever_is_asked(
    moved: Club, monkeypatch: pytest.MonkeyPatch, scan: int
) -> None:
    monkeypatch.setattr(walking, "SCAN", scan)
    with moved.work() as uow:
        everything = uow.all("SELECT id, member_id, direction, reason, created_at FROM tier_changes")
        member = everything[0]["member_id"]
        asked = product(("newest", "oldest"), (None, "down"), (None, "by_hand"), (None, [member], []))
        for sort, direction, reason, who in asked:
            query = MovesQuery(sort=sort, direction=direction, reason=reason, limit=3)  # type: ignore[arg-type]
            expected = sorted(
                (row["created_at"], row["id"])
                for row in everything
                if direction in (None, row["direction"])
                and reason in (None, row["reason"])
                and (who is None or row["member_id"] in who)
            )
            found = pages(lambda one, who=who: lists.moves(uow, one, who, (None, None)), query, scan)
            assert [row["id"] for row in found] == [
                one for _, one in (expected if sort == "oldest" else expected[::-1])
            ]


def test_a_page_that_shows_nothing_leads_on_in_its_direction(
    moved: Club, monkeypatch: pytest.MonkeyPatch, call_as: CallAs
) -> None:
    monkeypatch.setattr(walking, "SCAN", 4)
    caller, at = call_as(staff(moved.shop.id, ALL)), f"{TAB}/moves?reason=lapsed"
    with moved.work() as uow:
        oldest = uow.one("SELECT created_at, id FROM tier_changes ORDER BY created_at, id LIMIT 1")
    assert oldest
    back = Place((oldest["created_at"], oldest["id"]), back=True, with_it=True)
    for cursor in (None, back.cursor()):
        page = caller.get(f"{at}&cursor={cursor}" if cursor else at).text
        found = re.search(r'href="([^"]*)"[^>]*><span>Look further', page)
        assert found
        onward = Order({"created_at": datetime, "id": UUID}, descending=True).place(
            found[1].split("cursor=")[1]
        )
        assert onward and onward.back == (cursor is not None)


def test_counting_stops_where_looking_does(moved: Club, monkeypatch: pytest.MonkeyPatch) -> None:
    with moved.work() as uow:
        whole = lists.moves(uow, MovesQuery(direction="down", limit=3), None, (None, None))
        assert (whole.total, whole.more, whole.until) == (10, False, None)
        monkeypatch.setattr(walking, "SCAN", 4)
        part = lists.moves(uow, MovesQuery(reason="lapsed", limit=3), None, (None, None))
        assert part.more and part.until is not None and part.page.next_cursor
        with pytest.raises(StaleCursor):
            lists.moves(uow, MovesQuery(cursor="nonsense"), None, (None, None))


@pytest.mark.parametrize("scan", [walking.SCAN, 2])
def test_endings_come_soonest_first(moved: Club, monkeypatch: pytest.MonkeyPatch, scan: int) -> None:
    monkeypatch.setattr(walking, "SCAN", scan)
    with moved.work() as uow:
        rows = uow.all("SELECT member_id, ends_at, grace_until FROM member_tiers WHERE ends_at IS NOT NULL")
        for why in (None, "grace", "period"):
            expected = sorted(
                (row["ends_at"], row["member_id"])
                for row in rows
                if why is None or (why == "grace") == bool(row["grace_until"])
            )
            query = EndingsQuery(why=why, limit=1)  # type: ignore[arg-type]
            found = pages(lambda one: lists.endings(uow, one, None), query, scan)
            assert [(row["ends_at"], row["member_id"]) for row in found] == expected
    with moved.shop.work() as uow:
        soon = [row for row in rows if row["ends_at"] <= uow.now + timedelta(days=30)]
        assert len(lists.endings(uow, EndingsQuery(days="30"), None).page.items) == min(len(soon), scan)


def test_a_count_that_stopped_at_its_bound_is_believed_for_a_while(
    moved: Club, monkeypatch: pytest.MonkeyPatch, other_shop: TestShop
) -> None:
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)

    def counts(
        after: timedelta, query: EndingsQuery, *, only: list[UUID] | None = None, shop: TestShop = moved.shop
    ) -> Any:
        with use_clock(lambda: now + after), shop.work() as uow:
            asked: list[str] = []
            plain = uow.execute
            uow.execute = lambda sql, values=None: (asked.append(sql), plain(sql, values))[1]  # type: ignore[method-assign]
            found = lists.endings(uow, query, only)
            return found.total, found.more, len([sql for sql in asked if "AS matching" in sql])

    everybody, soon, minute = EndingsQuery(), EndingsQuery(days="90", why="grace"), timedelta(minutes=1)
    assert counts(0 * minute, everybody) == counts(minute, everybody) == (5, False, 1)
    monkeypatch.setattr(walking, "SCAN", 3)
    assert counts(0 * minute, everybody) == (3, True, 1)
    assert counts(9 * minute, everybody) == (3, True, 0)
    assert counts(9 * minute, soon)[1:] == (True, 1)
    assert counts(9 * minute, everybody, only=[])[:1] == (0,)
    assert counts(9 * minute, everybody, shop=other_shop) == (0, False, 1)
    with moved.work() as uow:
        uow.execute("UPDATE member_tiers SET ends_at = NULL")
    assert counts(10 * minute, everybody) == (0, False, 1)


def test_pages_and_files_show_the_same(moved: Club, call_as: CallAs, other_shop: TestShop) -> None:
    caller = call_as(staff(moved.shop.id, ALL))
    page = caller.get(f"{TAB}/moves?reason=by_hand&direction=up").text
    assert page.count("Moved by hand</td>") == 4 and "2 of 30" not in page
    assert "No move matches" in caller.get(f"{TAB}/moves?start=2027-01-01").text
    file = caller.get(f"{API}/moves.csv?reason=by_hand&direction=up&columns=name,reason").text
    rows = list(csv.reader(io.StringIO(file.removeprefix("\ufeff"))))
    assert rows == [["Member", "Reason"], *[["Ada Byron", "Moved by hand"]] * 4]
    assert "Ada Byron" in caller.get(f"{TAB}/endings").text
    endings = caller.get(f"{API}/endings.csv?days=90").text
    assert len(endings.splitlines()) == 6
    for path in ("moves", "endings"):
        assert "Ada" not in call_as(staff(other_shop.id, ALL)).get(f"{TAB}/{path}").text
        blind = ALL - {Permission.TIERS_READ}
        assert call_as(staff(moved.shop.id, blind)).get(f"{TAB}/{path}").status_code == 403
        assert call_as(api_key(moved.shop.id, blind)).get(f"{API}/{path}.csv").status_code == 403


def test_members_of_chosen_rows_go_to_a_bulk_action(moved: Club, call_as: CallAs) -> None:
    caller = call_as(staff(moved.shop.id, ALL))
    at = {"at": f"{TAB}/moves?reason=by_hand", "then": "bulk", "all_matching": "true"}
    answer = caller.submit("/app/home/lists/tier-moves/select", at)
    kept = UUID(answer.headers["HX-Location"].split("selection=")[1][:36])
    with moved.work() as uow:
        row = uow.one(
            "SELECT cardinality(ids) AS members, query FROM list_selections WHERE id = %(id)s", {"id": kept}
        )
    assert row == {"members": 2, "query": None}
