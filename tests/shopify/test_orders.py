"""Reading an order whole, however long."""

from typing import Any

import pytest

from app.shopify.admin import AdminClient
from app.shopify.orders import read_order
from app.shopify.sessions import Credentials
from tests.shopify.signing import SHOP
from tests.shopify.wire import Reply, Wire


def connection(nodes: list[Any], cursor: str | None = None) -> dict[str, Any]:
    return {"nodes": nodes, "pageInfo": {"hasNextPage": cursor is not None, "endCursor": cursor}}


def refund(number: int, lines: list[str], cursor: str | None = None) -> dict[str, Any]:
    return {
        "id": f"r{number}",
        "refundShippingLines": {"nodes": []},
        "orderAdjustments": {"nodes": [{"id": "a"}]},
        "refundLineItems": connection([{"id": line} for line in lines], cursor),
    }


def data(**fields: Any) -> Reply:
    return Reply(200, {"data": fields})


@pytest.fixture
def client() -> AdminClient:
    return AdminClient(credentials=Credentials(SHOP, "t"))


def names(shopify: Wire) -> list[str]:
    return [seen.json()["operationName"] for seen in shopify.seen]


def test_a_short_order_takes_one_call(client: AdminClient, shopify: Wire) -> None:
    order = {"id": "o", "lineItems": connection([{"id": "l1"}]), "refunds": [refund(1, ["x"])]}
    shopify.script = [data(order=order)]
    found = read_order(client, "o")
    assert found is not None
    assert found["lineItems"] == [{"id": "l1"}]
    assert found["refunds"] == [
        {
            "id": "r1",
            "refundLineItems": [{"id": "x"}],
            "refundShippingLines": [],
            "orderAdjustments": [{"id": "a"}],
        }
    ]
    assert names(shopify) == ["OrderSnapshot"]


def test_an_unknown_order_is_none(client: AdminClient, shopify: Wire) -> None:
    shopify.script = [data(order=None)]
    assert read_order(client, "o") is None


def test_a_long_order_is_read_to_its_end(client: AdminClient, shopify: Wire) -> None:
    refunds = [refund(1, ["x"], "rc1"), *(refund(number, []) for number in range(2, 6))]
    order = {"id": "o", "lineItems": connection([{"id": "l1"}], "c1"), "refunds": refunds}
    shopify.script = [
        data(order=order),
        data(order={"lineItems": connection([{"id": "l2"}], "c2")}),
        data(order={"lineItems": connection([{"id": "l3"}])}),
        data(refund=refund(1, ["x", "y"], "rc2")),
        data(refund=refund(1, ["z"])),
        data(order={"refunds": [{"id": f"r{number}"} for number in range(1, 8)]}),
        data(refund=refund(6, ["six"])),
        data(refund=refund(7, ["seven"])),
    ]
    found = read_order(client, "o")
    assert found is not None
    assert [line["id"] for line in found["lineItems"]] == ["l1", "l2", "l3"]
    assert [entry["id"] for entry in found["refunds"]] == [f"r{number}" for number in range(1, 8)]
    assert [line["id"] for line in found["refunds"][0]["refundLineItems"]] == ["x", "y", "z"]
    assert [line["id"] for line in found["refunds"][6]["refundLineItems"]] == ["seven"]
    assert shopify.script == []


def test_a_product_in_many_collections_is_read_to_its_end_once(client: AdminClient, shopify: Wire) -> None:
    def line(number: int, product: str, cursor: str | None = None) -> dict[str, Any]:
        found = {"id": product, "collections": connection([{"id": "c1"}], cursor)}
        return {"id": f"l{number}", "product": found}

    lines = [line(1, "p", "pc1"), line(2, "p", "pc1"), line(3, "q"), {"id": "l4", "product": None}]
    shopify.script = [
        data(order={"id": "o", "lineItems": connection(lines), "refunds": []}),
        data(product={"id": "p", "collections": connection([{"id": "c2"}], "pc2")}),
        data(product={"id": "p", "collections": connection([{"id": "c3"}])}),
    ]
    found = read_order(client, "o")
    assert found is not None
    of_lines = [
        [one["id"] for one in line["product"]["collections"]["nodes"]] if line["product"] else None
        for line in found["lineItems"]
    ]
    assert of_lines == [["c1", "c2", "c3"], ["c1", "c2", "c3"], ["c1"], None]
    assert shopify.script == []


def test_protected_customer_fields_may_be_missing(client: AdminClient, shopify: Wire) -> None:
    order = {
        "id": "o",
        "customer": {"id": "c", "firstName": None},
        "lineItems": connection([]),
        "refunds": [],
    }
    denied = {
        "message": "no",
        "extensions": {"code": "ACCESS_DENIED"},
        "path": ["order", "customer", "firstName"],
    }
    shopify.script = [Reply(200, {"data": {"order": order}, "errors": [denied]})]
    assert read_order(client, "o") == {**order, "lineItems": []}
