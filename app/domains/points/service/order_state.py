"""An order's event as the engine's state."""

from datetime import date, datetime
from typing import Any

from app.core import money
from app.domains.orders.events import OrderChanged
from app.domains.points import rules


def placed(event: OrderChanged) -> datetime | None:
    """When an order counts: when it was placed."""
    return event.placed_at or event.paid_at


def state(event: OrderChanged, day: date, trigger: str) -> rules.OrderState:
    """The order for the engine; `day` is the program's day on which it was placed.

    Where orders earn before they are paid, what was added to a paid one need not be paid either.
    """
    ordered = event.facts.get("ordered") if trigger == "created" else None
    extras = ordered or event.facts
    shipping, tip = extras.get("shipping"), extras.get("tip")
    lines = [_line(line) for line in (ordered["lines"] if ordered else event.lines)]
    if shipping:
        lines.append(rules.Line(rules.SHIPPING, shipping[0], shipping[1]))
    if tip:
        lines.append(rules.Line(rules.TIP, tip, 0))
    return rules.OrderState(
        lines=lines,
        refunded=refunded(event.refunds),
        currency_exponent=money.exponent(event.currency),
        created=True,
        paid=event.paid_at is not None,
        fulfilled=event.fulfilled_at is not None,
        cancelled=event.cancelled_at is not None,
        deleted=event.deleted_at is not None,
        test=event.test,
        has_member=True,
        placed_at=placed(event),
        day=day,
        channel=event.source_name,
        country=event.facts.get("country", ""),
        presentment=event.facts.get("presentment") or event.currency,
        customer_tags=frozenset(tag.lower() for tag in event.facts.get("customer_tags", ())),
        company=event.facts.get("company", False),
    )


def _line(line: dict[str, Any]) -> rules.Line:
    product = line.get("product")
    if product is None:
        return rules.Line(
            line["id"],
            line["net"],
            line["tax"],
            line["gift_card"],
            line.get("quantity", 1),
            line.get("product_id"),
            line.get("variant_id"),
            line.get("vendor", ""),
            discounted=line.get("discounted", False),
        )
    return rules.Line(
        line["id"],
        line["net"],
        line["tax"],
        line["gift_card"],
        line.get("quantity", 1),
        line.get("product_id"),
        line.get("variant_id"),
        line.get("vendor", ""),
        product["type"],
        frozenset(tag.lower() for tag in product["tags"]),
        frozenset(product["collections"]),
        product["sale"],
        line.get("discounted", False),
    )


_NOTHING = rules.Refunded()


def refunded(refunds: dict[str, dict[str, Any]]) -> rules.Refunded:
    """All refunds of an order together."""
    if not refunds:
        return _NOTHING
    net: dict[int, int] = {}
    tax: dict[int, int] = {}
    pieces: dict[int, int] = {}
    amount = 0
    for refund in refunds.values():
        lines, extra = rules.money_back(refund["lines"], refund["amount"])
        amount += extra
        for line_id, line_net, line_tax in lines:
            net[line_id] = net.get(line_id, 0) + line_net
            tax[line_id] = tax.get(line_id, 0) + line_tax
        for line_id, _, _, quantity in refund["lines"]:
            pieces[line_id] = pieces.get(line_id, 0) + quantity
        back = refund.get("shipping")
        if back:
            net[rules.SHIPPING] = net.get(rules.SHIPPING, 0) + back[0]
            tax[rules.SHIPPING] = tax.get(rules.SHIPPING, 0) + back[1]
    return rules.Refunded(net, tax, amount, pieces)
