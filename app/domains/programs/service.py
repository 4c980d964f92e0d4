"""The verbs of programs."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm.exc import StaleDataError

from app.core import ids
from app.core.db import UnitOfWork
from app.domains.compliance import service as compliance
from app.domains.programs import queries, rules
from app.domains.programs.errors import (
    AnotherProgramActive,
    ProgramInUse,
    ProgramNotFound,
    StaleVersion,
    StatusNotAllowed,
)
from app.domains.programs.events import ProgramChanged, ProgramCreated
from app.domains.programs.models import Program, ProgramVersion
from app.domains.programs.schemas import ProgramCreate, ProgramTerms
from app.domains.shops import service as shops


def get(uow: UnitOfWork, program_id: UUID) -> Program:
    """One program. Raises ProgramNotFound."""
    program = queries.get(uow, program_id)
    if program is None:
        raise ProgramNotFound()
    return program


def active(uow: UnitOfWork) -> Program | None:
    """The program that members earn in; None when none is active."""
    return queries.active(uow)


def active_terms(uow: UnitOfWork) -> ProgramTerms | None:
    """The terms that hold now; None when no program is active."""
    return queries.active_terms(uow)


def terms(uow: UnitOfWork, version_ids: Iterable[UUID]) -> dict[UUID, ProgramTerms]:
    """The terms of past versions by id."""
    return queries.terms(uow, list(version_ids))


def create(uow: UnitOfWork, wanted: ProgramCreate, *, is_default: bool = False) -> Program:
    """Create a program with its first version. Raises AnotherProgramActive when it is to be active and cannot."""
    if wanted.status == "active":
        _refuse_second_active(uow, None)
    program = Program(**wanted.model_dump(), id=ids.new_id(), current_version_id=ids.new_id())
    uow.session.add(program)
    _flush(uow)
    _keep_version(uow, program, 1)
    compliance.record(uow, "program.created", ("program", str(program.id)), None, snapshot(program))
    currency = shops.get(uow).currency
    uow.publish([ProgramCreated(program.id, currency, is_default)])
    return program


def create_default(uow: UnitOfWork) -> Program:
    """The program that a new shop starts with: 10 points per unit, 200 for signing up."""
    return create(
        uow,
        ProgramCreate(name="Rewards", status="active", points_per_unit=Decimal(10), signup_bonus=200),
        is_default=True,
    )


def update(uow: UnitOfWork, program_id: UUID, changes: dict[str, Any], *, version: int) -> Program:
    """Change a program. Changed terms become a new version; points already given keep theirs.

    Raises ProgramNotFound, StaleVersion, StatusNotAllowed, AnotherProgramActive.
    """
    program = get(uow, program_id)
    if program.version != version:
        raise StaleVersion(current=program.version)
    before = snapshot(program)
    wanted = changes.get("status", program.status)
    if wanted != program.status:
        if not rules.may_become(program.status, wanted):
            raise StatusNotAllowed(status=program.status, wanted=wanted)
        if wanted == "active":
            _refuse_second_active(uow, program.id)
    for name, value in changes.items():
        setattr(program, name, value)
    after = snapshot(program)
    if after == before:
        return program
    new_terms = any(before[name] != after[name] for name in rules.TERMS)
    if new_terms:
        program.current_version_id = ids.new_id()
    _flush(uow)
    if new_terms:
        _keep_version(uow, program, queries.versions(uow, program.id, 1)[0].number + 1)
    compliance.record(uow, "program.updated", ("program", str(program.id)), before, after)
    uow.publish([ProgramChanged(program.id, program.status)])
    return program


def delete(uow: UnitOfWork, program_id: UUID) -> None:
    """Delete a draft that was never published. Raises ProgramNotFound, ProgramInUse."""
    program = get(uow, program_id)
    if program.status != "draft" or _was_published(uow, program_id):
        raise ProgramInUse()
    before = snapshot(program)
    uow.session.delete(program)
    _flush(uow)
    compliance.record(uow, "program.deleted", ("program", str(program_id)), before, None)


def _was_published(uow: UnitOfWork, program_id: UUID) -> bool:
    return compliance.ever(uow, ("program", str(program_id)), "status", ("active", "paused", "archived"))


def snapshot(program: Program) -> dict[str, Any]:
    """A program's settings as JSON values, for audit and versions."""
    names = ("name", "description", "type", "status", *rules.TERMS)
    values = {name: getattr(program, name) for name in names}
    values["points_per_unit"] = format(Decimal(program.points_per_unit).normalize(), "f")
    return values


def _keep_version(uow: UnitOfWork, program: Program, number: int) -> None:
    values = snapshot(program)
    kept = ProgramVersion(
        id=program.current_version_id,
        program_id=program.id,
        number=number,
        terms={name: values[name] for name in rules.TERMS},
        actor_kind=uow.actor.kind,
        actor_id=uow.actor.id,
    )
    uow.session.add(kept)
    _flush(uow)


def _refuse_second_active(uow: UnitOfWork, program_id: UUID | None) -> None:
    other = queries.active(uow)
    if other is not None and other.id != program_id:
        raise AnotherProgramActive(name=other.name)


def _flush(uow: UnitOfWork) -> None:
    try:
        uow.session.flush()
    except StaleDataError:
        raise StaleVersion() from None
