"""Earning through the real thing: webhooks, the ledger, the API; and that a preview is what is awarded."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import convert

from app.core import money
from app.core.db import UnitOfWork
from app.domains.members import service as members
from app.domains.orders import rules as order_rules
from app.domains.orders.events import OrderChanged
from app.domains.orders.schemas import OrderPayload
from app.domains.points import jobs, rules
from app.domains.points import queries as ledger
from app.domains.points import service as points
from app.domains.points.errors import NothingToEarn
from app.domains.points.schemas import Balance, CalculateIn
from app.domains.points.service import calculation, order_state
from app.domains.programs import service as programs
from tests.domains.points.invariants import broken
from tests.domains.points.terms import rule, terms
from tests.factories import payloads
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, api_key

CURRENCIES = ("USD", "JPY", "KWD", "EUR")


def change(shop: TestShop, **changes: Any) -> None:
    """Change the active program as its API does."""
    with shop.work() as uow:
        program = programs.active(uow)
        assert program is not None
        programs.update(uow, program.id, changes, version=program.version)


def balance(uow: UnitOfWork, customer_id: int = 77) -> Balance:
    member = members.by_customer(uow, customer_id)
    assert member is not None
    return points.balance(uow, member.id)


def of_rule(*found: dict[str, Any]) -> list[Any]:
    from app.domains.programs.schemas import EarningRule

    return [EarningRule.model_validate(one) for one in found]


# preview = award -------------------------------------------------------------------------------------------------------
@st.composite
def carts(draw: st.DrawFn) -> tuple[str, list[dict[str, Any]], bool]:
    currency = draw(st.sampled_from(CURRENCIES))
    places = money.exponent(currency)

    def amount(most: int) -> str:
        return f"{Decimal(draw(st.integers(0, most))).scaleb(-places):.{places}f}"

    lines = [
        {
            "price": amount(10**6),
            "quantity": draw(st.integers(1, 5)),
            "discount": amount(10**5),
            "tax": amount(10**4),
            "gift_card": draw(st.booleans()),
            "vendor": draw(st.sampled_from(["Acme", "Best"])),
            "product_id": draw(st.integers(1, 3)),
        }
        for _ in range(draw(st.integers(1, 5)))
    ]
    return currency, lines, draw(st.booleans())


def as_order(currency: str, lines: list[dict[str, Any]], taxes_included: bool) -> OrderChanged:
    """What the webhook of the paid order would say of the same cart."""
    body = payloads.order(
        currency=currency,
        taxes_included=taxes_included,
        lines=[
            payloads.line(
                number,
                line["price"],
                line["quantity"],
                currency,
                gift_card=line["gift_card"],
                vendor=line["vendor"],
                product_id=line["product_id"],
                discount_allocations=[
                    {"amount": line["discount"], "amount_set": payloads.money(line["discount"], currency)}
                ],
                tax_lines=[{"price": line["tax"], "price_set": payloads.money(line["tax"], currency)}],
            )
            for number, line in enumerate(lines, 1)
        ],
    )
    facts = order_rules.OrderFacts(5)
    order_rules.merge_order(
        facts,
        order_rules.read_order(convert(body, OrderPayload, strict=False), "orders/paid", payloads.START),
    )
    return OrderChanged(  # type: ignore[call-arg]
        **{
            name: getattr(facts, name)
            for name in OrderChanged.__dataclass_fields__
            if name not in ("id", "member_id", "discount_codes", "new")
        },
        id=None,
        member_id=None,
        discount_codes=(),
    )


@settings(max_examples=200, deadline=None)
@given(
    carts(),
    st.sampled_from(["down", "nearest", "half_even", "up"]),
    st.sampled_from(["multiply", "add", "highest", "first"]),
    st.integers(5_000, 40_000),
    st.booleans(),
    st.sampled_from(["add", "best", "exclusive"]),
    st.integers(1, 5_000),
)
def test_a_preview_is_what_is_awarded(
    cart: tuple[str, list[dict[str, Any]], bool],
    rounding: str,
    mode: str,
    bp: int,
    tax: bool,
    stacking: str,
    cap: int,
) -> None:
    currency, lines, included = cart
    under = terms(
        rounding=rounding,
        multiplier_mode=mode,
        earn_on_tax=tax,
        rules=[
            rule("acme", "2.5", conditions={"vendors": ["acme"]}, stacking=stacking, priority=1),
            rule("each", 3, per="item", caps={"per_order": cap}, exclusions={"discounted": True}),
        ],
        multipliers=[
            {"id": "eu", "name": "EU", "factor": "1.3", "conditions": {"currencies": ["EUR", "JPY"]}}
        ],
    )
    member = rules.MemberState(tier_bp=bp, room={"": {"per_day": 10**6}})
    day = date(2026, 11, 1)
    asked = CalculateIn.model_validate({"lines": lines, "taxes_included": included, "currency": currency})
    preview = rules.price(calculation.cart_state(asked, currency, day, payloads.START), under, member)
    order = replace(order_state.state(as_order(currency, lines, included), day, "paid"), fulfilled=True)
    award = rules.price(replace(order, channel="web"), under, member)
    assert (preview.points, preview.given, preview.by_line) == (award.points, award.given, award.by_line)


@pytest.mark.parametrize("currency", CURRENCIES)
def test_the_api_previews_what_the_order_then_gives(new_shop: Callable[..., TestShop], currency: str) -> None:
    shop = new_shop("preview.myshopify.com", currency)
    change(shop, rules=of_rule(rule("acme", "1.5", conditions={"vendors": ["acme"]}, caps={"per_day": 40})))
    for number in (5, 6, 7):
        lines = [payloads.line(number * 10, "12", 2, currency, vendor="Acme")]
        asked = CalculateIn.model_validate({"lines": [{"price": "12", "quantity": 2, "vendor": "Acme"}]})
        with shop.work() as uow:
            member = members.by_customer(uow, 77)
            preview = points.calculate(uow, member, asked, "en")
        shop.tell(
            "orders/paid",
            payloads.order(number, lines, currency=currency, created_at=datetime.now(UTC).isoformat()),
        )
        shop.drain()
        with shop.work() as uow:
            found = members.by_customer(uow, 77)
            assert found is not None
            award = ledger.history(uow, found.id, 1, None).items[0]
            assert award["points"] == preview.points
            assert award["trace"].get("given", {"purchase": award["points"]}) == preview.by_rule
    with shop.work() as uow:
        # 36 under the rule, then 4 until the day's cap, then none.
        assert balance(uow).total == 3 * 240 + 40


# caps, counts, budgets ---------------------------------------------------------------------------------------------------
def pay(shop: TestShop, number: int, amount: str = "100.00", customer: int = 77, **changes: Any) -> None:
    line = payloads.line(number * 10, amount)
    shop.tell("orders/paid", payloads.order(number, [line], customer=payloads.customer(customer), **changes))
    shop.drain()


def refund(shop: TestShop, number: int, amount: str = "100.00") -> None:
    shop.tell("refunds/create", payloads.refund(number + 900, number, [(number * 10, 1, amount)]))
    shop.drain()


def test_a_day_s_cap_holds_over_orders_and_in_one_batch_and_refunds_make_room(shop: TestShop) -> None:
    from app.domains.programs.schemas import Caps

    change(shop, caps=Caps(per_day=1_500), type="points")
    for number in (5, 6):
        line = payloads.line(number * 10, "100.00")
        shop.tell("orders/paid", payloads.order(number, [line]))
    shop.drain()
    with shop.work() as uow:
        assert balance(uow).total == 1_500
    refund(shop, 5)
    with shop.work() as uow:
        assert balance(uow).total == 500
    pay(shop, 7)
    with shop.work() as uow:
        assert balance(uow).total == 1_500
        assert broken(uow) == {}
    pay(shop, 8, created_at="2026-11-02T12:00:00+00:00")
    with shop.work() as uow:
        assert balance(uow).total == 2_500


def test_an_order_capped_to_nothing_does_not_earn_the_day_after(shop: TestShop) -> None:
    from app.domains.programs.schemas import Caps

    change(shop, caps=Caps(per_day=1_000), type="points")
    pay(shop, 5)
    pay(shop, 6)
    shop.tell(
        "orders/updated", payloads.order(6, [payloads.line(60, "100.00")], updated_at=payloads.at(3_000))
    )
    shop.drain()
    with shop.work() as uow:
        assert balance(uow).total == 1_000


def test_a_budget_ends_for_all_members_and_says_so(shop: TestShop) -> None:
    from app.domains.programs.schemas import Caps

    change(shop, caps=Caps(budget=1_200))
    pay(shop, 5, customer=77)
    pay(shop, 6, customer=78)
    pay(shop, 7, customer=79)
    with shop.work() as uow:
        assert [balance(uow, customer).total for customer in (77, 78, 79)] == [1_000, 200, 0]
        assert uow.scalar("SELECT given FROM earning_budgets") == 1_200
        member = members.by_customer(uow, 78)
        assert member is not None
        told = points.recent(uow, member.id, "en")[0]["why"]
        assert (
            told
            == "200 points for order #1006: Purchases: 200 points; no more than 200 points left in the budget."
        )
    refund(shop, 5)
    with shop.work() as uow:
        assert uow.scalar("SELECT given FROM earning_budgets") == 200


@pytest.mark.parametrize("order", [[5, 6, 7], [7, 5, 6]])
def test_a_punch_card_gives_after_its_stamps_and_a_refund_takes_back_what_its_order_gave(
    shop: TestShop, order: list[int]
) -> None:
    change(shop, type="punch_card", points_per_unit=Decimal(500), step=Decimal(3))
    for number in order:
        pay(shop, number)
    with shop.work() as uow:
        assert balance(uow).total == 500
    refund(shop, order[-1])
    with shop.work() as uow:
        assert balance(uow).total == 0
    pay(shop, 8)
    with shop.work() as uow:
        assert balance(uow).total == 500
        assert broken(uow) == {}


def test_spending_counts_over_orders_and_a_refund_does_not_earn_a_step_twice(shop: TestShop) -> None:
    change(shop, type="spend_based", points_per_unit=Decimal(50), step=Decimal(150))
    pay(shop, 5)
    pay(shop, 6)
    with shop.work() as uow:
        assert balance(uow).total == 50
    refund(shop, 5)
    pay(shop, 7)
    with shop.work() as uow:
        # 200.00 are left, and one step of 150.00 was given for them already.
        assert balance(uow).total == 50


def test_points_of_a_points_only_program_are_not_multiplied_by_a_tier(shop: TestShop) -> None:
    pay(shop, 5)
    with shop.work() as uow:
        uow.execute("UPDATE points_accounts SET multiplier_bp = 12500")
    change(shop, type="points")
    pay(shop, 6)
    with shop.work() as uow:
        assert balance(uow).total == 2_000


def test_a_rule_s_own_waiting_time_and_expiry_make_lots_of_their_own(shop: TestShop) -> None:
    change(shop, rules=of_rule(rule("slow", 5, holding_days=14, expiry_months=6)))
    pay(shop, 5)
    with shop.work() as uow:
        found = balance(uow)
        assert (found.available, found.pending) == (1_000, 500)
        assert uow.scalar("SELECT count(*) FROM points_lots WHERE expires_at < 'infinity'") == 1
    refund(shop, 5)
    with shop.work() as uow:
        assert balance(uow).total == 0
        assert broken(uow) == {}


@pytest.mark.parametrize(("policy", "left"), [("pending_only", 1_000), ("to_zero", 0), ("negative", -400)])
def test_debt_policies(shop: TestShop, policy: str, left: int) -> None:
    change(shop, debt_policy=policy)
    pay(shop, 5)
    if policy != "pending_only":
        with shop.work() as uow:
            member = members.by_customer(uow, 77)
            assert member is not None
            points.spend(uow, member.id, 400, key="spent", reason="by hand")
    for _ in range(2):
        refund(shop, 5)
        with shop.work() as uow:
            assert balance(uow).total == left


# any order of what happens to an order -----------------------------------------------------------------------------------
NEWS: dict[str, tuple[str, dict[str, Any]]] = {
    "one line back": ("refunds/create", payloads.refund(900, 5, [(52, 1, "29.90")])),
    "an amount back": ("refunds/create", payloads.refund(901, 5, amount="25.00")),
    "edited up": (
        "orders/updated",
        payloads.order(
            updated_at=payloads.at(1),
            lines=[payloads.line(51, "100.00"), payloads.line(52, "29.90"), payloads.line(53, "60.00")],
        ),
    ),
    "edited down": (
        "orders/updated",
        payloads.order(
            updated_at=payloads.at(2),
            lines=[
                payloads.line(51, "100.00"),
                payloads.line(52, "29.90"),
                payloads.line(53, "60.00", current_quantity=0),
            ],
        ),
    ),
    "dearer rules": ("rules", {}),
}
_made = iter(range(10**9))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.permutations(list(NEWS)), st.lists(st.sampled_from(list(NEWS)), max_size=3), st.booleans())
def test_whatever_happens_in_whatever_order_the_award_ends_where_its_rules_say(
    new_shop: Callable[..., TestShop], order: list[str], repeats: list[str], cancelled: bool
) -> None:
    shop = new_shop(f"shop{next(_made)}.myshopify.com")
    extra = rule("big", 2, conditions={"minimum_subtotal": "80"}, caps={"per_order": 150})
    change(
        shop,
        rules=of_rule(extra),
        multipliers=[_multiplier("1.5")],
        rounding="half_even",
    )
    shop.tell("orders/paid", payloads.order())
    shop.drain()
    for name in [*order, *repeats]:
        if name == "dearer rules":
            change(shop, points_per_unit=Decimal(next(_made) % 50 + 11))
        else:
            shop.tell(*NEWS[name])
            shop.drain()
    if cancelled:
        shop.tell("orders/cancelled", payloads.order(cancelled_at=payloads.at(9), updated_at=payloads.at(9)))
        shop.drain()
    with shop.work() as uow:
        # 75.00 are left: 10 points, times 1.5; and too little for the other rule.
        assert balance(uow).total == (0 if cancelled else 1_125)
        assert broken(uow) == {}
    assert shop.undone() == []


def _multiplier(factor: str) -> Any:
    from app.domains.programs.schemas import Multiplier

    return Multiplier(id="x", name="Autumn", factor=Decimal(factor))


# deeds -------------------------------------------------------------------------------------------------------------------
def test_deeds_earn_once_for_each_reference(shop: TestShop) -> None:
    pay(shop, 5)
    change(
        shop,
        rules=of_rule(
            rule("review", 100, "review", caps={"per_day": 150}),
            rule("quiz", 7, "custom_event", event="quiz", name="Quiz"),
        ),
    )
    with shop.work() as uow:
        member = members.by_customer(uow, 77)
        assert member is not None
        first = points.earn(uow, member, "review", reference="r1")
        assert [one.id for one in points.earn(uow, member, "review", reference="r1")] == [first[0].id]
        assert points.earn(uow, member, "review", reference="r2")[0].points == 50
        with pytest.raises(NothingToEarn):
            points.earn(uow, member, "review", reference="r3")
        with pytest.raises(NothingToEarn):
            points.earn(uow, member, "custom_event", reference="q1", event="other")
        assert points.earn(uow, member, "custom_event", reference="q1", event="quiz")[0].points == 7
        assert points.recent(uow, member.id, "en")[0]["why"] == "7 points for: Quiz."
        assert broken(uow) == {}


@pytest.mark.parametrize(
    ("born", "runs", "expected"),
    [
        ((11, 21), [(2026, 11, 21), (2026, 11, 22), (2026, 11, 23)], 1),
        ((11, 21), [(2026, 11, 23)], 1),
        ((11, 21), [(2026, 11, 20), (2026, 11, 25)], 0),
        ((2, 29), [(2027, 2, 28)], 1),
        ((2, 29), [(2028, 2, 28)], 0),
        ((12, 31), [(2027, 1, 1)], 1),
        ((11, 21), [(2026, 11, 21), (2027, 11, 21)], 2),
    ],
)
def test_birthdays(
    shop: TestShop, born: tuple[int, int], runs: list[tuple[int, int, int]], expected: int
) -> None:
    pay(shop, 5)
    change(shop, rules=of_rule(rule("cake", 200, "birthday")))
    for run in runs:
        with shop.work() as uow:
            member = members.by_customer(uow, 77)
            assert member is not None
            points.birthdays(uow, [(member.id, *born)], datetime(*run, 12, tzinfo=UTC))
    with shop.work() as uow:
        assert balance(uow).total == 1_000 + 200 * expected


def test_a_changed_birthday_brings_nothing_twice_in_a_year(shop: TestShop) -> None:
    pay(shop, 5)
    change(shop, rules=of_rule(rule("cake", 200, "birthday")))
    for month in (3, 5):
        with shop.work() as uow:
            member = members.by_customer(uow, 77)
            assert member is not None
            points.birthdays(uow, [(member.id, month, 1)], datetime(2026, month, 1, 12, tzinfo=UTC))
    with shop.work() as uow:
        assert balance(uow).total == 1_200


def test_the_nightly_job_finds_birthdays_by_their_hash(
    shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (5, 6, 7):
        pay(shop, number, customer=70 + number)
    change(shop, rules=of_rule(rule("cake", 200, "birthday")))
    with shop.work() as uow:
        today = uow.now.date()
        for customer, born in ((75, today.replace(year=1988)), (76, today + timedelta(days=40))):
            found = members.by_customer(uow, customer)
            assert found is not None
            members.set_birthday(uow, found.id, born)
    monkeypatch.setattr(jobs, "_SLICE", 1)
    for _ in range(2):
        jobs.celebrate_birthdays()
    with shop.work() as uow:
        assert [balance(uow, customer).total for customer in (75, 76, 77)] == [1_200, 1_000, 1_000]


def test_the_newsletter_is_rewarded_once_per_customer(shop: TestShop) -> None:
    change(shop, rules=of_rule(rule("news", 100, "newsletter")), signup_bonus=0)
    told = payloads.customer(email_marketing_consent={"state": "subscribed"})
    shop.tell("customers/create", payloads.customer(email_marketing_consent={"state": "not_subscribed"}))
    shop.drain()
    with shop.work() as uow:
        assert balance(uow).total == 0
    for minute in (1, 2):
        shop.tell("customers/update", told | {"updated_at": payloads.at(minute)})
        shop.drain()
    with shop.work() as uow:
        assert balance(uow).total == 100


def test_the_api_calculates_and_takes_events(
    shop: TestShop, other_shop: TestShop, call_as: Callable[..., Caller]
) -> None:
    change(shop, rules=of_rule(rule("quiz", 7, "custom_event", event="quiz", name="Quiz")))
    pay(shop, 5)
    merchant = call_as(api_key(shop.id))
    cart = {"customer_id": "77", "lines": [{"price": "10.00", "quantity": 2}]}
    found = merchant.post("/v1/api/points/calculate", json=cart).json
    # The member is in Silver by now.
    assert (found["points"], found["multiplier"], found["currency"]) == (250, 1.25, "USD")
    assert found["why"] == "250 points for this cart: $20.00 at 10 points per $1.00, times 1.25."
    assert merchant.post("/v1/api/points/calculate", json=cart | {"locale": "fr"}).json["points"] == 250
    known = merchant.post("/v1/api/points/calculate", json={"order_id": "5"}).json
    assert known["points"] == 1_000
    assert merchant.post("/v1/api/points/calculate", json={"lines": [{"price": "-1"}]}).status_code == 422
    assert merchant.post("/v1/api/points/calculate", json=cart | {"customer_id": "78"}).status_code == 404
    assert call_as(api_key(other_shop.id)).post("/v1/api/points/calculate", json=cart).status_code == 404
    weak = call_as(api_key(shop.id, frozenset()))
    assert weak.post("/v1/api/points/calculate", json=cart).status_code == 403
    event = {"customer_id": "77", "action_type": "custom_event", "event": "quiz", "reference": "a"}
    first = merchant.post("/v1/api/points/earn", json=event, headers={"Idempotency-Key": "one"}).json
    again = merchant.post("/v1/api/points/earn", json=event, headers={"Idempotency-Key": "two"}).json
    assert first["points"] == 7
    assert again["transaction_id"] == first["transaction_id"]


def test_stamps_follow_a_merge_and_its_undoing(shop: TestShop) -> None:
    change(shop, type="punch_card", points_per_unit=Decimal(500), step=Decimal(3))
    pay(shop, 5, customer=77)
    pay(shop, 6, customer=78)
    with shop.work() as uow:
        one, two = (members.by_customer(uow, customer) for customer in (77, 78))
        assert one is not None and two is not None
        merge = members.merge(uow, one.id, two.id)
        assert merge is not None
    with shop.work() as uow:
        assert uow.scalar("SELECT count(*) FROM earning_counts WHERE member_id = %(m)s", {"m": one.id}) == 2
        members.unmerge(uow, merge)
    with shop.work() as uow:
        assert uow.scalar("SELECT count(*) FROM earning_counts WHERE member_id = %(m)s", {"m": two.id}) == 1
    with shop.work() as uow:
        members.merge(uow, one.id, two.id)
    pay(shop, 7, customer=77)
    with shop.work() as uow:
        assert balance(uow, 77).total == 500
