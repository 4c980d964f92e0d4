"""Values of notifications."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

Kind = Literal["points_earned"]


@dataclass(frozen=True)
class Earned:
    """Points that an order gave: what a message is about. `tier_id` is the tier that they lifted the member to."""

    member_id: UUID
    order_id: UUID
    points: int
    tier_id: UUID | None


@dataclass(frozen=True)
class PointsNews:
    """Everything the points message says. Amounts are points; `tier` is a name in the member's language."""

    shop: str
    first_name: str | None
    order: str
    points: int
    available: int
    pending: int
    tier: str | None


@dataclass(frozen=True)
class Message:
    """One message in a member's history. `reason` says why it was skipped or failed."""

    id: UUID
    kind: str
    locale: str
    status: Literal["queued", "sent", "failed", "skipped"]
    reason: str
    created_at: datetime
    sent_at: datetime | None
