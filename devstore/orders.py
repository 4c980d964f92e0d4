"""The life of an order: placed, paid, fulfilled, cancelled, deleted. Refunds and edits have their own modules."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any, TypedDict, Unpack

from devstore import (
    customers,
    discounts,
    lines,
    money,
    order_payloads,
    refunds,
    shops,
    times,
    totals,
    webhooks,
)
from devstore.checkout import Quote
from devstore.errors import Refused, not_found
from devstore.runtime import DevStore
from devstore.state import Doc


class OrderDetails(TypedDict, total=False):
    """What an order may say beyond its lines; whatever is left out or None gets a sensible value.

    Amounts and rates are text or numbers. `create_customer` makes a guest with an e-mail a customer, as checkout does.
    `currency` is the shop's money in this order, `presentment_currency` and `rate` what the buyer saw.
    """

    email: str | None
    create_customer: bool
    currency: str | None
    presentment_currency: str | None
    rate: str | None
    taxes_included: bool | None
    tax_rate: str | None
    shipping: object
    shipping_title: str
    source_name: str | None
    test: bool | None
    note: str | None
    note_attributes: list[dict[str, str]] | None
    tags: list[str] | None
    customer_locale: str | None
    landing_site: str | None
    referring_site: str | None
    created_at: str | None
    company_id: int | None
    location_id: int | None
    gateway: str | None
    ip: str | None


def get(store: DevStore, shop: str, id: int) -> Doc:
    """An order by id. Raises Refused (404)."""
    order = store.state.get("order", shop, id)
    if order is None:
        raise not_found(f"The order {id}")
    return order


def latest(store: DevStore, shop: str, limit: int = 50) -> list[Doc]:
    """The newest orders of a shop, newest first."""
    return store.state.latest("order", shop, limit)


def place(
    store: DevStore,
    shop: str,
    wanted: Sequence[Doc],
    *,
    customer_id: int | None = None,
    codes: Sequence[str | Doc] = (),
    paid: bool = True,
    **details: Unpack[OrderDetails],
) -> Doc:
    """Place an order and tell the app: orders/create, orders/updated and, when paid, orders/paid.

    `wanted` lines are {variant_id | sku, quantity, price?, title?, gift_card?}; what is missing comes from the
    catalogue. A code is text, applied as checkout does and refused with its reason, or {code, amount, type} for a
    plain amount off. `details`: see OrderDetails. Raises Refused.
    """
    rest: dict[str, Any] = dict(details)
    shipping, title = rest.pop("shipping", None), rest.pop("shipping_title", "Standard")
    with store.state.transaction():
        found = shops.get(store, shop)
        buyer = _buyer(store, shop, customer_id, rest.get("email"), rest.pop("create_customer", False))
        order = _blank(store, found, buyer, rest)
        _check_currency(found, order, wanted, codes)
        order["lines"] = [lines.build(store, shop, line, order["currency"]) for line in wanted]
        if not order["lines"]:
            raise Refused("An order needs at least one line", fields={"lines": "empty"})
        if shipping is not None:
            price = money.to_minor(shipping, order["currency"], "shipping")
            order["shipping"] = {
                "id": store.state.next_id(),
                "title": title,
                "price": price,
                "allocations": [],
            }
        _discount(store, shop, order, codes)
        if paid:
            _collect(store, order, totals.of(order).outstanding)
        store.state.put("order", shop, order)
        _tell(store, shop, order, "orders/create", *(["orders/paid"] if paid else []))
    return order


def quote(
    store: DevStore,
    shop: str,
    wanted: Sequence[Doc],
    codes: Sequence[str] = (),
    *,
    customer_id: int | None = None,
    email: str | None = None,
    shipping: object = 0,
) -> Quote:
    """What `place` would charge, without placing anything; `Quote.refused` says which codes do not work and why.
    Raises Refused."""
    currency = shops.get(store, shop)["currency"]
    built = [lines.build(store, shop, line, currency) for line in wanted]
    fee = money.to_minor(shipping, currency, "shipping")
    return discounts.quote_cart(store, shop, built, codes, customer_id=customer_id, email=email, shipping=fee)


def pay(store: DevStore, shop: str, id: int, amount: object = None) -> Doc:
    """Collect what is outstanding, or a part of it. Sends orders/paid when nothing is left.

    Raises Refused, 409 when there is nothing to pay.
    """
    with store.state.transaction():
        order = _open(store, shop, id)
        due = totals.of(order).outstanding
        if order["settled"] and due <= 0:
            raise Refused("The order is paid", code="already_paid", status=409)
        part = due if amount is None else money.to_minor(amount, order["currency"])
        if amount is not None and not 0 < part <= due:
            raise Refused("Give an amount up to what is outstanding", fields={"amount": "not outstanding"})
        _collect(store, order, part)
        _keep(store, shop, order)
        _tell(store, shop, order, *(["orders/paid"] if part == due else []))
    return order


def fulfill(store: DevStore, shop: str, id: int) -> Doc:
    """Send everything off. Sends orders/fulfilled. Raises Refused."""
    with store.state.transaction():
        order = _open(store, shop, id)
        if order["fulfillment_status"] == "fulfilled":
            raise Refused("The order is fulfilled", code="already_fulfilled", status=409)
        order["fulfillment_status"] = "fulfilled"
        _keep(store, shop, order)
        _tell(store, shop, order, "orders/fulfilled")
    return order


def cancel(
    store: DevStore,
    shop: str,
    id: int,
    *,
    refund: bool = True,
    reason: str = "customer",
) -> Doc:
    """Cancel an order. What was paid is given back line by line unless `refund` is false.

    Sends orders/cancelled, and refunds/create when something is given back. Raises Refused, 409 when cancelled.
    """
    with store.state.transaction():
        order = _open(store, shop, id)
        given = None
        order["cancelled_at"] = times.stamp()
        order["cancel_reason"] = reason
        order["closed_at"] = order["cancelled_at"]
        sums = totals.of(order)
        if refund and sums.paid > sums.refunded:
            given = refunds.everything(store, order)
        _keep(store, shop, order)
        more = {"refunds/create": order_payloads.refund(store, shop, order, given)} if given else None
        _tell(store, shop, order, "orders/cancelled", more=more)
    return order


def refund(
    store: DevStore,
    shop: str,
    id: int,
    *,
    items: Iterable[Doc] = (),
    amount: object = None,
    shipping: object = None,
    note: str | None = None,
) -> tuple[Doc, Doc]:
    """Give back lines ({index | line_id, quantity}), an amount, shipping, or lines for another amount than theirs.

    Sends refunds/create. Returns (order, refund). Raises Refused.
    """
    with store.state.transaction():
        order = get(store, shop, id)
        given = refunds.make(store, order, list(items), amount, shipping, note)
        _keep(store, shop, order)
        _tell(
            store,
            shop,
            order,
            more={"refunds/create": order_payloads.refund(store, shop, order, given)},
        )
    return order, given


def edit(store: DevStore, shop: str, id: int, wanted: Iterable[Doc], *, replace: bool = False) -> Doc:
    """Change an order's lines; see `lines.edit`. Moves no money. Sends orders/edited. Raises Refused."""
    with store.state.transaction():
        order = _open(store, shop, id)
        additions, removals = lines.edit(store, shop, order, list(wanted), replace=replace)
        if not additions and not removals:
            raise Refused("The edit changes nothing", fields={"lines": "no change"})
        order["edited"] = True
        _keep(store, shop, order)
        body = order_payloads.edited(order, store.state.next_id(), additions, removals)
        _tell(store, shop, order, more={"orders/edited": body})
    return order


