"""What orders earn, by examples and properties."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.points import rules
from app.domains.programs.schemas import Expiry, ProgramTerms
from tests.domains.points import plain_target
from tests.domains.points.terms import rule, terms

TERMS = terms()
NOTHING = rules.Refunded()


def state(lines: list[rules.Line], refunded: rules.Refunded = NOTHING, **changes: object) -> rules.OrderState:
    return replace(rules.OrderState(lines, refunded, 2), **changes)  # type: ignore[arg-type]


def points(order: rules.OrderState, under: ProgramTerms = TERMS, multiplier_bp: int = 10_000) -> int:
    return rules.price(order, under, rules.MemberState(tier_bp=multiplier_bp)).points


TWO_LINES = [rules.Line(1, 10_000, 0, False), rules.Line(2, 2_990, 0, False)]


@pytest.mark.parametrize(
    ("order", "expected"),
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
def test_examples(order: rules.OrderState, expected: int) -> None:
    assert points(order) == expected


@pytest.mark.parametrize(
    ("rounding", "expected"), [("down", 12), ("nearest", 13), ("half_even", 13), ("up", 13)]
)
def test_rounding_is_applied_once_to_the_whole_order(rounding: str, expected: int) -> None:
    lines = [rules.Line(number, 21, 0, False) for number in range(6)]
    assert points(state(lines), terms(rounding=rounding)) == expected


def test_tax_earns_only_when_the_program_says_so() -> None:
    taxed = state([rules.Line(1, 10_000, 1_900, False)])
    assert points(taxed) == 1_190
    assert points(taxed, terms(earn_on_tax=False)) == 1_000


def test_multiplier_is_in_basis_points() -> None:
    assert points(state(TWO_LINES), multiplier_bp=12_500) == 1_623


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
    assert (points(order, terms(earn_trigger=trigger)) > 0) is earns


AMOUNTS = st.lists(st.integers(0, 10**7), min_size=1, max_size=6)


@given(AMOUNTS, st.data())
def test_refunding_more_never_earns_more(amounts: list[int], data: st.DataObject) -> None:
    lines = [rules.Line(number, amount, 0, False) for number, amount in enumerate(amounts)]
    first = {number: data.draw(st.integers(0, amount)) for number, amount in enumerate(amounts)}
    second = {number: data.draw(st.integers(first[number], amount)) for number, amount in enumerate(amounts)}
    less = points(state(lines, rules.Refunded(second, {}, 0)))
    more = points(state(lines, rules.Refunded(first, {}, 0)))
    assert 0 <= less <= more


@given(AMOUNTS, st.integers(0, 10**9))
def test_refunding_everything_ends_at_zero(amounts: list[int], extra: int) -> None:
    lines = [rules.Line(number, amount, 0, False) for number, amount in enumerate(amounts)]
    by_lines = rules.Refunded(dict(enumerate(amounts)), {}, 0)
    by_amount = rules.Refunded({}, {}, sum(amounts) + extra)
    assert points(state(lines, by_lines)) == 0
    assert points(state(lines, by_amount)) == 0 or sum(amounts) == 0


@given(AMOUNTS, st.integers(0, 10**7))
def test_an_amount_refund_equals_pricing_what_is_left(amounts: list[int], refunded: int) -> None:
    lines = [rules.Line(number, amount, 0, False) for number, amount in enumerate(amounts)]
    left = max(sum(amounts) - refunded, 0)
    by_amount = points(state(lines, rules.Refunded({}, {}, refunded)))
    assert by_amount == points(state([rules.Line(1, left, 0, False)]))


def test_goods_returned_without_money_do_not_cost_points() -> None:
    assert rules.money_back([[1, 1_000, 0, 1]], -1_000) == ([(1, 0, 0)], 0)
    assert rules.money_back([[1, 1_000, 0, 1]], -400) == ([(1, 600, 0)], 0)
    assert rules.money_back([[1, 1_000, 0, 1]], 250) == ([(1, 1_000, 0)], 250)


def test_expiry_is_the_end_of_the_local_day() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    late = datetime(2026, 8, 31, 22, 30, tzinfo=UTC)
    assert rules.lasts_until(late, Expiry(), 12, berlin) == datetime(2027, 9, 2, tzinfo=berlin)
    assert rules.lasts_until(datetime(2027, 11, 29, 12, tzinfo=UTC), Expiry(), 3, berlin) == datetime(
        2028, 3, 1, tzinfo=berlin
    )
    assert rules.lasts_until(datetime(2026, 1, 31, 12, tzinfo=UTC), Expiry(), 1, berlin) == datetime(
        2026, 3, 1, tzinfo=berlin
    )


LINES = st.lists(
    st.tuples(st.integers(0, 10**7), st.integers(0, 10**6), st.booleans()), min_size=1, max_size=6
)


@given(
    LINES,
    st.integers(0, 3),
    st.integers(0, 10**7),
    st.integers(0, 30_000),
    st.decimals(0, 1000, places=4),
    st.sampled_from(["down", "nearest", "up"]),
    st.booleans(),
    st.data(),
)
def test_a_version_without_rules_prices_as_it_did_before_there_were_any(
    lines: list[tuple[int, int, bool]],
    exponent: int,
    amount: int,
    bp: int,
    rate: Decimal,
    rounding: str,
    tax: bool,
    data: st.DataObject,
) -> None:
    back = {n: data.draw(st.integers(0, net)) for n, (net, _, _) in enumerate(lines, 1)}
    old = plain_target.target(
        plain_target.OrderState(
            [plain_target.Line(n, *line) for n, line in enumerate(lines, 1)],
            plain_target.Refunded(back, {}, amount),
            exponent,
            created=True,
            paid=True,
            fulfilled=False,
            cancelled=False,
            deleted=False,
            test=False,
            has_member=True,
        ),
        plain_target.Terms(rate, rounding, tax, "paid"),
        bp,
    )
    order = rules.OrderState(
        [rules.Line(n, *line) for n, line in enumerate(lines, 1)], rules.Refunded(back, {}, amount), exponent
    )
    under = terms(points_per_unit=str(rate), rounding=rounding, earn_on_tax=tax)
    found = rules.price(order, under, rules.MemberState(tier_bp=bp))
    assert found.points == old.points
    assert found.trace["base_minor"] == old.trace["base_minor"]


GOODS = [
    rules.Line(
        1, 10_000, 0, product_id=7, vendor="Acme", tags=frozenset({"new"}), collections=frozenset({70})
    ),
    rules.Line(2, 5_000, 0, product_id=8, variant_id=81, type="Hat", on_sale=True, quantity=2),
    rules.Line(3, 2_000, 0, gift_card=True),
    rules.Line(rules.SHIPPING, 500, 0),
    rules.Line(rules.TIP, 300, 0),
]


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (rule("r"), 750),
        (rule("r", conditions={"products": [7]}), 500),
        (rule("r", conditions={"collections": [70]}), 500),
        (rule("r", conditions={"collections": [71]}), 0),
        (rule("r", conditions={"tags": ["NEW"]}), 500),
        (rule("r", conditions={"vendors": ["acme"]}), 500),
        (rule("r", conditions={"types": ["hat"]}), 250),
        (rule("r", conditions={"variants": [81]}), 250),
        (rule("r", exclusions={"gift_cards": False}), 850),
        (rule("r", exclusions={"shipping": False}), 775),
        (rule("r", exclusions={"tips": False}), 765),
        (rule("r", exclusions={"sale": True}), 500),
        (rule("r", exclusions={"tags": ["new"]}), 250),
        (rule("r", per="item"), 15),
        (rule("r", 40, per="order"), 40),
        (rule("r", conditions={"minimum_subtotal": "170"}), 750),
        (rule("r", conditions={"minimum_subtotal": "170.01"}), 0),
        (rule("r", conditions={"channels": ["POS"]}), 750),
        (rule("r", conditions={"channels": ["web"]}), 0),
        (rule("r", conditions={"countries": ["FR"]}), 750),
        (rule("r", conditions={"countries": ["DE"]}), 0),
        (rule("r", conditions={"currencies": ["EUR"]}), 750),
        (rule("r", conditions={"customer_tags": ["vip"]}), 750),
        (rule("r", conditions={"segments": ["champions"]}), 750),
        (rule("r", conditions={"segments": ["lost"]}), 0),
        (rule("r", conditions={"starts_on": "2026-11-02"}), 0),
        (rule("r", conditions={"starts_on": "2026-11-01", "ends_on": "2026-11-01"}), 750),
        (rule("r", conditions={"ends_on": "2026-10-31"}), 0),
        (rule("r", conditions={"weekdays": [7]}), 750),
        (rule("r", conditions={"weekdays": [1, 2]}), 0),
        (rule("r", conditions={"first_order": True}), 0),
        (rule("r", exclusions={"customer_tags": ["VIP"]}), 0),
        (rule("r", caps={"per_order": 100}), 100),
        (rule("r", enabled=False), 0),
    ],
)
def test_conditions_and_exclusions_of_a_rule(extra: dict[str, Any], expected: int) -> None:
    order = state(
        GOODS,
        day=date(2026, 11, 1),
        channel="pos",
        country="FR",
        presentment="EUR",
        customer_tags=frozenset({"vip"}),
    )
    under = terms(points_per_unit="0", rules=[extra])
    member = rules.MemberState(segments=frozenset({"champions"}))
    assert rules.price(order, under, member).points == expected


def test_stacking() -> None:
    more = rule("more", 30, conditions={"products": [7]}, priority=1)
    assert points(state(GOODS), terms(rules=[more])) == 1_500 + 3_000
    assert points(state(GOODS), terms(rules=[more | {"stacking": "exclusive"}])) == 500 + 3_000
    rivals = [rule("a", 3, stacking="best"), rule("b", 4, stacking="best", conditions={"products": [7]})]
    assert points(state(GOODS), terms(points_per_unit="0", rules=rivals)) == 400 + 150


@pytest.mark.parametrize(
    ("mode", "expected"), [("multiply", 5_625), ("add", 4_125), ("highest", 3_000), ("first", 2_250)]
)
def test_multipliers(mode: str, expected: int) -> None:
    campaigns = [
        {"id": "x2", "name": "Double", "factor": "2"},
        {"id": "x15", "name": "Market", "factor": "1.5", "priority": 1},
        {"id": "off", "name": "Elsewhere", "factor": "50", "conditions": {"countries": ["JP"]}},
    ]
    under = terms(multiplier_mode=mode, multipliers=campaigns)
    # 150.00 at 10 points; the tier gives 1.25.
    assert points(state(GOODS), under, 12_500) == expected


def test_a_punch_card_is_full_after_so_many_orders() -> None:
    under = terms(type="punch_card", points_per_unit="100", step="3")
    counts, given_now = (0, 0), []
    for _ in range(7):
        found = rules.price(state(GOODS), under, rules.MemberState(counts={"purchase": counts}))
        counts = (
            counts[0] + found.counts["purchase"].units,
            counts[1] + found.counts["purchase"].completed,
        )
        given_now.append(found.points)
    assert given_now == [0, 0, 100, 0, 0, 100, 0]


def test_spending_earns_at_every_full_step() -> None:
    under = terms(type="spend_based", points_per_unit="50", step="100")
    assert points(state(GOODS), under) == 50
    later = rules.MemberState(counts={"purchase": (9_000, 0)})
    assert rules.price(state(GOODS), under, later).points == 100
    # A refund of an older order took its money away, but not the step that was given for it: no second time.
    again = rules.MemberState(counts={"purchase": (0, 1)})
    assert rules.price(state(GOODS), under, again).points == 0


def test_a_spending_goal_is_reached_once() -> None:
    goal = rule("goal", 500, kind="goal_spend", step="200")
    under = terms(points_per_unit="0", rules=[goal])
    assert rules.price(state(GOODS), under, rules.MemberState()).points == 0
    near = rules.MemberState(counts={"goal": (10_000, 0)})
    assert rules.price(state(GOODS), under, near).points == 500
    done = rules.MemberState(counts={"goal": (90_000, 1)})
    assert rules.price(state(GOODS), under, done).points == 0


def test_the_first_purchase_must_come_in_time() -> None:
    first = rule("first", 75, kind="first_purchase", within_hours=24)
    under = terms(points_per_unit="0", rules=[first])
    enrolled = datetime(2026, 11, 1, 12, tzinfo=UTC)
    order = state(GOODS, placed_at=enrolled + timedelta(hours=24))
    member = rules.MemberState(first_order=True, enrolled_at=enrolled)
    assert rules.price(order, under, member).points == 75
    assert rules.price(replace(order, placed_at=enrolled + timedelta(hours=25)), under, member).points == 0
    assert rules.price(order, under, replace(member, first_order=False)).points == 0


@given(
    st.lists(st.integers(0, 10**6), min_size=1, max_size=5),
    st.lists(st.sampled_from(["add", "best", "exclusive"]), min_size=1, max_size=4),
    st.sampled_from(["down", "nearest", "half_even", "up"]),
    st.integers(0, 10**5),
    st.integers(0, 3),
    st.integers(1, 40_000),
    st.data(),
)
def test_parts_add_up_and_caps_hold(
    amounts: list[int],
    stacking: list[str],
    rounding: str,
    cap: int,
    exponent: int,
    bp: int,
    data: st.DataObject,
) -> None:
    extra = [
        rule(
            f"r{n}",
            data.draw(st.decimals(0, 50, places=4)),
            stacking=how,
            per=data.draw(st.sampled_from(["unit", "item", "order"])),
            caps={"per_order": cap} if n == 0 and cap else {},
        )
        for n, how in enumerate(stacking)
    ]
    lines = [rules.Line(n, amount, 0) for n, amount in enumerate(amounts, 1)]
    room = {"": {"per_day": data.draw(st.integers(0, 10**6))}}
    found = rules.price(
        rules.OrderState(lines, rules.Refunded(), exponent),
        terms(rounding=rounding, rules=extra),
        rules.MemberState(tier_bp=bp, room=room),
    )
    assert sum(found.given.values()) == found.points == sum(found.by_line.values())
    assert min(found.given.values(), default=0) >= 0
    assert found.points <= room[""]["per_day"]
    if cap:
        assert found.given.get("r0", 0) <= cap


@given(st.integers(0, 10**9), st.integers(1, 10**6), st.sampled_from(["down", "nearest", "half_even", "up"]))
def test_rounding_is_what_decimals_say(numerator: int, denominator: int, how: str) -> None:
    exact = Fraction(numerator, denominator)
    floor = numerator // denominator
    expected = {
        "down": floor,
        "up": -(-numerator // denominator),
        "nearest": floor + (exact - floor >= Fraction(1, 2)),
        "half_even": round(exact),
    }[how]
    assert rules.rounded(numerator, denominator, how) == expected


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**9), min_size=1, max_size=8))
def test_a_split_loses_nothing_and_is_fair(total: int, weights: list[int]) -> None:
    parts = rules.split(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    assert all(
        abs(part * whole - total * weight) < whole for part, weight in zip(parts, weights, strict=True)
    ) or (whole == 0)


def test_what_an_award_keeps_of_its_member_comes_back() -> None:
    member = rules.MemberState(
        15_000,
        UUID(int=5),
        frozenset({"champions"}),
        True,
        datetime(2026, 1, 1, tzinfo=UTC),
        {"purchase": {"per_day": 5}},
        {"goal": (4, 1)},
    )
    assert rules.MemberState.read({"state": orjson.loads(orjson.dumps(member.kept()))}) == member
    assert rules.MemberState.read({"multiplier_bp": 12_500}) == rules.MemberState(tier_bp=12_500)


def test_birthdays_and_periods() -> None:
    assert rules.birthday_in(2027, 2, 29) == date(2027, 2, 28)
    assert rules.birthday_in(2028, 2, 29) == date(2028, 2, 29)
    assert rules.period_of(date(2026, 11, 1), "week") == (date(2026, 10, 26), date(2026, 11, 1))
    assert rules.period_of(date(2026, 11, 1), "quarter") == (date(2026, 10, 1), date(2026, 12, 31))
    assert rules.period_of(date(2026, 2, 10), "month") == (date(2026, 2, 1), date(2026, 2, 28))
