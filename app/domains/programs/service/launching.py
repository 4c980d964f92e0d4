"""Going live: one program instead of another, with the rewards that wait for it."""

from uuid import UUID

from app.core.db import UnitOfWork
from app.domains.programs.errors import AnotherProgramActive, StaleVersion
from app.domains.programs.events import RewardsWanted
from app.domains.programs.models import Program
from app.domains.programs.schemas import ApplyForm
from app.domains.programs.service import editing, scheduling


class LaunchForm(ApplyForm):
    """A program goes live: instead of which one, as the page said, and whether its draft rewards are offered too."""

    instead_of: UUID | None = None
    rewards: bool = False


def launch(uow: UnitOfWork, program_id: UUID, form: LaunchForm) -> Program:
    """Let members earn in a program; the active one, which the form names, is paused. An active program stays as it is.

    With `rewards` its draft rewards are offered. Raises ProgramNotFound, StaleVersion, StatusNotAllowed,
    AnotherProgramActive when another one became active since the form was read.
    """
    program = editing.get(uow, program_id)
    if program.version != form.version:
        raise StaleVersion(current=program.version)
    if program.status != "active":
        other = scheduling.taken_over(uow, program)
        if other is not None and other.id != form.instead_of:
            raise AnotherProgramActive(name=other.name)
        if other is not None:
            other.ends_at = None
            editing.step(uow, other, "paused")
        changes = (
            {"status": "active", "starts_at": None} if program.status == "scheduled" else {"status": "active"}
        )
        program = editing.update(uow, program_id, changes, version=form.version)
    if form.rewards:
        uow.publish([RewardsWanted(program.id)])
    return program
