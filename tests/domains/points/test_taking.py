"""Points taken from many members at once, and taken back: the same entries, lots and accounts as one by one."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.core import clock, ids
from app.core.db import UnitOfWork
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.points import queries
from app.domains.points import service as points
from app.domains.points.errors import InsufficientPoints, KeyReused, NothingToAdjust, UndoRefused
from app.domains.points.schemas import Credit, Reversal, Wish
from app.domains.points.service import Taken, Taking, by_hand
from app.domains.points.service.by_hand import Posting
from tests.domains.points.invariants import broken
from tests.domains.points.test_giving import have, heard, people
from tests.fixtures.shop import TestShop

WHY = {"bulk": "1", "note": 'with "quotes"'}
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
_numbers = count(1)

__all__ = ["heard", "people"]


@dataclass(frozen=True)
class Lot:
    """Points a member has before: when they end and whether they wait."""

    points: int
    days: int | None
    waits: bool


LOTS = st.lists(
    st.builds(Lot, st.integers(1, 60), st.none() | st.sampled_from([-1, 1, 1, 5]), st.booleans()), max_size=4
)
PAST = st.tuples(LOTS, st.integers(0, 40), st.integers(0, 90))
ROWS = st.lists(st.tuples(st.integers(0, 2), st.none() | st.integers(0, 120)), min_size=1, max_size=8)
BATCHES = st.lists(st.tuples(st.sampled_from(["deduct", "set", "expire"]), ROWS), min_size=1, max_size=3)


def people_with(uow: UnitOfWork, pasts: Sequence[tuple[list[Lot], int, int]]) -> list[UUID]:
    """Members with lots, a hold, and a refund that may leave a debt."""
    numbers = [next(_numbers) + 5_000 for _ in pasts]
    found = members.enroll(uow, [Person(number) for number in numbers])
    every = [found[number].id for number in numbers]
    points.open_accounts(uow, every)
    for member, (lots, held, refunded) in zip(every, pasts, strict=True):
        for lot in lots:
            given = Credit(
                member,
                lot.points,
                f"lot:{next(_numbers)}",
                "purchase",
                activates_at=NOW + timedelta(days=3) if lot.waits else None,
                expires_at=NOW + timedelta(days=lot.days) if lot.days else None,
            )
            points.credit(uow, [given])
        with suppress(InsufficientPoints):
            if held:
                points.hold(uow, member, held, key=f"hold:{next(_numbers)}", reason="redemption")
        if refunded:
            points.reverse(
                uow, Reversal(member, refunded, f"refund:{next(_numbers)}", "refund", debt="negative")
            )
    return every


def one_by_one(uow: UnitOfWork, verb: Taken, rows: Sequence[Taking]) -> dict[str, int]:
    moved = {}
    for row in rows:
        wish = Wish(row.member_id, verb, row.points, "", row.reason)
        with suppress(InsufficientPoints, NothingToAdjust):
            moved[row.key] = by_hand.post(uow, Posting(wish, row.key, WHY))[0].points
    return moved


def back_one_by_one(uow: UnitOfWork, entries: Sequence[UUID], trace: dict[str, Any]) -> set[UUID]:
    refused = set()
    for entry in entries:
        if queries.entries_by_key(uow, [f"undo:{entry}"]):
            continue
        found = queries.entry(uow, entry)
        assert found
        queries.lock_accounts(uow, [found["member_id"]])
        try:
            by_hand.take_back(uow, entry, f"undo:{entry}", trace)
        except UndoRefused:
            refused.add(entry)
    return refused


_ENTRIES = """
SELECT e.id, seq, kind, points, moved, waived, available_after, pending_after, held_after, debt_after, qualifying_after,
  crossed, reason, trace, activates_at, expires_at,
  (SELECT r.seq FROM points_entries r WHERE r.id = e.reference_id) AS reference,
  (SELECT coalesce(jsonb_agg(jsonb_build_array(l.n, m.points, m.source, m.target) ORDER BY l.n, m.source), '[]')
   FROM points_moves m JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM points_lots WHERE member_id = %(member)s) l
     ON l.id = m.lot_id WHERE m.entry_id = e.id) AS moves
