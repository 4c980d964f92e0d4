"""Programs that start and end by themselves, at the minute, once however often it is looked at."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core.calendar import Instant
from app.core.db import UnitOfWork
from app.core.errors import Invalid
from app.core.i18n import mark
from app.domains.programs import queries
from app.domains.programs.events import RewardsWanted
from app.domains.programs.models import Program
from app.domains.programs.schemas import AfterEnd, ApplyForm
from app.domains.programs.service import editing
from app.domains.shops import service as shops


class ScheduleForm(ApplyForm):
    """When a program starts and ends by itself, and what then becomes of it. Instants are in the program's zone.

    With `rewards` its draft rewards are offered at the start.
    """

    starts_at: Instant | None = None
    ends_at: Instant | None = None
    after_end: AfterEnd = "paused"
    hands_back: bool = False
    rewards: bool = False


def schedule(uow: UnitOfWork, program_id: UUID, form: ScheduleForm) -> Program:
    """Plan a program's start and end; of an active one only the end can be planned.

    Raises ProgramNotFound, StaleVersion, StatusNotAllowed, ScheduleOverlaps, Invalid.
    """
    program = editing.get(uow, program_id)
    changes: dict[str, Any] = {
        "ends_at": form.ends_at,
        "after_end": form.after_end,
        "hands_back": form.hands_back,
    }
    if program.status == "active":
        if form.ends_at is not None and form.ends_at <= uow.now:
            raise Invalid(fields={"ends_at": mark("Choose a time in the future.")})
        return editing.update(uow, program_id, changes | {"starts_at": None}, version=form.version)
    if form.starts_at is not None and form.starts_at <= uow.now:
        raise Invalid(fields={"starts_at": mark("Choose a time in the future.")})
    changes |= {"status": "scheduled", "starts_at": form.starts_at, "rewards_at_start": form.rewards}
    return editing.update(uow, program_id, changes, version=form.version)


def unschedule(uow: UnitOfWork, program_id: UUID, *, version: int) -> Program:
    """Take a planned start back: a program that was never published is a draft again, another one is paused.

    Raises ProgramNotFound, StaleVersion, StatusNotAllowed.
    """
    program = editing.get(uow, program_id)
    back = "paused" if program.status == "scheduled" and editing.was_published(uow, program_id) else "draft"
    changes = {"status": back, "starts_at": None, "ends_at": None}
    return editing.update(uow, program_id, changes, version=version)


def taken_over(uow: UnitOfWork, program: Program) -> Program | None:
    """The active program that will be paused when this one starts; None when there is none to pause."""
    other = queries.active(uow)
    return other if other is not None and other.id != program.id else None


def keep_schedule(uow: UnitOfWork) -> int:
    """Start and end what is due by now, in the order in which it was planned. Returns how many steps were taken.

    A program that starts takes over from the active one, which is paused, and offers its draft rewards if that was
    planned; one that ends gives back to the other one if it was told to and that one still waits.
    """
    taken = 0
    while due := queries.due(uow):
        program = due[0]
        if program.status == "active":
            _end(uow, program)
        else:
            _start(uow, program)
        taken += 1
    return taken


def _start(uow: UnitOfWork, program: Program) -> None:
    other = taken_over(uow, program)
    if other is not None:
        other.ends_at = None
        editing.step(uow, other, "paused")
    program.took_over_from = other.id if other else None
    program.starts_at = None
    with_rewards = program.rewards_at_start
    editing.step(uow, program, "active")
    if with_rewards:
        uow.publish([RewardsWanted(program.id)])


def _end(uow: UnitOfWork, program: Program) -> None:
    back = queries.get(uow, program.took_over_from) if program.took_over_from and program.hands_back else None
    program.starts_at = program.ends_at = program.took_over_from = None
    editing.step(uow, program, program.after_end)
    if back is not None and back.status == "paused":
        editing.step(uow, back, "active")


def planned(program: Program) -> datetime | None:
    """When the next planned step of a program comes; None when none is planned."""
    return program.starts_at if program.status == "scheduled" else program.ends_at


def zone(uow: UnitOfWork, program: Program) -> ZoneInfo:
    """The zone of a program's days: its own, else the shop's."""
    return ZoneInfo(program.zone or shops.get(uow).timezone)
