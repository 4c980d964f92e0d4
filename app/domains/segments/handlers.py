"""Reactions of segments, and what they tell the domains around them."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork
from app.core.events import subscribe
from app.domains.compliance import service as compliance
from app.domains.members.events import MembersMerged, MembersParted
from app.domains.orders.events import OrderChanged
from app.domains.points import service as points
from app.domains.points.schemas import MemberFacts
from app.domains.programs import service as programs
from app.domains.segments import queries, service
from app.domains.tiers.events import TierChanged


@subscribe(MembersMerged)
def members_merged(uow: UnitOfWork, events: Sequence[MembersMerged]) -> None:
    """Two members are one: lists made by hand follow at once, conditions are asked anew."""
    for event in events:
        service.follow_merge(uow, event.kept_id, event.removed_id)
    service.mark_stale(uow, {one for event in events for one in (event.kept_id, event.removed_id)})


@subscribe(MembersParted)
def members_parted(uow: UnitOfWork, events: Sequence[MembersParted]) -> None:
    """Two members stand alone again."""
    service.mark_stale(uow, {one for event in events for one in (event.kept_id, event.removed_id)})


@subscribe(TierChanged)
def tiers_changed(uow: UnitOfWork, events: Sequence[TierChanged]) -> None:
    """A move on the ladder need not come with points."""
    service.mark_stale(uow, {event.member_id for event in events})


@subscribe(OrderChanged)
def orders_taken_back(uow: UnitOfWork, events: Sequence[OrderChanged]) -> None:
    """Refunds and cancellations of orders that gave no points leave no trace in the ledger."""
    concerned = {
        event.member_id
        for event in events
        if event.member_id and (event.refunds or event.cancelled_at or event.deleted_at)
    }
    if concerned:
        service.mark_stale(uow, concerned)


def _facts(uow: UnitOfWork, member_ids: Iterable[UUID]) -> dict[UUID, MemberFacts]:
    found = queries.of_members(uow, member_ids)
    return {one: MemberFacts(segments=frozenset(map(str, segments))) for one, segments in found.items()}


def _choices(uow: UnitOfWork) -> list[tuple[str, str]]:
    return [(str(one.id), one.name) for one in queries.options(uow)]


def _export(uow: UnitOfWork, member_id: UUID | None, _: int | None) -> list[dict[str, Any]]:
    if member_id is None:
        return []
    return [
        {"segment": one["name"], "since": one["since"].isoformat()}
        for one in queries.of_member(uow, member_id)
    ]


def _erase(uow: UnitOfWork, member_id: UUID | None, _: int | None) -> None:
    if member_id is not None:
        service.forget(uow, member_id)


points.register_member_facts("segments", _facts)
programs.register_segments(_choices)
_TABLES = ("segment_members", "segment_facts", "segment_stale")
compliance.register_person_data("segments", _export, tables=_TABLES)
compliance.register_person_eraser("segments", _erase, tables=_TABLES)
