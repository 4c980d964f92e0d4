"""Two accounts of one person had a first purchase each: merged, the person has one, whatever else happens and when."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core import ids
from app.core.db import UnitOfWork
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.points import service as points
from app.domains.points.schemas import Balance, CalculateIn
from app.domains.programs import service as programs
from app.domains.programs.schemas import EarningRule
from tests.domains.points.invariants import broken
from tests.domains.points.terms import rule
from tests.domains.points.test_rehearsal import rehearse
from tests.factories import payloads
from tests.fixtures.shop import TestShop, make_shop

BONUS = 75
EARLY, LATE = 5, 6
"""The orders: of customer 77 at noon, of customer 78 ten minutes later, both 129.90."""
CUSTOMERS = {EARLY: 77, LATE: 78}
LINES = {1: Decimal("100.00"), 2: Decimal("29.90")}
WORTH = 129


def bonus(**changes: Any) -> EarningRule:
    return EarningRule.model_validate(
        rule("first", BONUS, "first_purchase", per="order", multiplied=False) | changes
    )


def change(shop: TestShop, **changes: Any) -> None:
    with shop.work() as uow:
        program = programs.active(uow)
        assert program is not None
        programs.update(uow, program.id, changes, version=program.version)


def offer(shop: TestShop, **changes: Any) -> None:
    """A program of a point per dollar, nothing for signing up, and a bonus for the first purchase."""
    plain = {"type": "points", "points_per_unit": 1, "signup_bonus": 0, "rules": [bonus()]}
    change(shop, **plain | changes)


def pay(shop: TestShop, number: int) -> None:
    minutes = 0 if number == EARLY else 10
    customer = payloads.customer(CUSTOMERS[number])
    order = payloads.order(number, customer=customer, created_at=payloads.at(minutes))
    shop.tell("orders/paid", order)
    shop.drain()


def refund(shop: TestShop, number: int, line: int) -> None:
    """Send a line of an order back."""
    line_id = number * 10 + line
    shop.tell("refunds/create", payloads.refund(line_id, number, [(line_id, 1, str(LINES[line]))]))
    shop.drain()


def merge(shop: TestShop, kept: int) -> None:
    removed = {77: 78, 78: 77}[kept]
    shop.tell(
        "customers/merge",
        {
            "admin_graphql_api_customer_kept_id": f"gid://shopify/Customer/{kept}",
            "admin_graphql_api_customer_deleted_id": f"gid://shopify/Customer/{removed}",
            "status": "completed",
        },
    )
    shop.drain()


def part(shop: TestShop, kept: int) -> None:
    with shop.work() as uow:
        (last,) = [one for one in members.merges_of(uow, owner(uow, kept)) if one.undone_at is None]
        members.unmerge(uow, last.id)


def owner(uow: UnitOfWork, customer: int) -> UUID:
    found = members.by_customer(uow, customer)
    assert found is not None
    return found.id


def balance(shop: TestShop, customer: int) -> Balance:
    with shop.work() as uow:
        assert broken(uow) == {}
        return points.balance(uow, owner(uow, customer))


def gave(shop: TestShop) -> dict[int, int]:
    """What each order gave, by its number."""
    with shop.work() as uow:
        rows = uow.all(
            "SELECT o.order_id, sum(e.points)::bigint AS points FROM points_entries e JOIN orders o ON o.id = e.order_id"
            " WHERE e.order_id IS NOT NULL GROUP BY 1"
        )
    return {row["order_id"]: row["points"] for row in rows}


@pytest.mark.parametrize("kept", [77, 78])
def test_the_later_of_two_first_purchases_gives_its_bonus_back(shop: TestShop, kept: int) -> None:
    offer(shop)
    pay(shop, EARLY)
    pay(shop, LATE)
    assert gave(shop) == {EARLY: WORTH + BONUS, LATE: WORTH + BONUS}
    for _ in range(2):
        merge(shop, kept)
    assert gave(shop) == {EARLY: WORTH + BONUS, LATE: WORTH}
    had = balance(shop, kept)
    assert (had.available, had.qualifying, had.debt) == (2 * WORTH + BONUS, 2 * WORTH + BONUS, 0)
    with shop.work() as uow:
        (entry,) = uow.all("SELECT * FROM points_entries WHERE reason = 'not_first_order'")
        assert (entry["member_id"], entry["points"]) == (owner(uow, kept), -BONUS)
        assert (
            points.explain(entry, "en")
            == "−75 points: another account of the same person had ordered before order #1006."
        )
        assert dict(points.told(entry, "en"))["First purchase in time"] == (
            "nothing, because it is not the member's first purchase, or it came too late"
        )
        assert points.calculate(uow, None, CalculateIn(order_id=str(LATE)), "en").points == WORTH


def test_who_bought_before_without_a_bonus_has_no_first_purchase_left(shop: TestShop) -> None:
    offer(shop, rules=[])
    pay(shop, EARLY)
    change(shop, rules=[bonus()])
    pay(shop, LATE)
    assert gave(shop) == {EARLY: WORTH, LATE: WORTH + BONUS}
    merge(shop, 78)
    assert gave(shop) == {EARLY: WORTH, LATE: WORTH}
    part(shop, 78)
    assert gave(shop) == {EARLY: WORTH, LATE: WORTH + BONUS}


def test_points_on_the_first_order_alone_count_as_a_bonus_too(shop: TestShop) -> None:
    only = EarningRule.model_validate(rule("extra", 1, conditions={"first_order": True}))
    offer(shop, rules=[only])
    pay(shop, EARLY)
    pay(shop, LATE)
    before = gave(shop)
    assert before[LATE] > WORTH
    merge(shop, 77)
    assert gave(shop) == {EARLY: before[EARLY], LATE: WORTH}


def test_a_merge_before_the_second_purchase_ends_where_one_after_it_ends(shop: TestShop) -> None:
    offer(shop)
    pay(shop, EARLY)
    merge(shop, 77)
    pay(shop, LATE)
    assert gave(shop) == {EARLY: WORTH + BONUS, LATE: WORTH}


def test_a_rehearsal_of_unchanged_terms_gives_the_bonus_once_too(shop: TestShop) -> None:
    offer(shop)
    pay(shop, EARLY)
    pay(shop, LATE)
    merge(shop, 78)
    found = rehearse(shop)
    assert found["before"] == found["after"] == 2 * WORTH + BONUS


def test_of_three_accounts_one_keeps_the_bonus_and_parting_gives_it_back(shop: TestShop) -> None:
    offer(shop)
    with shop.work() as uow:
        third = members.enroll(uow, [Person(79)])[79].id
    pay(shop, EARLY)
    pay(shop, LATE)
    with shop.work() as uow:
        first, second = owner(uow, 77), owner(uow, 78)
        one = members.merge(uow, third, first)
        two = members.merge(uow, third, second)
        assert one is not None and two is not None
    assert gave(shop) == {EARLY: WORTH + BONUS, LATE: WORTH}
    with shop.work() as uow:
        members.unmerge(uow, one)
    assert gave(shop) == {EARLY: WORTH + BONUS, LATE: WORTH + BONUS}
    with shop.work() as uow:
        members.unmerge(uow, two)
    assert gave(shop) == {EARLY: WORTH + BONUS, LATE: WORTH + BONUS}
    assert (balance(shop, 77).available, balance(shop, 78).available) == (WORTH + BONUS, WORTH + BONUS)


STEPS = ("merge", (EARLY, 1), (EARLY, 2), (LATE, 1), (LATE, 2))


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    kept=st.sampled_from([77, 78]),
    steps=st.permutations(STEPS),
    told=st.integers(1, len(STEPS)),
    used=st.integers(0, WORTH + BONUS),
    holding=st.sampled_from([0, 3]),
    again=st.booleans(),
)
@pytest.mark.usefixtures("clean_database")
def test_refunds_before_and_after_a_merge_end_at_the_same_points(
    kept: int, steps: list[Any], told: int, used: int, holding: int, again: bool
) -> None:
    """Some of the steps happen, the merge always; in between the accounts may part and become one again."""
    shop = make_shop(f"first-{ids.new_id().hex}.myshopify.com")
    offer(shop, holding_days=holding)
    pay(shop, EARLY)
    pay(shop, LATE)
    if used and not holding:
        with shop.work() as uow:
            points.spend(uow, owner(uow, 78), used, key="used", reason="redemption")
    taken = [one for one in steps[:told] if one != "merge"]
    order = [one for one in steps if one == "merge" or one in taken]
    for step in order:
        if step != "merge":
            refund(shop, *step)
            continue
        merge(shop, kept)
        if again:
            part(shop, kept)
            merge(shop, kept)
    left = {}
    for number in CUSTOMERS:
        kept_lines = LINES.keys() - {line for refunded, line in taken if refunded == number}
        left[number] = int(sum(LINES[line] for line in kept_lines)) + BONUS * (
            number == EARLY and bool(kept_lines)
        )
    assert gave(shop) == left
    had = balance(shop, kept)
    assert had.total == sum(left.values()) - (used if not holding else 0)
    assert had.qualifying == sum(left.values())
    part(shop, kept)
    alone = left | {LATE: left[LATE] + BONUS * (left[LATE] > 0)}
    assert gave(shop) == alone
    both = [balance(shop, one) for one in (77, 78)]
    assert sum(one.total for one in both) == sum(alone.values()) - (used if not holding else 0)
    assert sum(one.qualifying for one in both) == sum(alone.values())


def lots(uow: UnitOfWork) -> list[tuple[Any, ...]]:
    rows = uow.all(
        "SELECT member_id, points, remaining, held, pending, earned_at, activates_at, expires_at::text, order_id"
        " FROM points_lots WHERE remaining + held > 0 ORDER BY id"
    )
    return [tuple(row.values()) for row in rows]


@pytest.mark.parametrize("holding", [0, 3])
@pytest.mark.parametrize("kept", [77, 78])
@pytest.mark.parametrize("used", [0, 150, 204])
def test_parting_at_once_restores_lots_and_balances(
    shop: TestShop, kept: int, holding: int, used: int
) -> None:
    offer(shop, rules=[bonus(holding_days=holding)])
    pay(shop, EARLY)
    pay(shop, LATE)
    with shop.work() as uow:
        used = min(used, points.balance(uow, owner(uow, 78)).available)
        if used:
            points.spend(uow, owner(uow, 78), used, key="used", reason="redemption")
        was = lots(uow), [points.balance(uow, owner(uow, one)) for one in (77, 78)]
        told = members.merge_preview(uow, owner(uow, kept), owner(uow, 155 - kept))
    merge(shop, kept)
    had = balance(shop, kept)
    assert {one.label: one.after for one in told} == {
        "Available points": had.available,
        "Pending points": had.pending,
        "Reserved points": had.held,
        "Debt": had.debt,
        "Points that count for tiers": had.qualifying,
        "Bonuses that both got, taken back once": 0,
    }
    part(shop, kept)
    with shop.work() as uow:
        assert broken(uow) == {}
        assert was == (lots(uow), [points.balance(uow, owner(uow, one)) for one in (77, 78)])
