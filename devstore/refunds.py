"""Refunds: by line, by amount, of shipping; with the adjustments that Shopify writes when the sums differ."""

from collections.abc import Sequence

from devstore import money, times, totals
from devstore.errors import Refused
from devstore.lines import find
from devstore.runtime import DevStore
from devstore.state import Doc


def make(
    store: DevStore,
    order: Doc,
    items: Sequence[Doc],
    amount: object,
    shipping: object,
    note: str | None,
) -> Doc:
    """Add a refund to the order and return it. Money never exceeds what is left of what was paid. Raises Refused.

    An amount that differs from its lines leaves a `refund_discrepancy`: below zero for money given on top of them,
    above zero for money kept back. Money that an edit or an earlier return made due is given back without one.
    """
    currency = order["currency"]
    if not items and amount is None and shipping is None:
        raise Refused(
            "Give lines, an amount or shipping",
            fields={"lines": "missing", "amount": "missing"},
        )
    owed = max(0, -totals.of(order).outstanding)
    given = _blank(store, note)
    given["lines"] = [_line(store, order, each) for each in items]
    on_top = 0 if order["taxes_included"] else sum(each["tax"] for each in given["lines"])
    worth = sum(each["subtotal"] for each in given["lines"]) + on_top
    if shipping is not None:
        worth += _shipping(store, order, given, money.to_minor(shipping, currency, "shipping"))
    if amount is None:
        moved = min(worth, _refundable(order))
    else:
        moved = money.to_minor(amount, currency)
        if moved <= 0:
            raise Refused("Give an amount above zero", fields={"amount": "not above zero"})
        difference = worth - moved
        if difference < 0:
            difference = min(0, difference + owed)
        if difference:
            given["adjustments"].append(_adjustment(store, "refund_discrepancy", difference))
    _give_back(store, order, given, moved)
    order["refunds"].append(given)
    return given


def everything(store: DevStore, order: Doc) -> Doc:
    """Give back all that is left, line by line, as cancelling does; returns the refund."""
    given = _blank(store, "Cancelled")
    for line in order["lines"]:
        if line["current_quantity"]:
            entry = {
                "line_id": line["id"],
                "quantity": line["current_quantity"],
                "restock_type": "cancel",
            }
            given["lines"].append(_line(store, order, entry))
    left = totals.of(order).current_shipping
    if left:
        _shipping(store, order, given, left)
    _give_back(store, order, given, _refundable(order))
    order["refunds"].append(given)
    return given


def _blank(store: DevStore, note: str | None) -> Doc:
    return {
        "id": store.state.next_id(),
        "created_at": times.stamp(),
        "note": note,
        "lines": [],
        "adjustments": [],
    }


def _line(store: DevStore, order: Doc, wanted: Doc) -> Doc:
    line = find(order, wanted)
    if line is None:
        raise Refused("Name each line by index or line_id", fields={"index": "missing"})
    units = wanted.get("quantity")
    if isinstance(units, bool) or not isinstance(units, int) or units < 1:
        raise Refused("Give a quantity of 1 or more", fields={"quantity": "not a quantity"})
    if units > line["current_quantity"]:
        raise Refused(
            f"Only {line['current_quantity']} of {line['title']} can be refunded",
            fields={"quantity": "more than is left"},
        )
    subtotal, tax = totals.remove(line, order, units)
    return {
        "id": store.state.next_id(),
        "line_id": line["id"],
        "quantity": units,
        "subtotal": subtotal,
        "tax": tax,
        "restock_type": wanted.get("restock_type", "return"),
    }


def _shipping(store: DevStore, order: Doc, given: Doc, amount: int) -> int:
    if not 0 < amount <= totals.of(order).current_shipping:
        raise Refused(
            "That is more than the shipping paid",
            fields={"shipping": "more than is left"},
        )
    order["shipping_refunded"] += amount
    given["adjustments"].append(_adjustment(store, "shipping_refund", -amount))
    return amount


def _adjustment(store: DevStore, kind: str, amount: int) -> Doc:
    return {"id": store.state.next_id(), "kind": kind, "amount": amount, "tax": 0}


def _refundable(order: Doc) -> int:
    sums = totals.of(order)
    return sums.paid - sums.refunded


def _give_back(store: DevStore, order: Doc, given: Doc, amount: int) -> None:
    if amount > _refundable(order):
        left = money.to_text(_refundable(order), order["currency"])
        raise Refused(
            f"Only {left} of what was paid is left",
            fields={"amount": "more than is left"},
        )
    if amount:
        move(store, order, "refund", amount, given["id"])


def move(store: DevStore, order: Doc, kind: str, amount: int, refund_id: int | None = None) -> None:
    """Note a successful movement of money on the order: `sale` in, `refund` out."""
    order["transactions"].append(
        {
            "id": store.state.next_id(),
            "kind": kind,
            "amount": amount,
            "gateway": order["gateway"],
            "refund_id": refund_id,
            "created_at": times.stamp(),
        }
    )
