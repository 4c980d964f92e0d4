"""What an award keeps of its moment, what a repeated deed costs, and what is learned of products afterwards."""

from typing import Any

import pytest

from app.core import outbox
from app.domains.members import service as members
from app.domains.members.schemas import Member
from app.domains.orders import jobs as order_jobs
from app.domains.points import service as points
from app.domains.points.service.deeds import Deed
from app.domains.programs.schemas import Caps
from tests.domains.points.invariants import broken
from tests.domains.points.terms import rule
from tests.domains.points.test_earning import balance, change, of_rule, pay, refund
from tests.factories import payloads
from tests.fixtures.shop import TestShop


def of_order(shop: TestShop, number: int) -> list[int]:
    """What an order's entries gave and took, in their order."""
    with shop.work() as uow:
        rows = uow.all(
            "SELECT e.points FROM points_entries e JOIN orders o ON o.shop_id = e.shop_id AND o.id = e.order_id"
            " WHERE o.order_id = %(number)s ORDER BY e.seq",
            {"number": number},
        )
    return [row["points"] for row in rows]


def known(shop: TestShop, customer_id: int = 77) -> Member:
    with shop.work() as uow:
        found = members.by_customer(uow, customer_id)
    assert found is not None
    return found


# the member at the award ---------------------------------------------------------------------------------------------
def test_a_refund_takes_back_what_the_tier_of_the_award_gave(shop: TestShop) -> None:
    pay(shop, 5, "100.00")
    pay(shop, 6, "100.00")
    silver = of_order(shop, 6)
    assert silver[0] > of_order(shop, 5)[0] == 1_000
    pay(shop, 7, "2000.00")
    pay(shop, 8, "100.00")
    assert of_order(shop, 8)[0] > silver[0]
    for number, given in ((5, 1_000), (6, silver[0])):
        refund(shop, number, "40.00")
        assert of_order(shop, number) == [given, -given * 4 // 10]
        shop.tell(
            "orders/cancelled", payloads.order(number, cancelled_at=payloads.at(9), updated_at=payloads.at(9))
        )
        shop.drain()
        assert sum(of_order(shop, number)) == 0
    with shop.work() as uow:
        assert broken(uow) == {}


# deeds told again ----------------------------------------------------------------------------------------------------
def test_a_deed_told_again_neither_gives_nor_uses_up_the_budget(shop: TestShop) -> None:
    pay(shop, 5)
    change(shop, rules=of_rule(rule("review", 100, "review", caps={"budget": 250})))
    deed = Deed(known(shop).id, "review", "r1")

    def budget() -> int:
        with shop.work() as uow:
            return int(uow.scalar("SELECT given FROM earning_budgets WHERE rule_id = 'review'"))

    with shop.work() as uow:
        assert [one.points for one in points.give(uow, [deed, deed])] == [100]
    assert budget() == 100
    with shop.work() as uow:
        assert points.give(uow, [deed]) == []
    assert budget() == 100
    with shop.work() as uow:
        assert [one.points for one in points.give(uow, [deed, Deed(deed.member_id, "review", "r2")])] == [100]
    assert budget() == 200


# what a webhook does not tell ----------------------------------------------------------------------------------------
def bag(amount: str) -> dict[str, Any]:
    return {"shopMoney": {"amount": amount, "currencyCode": "USD"}}


def snapshot(number: int, product: dict[str, Any], variant: dict[str, Any]) -> dict[str, Any]:
    """The order as app.shopify.orders.read_order gives it."""
    return {
        "id": f"gid://shopify/Order/{number}",
        "legacyResourceId": str(number),
        "name": f"#{number}",
        "test": False,
        "createdAt": payloads.at(0),
        "processedAt": payloads.at(0),
        "updatedAt": payloads.at(5),
        "currencyCode": "USD",
        "taxesIncluded": False,
        "displayFinancialStatus": "PAID",
        "currentTotalPriceSet": bag("100.00"),
        "netPaymentSet": bag("100.00"),
        "customer": {"legacyResourceId": "77", "tags": ["VIP"]},
        "lineItems": [
            {
                "id": f"gid://shopify/LineItem/{number * 10}",
                "title": "Mug",
                "product": {"id": "gid://shopify/Product/9", "vendor": "Acme"} | product,
                "variant": {"id": "gid://shopify/ProductVariant/91"} | variant,
                "quantity": 1,
                "currentQuantity": 1,
                "originalTotalSet": bag("100.00"),
                "isGiftCard": False,
                "discountAllocations": [],
                "taxLines": [],
            }
        ],
        "refunds": [],
    }


HOME = {"collections": {"nodes": [{"id": "gid://shopify/Collection/7"}]}}


@pytest.mark.parametrize(
    ("more", "product", "variant", "first", "then"),
    [
        ({"conditions": {"collections": [7]}}, HOME, {}, 1_000, 1_300),
        ({"conditions": {"collections": [8]}}, HOME, {}, 1_000, 1_000),
        ({"conditions": {"tags": ["new"]}}, {"tags": ["New"]}, {}, 1_000, 1_300),
        ({"conditions": {"types": ["kitchen"]}}, {"productType": "Kitchen"}, {}, 1_000, 1_300),
        ({"exclusions": {"sale": True}}, {}, {"price": "100.00", "compareAtPrice": "120.00"}, 1_300, 1_000),
        ({"exclusions": {"sale": True}}, {}, {"price": "100.00", "compareAtPrice": "100.00"}, 1_300, 1_300),
        ({"exclusions": {"tags": ["old"]}}, {"tags": ["OLD"]}, {}, 1_300, 1_000),
        ({"conditions": {"customer_tags": ["vip"]}}, {}, {}, 1_000, 1_300),
    ],
)
def test_what_is_read_again_of_products_corrects_the_award(
    shop: TestShop,
    monkeypatch: pytest.MonkeyPatch,
    more: dict[str, Any],
    product: dict[str, Any],
    variant: dict[str, Any],
    first: int,
    then: int,
) -> None:
    change(shop, type="points", rules=of_rule(rule("extra", 3, **more)))
    pay(shop, 5)
    assert sum(of_order(shop, 5)) == first
    monkeypatch.setattr(order_jobs, "AdminClient", lambda shop_id: None)
    monkeypatch.setattr(order_jobs.platform, "read_order", lambda client, gid: snapshot(5, product, variant))

    def read_again() -> int:
        found = [one for one in outbox.lease(100) if one.kind == "orders.reread"]
        for message in found:
            outbox.deliver(message)
        return len(found)

    assert read_again() == 1
    assert sum(of_order(shop, 5)) == then
    shop.tell("orders/updated", payloads.order(5, [payloads.line(50, "100.00")], updated_at=payloads.at(8)))
    shop.drain()
    assert (read_again(), sum(of_order(shop, 5))) == (0, then)
    with shop.work() as uow:
        assert broken(uow) == {}


# caps of those who were merged ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(("back", "room"), [(False, 300), (True, 400)])
def test_what_a_merged_member_got_counts_under_the_caps_of_who_was_kept(
    shop: TestShop, back: bool, room: int
) -> None:
    change(shop, type="points", caps=Caps(per_member=1_500))
    pay(shop, 5, "100.00", 78)
    pay(shop, 6, "20.00", 77)
    kept, removed = known(shop, 77).id, known(shop, 78).id
    with shop.work() as uow:
        members.merge(uow, kept, removed)
    if back:
        refund(shop, 5, "10.00")
    pay(shop, 7, "100.00", 77)
    assert of_order(shop, 7) == [room]
    with shop.work() as uow:
        assert balance(uow, 77).total == 1_500


def test_after_parting_each_has_the_room_of_their_own_orders(shop: TestShop) -> None:
    change(shop, type="points", caps=Caps(per_member=1_500))
    pay(shop, 5, "100.00", 78)
    pay(shop, 6, "20.00", 77)
    kept, removed = known(shop, 77).id, known(shop, 78).id
    with shop.work() as uow:
        merge = members.merge(uow, kept, removed)
        assert merge is not None
    with shop.work() as uow:
        members.unmerge(uow, merge)
    pay(shop, 7, "200.00", 78)
    pay(shop, 8, "200.00", 77)
    assert (of_order(shop, 7), of_order(shop, 8)) == ([500], [1_300])
