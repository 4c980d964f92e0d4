"""What the storefront promises for a cart is what the paid order of that cart gives."""

from decimal import Decimal
from typing import Any

import pytest

from app.domains.members import service as members
from app.domains.points import service as points
from app.domains.programs.schemas import Caps
from tests.domains.points.terms import rule
from tests.domains.points.test_earning import balance, change, of_rule
from tests.domains.storefront.conftest import CUSTOMER, Visit, app, visit  # noqa: F401
from tests.factories import payloads
from tests.fixtures.shop import TestShop

GOODS = [
    {"product_id": 1, "variant_id": 11, "price": 10000, "quantity": 1, "vendor": "Acme", "tags": ["New"]},
    {"product_id": 2, "variant_id": 21, "price": 2990, "quantity": 3, "vendor": "Best", "collections": [7]},
    {"product_id": 3, "variant_id": 31, "price": 2500, "quantity": 1, "gift_card": True},
]


def cart(**changes: Any) -> dict[str, Any]:
    return {"lines": GOODS, "currency": "USD"} | changes


def order_of(number: int, goods: list[dict[str, Any]], off: list[str]) -> dict[str, Any]:
    """The paid order of the same goods; `off` is what came off each line."""
    return payloads.order(
        number,
        lines=[
            payloads.line(
                number * 10 + at,
                f"{line['price'] / 100:.2f}",
                line["quantity"],
                gift_card=line.get("gift_card", False),
                vendor=line.get("vendor", ""),
                product_id=line["product_id"],
                variant_id=line["variant_id"],
                discount_allocations=[{"amount": less, "amount_set": payloads.money(less, "USD")}],
            )
            for at, (line, less) in enumerate(zip(goods, off, strict=True), 1)
        ],
    )


@pytest.mark.parametrize(
    ("terms", "discount", "off"),
    [
        ({}, 0, ["0", "0", "0"]),
        ({"points_per_unit": Decimal("1.5"), "rounding": "nearest"}, 0, ["0", "0", "0"]),
        ({}, 2147, ["10.00", "8.97", "2.50"]),
        ({"caps": {"per_order": 700}}, 0, ["0", "0", "0"]),
        ({"rules": [rule("best", 3, conditions={"vendors": ["best"]})]}, 0, ["0", "0", "0"]),
        ({"rules": [rule("first", 50, "first_purchase", per="order")]}, 0, ["0", "0", "0"]),
    ],
)
def test_the_promise_is_the_award(
    shop: TestShop,
    visit: Visit,  # noqa: F811
    terms: dict[str, Any],
    discount: int,
    off: list[str],
) -> None:
    wanted = dict(terms)
    if "rules" in wanted:
        wanted["rules"] = of_rule(*wanted["rules"])
    if "caps" in wanted:
        wanted["caps"] = Caps.model_validate(wanted["caps"])
    change(shop, signup_bonus=0, **wanted)
    told = visit(CUSTOMER).earn(cart(discount=discount)).json
    shop.tell("orders/paid", order_of(5, GOODS, off))
    shop.drain()
    with shop.work() as uow:
        assert balance(uow, CUSTOMER).available == told["points"] > 0


def test_a_member_s_tier_counts_and_a_guest_is_somebody_new(shop: TestShop, visit: Visit) -> None:  # noqa: F811
    shop.tell("orders/paid", payloads.order(4, lines=[payloads.line(41, "500.00")]))
    shop.drain()
    with shop.work() as uow:
        before = balance(uow, CUSTOMER).available
    member, guest = visit(CUSTOMER).earn(cart()).json, visit().earn(cart()).json
    assert member["points"] > guest["points"] == 1_897
    shop.tell("orders/paid", order_of(5, GOODS, ["0", "0", "0"]))
    shop.drain()
    with shop.work() as uow:
        assert balance(uow, CUSTOMER).available - before == member["points"]


def test_who_earns_nothing_is_promised_nothing(shop: TestShop, visit: Visit) -> None:  # noqa: F811
    nothing = {"points": 0, "text": None, "why": None, "language": "en"}
    assert visit().earn(cart(lines=GOODS[2:])).json == nothing
    shop.tell("orders/paid", payloads.order())
    shop.drain()
    with shop.work() as uow:
        member = members.by_customer(uow, CUSTOMER)
        assert member is not None
        members.set_status(uow, member.id, "blocked")
    assert visit(CUSTOMER).earn(cart()).json == nothing
    change(shop, status="paused")
    assert visit().earn(cart()).json == nothing
    with shop.work() as uow:
        assert points.balance(uow, member.id).available == 1_299
