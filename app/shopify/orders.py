"""One order whole: snapshots are cut to keep their cost down, and the rest is fetched and merged here."""

from typing import Any

from app.shopify.admin import AdminClient, Data


def read_order(client: AdminClient, order_id: str) -> Data | None:
    """The order as operation OrderSnapshot describes it, with all its lines, their products' collections and all its
    refunds; None when unknown.

    `lineItems` and each refund's `refundLineItems` are plain lists here. `order_id` is the gid.
    """
    order: Data | None = client.run("OrderSnapshot", {"id": order_id}, allow_denied=True)["order"]
    if order is None:
        return None
    lines = order["lineItems"]
    nodes = list(lines["nodes"])
    if lines["pageInfo"]["hasNextPage"]:
        nodes += _more_lines(client, order_id, lines["pageInfo"]["endCursor"])
    _read_collections(client, [line["product"] for line in nodes if line.get("product")])
    refunds = [
        refund if _is_whole(refund) else _read_refund(client, refund["id"]) for refund in order["refunds"]
    ]
    if len(refunds) == _REFUNDS_IN_SNAPSHOT:
        refunds += _more_refunds(client, order_id, {refund["id"] for refund in refunds})
    return {**order, "lineItems": nodes, "refunds": [_flat(refund) for refund in refunds]}


_REFUNDS_IN_SNAPSHOT = 5


def _more_lines(client: AdminClient, order_id: str, after: str) -> list[Data]:
    found: list[Data] = []
    while True:
        page: Any = client.run("OrderLines", {"id": order_id, "after": after})["order"]["lineItems"]
        found += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


def _read_collections(client: AdminClient, products: list[Data]) -> None:
    """Complete what products of lines say about their collections, each product once."""
    known: dict[str, list[Data]] = {}
    for product in products:
        page: Any = product.get("collections")
        if page is None or not page["pageInfo"]["hasNextPage"]:
            continue
        if product["id"] not in known:
            known[product["id"]] = page["nodes"] + _more_collections(
                client, product["id"], page["pageInfo"]["endCursor"]
            )
        product["collections"] = {**page, "nodes": known[product["id"]]}


def _more_collections(client: AdminClient, product_id: str, after: str) -> list[Data]:
    found: list[Data] = []
    while True:
        product: Any = client.run("ProductCollections", {"id": product_id, "after": after})["product"]
        if product is None:
            return found
        page = product["collections"]
        found += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


def _more_refunds(client: AdminClient, order_id: str, known: set[str]) -> list[Data]:
    listed: Any = client.run("OrderRefundIds", {"id": order_id})["order"]["refunds"]
    return [_read_refund(client, refund["id"]) for refund in listed if refund["id"] not in known]


def _is_whole(refund: Data) -> bool:
    return not refund["refundLineItems"]["pageInfo"]["hasNextPage"]


def _read_refund(client: AdminClient, refund_id: str) -> Data:
    first: Data = client.run("RefundSnapshot", {"id": refund_id})["refund"]
    nodes, page = list(first["refundLineItems"]["nodes"]), first["refundLineItems"]["pageInfo"]
    while page["hasNextPage"]:
        more: Any = client.run("RefundSnapshot", {"id": refund_id, "after": page["endCursor"]})["refund"]
        nodes += more["refundLineItems"]["nodes"]
        page = more["refundLineItems"]["pageInfo"]
    return {**first, "refundLineItems": {"nodes": nodes}}


def _flat(refund: Data) -> Data:
    keys = ("refundLineItems", "refundShippingLines", "orderAdjustments")
    return {**refund, **{key: refund[key]["nodes"] for key in keys}}
