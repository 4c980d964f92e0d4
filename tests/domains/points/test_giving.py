"""Points for many members at once: the same entries as one by one, each key once, also when two do it together."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from app.core import ids
from app.core.db import UnitOfWork
from app.core.events import Event, subscriptions
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.points import service as points
from app.domains.points.errors import KeyReused
from app.domains.points.events import PointsPosted
from app.domains.points.schemas import Credit, Reversal
from app.domains.points.service import Gift
from tests.domains.points.invariants import broken
from tests.fixtures.shop import TestShop

WHY = {"bulk": "1"}


@pytest.fixture(autouse=True)
def laws(shop: TestShop) -> Iterator[None]:
    yield
    with shop.work() as uow:
        assert broken(uow) == {}


@pytest.fixture
def people(shop: TestShop) -> list[UUID]:
    """Three members; the second owes 30."""
    with shop.work() as uow:
        found = members.enroll(uow, [Person(n) for n in range(1, 4)])
        every = [found[n].id for n in range(1, 4)]
        points.reverse(uow, Reversal(every[1], 30, "debt", "refund"))
    return every


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[PointsPosted]:
    facts: list[PointsPosted] = []
    publish = UnitOfWork.publish

    def listen(uow: UnitOfWork, batch: Sequence[Event]) -> None:
        facts.extend(one for one in batch if isinstance(one, PointsPosted))
        publish(uow, batch)

    monkeypatch.setattr(UnitOfWork, "publish", listen)
    assert subscriptions()[PointsPosted]
    return facts


def have(shop: TestShop, people: list[UUID]) -> list[tuple[int, int]]:
    with shop.work() as uow:
        found = [points.balance(uow, one) for one in people]
        return [(one.available, one.debt) for one in found]


def test_many_get_what_one_by_one_would_give(
    shop: TestShop, people: list[UUID], heard: list[PointsPosted]
) -> None:
    """A debt is repaid first, a member who is named again gets both, and everything that hears of points hears it."""
    with shop.work() as uow:
        one = points.credit(uow, [Credit(people[2], 7, "one", "thanks", kind="adjust", qualifies=False)])[0]
        heard.clear()
        gifts = [
            Gift(people[0], 10, "a", "promotion"),
            Gift(people[1], 50, "b", 'a "reason", with {signs}'),
            Gift(people[0], 5, "c", "promotion"),
            Gift(people[2], 7, "d", "null"),
        ]
        points.give_many(uow, gifts, WHY)
        points.give_many(uow, gifts, WHY)
        told = {fact.key: fact for fact in heard}
        rows = {
            row["key"]: row
            for row in uow.all(
                "SELECT key, kind, points, moved, reason, trace, available_after, qualifying_after, activates_at = created_at"
                " AS at_once, expires_at, seq, id FROM points_entries WHERE key = ANY(%(keys)s)",
                {"keys": ["one", *"abcd"]},
            )
        }
    assert have(shop, people) == [(15, 0), (20, 0), (14, 0)]
    assert sorted(told) == [*"abcd"] and len(heard) == 4
    assert [told[key].available for key in "acbd"] == [10, 15, 20, 14]
    assert {key: fact.entry_id for key, fact in told.items()} == {key: rows[key]["id"] for key in "abcd"}
    assert (rows["b"]["moved"], rows["b"]["reason"], rows["d"]["reason"]) == (30, gifts[1].reason, "null")
    alike = ("kind", "points", "moved", "qualifying_after", "at_once", "expires_at")
    assert [rows["d"][name] for name in alike] == [rows["one"][name] for name in alike]
    assert (rows["d"]["trace"], rows["d"]["seq"], one.seq) == (WHY, 2, 1)


def test_a_key_that_says_something_else_is_refused(shop: TestShop, people: list[UUID]) -> None:
    with shop.work() as uow:
        points.give_many(uow, [Gift(people[0], 10, "a", "promotion")], WHY)
    for other in (Gift(people[0], 11, "a", "promotion"), Gift(people[2], 10, "a", "promotion")):
        with pytest.raises(KeyReused), shop.work() as uow:
            points.give_many(uow, [Gift(people[2], 1, "b", "promotion"), other], WHY)
    assert have(shop, people) == [(10, 0), (0, 30), (0, 0)]


def test_a_member_without_an_account_gets_one(shop: TestShop, people: list[UUID]) -> None:
    with shop.work() as uow:
        uow.execute("DELETE FROM points_accounts WHERE member_id = %(member)s", {"member": people[2]})
    with shop.work() as uow:
        points.give_many(uow, [Gift(one, 3, str(ids.new_id()), "promotion") for one in people], WHY)
    assert have(shop, people) == [(3, 0), (0, 27), (3, 0)]


def test_two_who_give_to_the_same_members_wait_for_each_other(shop: TestShop, people: list[UUID]) -> None:
    """Whoever waited for a lock goes on from what the other one left, whatever the order of the members."""

    def give(order: list[UUID]) -> None:
        for _ in range(15):
            with shop.work() as uow:
                points.give_many(uow, [Gift(one, 1, str(ids.new_id()), "promotion") for one in order], WHY)

    with ThreadPoolExecutor(2) as both:
        list(both.map(give, (people, people[::-1])))
    assert have(shop, people) == [(30, 0), (0, 0), (30, 0)]