FROM points_entries e WHERE member_id = %(member)s ORDER BY seq
"""
_LOTS = """
SELECT points, remaining, held, spent, expired, reversed, pending, waited, earned_at, activates_at, expires_at::text
FROM points_lots WHERE member_id = %(member)s ORDER BY id
"""
_ACCOUNT = """
SELECT available, pending, held, debt, qualifying, seq, updated_at FROM points_accounts WHERE member_id = %(member)s
"""


def state(uow: UnitOfWork, member: UUID) -> list[Any]:
    """Everything the ledger says of a member, without ids and hashes."""
    entries = [{k: v for k, v in row.items() if k != "id"} for row in uow.all(_ENTRIES, {"member": member})]
    return [entries, uow.all(_LOTS, {"member": member}), uow.all(_ACCOUNT, {"member": member})]


@settings(
    max_examples=40,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(pasts=st.tuples(PAST, PAST, PAST), batches=BATCHES, spent=st.integers(0, 60), data=st.data())
def test_a_slice_does_what_one_by_one_does(
    shop: TestShop, pasts: tuple[Any, Any, Any], batches: Any, spent: int, data: st.DataObject
) -> None:
    """Deducted, set and ended, and taken back after some was used meanwhile."""
    with clock.use_clock(lambda: NOW - timedelta(hours=1)), shop.work() as uow:
        sides = [people_with(uow, pasts) for _ in range(2)]
    posted: list[list[dict[str, int]]] = [[], []]
    with clock.use_clock(lambda: NOW), shop.work() as uow:
        for side, everybody in enumerate(sides):
            for n, (verb, wanted) in enumerate(batches):
                rows = [
                    Taking(
                        everybody[who],
                        number if number or verb != "deduct" else 1,
                        f"{everybody[0]}:{n}:{m}",
                        "reason",
                    )
                    for m, (who, number) in enumerate(wanted)
                    if number or (verb == "expire" and number is None) or (verb == "set" and number == 0)
                ]
                done = one_by_one(uow, verb, rows) if side else points.take_many(uow, verb, rows, WHY)
                posted[side].append({key.partition(":")[2]: moved for key, moved in done.items()})
                if not side:
                    assert points.take_many(uow, verb, rows, WHY) == done
        assert posted[0] == posted[1]
        assert [state(uow, one) for one in sides[0]] == [state(uow, one) for one in sides[1]]
    keys = data.draw(st.permutations(sorted(key for batch in posted[0] for key in batch)))
    with clock.use_clock(lambda: NOW + timedelta(hours=1)), shop.work() as uow:
        refused: list[list[int]] = [[], []]
        for side, everybody in enumerate(sides):
            with suppress(InsufficientPoints):
                if spent:
                    points.spend(uow, everybody[0], spent, key=f"spent:{everybody[0]}", reason="redemption")
            found = points.entries_of_keys(uow, [f"{everybody[0]}:{key}" for key in keys])
            entries = [found[f"{everybody[0]}:{key}"].id for key in keys]
            back = back_one_by_one if side else points.take_back_many
            for _ in range(2):
                kept = back(uow, entries, WHY)
                refused[side] += [n for n, entry in enumerate(entries) if entry in kept]
        assert refused[0] == refused[1]
        assert [state(uow, one) for one in sides[0]] == [state(uow, one) for one in sides[1]]
        assert broken(uow) == {}


def take(shop: TestShop, verb: Taken, *rows: Taking) -> dict[str, int]:
    with shop.work() as uow:
        return points.take_many(uow, verb, rows, WHY)


def test_whoever_has_too_few_is_left_out_and_the_others_are_told(
    shop: TestShop, people: list[UUID], heard: list[Any]
) -> None:
    """The second owes 30; nobody is told of what was not posted, and who is named again loses both."""
    with shop.work() as uow:
        points.credit(uow, [Credit(people[0], 50, "a", "thanks"), Credit(people[2], 5, "c", "thanks")])
    heard.clear()
    rows = [Taking(people[n], wanted, key, "misuse") for n, wanted, key in
            ((0, 30, "1"), (1, 1, "2"), (2, 6, "3"), (0, 21, "4"), (0, 20, "5"))]  # fmt: skip
    assert take(shop, "deduct", *rows) == {"1": -30, "5": -20}
    assert [(fact.key, fact.kind, fact.points, fact.available) for fact in heard] == [
        ("1", "adjust", -30, 20),
        ("5", "adjust", -20, 0),
    ]
    assert have(shop, people) == [(0, 0), (0, 30), (5, 0)]
    assert take(
        shop, "expire", Taking(people[1], None, "6", "misuse"), Taking(people[2], None, "7", "misuse")
    ) == {"7": -5}
    assert have(shop, people) == [(0, 0), (0, 30), (0, 0)]


def test_setting_pays_a_debt_first_and_a_key_is_set_once(shop: TestShop, people: list[UUID]) -> None:
    rows = [Taking(people[1], 10, "1", "correction"), Taking(people[1], 4, "2", "correction")]
    assert take(shop, "set", *rows) == {"1": 40, "2": -6}
    with shop.work() as uow:
        points.spend(uow, people[1], 1, key="spent", reason="redemption")
    assert take(shop, "set", *rows) == {"1": 40, "2": -6}
    assert take(shop, "set", Taking(people[1], 3, "3", "correction")) == {}
    assert have(shop, people) == [(0, 0), (3, 0), (0, 0)]


def test_a_key_that_says_something_else_is_refused(shop: TestShop, people: list[UUID]) -> None:
    with shop.work() as uow:
        points.credit(uow, [Credit(one, 50, str(one), "thanks") for one in people])
    take(shop, "deduct", Taking(people[0], 10, "a", "misuse"))
    for other in (Taking(people[0], 11, "a", "misuse"), Taking(people[2], 10, "a", "misuse")):
        with pytest.raises(KeyReused):
            take(shop, "deduct", Taking(people[2], 1, "b", "misuse"), other)
    assert have(shop, people) == [(40, 0), (20, 0), (50, 0)]


def test_points_of_another_shop_are_out_of_reach(
    shop: TestShop, other_shop: TestShop, people: list[UUID]
) -> None:
    with shop.work() as uow:
        points.credit(uow, [Credit(people[0], 50, "a", "thanks")])
    take(shop, "deduct", Taking(people[0], 10, "b", "misuse"))
    with shop.work() as uow:
        entry = points.entries_of_keys(uow, ["b"])["b"].id
    assert take(other_shop, "deduct", Taking(people[0], 10, "c", "misuse")) == {}
    assert take(other_shop, "expire", Taking(people[0], None, "d", "misuse")) == {}
    with pytest.raises(KeyError), other_shop.work() as uow:
        points.take_back_many(uow, [entry], WHY)
    assert have(shop, people)[0] == (40, 0)


def test_lots_that_do_not_bear_out_an_account_stop_everything(shop: TestShop, people: list[UUID]) -> None:
    with shop.work() as uow:
        points.credit(uow, [Credit(people[0], 50, "a", "thanks")])
        uow.execute("UPDATE points_accounts SET available = 60 WHERE member_id = %(who)s", {"who": people[0]})
        with pytest.raises(psycopg.errors.NotNullViolation):
            points.take_many(uow, "deduct", [Taking(people[0], 55, "b", "misuse")], WHY)
        uow.driver.rollback()


def test_a_members_lots_are_not_looked_for_among_all_of_the_shop(
    shop: TestShop, people: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def explained(uow: UnitOfWork, sql: str, params: Any = None) -> list[Any]:
        uow.driver.execute("SET LOCAL enable_seqscan = off")
        seen.extend(line for (line,) in uow.driver.execute("EXPLAIN " + sql, params) if "Index Cond" in line)
        return []

    monkeypatch.setattr(UnitOfWork, "tuples", explained)
    with shop.work() as uow:
        queries.spendable_lots(uow, people[0])
    assert seen and all("member_id" in line for line in seen)


def test_two_who_take_from_the_same_members_wait_for_each_other(shop: TestShop, people: list[UUID]) -> None:
    """Whoever waited reads the lots as the other one left them, whatever the order of the members; then all is taken back."""
    with shop.work() as uow:
        every = [people[0], people[2]]
        points.credit(uow, [Credit(one, 7, f"{one}:{n}", "thanks") for one in every for n in range(9)])

    def deduct(order: list[UUID]) -> list[str]:
        done: list[str] = []
        for _ in range(12):
            rows = [Taking(one, 3, str(ids.new_id()), "misuse") for one in order]
            done += take(shop, "deduct", *rows)
        return done

    with ThreadPoolExecutor(2) as both:
        keys = [key for done in both.map(deduct, (every, every[::-1])) for key in done]
    assert have(shop, every) == [(0, 0), (0, 0)] and len(keys) == 42
    with shop.work() as uow:
        entries = [one.id for one in points.entries_of_keys(uow, keys).values()]

    def back(some: list[UUID]) -> set[UUID]:
        with shop.work() as uow:
            return points.take_back_many(uow, some, WHY)

    with ThreadPoolExecutor(2) as both:
        assert list(both.map(back, (entries[:30], entries[12:][::-1]))) == [set(), set()]
    assert have(shop, every) == [(63, 0), (63, 0)]
    with shop.work() as uow:
        assert broken(uow) == {}