def delete(store: DevStore, shop: str, id: int) -> None:
    """Delete an order. Sends orders/delete with the id only. Raises Refused (404)."""
    with store.state.transaction():
        get(store, shop, id)
        store.state.remove("order", shop, id)
        webhooks.publish(store, shop, {"orders/delete": {"id": id}})


def set_tags(store: DevStore, shop: str, order: Doc, tags: list[str]) -> None:
    """Replace the tags of an order. Sends orders/updated."""
    order["tags"] = tags
    _keep(store, shop, order)
    _tell(store, shop, order)


def _open(store: DevStore, shop: str, id: int) -> Doc:
    order = get(store, shop, id)
    if order["cancelled_at"]:
        raise Refused("The order is cancelled", code="cancelled", status=409)
    return order


def _keep(store: DevStore, shop: str, order: Doc) -> None:
    order["updated_at"] = times.stamp()
    store.state.put("order", shop, order)


def _tell(
    store: DevStore,
    shop: str,
    order: Doc,
    *topics: str,
    more: dict[str, Doc] | None = None,
) -> None:
    body = order_payloads.order(store, shop, order)
    told = {**(more or {}), **dict.fromkeys([*topics, "orders/updated"], body)}
    webhooks.publish(store, shop, told)


def _buyer(store: DevStore, shop: str, id: int | None, email: str | None, create: bool) -> Doc | None:
    if id is not None:
        return customers.get(store, shop, id)
    if not create or not email:
        return None
    known = customers.by_email(store, shop, email)
    return known or customers.add(store, shop, email=email, registered=False)


