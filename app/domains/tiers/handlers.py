"""Reactions of tiers."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork
from app.core.events import subscribe
from app.domains.compliance import service as compliance
from app.domains.points.events import PointsPosted
from app.domains.programs.events import ProgramChanged, ProgramCreated
from app.domains.tiers import queries, service


@subscribe(PointsPosted)
def points_posted(uow: UnitOfWork, events: Sequence[PointsPosted]) -> None:
    """Points left the band of the member's tier: see where they lead."""
    service.place_members(uow, {event.member_id: event.qualifying for event in events if event.crossed})


@subscribe(ProgramCreated)
def program_created(uow: UnitOfWork, events: Sequence[ProgramCreated]) -> None:
    """The default program comes with three tiers."""
    for event in events:
        if event.is_default:
            service.create_default(uow, event.program_id)


@subscribe(ProgramChanged)
def program_changed(uow: UnitOfWork, events: Sequence[ProgramChanged]) -> None:
    """Another program or type may be active now: place everybody anew."""
    uow.enqueue("tiers.place_all")


def _export(uow: UnitOfWork, member_id: UUID | None, _: int | None) -> list[dict[str, Any]]:
    if member_id is None:
        return []
    return [
        change | {"created_at": change["created_at"].isoformat()}
        for change in queries.changes(uow, member_id, 1000)
    ]


def _erase(uow: UnitOfWork, member_id: UUID | None, _: int | None) -> None:
    """A place on the ladder says nothing about a person once members forgot who it is."""


_TABLES = ("member_tiers", "tier_changes")
compliance.register_person_data("tiers", _export, tables=_TABLES)
compliance.register_person_eraser("tiers", _erase, tables=_TABLES)
