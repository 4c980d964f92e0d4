"""What each kind of discount takes off each line of a cart. Pure; minor units."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from devstore.money import allocate, round_half_up
from devstore.state import Doc

if TYPE_CHECKING:
    from devstore.checkout import CartLine


def entitled(items: Doc, line: "CartLine") -> bool:
    """Whether a discount's choice of items covers a line. Gift cards are never discounted."""
    if line.gift_card:
        return False
    return bool(
        items.get("all")
        or line.variant_id in items.get("variants", ())
        or line.product_id in items.get("products", ())
        or set(line.collections) & set(items.get("collections", ()))
    )


def product_amounts(discount: Doc, lines: Sequence["CartLine"]) -> list[int]:
    """What a product discount takes off each line, were it alone."""
    if discount["kind"] == "bxgy":
        return _gift_amounts(discount, lines)
    within = [line.gross if entitled(discount["items"], line) else 0 for line in lines]
    value = discount["value"]
    if "percentage" in value:
        return [round_half_up(gross * Decimal(value["percentage"])) for gross in within]
    if value["each"]:
        units = zip(within, lines, strict=True)
        return [min(gross, value["amount"] * line.quantity) if gross else 0 for gross, line in units]
    return allocate(min(value["amount"], sum(within)), within)


def order_amounts(discount: Doc, base: Sequence[int], left: Sequence[int]) -> list[int]:
    """What an order discount takes off each line. Several of them look at the same `base`; no line falls below zero."""
    value = discount["value"]
    wanted = (
        round_half_up(sum(base) * Decimal(value["percentage"])) if "percentage" in value else value["amount"]
    )
    return allocate(min(wanted, sum(left)), left)


def free_units(discount: Doc, lines: Sequence["CartLine"]) -> list[int]:
    """The lines (by index, once per unit) whose units a buy-X-get-Y discount gives away; the cheapest go first."""
    units = [
        (line.price, index)
        for index, line in enumerate(lines)
        for _ in range(line.quantity)
        if not line.gift_card
    ]
    free = list(units)
    given: list[int] = []
    rounds = discount["per_order_limit"] or len(units)
    for _ in range(rounds):
        gets = [unit for unit in sorted(free) if entitled(discount["items"], lines[unit[1]])]
        gets = gets[: discount["gets_quantity"]]
        rest = list(free)
        for unit in gets:
            rest.remove(unit)
        bought = _bought(discount["buys"], rest, lines)
        if len(gets) < discount["gets_quantity"] or bought is None:
            break
        for unit in bought:
            rest.remove(unit)
        free = rest
        given += [index for _, index in gets]
    return given


def _bought(
    buys: Doc, free: Sequence[tuple[int, int]], lines: Sequence["CartLine"]
) -> list[tuple[int, int]] | None:
    """The units that count as bought, the dearest first; None when there are not enough."""
    taken: list[tuple[int, int]] = []
    for unit in sorted(free, reverse=True):
        if _enough(buys, taken):
            break
        if entitled(buys["items"], lines[unit[1]]):
            taken.append(unit)
    return taken if _enough(buys, taken) else None


def _enough(buys: Doc, taken: Sequence[tuple[int, int]]) -> bool:
    if "quantity" in buys:
        return len(taken) >= int(buys["quantity"])
    return bool(taken) and sum(price for price, _ in taken) >= int(buys["amount"])


def _gift_amounts(discount: Doc, lines: Sequence["CartLine"]) -> list[int]:
    amounts, value = [0] * len(lines), discount["value"]
    for index in free_units(discount, lines):
        price = lines[index].price
        off = (
            round_half_up(price * Decimal(value["percentage"])) if "percentage" in value else value["amount"]
        )
        amounts[index] += min(price, off)
    return amounts
