"""Reactions of tiers."""

from collections.abc import Sequence

from app.core.db import UnitOfWork
from app.core.events import subscribe
from app.domains.points.events import PointsPosted
from app.domains.programs.events import ProgramChanged, ProgramCreated
from app.domains.tiers import service


@subscribe(PointsPosted)
def points_posted(uow: UnitOfWork, events: Sequence[PointsPosted]) -> None:
    """Points that count for tiers moved: see whether somebody moves with them."""
    service.place_members(uow, {event.member_id: event.qualifying for event in events})


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
