"""Reactions of notifications to the ledger."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from app.core.db import UnitOfWork
from app.core.events import subscribe
from app.domains.notifications import rules, service
from app.domains.notifications.schemas import Earned
from app.domains.points.events import PointsPosted
from app.domains.tiers import service as tiers


@subscribe(PointsPosted)
def orders_gave_points(uow: UnitOfWork, events: Sequence[PointsPosted]) -> None:
    """Each order's first award is told by e-mail, with the tier that the same posting lifted the member to."""
    awards = [
        event for event in events if event.kind == "award" and event.reason == "purchase" and event.order_id
    ]
    if not awards:
        return
    gained: dict[UUID, int] = defaultdict(int)
    for event in events:
        gained[event.member_id] += event.points if event.kind == "award" else 0
    ladder = tiers.ladder(uow)
    told: set[UUID] = set()
    earned = []
    for event in awards:
        before = event.qualifying - gained[event.member_id]
        level = None if event.member_id in told else rules.reached(ladder, before, event.qualifying)
        told.add(event.member_id)
        earned.append(Earned(event.member_id, event.order_id, event.points, level.id if level else None))  # type: ignore[arg-type]
    service.queue_points_earned(uow, earned)
