"""Goods of the shop by name: what Shopify finds, what settings keep by number, and what is said when it is silent."""

from collections.abc import Callable
from typing import Any

import pytest

from app.core.permissions import ALL, Permission
from app.shopify import goods
from app.shopify.admin import AdminClient
from app.shopify.errors import ShopifyUnavailable, Throttled
from app.shopify.goods import Good
from tests.fixtures.shop import TestShop
from tests.fixtures.web import staff

PAGE = "/app/home/goods"
Call = Callable[..., Any]
MUG = {
    "id": "gid://shopify/Product/7",
    "title": "Mug <blue>",
    "vendor": "Clay & Co",
    "variants": {
        "nodes": [
            {"id": "gid://shopify/ProductVariant/71", "title": "Small"},
            {"id": "gid://shopify/ProductVariant/72", "title": "Large"},
        ]
    },
}


class Shopify:
    """What is asked of Shopify, and what it answers."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answer: Any = {"products": {"nodes": [MUG]}}

    def run(self, operation: str, variables: dict[str, Any], **__: Any) -> Any:
        """In place of the client's own."""
        self.asked.append((operation, variables))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def shopify(monkeypatch: pytest.MonkeyPatch) -> Shopify:
    told = Shopify()
    monkeypatch.setattr(AdminClient, "run", told.run)
    return told


def test_products_are_found_by_the_beginnings_of_their_words(
    shop: TestShop, call_as: Call, shopify: Shopify
) -> None:
    page = call_as(staff(shop.id)).fragment(PAGE, query_string={"q": "blue' OR mug"}).text
    assert '<li data-value="7" data-line="Clay &amp; Co">Mug &lt;blue&gt;</li>' in page
    assert "One found" in page
    assert shopify.asked == [
        ("ProductSearch", {"query": "title:blue* AND title:or* AND title:mug*", "first": 8})
    ]


def test_variants_are_called_by_their_product(shop: TestShop, shopify: Shopify) -> None:
    assert goods.find(shop.id, "variants", "mug") == [
        Good(71, "Mug <blue> – Small"),
        Good(72, "Mug <blue> – Large"),
    ]
    shopify.answer = {
        "products": {
            "nodes": [MUG | {"variants": {"nodes": [{"id": "gid://x/V/1", "title": "Default Title"}]}}]
        }
    }
    assert goods.find(shop.id, "variants", "mug") == [Good(1, "Mug <blue>")]


def test_collections_are_found_and_kept_numbers_are_named(
    shop: TestShop, call_as: Call, shopify: Shopify
) -> None:
    shopify.answer = {"collections": {"nodes": [{"id": "gid://shopify/Collection/3", "title": "Summer"}]}}
    assert goods.find(shop.id, "collections", "sum") == [Good(3, "Summer")]
    shopify.answer = {"nodes": [None, {"id": "gid://shopify/Collection/3", "title": "Summer"}]}
    page = call_as(staff(shop.id)).fragment(PAGE, query_string={"of": "collections", "ids": "2,3,,"}).text
    assert page.count("<li") == 1 and ">Summer</li>" in page
    assert shopify.asked[-1] == (
        "GoodsNames",
        {"ids": ["gid://shopify/Collection/2", "gid://shopify/Collection/3"]},
    )


@pytest.mark.parametrize("failure", [ShopifyUnavailable(sent=True), Throttled(retry_after=2.0)])
def test_a_silent_shopify_is_told_and_nothing_breaks(
    shop: TestShop, call_as: Call, shopify: Shopify, failure: Exception
) -> None:
    shopify.answer = failure
    for asked in ({"q": "mug"}, {"ids": "7"}):
        answer = call_as(staff(shop.id)).fragment(PAGE, query_string=asked)
        assert answer.status_code == 200 and "Shopify does not answer right now." in answer.text


@pytest.mark.parametrize(
    "asked", [{}, {"q": "  "}, {"q": "%"}, {"ids": ""}, {"ids": ",,"}, {"ids": "9" * 30}]
)
def test_nothing_is_asked_for_nothing(
    shop: TestShop, call_as: Call, shopify: Shopify, asked: dict[str, str]
) -> None:
    assert "<li" not in call_as(staff(shop.id)).fragment(PAGE, query_string=asked).text
    assert shopify.asked == []


def test_who_may_not_see_programs_finds_no_goods(shop: TestShop, call_as: Call, shopify: Shopify) -> None:
    caller = call_as(staff(shop.id, ALL - {Permission.PROGRAMS_READ}))
    assert caller.fragment(PAGE, query_string={"q": "mug"}).status_code == 403
    assert shopify.asked == []
