"""What orders earned before there were rules: the reference that versions from then must still price to."""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

_ROUNDING = {"down": ROUND_FLOOR, "nearest": ROUND_HALF_UP, "up": ROUND_CEILING}
BASIS_POINTS = 10_000


@dataclass(frozen=True)
class Terms:
    """The part of a program version that decides about an order.

    `points_per_unit` is per major unit of the shop's currency; `rounding` is "down", "nearest" or "up".
    """

    points_per_unit: Decimal
    rounding: str
    earn_on_tax: bool
    earn_trigger: str


@dataclass(frozen=True)
class Line:
    """One order line in the shop's currency, minor units, after all discounts.

    `net_minor` is without tax; `tax_minor` is the line's tax; `quantity` what was bought and not edited away.
    """

    id: int
    net_minor: int
    tax_minor: int
    gift_card: bool


@dataclass(frozen=True)
class Refunded:
    """What refunds took back of one order: per line, and amounts without lines."""

    net_minor_by_line: dict[int, int]
    tax_minor_by_line: dict[int, int]
    amount_minor: int


@dataclass(frozen=True)
class OrderState:
    """Everything about an order that decides its points."""

    lines: Sequence[Line]
    refunded: Refunded
    currency_exponent: int
    created: bool
    paid: bool
    fulfilled: bool
    cancelled: bool
    deleted: bool
    test: bool
    has_member: bool


@dataclass(frozen=True)
class Target:
    """The points an order deserves now, and the numbers that lead to them."""

    points: int
    trace: dict[str, Any]


def _triggered(state: OrderState, trigger: str) -> bool:
    return {"created": state.created, "paid": state.paid, "fulfilled": state.paid and state.fulfilled}[
        trigger
    ]


def refusal(state: OrderState, terms: Terms) -> str | None:
    """Why the order earns nothing at all, as a reason code; None when it may earn."""
    if not state.has_member:
        return "no_member"
    if state.test:
        return "test_order"
    if state.deleted:
        return "deleted"
    if state.cancelled:
        return "cancelled"
    return None if _triggered(state, terms.earn_trigger) else "waits_for_" + terms.earn_trigger


def base_minor(state: OrderState, *, earn_on_tax: bool) -> int:
    """The amount that earns, in minor units: lines that are not gift cards, after discounts, less what was refunded.

    An amount refunded without naming lines is taken from the earning lines in proportion to their share of what is
    left of the whole order, so that refunding everything by amounts ends at zero.
    """
    earning = left = 0
    for line in state.lines:
        net = max(line.net_minor - state.refunded.net_minor_by_line.get(line.id, 0), 0)
        tax = max(line.tax_minor - state.refunded.tax_minor_by_line.get(line.id, 0), 0)
        left += net + tax
        if not line.gift_card:
            earning += net + (tax if earn_on_tax else 0)
    if state.refunded.amount_minor <= 0 or left <= 0:
        return earning
    kept = max(left - state.refunded.amount_minor, 0)
    return earning * kept // left


def target(state: OrderState, terms: Terms, multiplier_bp: int) -> Target:
    """The points the order deserves in its present state, rounded once, at the order.

    points = round(base × points_per_unit × multiplier), base in major units of the shop's currency.
    """
    reason = refusal(state, terms)
    base = base_minor(state, earn_on_tax=terms.earn_on_tax)
    trace: dict[str, Any] = {
        "base_minor": base,
        "exponent": state.currency_exponent,
        "points_per_unit": str(terms.points_per_unit.normalize()),
        "multiplier_bp": multiplier_bp,
        "rounding": terms.rounding,
    }
    if reason is not None:
        return Target(0, trace | {"refusal": reason})
    exact = (
        Decimal(base).scaleb(-state.currency_exponent) * terms.points_per_unit * multiplier_bp / BASIS_POINTS
    )
    return Target(
        int(exact.quantize(Decimal(1), rounding=_ROUNDING[terms.rounding])), trace | {"exact": str(exact)}
    )


def money_back(lines: Sequence[Sequence[int]], amount_minor: int) -> tuple[list[tuple[int, int, int]], int]:
    """One refund as (lines of (id, net, tax), amount without lines), in money that really went back.

    `amount_minor` is positive when more was paid back than the lines say, and negative when less was (goods returned
    without money); then the lines count in proportion to the money.
    """
    total = sum(net + tax for _, net, tax, _ in lines)
    if amount_minor >= 0 or total <= 0:
        return [(line_id, net, tax) for line_id, net, tax, _ in lines], max(amount_minor, 0)
    paid = max(total + amount_minor, 0)
    return [(line_id, net * paid // total, tax * paid // total) for line_id, net, tax, _ in lines], 0


def expiry(at: datetime, months: int, zone: tzinfo) -> datetime:
    """The end of the local day `months` after `at`; a day that the month lacks becomes its last day."""
    local = at.astimezone(zone)
    index = local.month - 1 + months
    year, month = local.year + index // 12, index % 12 + 1
    day = date(year, month, min(local.day, monthrange(year, month)[1]))
    return datetime.combine(day + timedelta(days=1), time.min, zone)
