"""Lines of an order: built from the catalogue, discounted, edited."""

from collections.abc import Sequence
from decimal import Decimal

from devstore import catalog, money, totals
from devstore.errors import Refused
from devstore.runtime import DevStore
from devstore.state import Doc


def build(store: DevStore, shop: str, wanted: Doc, currency: str) -> Doc:
    """An order line from {variant_id | sku, quantity, price?, title?, gift_card?, taxable?, vendor?, properties?}.

    A SKU that the catalogue does not know makes a line without product, which needs a price. Raises Refused.
    """
    quantity = wanted.get("quantity", 1)
    if isinstance(quantity, bool) or not isinstance(quantity, int) or not 1 <= quantity <= 100_000:
        raise Refused("Give a quantity of 1 or more", fields={"quantity": "not a quantity"})
    found = _in_catalogue(store, shop, wanted)
    product, variant = found or ({}, {})
    price = wanted.get("price")
    if price is None and not found:
        raise Refused(
            "A line that is not in the catalogue needs a price",
            fields={"price": "missing"},
        )
    minor = variant["price"] if price is None else money.to_minor(price, currency, "price")
    if minor < 0:
        raise Refused("A price cannot be below zero", fields={"price": "below zero"})
    gift_card = wanted.get("gift_card")
    gift_card = bool(product.get("gift_card")) if gift_card is None else bool(gift_card)
    name = variant.get("title")
    return {
        "id": store.state.next_id(),
        "product_id": product.get("id"),
        "variant_id": variant.get("id"),
        "sku": wanted.get("sku") or variant.get("sku"),
        "title": wanted.get("title") or product.get("title") or wanted.get("sku") or "Item",
        "variant_title": None if name == "Default Title" else name,
        "vendor": wanted.get("vendor") or product.get("vendor"),
        "product_type": product.get("product_type", ""),
        "quantity": quantity,
        "current_quantity": quantity,
        "price": minor,
        "gift_card": gift_card,
        "taxable": bool(wanted.get("taxable", True)) and not gift_card,
        "properties": wanted.get("properties") or [],
        "allocations": [],
        "gone_net": 0,
        "gone_tax": 0,
        "gone_discount": 0,
    }


def take_off(order: Doc, code: str, discount: Doc, per_line: Sequence[int], shipping: int) -> None:
    """Write what a code takes off into the order."""
    value = discount["value"]
    percentage = value.get("percentage")
    index = len(order["applications"])
    total = sum(per_line) + shipping
    on_shipping = discount["class"] == "shipping"
    kind = "shipping" if on_shipping else "percentage" if percentage is not None else "fixed_amount"
    order["discount_codes"].append({"code": code, "amount": total, "type": kind})
    order["applications"].append(
        {
            "target_type": "shipping_line" if on_shipping else "line_item",
            "type": "discount_code",
            "value": str(Decimal(percentage) * 100) if percentage is not None else value["amount"],
            "value_type": "percentage" if percentage is not None else "fixed_amount",
            "allocation_method": "each"
            if discount["class"] == "product" and not _shared(value)
            else "across",
            "target_selection": "all" if discount["items"].get("all") else "entitled",
            "code": code,
            "level": "line" if discount["class"] == "product" else "order",
        }
    )
    _allocate(order, index, per_line, shipping)


def take_off_plainly(order: Doc, wanted: Doc) -> None:
    """Take {code, amount, type} off every line by value; no kept discount stands behind it. Raises Refused."""
    left = [0 if line["gift_card"] else totals.line_net(line) for line in order["lines"]]
    kind = wanted.get("type") or "fixed_amount"
    if kind not in {"fixed_amount", "percentage"}:
        raise Refused("Give fixed_amount or percentage", fields={"discount_codes": "unknown type"})
    if kind == "percentage":
        percent = Decimal(money.to_minor(wanted.get("amount"), "USD", "discount_codes")) / 100
        amount = money.round_half_up(sum(left) * percent / 100)
        value: str | int = str(percent)
    else:
        amount = money.to_minor(wanted.get("amount"), order["currency"], "discount_codes")
        value = amount
    if amount < 0:
        raise Refused("A discount cannot be below zero", fields={"discount_codes": "below zero"})
    per_line = money.allocate(min(amount, sum(left)), left)
    code = str(wanted.get("code") or "DISCOUNT")
    order["discount_codes"].append({"code": code, "amount": sum(per_line), "type": kind})
    order["applications"].append(
        {
            "target_type": "line_item",
            "type": "discount_code",
            "value": value,
            "value_type": kind,
            "allocation_method": "across",
            "target_selection": "all",
            "code": code,
            "level": "order",
        }
    )
    _allocate(order, len(order["applications"]) - 1, per_line, 0)


