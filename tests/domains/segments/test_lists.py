"""The lists of segments and of a segment's members: orders, filters, pages, files, and the way into a bulk action."""

import csv
import io
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.core.permissions import ALL, Permission
from app.domains.lists import service as lists
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.points import service as points
from app.domains.points.schemas import Credit
from app.domains.segments import queries, service
from app.domains.segments.schemas import SegmentIn, SegmentsFilter
from tests.domains.segments.people import one, rules
from tests.fixtures.paging import there_and_back
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, api_key, staff

CallAs = Callable[..., Caller]
HERE = "/app/members/segments"
SELECT = "/app/home/lists/segment-members/select"


@pytest.fixture
def friends(shop: TestShop) -> tuple[UUID, list[UUID]]:
    """A segment by hand with three of four members: 0, 100 and 200 points, the second blocked."""
    with shop.work() as uow:
        people = [Person(n, f"m{n}@example.com", f"Name{n}", "Ruiz") for n in (1, 2, 3, 4)]
        found = members.enroll(uow, people)
        ids = [found[n].id for n in (1, 2, 3, 4)]
        members.set_status(uow, ids[1], "blocked")
        points.credit(uow, [Credit(ids[2], 200, "b", "purchase"), Credit(ids[3], 900, "c", "purchase")])
        segment = service.create(uow, SegmentIn(name="Friends", kind="manual"))
        service.add_members(uow, segment.id, ids[:3])
    return segment.id, ids


def names(shop: TestShop, **asked: Any) -> list[str]:
    """The names of segments on all pages, two to a page."""
    with shop.work() as uow:
        found = there_and_back(
            lambda cursor: queries.listed(uow, SegmentsFilter(limit=2, cursor=cursor, **asked))
        )
        assert queries.count(uow, SegmentsFilter(**asked)) == len(found)
        return [row["name"] for row in found]


def test_segments_come_in_every_order_page_by_page(shop: TestShop, friends: tuple[UUID, list[UUID]]) -> None:
    with shop.work() as uow:
        for name in ("alpha", "Beta", "100%"):
            service.create(uow, SegmentIn(name=name, rules=rules(one("orders", "at_least", 1))))
        uow.execute("UPDATE segments SET updated_at = now() + interval '1 day' WHERE name = 'Beta'")
    assert names(shop) == ["100%", "alpha", "Beta", "Friends"]
    assert names(shop, sort="size")[0] == "Friends" and len(names(shop, sort="size")) == 4
    assert names(shop, sort="changed")[0] == "Beta"
    assert names(shop, kind="manual") == ["Friends"]
    assert names(shop, search="%") == ["100%"]


def test_members_of_a_segment_are_filtered_sorted_and_written_to_a_file(
    shop: TestShop, call_as: CallAs, friends: tuple[UUID, list[UUID]]
) -> None:
    segment, _ = friends
    caller = call_as(staff(shop.id))
    page = caller.get(f"{HERE}/{segment}").text
    assert all(name in page for name in ("Name1", "Name2", "Name3")) and "Name4" not in page
    assert "Name1" not in caller.get(f"{HERE}/{segment}?status=blocked").text
    assert "Name3" not in caller.get(f"{HERE}/{segment}?search=m1@example.com").text
    file = f"/v1/api/segments/{segment}/members.csv"
    rows = list(csv.reader(io.StringIO(caller.get(f"{file}?sort=available&columns=name,available").text)))
    assert rows[1:] == [["Name3 Ruiz", "200"], ["Name2 Ruiz", "0"], ["Name1 Ruiz", "0"]]
    assert call_as(api_key(shop.id, ALL - {Permission.MEMBERS_READ})).get(file).status_code == 403
    assert caller.get(f"/v1/api/segments/{uuid4()}/members.csv").status_code == 404
    assert caller.get("/v1/api/segments.csv?columns=name,size").text.splitlines()[1] == "Friends,3"


def test_all_members_of_a_segment_go_to_a_bulk_action_as_its_filter(
    shop: TestShop, call_as: CallAs, friends: tuple[UUID, list[UUID]], other_shop: TestShop
) -> None:
    segment, ids = friends
    caller = call_as(staff(shop.id))

    def chosen(at: str, **fields: Any) -> Any:
        return caller.submit(SELECT, {"at": at, "then": "bulk", **fields})

    def kept(answer: Any) -> Any:
        with shop.work() as uow:
            return lists.selection(uow, UUID(answer.headers["HX-Location"].split("selection=")[1][:36]))

    everyone = kept(chosen(f"{HERE}/{segment}?status=active", all_matching="true"))
    assert (everyone.ids, everyone.query) == ((), {"status": "active", "segment": str(segment)})
    found = kept(chosen(f"{HERE}/{segment}?search=m3%40example.com", all_matching="true"))
    assert (found.ids, found.query) == ((ids[2],), None), "a search is never kept"
    ticked = kept(chosen(f"{HERE}/{segment}", ids=[str(ids[0]), str(ids[1])]))
    assert ticked.ids == (ids[0], ids[1])
    assert chosen("/app/members", all_matching="true").status_code == 404, "an address of another list"
    stranger = call_as(staff(other_shop.id))
    at = {"at": f"{HERE}/{segment}?search=m3%40example.com", "then": "bulk", "all_matching": "true"}
    assert stranger.submit(SELECT, at).status_code == 404
