"""Facts about tiers."""

from dataclasses import dataclass
from uuid import UUID

from app.core.events import Event
from app.domains.tiers.schemas import Reason


@dataclass(frozen=True)
class TierChanged(Event):
    """A member moved on a ladder. `direction` is "up" or "down"; a name is None outside the ladder."""

    member_id: UUID
    from_name: str | None
    to_name: str | None
    direction: str
    ladder_id: UUID
    tier_id: UUID | None
    reason: Reason


@dataclass(frozen=True)
class TierGave(Event):
    """A tier gives a member a reward for nothing; `key` tells this gift from every other."""

    member_id: UUID
    tier_id: UUID
    reward_id: UUID
    key: str
