"""Facts about tiers."""

from dataclasses import dataclass
from uuid import UUID

from app.core.events import Event


@dataclass(frozen=True)
class TierChanged(Event):
    """A member moved on the ladder. `direction` is "up" or "down"; a name is None outside the ladder."""

    member_id: UUID
    from_name: str | None
    to_name: str | None
    direction: str
