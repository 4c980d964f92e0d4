"""Facts about orders."""

from dataclasses import field
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.events import Event
from app.core.values import value


@value
class OrderChanged(Event):
    """An order as it is known now. Amounts are minor units of `currency`, which is the shop's.

    `lines` hold {id, net, tax, gift_card, title, sku, quantity, product_id, variant_id, vendor[, discounted, product]};
    `refunds` hold, by refund id, {lines: [[line id, net, tax, quantity]], amount[, shipping: [net, tax]]}; `facts` what
    is known of {company, country, presentment, customer_tags, shipping: [net, tax], tip}. `new` says that nothing was told
    of the order before, so that nobody has anything about it.

    What an edit added to a paid order is not among them until it is paid; meanwhile `facts` has all of the order as
    `ordered` {lines, shipping, tip}.
    """

    id: UUID
    order_id: int
    name: str
    member_id: UUID | None
    currency: str
    lines: list[dict[str, Any]]
    refunds: dict[str, dict[str, Any]]
    discount_codes: tuple[str, ...]
    referral_code: str
    known: bool
    test: bool
    placed_at: datetime | None
    paid_at: datetime | None
    fulfilled_at: datetime | None
    cancelled_at: datetime | None
    deleted_at: datetime | None
    facts: dict[str, Any] = field(default_factory=dict)
    source_name: str = ""
    new: bool = False
