"""Reactions of notifications to the ledger and to privacy requests."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork
from app.core.events import subscribe
from app.domains.compliance import service as compliance
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


def export_person(uow: UnitOfWork, member_id: UUID | None, customer_id: int | None) -> dict[str, Any]:
    """What a member was told, for a privacy export; the newest thousand."""
    found = service.history(uow, member_id, limit=1000) if member_id else []
    return {
        "messages": [
            {
                "kind": one.kind,
                "language": one.locale,
                "status": one.status,
                "queued_at": one.created_at.isoformat(),
                "sent_at": one.sent_at.isoformat() if one.sent_at else None,
            }
            for one in found
        ]
    }


def erase_person(uow: UnitOfWork, member_id: UUID | None, customer_id: int | None) -> None:
    """Forget what a member was told; what is still queued finds nothing and is not sent."""
    if member_id is not None:
        service.forget(uow, member_id)


compliance.register_person_data("notifications", export_person, tables=("messages",))
compliance.register_person_eraser("notifications", erase_person, tables=("messages",))