def _check_currency(shop: Doc, order: Doc, wanted: Sequence[Doc], codes: Sequence[str | Doc]) -> None:
    """The catalogue and the kept discounts are in the shop's currency."""
    own, used = shop["currency"], order["currency"]
    if own != used and any(line.get("price") is None for line in wanted):
        raise Refused(f"Lines of an order in {used} need a price", fields={"price": "missing"})
    if money.decimals(own) != money.decimals(used) and any(isinstance(code, str) for code in codes):
        raise Refused(f"Codes work in {own} only", fields={"discount_codes": "another currency"})


def _blank(store: DevStore, shop: Doc, buyer: Doc | None, rest: dict[str, Any]) -> Doc:
    given = {key: value for key, value in rest.items() if value is not None}
    currency = given.get("currency", shop["currency"])
    number = store.state.next_id(f"order:{shop['domain']}")
    moment = given.get("created_at") or times.stamp()
    order: Doc = {
        "id": store.state.next_id(),
        "number": number,
        "name": f"#{number}",
        "token": uuid.uuid4().hex,
        "created_at": moment,
        "updated_at": moment,
        "processed_at": moment,
        "cancelled_at": None,
        "cancel_reason": None,
        "closed_at": None,
        "test": False,
        "source_name": "web",
        "currency": currency,
        "presentment_currency": currency,
        "rate": "1",
        "taxes_included": shop["taxes_included"],
        "tax_rate": shop["tax_rate"],
        "email": (buyer or {}).get("email"),
        "customer_id": buyer["id"] if buyer else None,
        "customer_locale": (buyer or {}).get("locale") or shop["locale"],
        "note": None,
        "note_attributes": [],
        "tags": [],
        "ip": "203.0.113.10",
        "landing_site": "/",
        "referring_site": None,
        "company_id": None,
        "location_id": None,
        "gateway": "bogus",
        "discount_codes": [],
        "applications": [],
        "shipping": None,
        "shipping_refunded": 0,
        "fulfillment_status": None,
        "settled": False,
        "edited": False,
        "lines": [],
        "refunds": [],
        "transactions": [],
    }
    return order | given


def _discount(store: DevStore, shop: str, order: Doc, codes: Sequence[str | Doc]) -> None:
    typed = [code for code in codes if isinstance(code, str)]
    fee = order["shipping"]["price"] if order["shipping"] else 0
    priced = discounts.quote_cart(
        store,
        shop,
        order["lines"],
        typed,
        customer_id=order["customer_id"],
        email=order["email"],
        shipping=fee,
    )
    if priced.refused:
        fields = {each.code: f"{each.reason}: {each.message}" for each in priced.refused}
        raise Refused(priced.refused[0].message, code="discount_refused", fields=fields)
    for applied in priced.applied:
        lines.take_off(order, applied.code, applied.discount, applied.per_line, applied.shipping)
        who = discounts.shopper(store, shop, order["customer_id"], order["email"])
        discounts.count_use(store, shop, applied.code, who)
    for code in codes:
        if not isinstance(code, str):
            lines.take_off_plainly(order, code)


def _collect(store: DevStore, order: Doc, amount: int) -> None:
    order["settled"] = True
    if amount > 0:
        refunds.move(store, order, "sale", amount)
