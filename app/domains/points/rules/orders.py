"""What decides about an order's points: its present state, and the member as they stood when it first earned."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.core.values import value
from app.domains.programs.schemas import ProgramTerms

BASIS_POINTS = 10_000
# Shipping and tip stand among the lines under these ids, so that rules treat them like goods.
SHIPPING, TIP = -1, -2


@value
class Line:
    """One order line in the shop's currency, minor units, after all discounts.

    `net_minor` is without tax; `tax_minor` is the line's tax; `quantity` what was bought and not edited away. `tags`,
    `type`, `vendor` and texts of conditions are compared in lower case, as they are given here.
    """

    id: int
    net_minor: int
    tax_minor: int
    gift_card: bool = False
    quantity: int = 1
    product_id: int | None = None
    variant_id: int | None = None
    vendor: str = ""
    type: str = ""
    tags: frozenset[str] = frozenset()
    collections: frozenset[int] = frozenset()
    on_sale: bool = False
    discounted: bool = False


@value
class Refunded:
    """What refunds took back of one order: per line, and amounts without lines."""

    net_minor_by_line: Mapping[int, int] = field(default_factory=dict)
    tax_minor_by_line: Mapping[int, int] = field(default_factory=dict)
    amount_minor: int = 0
    quantity_by_line: Mapping[int, int] = field(default_factory=dict)


@value
class OrderState:
    """Everything about an order that decides its points. `day` is local to the program."""

    lines: Sequence[Line]
    refunded: Refunded
    currency_exponent: int
    created: bool = True
    paid: bool = True
    fulfilled: bool = False
    cancelled: bool = False
    deleted: bool = False
    test: bool = False
    has_member: bool = True
    placed_at: datetime | None = None
    day: date | None = None
    channel: str = ""
    country: str = ""
    presentment: str = ""
    customer_tags: frozenset[str] = frozenset()
    company: bool = False


@value
class MemberState:
    """The member when the order first earned; kept with the award, so that later changes price the same.

    `room` says by rule id ("" is the whole program) what may still be given under each cap by its name; `counts` by rule
    id what stood on its count before: units and how often they were full.
    """

    tier_bp: int = BASIS_POINTS
    tier: UUID | None = None
    segments: frozenset[str] = frozenset()
    first_order: bool = False
    enrolled_at: datetime | None = None
    room: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    counts: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def kept(self) -> dict[str, Any]:
        """As JSON values, without what is usual."""
        found: dict[str, Any] = {}
        if self.tier_bp != BASIS_POINTS:
            found["tier_bp"] = self.tier_bp
        if self.tier:
            found["tier"] = str(self.tier)
        if self.segments:
            found["segments"] = sorted(self.segments)
        if self.first_order:
            found["first_order"] = True
        if self.enrolled_at:
            found["enrolled_at"] = self.enrolled_at.isoformat()
        if self.room:
            found["room"] = {rule: dict(caps) for rule, caps in self.room.items()}
        if self.counts:
            found["counts"] = {rule: list(count) for rule, count in self.counts.items()}
        return found

    @classmethod
    def read(cls, trace: Mapping[str, Any]) -> "MemberState":
        """The state that an award's trace keeps. Awards before there were rules kept their multiplier only."""
        kept = trace.get("state")
        if kept is None:
            return cls(tier_bp=trace.get("multiplier_bp") or BASIS_POINTS)
        enrolled = kept.get("enrolled_at")
        return cls(
            tier_bp=kept.get("tier_bp", BASIS_POINTS),
            tier=UUID(kept["tier"]) if "tier" in kept else None,
            segments=frozenset(kept.get("segments", ())),
            first_order=kept.get("first_order", False),
            enrolled_at=datetime.fromisoformat(enrolled) if enrolled else None,
            room=kept.get("room", {}),
            counts={rule: (count[0], count[1]) for rule, count in kept.get("counts", {}).items()},
        )


def refusal(order: OrderState, terms: ProgramTerms) -> str | None:
    """Why the order earns nothing at all, as a reason code; None when it may earn."""
    if not order.has_member:
        return "no_member"
    if order.deleted:
        return "deleted"
    if order.cancelled:
        return "cancelled"
    trigger = terms.earn_trigger
    reached = {"created": order.created, "paid": order.paid, "fulfilled": order.paid and order.fulfilled}[
        trigger
    ]
    return None if reached else "waits_for_" + trigger


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
