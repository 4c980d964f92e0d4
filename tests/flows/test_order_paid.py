"""From Shopify's webhook to ledger, tier and message: what a shopper's order leads to, whatever arrives and how often."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.db import UnitOfWork
from app.domains.members import service as members
from app.domains.points import queries as ledger
from app.domains.points import service as points
from app.domains.points.schemas import Balance
from app.domains.tiers import service as tiers
from tests.domains.points.invariants import broken
from tests.factories import payloads
from tests.fixtures.shop import TestShop


def balance(uow: UnitOfWork, customer_id: int = 77) -> Balance:
    member = members.by_customer(uow, customer_id)
    assert member is not None
    return points.balance(uow, member.id)


def test_a_paid_order_and_a_registration_give_1499_points_and_silver(shop: TestShop) -> None:
    shop.tell("orders/create", payloads.order())
    shop.tell("orders/paid", payloads.order())
    shop.tell("customers/create", payloads.customer())
    shop.drain()
    with shop.work() as uow:
        member = members.by_customer(uow, 77)
        assert member is not None
        assert points.balance(uow, member.id).available == 1_499
        assert [(row["reason"], row["points"]) for row in ledger.history(uow, member.id, 10, None).items] == [
            ("signup", 200),
            ("purchase", 1_299),
        ]
        standing = tiers.standing(uow, member.id)
        assert standing.tier is not None and standing.tier.name == "Silver"
        assert broken(uow) == {}


DELIVERIES: dict[str, tuple[str, dict[str, Any]]] = {
    "registered": ("customers/create", payloads.customer()),
    "created": ("orders/create", payloads.order(financial_status="pending", updated_at=payloads.at(0))),
    "paid": ("orders/paid", payloads.order(updated_at=payloads.at(1))),
    "refund one line": ("refunds/create", payloads.refund(900, 5, [(52, 1, "29.90")])),
    "refunded": (
        "orders/updated",
        payloads.order(
            updated_at=payloads.at(2),
            financial_status="partially_refunded",
            lines=[
                payloads.line(51, "100.00", current_quantity=1),
                payloads.line(52, "29.90", current_quantity=0),
            ],
            refunds=[payloads.refund(900, 5, [(52, 1, "29.90")])],
        ),
    ),
    "refund an amount": ("refunds/create", payloads.refund(901, 5, amount="25.00")),
}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    order=st.permutations(list(DELIVERIES)),
    repeats=st.lists(st.sampled_from(list(DELIVERIES)), max_size=4),
    pauses=st.sets(st.integers(0, 9)),
)
def test_any_order_any_number_of_times_ends_in_the_same_place(
    new_shop: Callable[..., TestShop], order: list[str], repeats: list[str], pauses: set[int]
) -> None:
    shop = _fresh(new_shop)
    for number, name in enumerate([*order, *repeats]):
        shop.tell(*DELIVERIES[name])
        if number in pauses:
            shop.drain()
    shop.drain()
    with shop.work() as uow:
        # 129.90 paid, the 29.90 line and 25.00 of the rest refunded: 75.00 earn 750; and 200 for registering.
        assert balance(uow).total == 950
        assert broken(uow) == {}
    assert shop.undone() == []


@pytest.mark.parametrize("last", ["orders/cancelled", "orders/delete"])
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(order=st.permutations(["paid", "refund one line", "refunded", "last"]))
def test_a_cancelled_or_deleted_order_ends_at_zero_wherever_the_news_arrives(
    new_shop: Callable[..., TestShop], last: str, order: list[str]
) -> None:
    shop = _fresh(new_shop)
    for name in order:
        if name == "last":
            body = (
                {"id": 5}
                if last == "orders/delete"
                else payloads.order(cancelled_at=payloads.at(3), updated_at=payloads.at(3))
            )
            shop.tell(last, body)
        else:
            shop.tell(*DELIVERIES[name])
        shop.drain()
    with shop.work() as uow:
        assert balance(uow).total == 0
        assert broken(uow) == {}


_made = iter(range(10**9))


def _fresh(new_shop: Callable[..., TestShop]) -> TestShop:
    return new_shop(f"shop{next(_made)}.myshopify.com")


def test_spent_points_that_are_taken_back_become_debt_and_later_points_repay_it(shop: TestShop) -> None:
    shop.tell("orders/paid", payloads.order())
    shop.drain()
    with shop.work() as uow:
        member = members.by_customer(uow, 77)
        assert member is not None
        points.spend(uow, member.id, 500, key="spent", reason="by hand")
    shop.tell("orders/cancelled", payloads.order(cancelled_at=payloads.at(5), updated_at=payloads.at(5)))
    shop.drain()
    with shop.work() as uow:
        assert (balance(uow).available, balance(uow).debt) == (0, 500)
    shop.tell("orders/paid", payloads.order(6, [payloads.line(61, "80.00")]))
    shop.drain()
    with shop.work() as uow:
        assert (balance(uow).available, balance(uow).debt) == (300, 0)
        assert broken(uow) == {}


@pytest.mark.parametrize(
    ("body", "points_expected"),
    [
        (payloads.order(test=True), 0),
        (payloads.order(lines=[]), 0),
        (payloads.order(lines=[payloads.line(51, "0.00")]), 0),
        (payloads.order(lines=[payloads.line(51, "50.00", gift_card=True), payloads.line(52, "29.90")]), 299),
        (payloads.order(currency="JPY", lines=[payloads.line(51, "500", 2, "JPY")]), 10_000),
        (payloads.order(currency="KWD", lines=[payloads.line(51, "1.234", 1, "KWD")]), 12),
        (
            payloads.order(
                taxes_included=True,
                lines=[
                    payloads.line(
                        51,
                        "119.00",
                        tax_lines=[{"price": "19.00", "price_set": payloads.money("19.00", "USD")}],
                    )
                ],
            ),
            1_190,
        ),
        (
            payloads.order(
                lines=[
                    payloads.line(
                        51,
                        "10.00",
                        3,
                        discount_allocations=[
                            {"amount": "4.50", "amount_set": payloads.money("4.50", "USD")}
                        ],
                    )
                ]
            ),
            255,
        ),
    ],
)
def test_unusual_orders(shop: TestShop, body: dict[str, Any], points_expected: int) -> None:
    shop.tell("orders/paid", body)
    shop.drain()
    with shop.work() as uow:
        assert balance(uow).total == points_expected


def test_an_order_without_customer_earns_nothing_and_is_kept(shop: TestShop) -> None:
    shop.tell("orders/paid", payloads.order(customer=None))
    shop.drain()
    with shop.work() as uow:
        assert uow.scalar("SELECT count(*) FROM points_entries") == 0
        assert uow.scalar("SELECT count(*) FROM orders WHERE known AND member_id IS NULL") == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": "five"},
        {"id": 5, "line_items": "none", "currency": "USD"},
        payloads.order(currency="dollars"),
        payloads.order(lines=[payloads.line(51, "a lot")]),
        payloads.order(lines=[payloads.line(51, "NaN")]),
        payloads.order(lines=[payloads.line(51, "1e30")]),
        payloads.order(lines=[{"id": 1}]),
        payloads.order(lines=[payloads.line(51, "10.00") | {"quantity": -1}]),
        payloads.order(lines=[payloads.line(51, "10.00") | {"title": "t" * 501}]),
        payloads.order(created_at="yesterday"),
        {"id": 2**63, "line_items": [], "currency": "USD"},
    ],
)
def test_a_body_of_another_shape_is_ignored_with_a_reason_and_stores_nothing(
    shop: TestShop, body: dict[str, Any]
) -> None:
    shop.tell("orders/paid", body)
    shop.drain()
    assert [row["outcome"] for row in shop.undone()] == ["not the documented shape"]
    with shop.work() as uow:
        assert uow.scalar("SELECT count(*) FROM orders") == 0


def test_numbers_as_text_and_amounts_as_numbers_are_read_alike(shop: TestShop) -> None:
    line = {"id": "51", "quantity": "2", "price": 64.95, "title": "Socks", "gift_card": False}
    shop.tell("orders/paid", payloads.order(lines=[line], total_tip_received=None))
    shop.drain()
    assert shop.undone() == []
    with shop.work() as uow:
        assert balance(uow).total == 1_299


def test_a_nul_in_a_text_costs_nobody_their_points(shop: TestShop) -> None:
    line = payloads.line(51, "129.90") | {"title": "So\0cks \\u0000 \\\0\0"}
    ada = {"id": 77, "first_name": "A\0da", "last_name": "\0"}
    shop.tell("orders/paid", payloads.order(lines=[line], customer=ada))
    shop.drain()
    assert shop.undone() == []
    with shop.work() as uow:
        [order] = uow.all("SELECT lines, member_id FROM orders")
        assert order["lines"][0]["title"] == "Socks \\u0000 \\"
        assert uow.scalar("SELECT sum(points)::int FROM points_entries WHERE kind = 'award'") == 1_299
        assert members.profile(uow, order["member_id"]).first_name == "Ada"


def test_a_changed_rate_holds_for_later_orders_and_refunds_keep_the_old_one(shop: TestShop) -> None:
    from decimal import Decimal

    from app.domains.programs import service as programs

    shop.tell("orders/paid", payloads.order())
    shop.drain()
    with shop.work() as uow:
        program = programs.active(uow)
        assert program is not None
        programs.update(uow, program.id, {"points_per_unit": Decimal(1)}, version=program.version)
    shop.tell("refunds/create", payloads.refund(900, 5, [(52, 1, "29.90")]))
    shop.drain()
    with shop.work() as uow:
        assert balance(uow).total == 1_000
    shop.tell("orders/paid", payloads.order(6))
    shop.drain()
    with shop.work() as uow:
        # Silver multiplies by 1.25: 129.90 × 1 × 1.25 = 162.
        assert balance(uow).total == 1_162


def test_what_one_shop_is_told_changes_nothing_in_another(shop: TestShop, other_shop: TestShop) -> None:
    shop.tell("orders/paid", payloads.order())
    shop.drain()
    with other_shop.work() as uow:
        assert members.by_customer(uow, 77) is None
        assert uow.scalar("SELECT count(*) FROM points_entries") == 0


def test_the_same_webhook_id_is_stored_once(shop: TestShop) -> None:
    assert shop.tell("orders/paid", payloads.order(), webhook_id="same")
    assert not shop.tell("orders/paid", payloads.order(), webhook_id="same")
