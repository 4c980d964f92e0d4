"""What an order's lines, refunds and edits add up to. Pure; everything in minor units of the order's currency."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from devstore.money import round_half_up, share
from devstore.state import Doc


@dataclass(frozen=True)
class Totals:
    """Sums of an order. `current_*` are after returns, refunds of lines and edits; the others count every unit ever
    on the order. An amount given back without a line changes `refunded` only, as at Shopify."""

    line_items: int
    discounts: int
    subtotal: int
    tax: int
    shipping: int
    total: int
    current_discounts: int
    current_subtotal: int
    current_tax: int
    current_shipping: int
    current_total: int
    paid: int
    refunded: int

    @property
    def outstanding(self) -> int:
        """What the customer still owes; below zero, what the shop owes the customer."""
        return self.current_total - (self.paid - self.refunded)


def line_gross(line: Doc) -> int:
    """Price of every unit of a line, before discounts."""
    return int(line["price"]) * int(line["quantity"])


def line_discount(line: Doc) -> int:
    """Everything allocated to a line."""
    return sum(int(allocation["amount"]) for allocation in line["allocations"])


def line_net(line: Doc) -> int:
    """Price of every unit of a line, after discounts."""
    return line_gross(line) - line_discount(line)


def line_tax(line: Doc, order: Doc) -> int:
    """Tax on a line: inside the price when the order's taxes are included, on top of it otherwise."""
    if not line["taxable"]:
        return 0
    rate = Decimal(order["tax_rate"])
    base = Decimal(line_net(line))
    return round_half_up(base * rate / (1 + rate) if order["taxes_included"] else base * rate)


def remove(line: Doc, order: Doc, units: int) -> tuple[int, int]:
    """Take units off a line and return their net price and tax. Removing a line in steps adds up to the whole line."""
    left = int(line["current_quantity"])
    net = share(line_net(line) - line["gone_net"], units, left)
    tax = share(line_tax(line, order) - line["gone_tax"], units, left)
    line["gone_discount"] += share(line_discount(line) - line["gone_discount"], units, left)
    line["gone_net"] += net
    line["gone_tax"] += tax
    line["current_quantity"] = left - units
    return net, tax


def shipping_net(order: Doc) -> int:
    """Shipping after discounts, before refunds."""
    shipping = order["shipping"]
    if shipping is None:
        return 0
    return int(shipping["price"]) - _shipping_discount(order)


def of(order: Doc) -> Totals:
    """Every sum of an order."""
    lines: list[Doc] = order["lines"]
    gross = sum(map(line_gross, lines))
    discounts = sum(map(line_discount, lines))
    tax = sum(line_tax(line, order) for line in lines)
    gone_net = sum(line["gone_net"] for line in lines)
    gone_tax = sum(line["gone_tax"] for line in lines)
    gone_discounts = sum(line["gone_discount"] for line in lines)
    shipping, shipping_discount = shipping_net(order), _shipping_discount(order)
    current_shipping = shipping - int(order["shipping_refunded"])
    on_top, current_on_top = (0, 0) if order["taxes_included"] else (tax, tax - gone_tax)
    subtotal = gross - discounts
    return Totals(
        line_items=gross,
        discounts=discounts + shipping_discount,
        subtotal=subtotal,
        tax=tax,
        shipping=shipping,
        total=subtotal + on_top + shipping,
        current_discounts=discounts - gone_discounts + shipping_discount,
        current_subtotal=subtotal - gone_net,
        current_tax=tax - gone_tax,
        current_shipping=current_shipping,
        current_total=subtotal - gone_net + current_on_top + current_shipping,
        paid=moved(order, {"sale", "capture"}),
        refunded=moved(order, {"refund"}),
    )


def moved(order: Doc, kinds: Iterable[str]) -> int:
    """Money moved by successful transactions of these kinds."""
    wanted = set(kinds)
    return sum(each["amount"] for each in order["transactions"] if each["kind"] in wanted)


def financial_status(order: Doc) -> str:
    """pending, partially_paid, paid, partially_refunded, refunded or voided."""
    totals = of(order)
    if totals.refunded and totals.refunded >= totals.paid:
        return "refunded"
    if totals.refunded:
        return "partially_refunded"
    if order["cancelled_at"] and not totals.paid:
        return "voided"
    if not totals.paid and (totals.total > 0 or not order["settled"]):
        return "pending"
    return "partially_paid" if totals.outstanding > 0 else "paid"


def _shipping_discount(order: Doc) -> int:
    return sum(allocation["amount"] for allocation in (order["shipping"] or {}).get("allocations", []))
