"""Facts about redemptions."""

from dataclasses import dataclass
from uuid import UUID

from app.core.events import Event


@dataclass(frozen=True)
class RewardRedeemed(Event):
    """A member asked for a reward: the points are held, the code is being made."""

    redemption_id: UUID
    member_id: UUID
    reward_id: UUID
    points: int


@dataclass(frozen=True)
class RewardIssued(Event):
    """The code works and the points are spent."""

    redemption_id: UUID
    member_id: UUID
    reward_id: UUID
    points: int


@dataclass(frozen=True)
class RewardFailed(Event):
    """The code could not be made and the points were given back. `reason` is a stable word."""

    redemption_id: UUID
    member_id: UUID
    reward_id: UUID
    points: int
    reason: str


@dataclass(frozen=True)
class RewardUsed(Event):
    """An order used the code. `order_id` is Shopify's."""

    redemption_id: UUID
    member_id: UUID
    order_id: int


@dataclass(frozen=True)
class CodeRequested(Event):
    """Somebody asked for a working code to be sent to its member again."""

    redemption_id: UUID
    member_id: UUID


@dataclass(frozen=True)
class RewardCancelled(Event):
    """A reward was taken back and the points were returned. `reason`: staff, member, expired, order_canceled."""

    redemption_id: UUID
    member_id: UUID
    points: int
    reason: str = "staff"
