"""Goods that an edit adds to a paid order count when they are paid; what it gave before stays until it goes."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.db import UnitOfWork
from app.domains.members import service as members
from app.domains.points import service as points
from app.domains.programs.schemas import PURCHASE
from devstore import customers, orders, totals
from devstore.runtime import DevStore
from devstore.settings import DEMO_SHOP
from tests.devstore.conftest import store, told  # noqa: F401
from tests.domains.points.invariants import broken
from tests.domains.points.terms import rule
from tests.domains.points.test_earning import change, of_rule
from tests.factories import payloads
from tests.fixtures.shop import TestShop

SOCKS, MUG, SCARF = payloads.line(51, "100.00"), payloads.line(52, "29.90"), payloads.line(53, "50.00")


def earned(uow: UnitOfWork, customer_id: int = 77) -> int:
    member = members.by_customer(uow, customer_id)
    return points.balance(uow, member.id).total if member else 0


def say(shop: TestShop, topic: str, body: dict[str, Any]) -> int:
    """Tell an order and return what its buyer has then."""
    shop.tell(topic, body)
    shop.drain()
    with shop.work() as uow:
        assert broken(uow) == {}
        return earned(uow)


def unpaid(minute: int, owed: str, lines: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    """The order after an edit that added more than was paid."""
    status = {"financial_status": "partially_paid", "total_outstanding": owed}
    return payloads.order(lines=lines, **(status | {"updated_at": payloads.at(minute)} | changes))


def test_added_goods_count_when_they_are_paid(shop: TestShop) -> None:
    assert say(shop, "orders/paid", payloads.order()) == 1_299
    assert say(shop, "orders/updated", unpaid(1, "50.00", [SOCKS, MUG, SCARF])) == 1_299
    whole = payloads.order(lines=[SOCKS, MUG, SCARF], updated_at=payloads.at(2))
    assert say(shop, "orders/paid", whole) == 1_799
    with shop.work() as uow:
        assert uow.scalar("SELECT facts FROM orders") == {"company": False}
        whys = [row["why"] for row in points.recent(uow, uow.scalar("SELECT id FROM members"), "en")]
    assert whys[0] == "500 points more for order #1005; it now earns 1,799 points."
    assert whys[1].startswith("1,299 points for order #1005: ")


def test_an_edit_that_is_taken_back_leaves_no_trace(shop: TestShop) -> None:
    assert say(shop, "orders/paid", payloads.order()) == 1_299
    more = payloads.line(51, "100.00", 3)
    assert say(shop, "orders/updated", unpaid(1, "250.00", [more, MUG, SCARF])) == 1_299
    gone = [more | {"current_quantity": 1}, MUG, SCARF | {"current_quantity": 0}]
    assert say(shop, "orders/updated", payloads.order(lines=gone, updated_at=payloads.at(2))) == 1_299


def test_goods_for_others_that_are_not_paid_yet(shop: TestShop) -> None:
    """The mug goes, the dearer scarf comes: the mug's points go at once, the scarf's come with the money."""
    assert say(shop, "orders/paid", payloads.order()) == 1_299
    swapped = [SOCKS, MUG | {"current_quantity": 0}, SCARF]
    assert say(shop, "orders/updated", unpaid(1, "20.10", swapped)) == 1_000
    assert say(shop, "orders/paid", payloads.order(lines=swapped, updated_at=payloads.at(2))) == 1_500


@pytest.mark.parametrize(("with_money", "left"), [(True, 500), (False, 1_000)])
def test_a_refund_meanwhile_takes_what_was_paid_and_a_removal_what_was_not(
    shop: TestShop, with_money: bool, left: int
) -> None:
    """Two scarves are paid and two more are not; one of the four goes."""
    assert say(shop, "orders/paid", payloads.order(lines=[payloads.line(53, "50.00", 2)])) == 1_000
    moved = [{"kind": "refund", "status": "success", "amount": "50.00"}] if with_money else []
    gone = payloads.refund(900, 5, [(53, 1, "50.00")]) | {"transactions": moved}
    four = payloads.line(53, "50.00", 4)
    assert say(shop, "orders/updated", unpaid(1, "100.00", [four])) == 1_000
    assert say(shop, "refunds/create", gone) == left
    owed = "100.00" if with_money else "50.00"
    three = unpaid(2, owed, [four | {"current_quantity": 3}], refunds=[gone])
    assert say(shop, "orders/updated", three) == left
    paid = three | {"financial_status": "paid", "total_outstanding": "0.00", "updated_at": payloads.at(3)}
    assert say(shop, "orders/paid", paid) == 1_500


@pytest.mark.parametrize("status", ["pending", "authorized", "partially_paid", "voided", "expired", None])
def test_nothing_is_earned_before_an_order_is_paid(shop: TestShop, status: str | None) -> None:
    assert say(shop, "orders/create", payloads.order(financial_status=status)) == 0
    half = payloads.order(financial_status="partially_paid", updated_at=payloads.at(1))
    assert say(shop, "orders/updated", half) == 0
    assert say(shop, "orders/updated", payloads.order(updated_at=payloads.at(2))) == 1_299


def test_a_refund_of_a_part_payment_does_not_make_an_order_paid(shop: TestShop) -> None:
    given_back = payloads.refund(900, 5, amount="20.00")
    body = unpaid(1, "99.90", [SOCKS, MUG], financial_status="partially_refunded", refunds=[given_back])
    assert say(shop, "orders/updated", body) == 0
    paid = body | {"total_outstanding": "20.00", "updated_at": payloads.at(2)}
    assert say(shop, "orders/updated", paid) == 1_099


def test_where_orders_earn_unpaid_added_goods_do_too(shop: TestShop) -> None:
    change(shop, earn_trigger="created", signup_bonus=0)
    assert say(shop, "orders/create", payloads.order(financial_status="pending")) == 1_299
    assert say(shop, "orders/paid", payloads.order(updated_at=payloads.at(1))) == 1_299
    assert say(shop, "orders/updated", unpaid(2, "50.00", [SOCKS, MUG, SCARF])) == 1_799


def test_added_shipping_waits_too(shop: TestShop) -> None:
    change(shop, rules=of_rule(rule(PURCHASE, 10, exclusions={"shipping": False})))
    lines = [{"price": "10.00", "price_set": payloads.money("10.00", "USD")}]
    assert say(shop, "orders/paid", payloads.order()) == 1_299
    assert say(shop, "orders/updated", unpaid(1, "10.00", [SOCKS, MUG], shipping_lines=lines)) == 1_299
    paid = payloads.order(shipping_lines=lines, updated_at=payloads.at(2))
    assert say(shop, "orders/updated", paid) == 1_399


def test_a_customer_who_comes_later_gets_the_points(shop: TestShop) -> None:
    assert say(shop, "orders/paid", payloads.order(customer=None)) == 0
    assert say(shop, "orders/updated", payloads.order(updated_at=payloads.at(1))) == 1_299


MORE_MUGS = payloads.line(52, "29.90", 3)
REMOVED = payloads.refund(900, 5, [(52, 1, "29.90")]) | {"transactions": []}
GIVEN_BACK = payloads.refund(901, 5, [(51, 1, "100.00")]) | {
    "transactions": [{"kind": "refund", "status": "success"}]
}
STEPS: dict[str, tuple[str, dict[str, Any]]] = {
    "created": ("orders/create", payloads.order(financial_status="pending")),
    "paid": ("orders/paid", payloads.order(updated_at=payloads.at(1))),
    "edited": ("orders/updated", unpaid(2, "109.80", [SOCKS, MORE_MUGS, SCARF])),
    "removal": ("refunds/create", REMOVED),
    "removed": (
        "orders/updated",
        unpaid(3, "79.90", [SOCKS, MORE_MUGS | {"current_quantity": 2}, SCARF], refunds=[REMOVED]),
    ),
    "refund": ("refunds/create", GIVEN_BACK),
    "refunded": (
        "orders/updated",
        unpaid(
            4,
            "79.90",
            [SOCKS | {"current_quantity": 0}, MORE_MUGS | {"current_quantity": 2}, SCARF],
            refunds=[REMOVED, GIVEN_BACK],
            financial_status="partially_refunded",
        ),
    ),
}
PAID_AFTER_ALL = (
    "orders/paid",
    STEPS["refunded"][1] | {"total_outstanding": "0.00", "updated_at": payloads.at(5)},
)
_made = iter(range(10**9))


@pytest.mark.parametrize(("paid_at_last", "left"), [(False, 299), (True, 1_098)])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_edits_and_payments_in_any_order_end_in_the_same_place(
    new_shop: Callable[..., TestShop], paid_at_last: bool, left: int, data: st.DataObject
) -> None:
    """One mug of 29.90 is left of what was paid; with the money for the rest two mugs and a scarf of 50.00."""
    steps = STEPS | ({"paid after all": PAID_AFTER_ALL} if paid_at_last else {})
    order = data.draw(st.permutations(list(steps)))
    repeats = data.draw(st.lists(st.sampled_from(list(steps)), max_size=3))
    pauses = data.draw(st.sets(st.integers(0, 9)))
    shop = new_shop(f"edited{next(_made)}.myshopify.com")
    for number, name in enumerate([*order, *repeats]):
        shop.tell(*steps[name])
        if number in pauses:
            shop.drain()
    shop.drain()
    with shop.work() as uow:
        assert earned(uow) == left
        assert broken(uow) == {}
    assert shop.undone() == []


class Played:
    """An order at the dev store, and what should count of it: pieces that were paid and are still there."""

    def __init__(self, dev: DevStore, buyer: int, first: dict[str, int]) -> None:
        self.dev = dev
        self.prices = {"A": 10, "B": 7, "C": 25}
        self.now, self.paid = dict(first), dict(first)
        lines = [self._line(sku, count) for sku, count in first.items()]
        self.id: int = orders.place(dev, DEMO_SHOP, lines, customer_id=buyer)["id"]

    def _line(self, sku: str, count: int) -> dict[str, Any]:
        return {"sku": sku, "quantity": count, "price": f"{self.prices[sku]}.00"}

    def edit(self, sku: str, count: int) -> None:
        if count != self.now.get(sku, 0):
            orders.edit(self.dev, DEMO_SHOP, self.id, [self._line(sku, count)])
            self.now[sku] = count
            self._settle()

    def refund(self, sku: str) -> None:
        line = next(one for one in self._order["lines"] if one["sku"] == sku)
        orders.refund(self.dev, DEMO_SHOP, self.id, items=[{"line_id": line["id"], "quantity": 1}])
        self.now[sku] -= 1
        self.paid[sku] -= 1
        self._settle()

    def pay(self, part: bool) -> None:
        owed = self._owed
        if owed > 0:
            orders.pay(self.dev, DEMO_SHOP, self.id, f"{max(owed // 2, 1) / 100:.2f}" if part else None)
            self._settle()

    @property
    def _order(self) -> dict[str, Any]:
        return orders.get(self.dev, DEMO_SHOP, self.id)

    @property
    def _owed(self) -> int:
        return totals.of(self._order).outstanding

    def _settle(self) -> None:
        if self._owed <= 0:
            self.paid = dict(self.now)

    @property
    def refundable(self) -> list[str]:
        return [sku for sku, count in self.paid.items() if min(count, self.now.get(sku, 0)) > 0]

    @property
    def points(self) -> int:
        return sum(
            10 * price * min(self.paid.get(sku, 0), self.now.get(sku, 0))
            for sku, price in self.prices.items()
        )


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_the_dev_store_plays_counts_as_far_as_it_is_paid(
    new_shop: Callable[..., TestShop],
    store: DevStore,  # noqa: F811
    told: Callable[[], list[tuple[str, Any]]],  # noqa: F811
    data: st.DataObject,
) -> None:
    number = next(_made)
    buyer = customers.add(store, DEMO_SHOP, email=f"buyer{number}@example.com")["id"]
    told()
    played = Played(
        store, buyer, data.draw(st.dictionaries(st.sampled_from("AB"), st.integers(1, 3), min_size=1))
    )
    bodies = [told()]
    for _ in range(data.draw(st.integers(1, 6))):
        what = data.draw(st.sampled_from(["edit", "edit", "refund", "pay", "pay a part"]))
        if what == "edit":
            played.edit(data.draw(st.sampled_from("ABC")), data.draw(st.integers(0, 4)) or 1)
        elif what == "refund" and played.refundable:
            played.refund(data.draw(st.sampled_from(played.refundable)))
        elif what.startswith("pay"):
            played.pay(what == "pay a part")
        bodies.append(told())
    news = [
        (topic, body | {"updated_at": payloads.at(minute)} if topic.startswith("orders/") else body)
        for minute, happened in enumerate(bodies)
        for topic, body in happened
        if topic != "orders/edited"
    ]
    shop = new_shop(f"played{number}.myshopify.com")
    for topic, body in data.draw(st.permutations(news)):
        shop.tell(topic, body)
        if data.draw(st.booleans()):
            shop.drain()
    shop.drain()
    with shop.work() as uow:
        assert earned(uow, buyer) == played.points
        assert broken(uow) == {}


def test_what_a_buyer_sees_in_another_currency_earns_in_the_shop_s(
    shop: TestShop,
    store: DevStore,  # noqa: F811
    told: Callable[[], list[tuple[str, Any]]],  # noqa: F811
) -> None:
    buyer = customers.add(store, DEMO_SHOP, email="marie@example.com")["id"]
    told()
    order = orders.place(
        store,
        DEMO_SHOP,
        [
            {"sku": "THROW-1", "quantity": 1, "price": "99.90"},
            {"sku": "MUG-1", "quantity": 2, "price": "30.00"},
        ],
        customer_id=buyer,
        codes=[{"code": "TEN", "amount": "10.00"}],
        presentment_currency="EUR",
        rate="0.87",
        taxes_included=True,
        tax_rate="0.2",
    )
    for topic, body in told():
        shop.tell(topic, body)
    shop.drain()
    with shop.work() as uow:
        # 149.90 USD, of which the shopper saw 130.41 EUR.
        assert earned(uow, buyer) == 1_499
    orders.refund(store, DEMO_SHOP, order["id"], items=[{"index": 1, "quantity": 1}])
    for topic, body in told():
        shop.tell(topic, body)
    shop.drain()
    with shop.work() as uow:
        assert earned(uow, buyer) == 1_217
        assert broken(uow) == {}
