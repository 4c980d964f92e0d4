"""What orders earn, by examples and properties."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.points import rules

TERMS = rules.Terms(Decimal(10), "down", True, "paid")
NOTHING = rules.Refunded({}, {}, 0)


def state(lines: list[rules.Line], refunded: rules.Refunded = NOTHING, **changes: object) -> rules.OrderState:
    plain = rules.OrderState(
        lines=lines,
        refunded=refunded,
        currency_exponent=2,
        created=True,
        paid=True,
        fulfilled=False,
        cancelled=False,
        deleted=False,
        test=False,
        has_member=True,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


TWO_LINES = [rules.Line(1, 10_000, 0, False), rules.Line(2, 2_990, 0, False)]


@pytest.mark.parametrize(
    ("order", "points"),
    [
        (state(TWO_LINES), 1_299),
        (state(TWO_LINES, rules.Refunded({2: 2_990}, {}, 0)), 1_000),
        (state(TWO_LINES, rules.Refunded({}, {}, 12_990)), 0),
        (state(TWO_LINES, rules.Refunded({}, {}, 2_990)), 1_000),
        (state([*TWO_LINES, rules.Line(3, 5_000, 0, True)]), 1_299),
        (state(TWO_LINES, cancelled=True), 0),
        (state(TWO_LINES, deleted=True), 0),
        (state(TWO_LINES, test=True), 0),
        (state(TWO_LINES, paid=False), 0),
        (state(TWO_LINES, has_member=False), 0),
        (state([rules.Line(1, 500, 0, False)], currency_exponent=0), 5_000),
        (state([rules.Line(1, 1_234, 0, False)], currency_exponent=3), 12),
        (state([]), 0),
    ],
)
def test_examples(order: rules.OrderState, points: int) -> None:
    assert rules.target(order, TERMS, 10_000).points == points


@pytest.mark.parametrize(("rounding", "points"), [("down", 12), ("nearest", 13), ("up", 13)])
def test_rounding_is_applied_once_to_the_whole_order(rounding: str, points: int) -> None:
    lines = [rules.Line(number, 21, 0, False) for number in range(6)]
    assert rules.target(state(lines), replace(TERMS, rounding=rounding), 10_000).points == points


def test_tax_earns_only_when_the_program_says_so() -> None:
    taxed = state([rules.Line(1, 10_000, 1_900, False)])
    assert rules.target(taxed, TERMS, 10_000).points == 1_190
    assert rules.target(taxed, replace(TERMS, earn_on_tax=False), 10_000).points == 1_000


def test_multiplier_is_in_basis_points() -> None:
    assert rules.target(state(TWO_LINES), TERMS, 12_500).points == 1_623


@pytest.mark.parametrize(
    ("trigger", "paid", "fulfilled", "earns"),
    [
        ("created", False, False, True),
        ("paid", False, False, False),
        ("paid", True, False, True),
        ("fulfilled", True, False, False),
        ("fulfilled", True, True, True),
    ],
)
def test_earning_waits_for_its_trigger(trigger: str, paid: bool, fulfilled: bool, earns: bool) -> None:
    order = state(TWO_LINES, paid=paid, fulfilled=fulfilled)
    assert (rules.target(order, replace(TERMS, earn_trigger=trigger), 10_000).points > 0) is earns


AMOUNTS = st.lists(st.integers(0, 10**7), min_size=1, max_size=6)


@given(AMOUNTS, st.data())
def test_refunding_more_never_earns_more(amounts: list[int], data: st.DataObject) -> None:
    lines = [rules.Line(number, amount, 0, False) for number, amount in enumerate(amounts)]
    first = {number: data.draw(st.integers(0, amount)) for number, amount in enumerate(amounts)}
    second = {number: data.draw(st.integers(first[number], amount)) for number, amount in enumerate(amounts)}
    less = rules.target(state(lines, rules.Refunded(second, {}, 0)), TERMS, 10_000).points
    more = rules.target(state(lines, rules.Refunded(first, {}, 0)), TERMS, 10_000).points
    assert 0 <= less <= more


@given(AMOUNTS, st.integers(0, 10**9))
def test_refunding_everything_ends_at_zero(amounts: list[int], extra: int) -> None:
    lines = [rules.Line(number, amount, 0, False) for number, amount in enumerate(amounts)]
    by_lines = rules.Refunded(dict(enumerate(amounts)), {}, 0)
    by_amount = rules.Refunded({}, {}, sum(amounts) + extra)
    assert rules.target(state(lines, by_lines), TERMS, 10_000).points == 0
    assert rules.target(state(lines, by_amount), TERMS, 10_000).points == 0 or sum(amounts) == 0


@given(AMOUNTS, st.integers(0, 10**7))
def test_an_amount_refund_equals_pricing_what_is_left(amounts: list[int], refunded: int) -> None:
    lines = [rules.Line(number, amount, 0, False) for number, amount in enumerate(amounts)]
    left = max(sum(amounts) - refunded, 0)
    by_amount = rules.target(state(lines, rules.Refunded({}, {}, refunded)), TERMS, 10_000).points
    assert by_amount == rules.target(state([rules.Line(1, left, 0, False)]), TERMS, 10_000).points


def test_goods_returned_without_money_do_not_cost_points() -> None:
    assert rules.money_back([[1, 1_000, 0, 1]], -1_000) == ([(1, 0, 0)], 0)
    assert rules.money_back([[1, 1_000, 0, 1]], -400) == ([(1, 600, 0)], 0)
    assert rules.money_back([[1, 1_000, 0, 1]], 250) == ([(1, 1_000, 0)], 250)


def test_expiry_is_the_end_of_the_local_day() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    late = datetime(2026, 8, 31, 22, 30, tzinfo=UTC)
    assert rules.expiry(late, 12, berlin) == datetime(2027, 9, 2, tzinfo=berlin)
    assert rules.expiry(datetime(2027, 11, 29, 12, tzinfo=UTC), 3, berlin) == datetime(
        2028, 3, 1, tzinfo=berlin
    )
    assert rules.expiry(datetime(2026, 1, 31, 12, tzinfo=UTC), 1, berlin) == datetime(
        2026, 3, 1, tzinfo=berlin
    )
