"""Facts about the ledger."""

from dataclasses import dataclass
from uuid import UUID

from app.core.events import Event
from app.core.values import value


@value
class PointsPosted(Event):
    """An entry was written. `points` is signed; `available` and `qualifying` are the member's amounts after it.

    `crossed` says that `qualifying` left the band that was set with points.service.watch.
    """

    entry_id: UUID
    member_id: UUID
    kind: str
    points: int
    reason: str
    key: str
    order_id: UUID | None
    available: int
    qualifying: int
    crossed: bool


@dataclass(frozen=True)
class HoldsMoved(Event):
    """Holds were made again for another member: the new entry by the old one, for whoever remembers a hold's id."""

    again: dict[UUID, UUID]