def edit(
    store: DevStore, shop: str, order: Doc, wanted: Sequence[Doc], *, replace: bool
) -> tuple[dict[int, int], dict[int, int]]:
    """Change lines in place; returns (added, removed) units by line id.

    {index | line_id, quantity} sets how many units of a line the order holds; {sku, ...} does so for the line with that
    SKU, or adds a line. Lines that are not named stay, or go when `replace`. Discounts are not spread to new units.
    Raises Refused.
    """
    additions: dict[int, int] = {}
    removals: dict[int, int] = {}
    named: set[int] = set()
    for entry in wanted:
        line = find(order, entry, by_sku=True)
        if line is None:
            line = build(store, shop, entry, order["currency"])
            order["lines"].append(line)
            additions[line["id"]] = line["quantity"]
        else:
            _set_quantity(order, line, entry.get("quantity"), additions, removals)
        named.add(line["id"])
    for line in order["lines"]:
        if replace and line["id"] not in named:
            _set_quantity(order, line, 0, additions, removals)
    return additions, removals


def find(order: Doc, entry: Doc, *, by_sku: bool = False) -> Doc | None:
    """The line that {index} or {line_id} (or, when asked, {sku}) names. Raises Refused when the number is wrong."""
    if entry.get("index") is not None:
        index = entry["index"]
        if not isinstance(index, int) or not 0 <= index < len(order["lines"]):
            raise Refused(f"The order has no line {index}", fields={"index": "no such line"})
        found: Doc = order["lines"][index]
        return found
    if entry.get("line_id") is not None:
        for line in _lines(order):
            if line["id"] == entry["line_id"]:
                return line
        raise Refused(
            f"The order has no line {entry['line_id']}",
            fields={"line_id": "no such line"},
        )
    if by_sku and entry.get("sku"):
        for line in _lines(order):
            same_price = entry.get("price") is None or line["price"] == money.to_minor(
                entry["price"], order["currency"], "price"
            )
            if line["sku"] == entry["sku"] and same_price:
                return line
    return None


def _lines(order: Doc) -> list[Doc]:
    return list(order["lines"])


def _set_quantity(
    order: Doc,
    line: Doc,
    quantity: object,
    additions: dict[int, int],
    removals: dict[int, int],
) -> None:
    if isinstance(quantity, bool) or not isinstance(quantity, int) or quantity < 0:
        raise Refused("Give a quantity of 0 or more", fields={"quantity": "not a quantity"})
    delta = quantity - line["current_quantity"]
    if delta > 0:
        line["quantity"] += delta
        line["current_quantity"] += delta
        additions[line["id"]] = delta
    elif delta < 0:
        totals.remove(line, order, -delta)
        removals[line["id"]] = -delta


def _allocate(order: Doc, index: int, per_line: Sequence[int], shipping: int) -> None:
    for line, amount in zip(order["lines"], per_line, strict=True):
        if amount:
            line["allocations"].append({"application": index, "amount": amount})
    if shipping and order["shipping"]:
        order["shipping"]["allocations"].append({"application": index, "amount": shipping})


def _shared(value: Doc) -> bool:
    return "amount" in value and not value["each"]


def _in_catalogue(store: DevStore, shop: str, wanted: Doc) -> tuple[Doc, Doc] | None:
    if wanted.get("variant_id") is not None:
        found = catalog.variant(store, shop, wanted["variant_id"])
        if found is None:
            raise Refused(
                f"There is no variant {wanted['variant_id']}",
                fields={"variant_id": "no such variant"},
            )
        return found
    return catalog.variant_by_sku(store, shop, wanted["sku"]) if wanted.get("sku") else None
