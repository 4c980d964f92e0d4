"""Programs and their versions: made, read, changed, rolled back, deleted."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.orm.exc import StaleDataError

from app.core import ids
from app.core.db import UnitOfWork
from app.core.errors import Invalid
from app.core.i18n import mark
from app.core.money import plain
from app.domains.compliance import service as compliance
from app.domains.programs import queries, rules
from app.domains.programs.errors import (
    AnotherProgramActive,
    CampaignNotFound,
    ProgramInUse,
    ProgramNotFound,
    RuleNotFound,
    ScheduleOverlaps,
    StaleVersion,
    StatusNotAllowed,
    VersionNotFound,
)
from app.domains.programs.events import ProgramChanged, ProgramCreated
from app.domains.programs.models import Program, ProgramVersion
from app.domains.programs.schemas import (
    PURCHASE,
    SIGNUP,
    EarningRule,
    Multiplier,
    ProgramCreate,
    ProgramTerms,
    RewardIdea,
)
from app.domains.shops import service as shops

_PLAN = ("after_end", "hands_back", "rewards_at_start")


def get(uow: UnitOfWork, program_id: UUID) -> Program:
    """One program. Raises ProgramNotFound."""
    program = queries.get(uow, program_id)
    if program is None:
        raise ProgramNotFound()
    return program


def active(uow: UnitOfWork) -> Program | None:
    """The program that members earn in; None when none is active."""
    return queries.active(uow)


def some(uow: UnitOfWork, program_ids: Iterable[UUID]) -> dict[UUID, Program]:
    """Programs by id."""
    return queries.some(uow, program_ids)


def kept(uow: UnitOfWork) -> list[Program]:
    """Programs that are not archived, to choose from: the active one first."""
    return queries.kept(uow)


def active_terms(uow: UnitOfWork) -> ProgramTerms | None:
    """The terms that hold now; None when no program is active."""
    return queries.active_terms(uow)


def version_of(uow: UnitOfWork, version_id: UUID) -> dict[str, Any] | None:
    """Which version of which program an id names: {program_id, name, number}; None for no version of the shop."""
    return queries.version_of(uow, version_id)


def terms(uow: UnitOfWork, version_ids: Iterable[UUID]) -> dict[UUID, ProgramTerms]:
    """The terms of past versions by id."""
    return queries.terms(uow, list(version_ids))


def idle_versions(uow: UnitOfWork) -> list[ProgramTerms]:
    """Terms, of past versions too, under which points end when members are inactive."""
    return queries.idle_versions(uow)


def settings(uow: UnitOfWork, program_id: UUID) -> dict[str, Any]:
    """What a program is set to, as JSON values. Raises ProgramNotFound."""
    return snapshot(get(uow, program_id))


def draft_terms(program_id: UUID, wanted: dict[str, Any]) -> ProgramTerms:
    """The terms that settings would lead to, without saving anything."""
    return rules.read_terms(ids.new_id(), program_id, rules.terms(wanted))


def apply(uow: UnitOfWork, program_id: UUID, wanted: dict[str, Any], *, version: int) -> Program:
    """Save whole settings, as a rehearsal or an older version has them. Raises what `update` raises."""
    changes = {name: wanted[name] for name in rules.SETTINGS if name in wanted}
    changes["points_per_unit"] = Decimal(changes["points_per_unit"])
    changes["step"] = Decimal(changes["step"]) if changes["step"] else None
    return update(uow, program_id, changes, version=version)


def settings_with(uow: UnitOfWork, program_id: UUID, changes: dict[str, Any]) -> dict[str, Any]:
    """A program's settings with changes (as `update` takes them), not saved. Raises ProgramNotFound."""
    kept = {name: _column(value) for name, value in changes.items()}
    for name in ("points_per_unit", "step"):
        if kept.get(name) is not None:
            kept[name] = plain(kept[name])
    return settings(uow, program_id) | kept


def rules_of(uow: UnitOfWork, program_id: UUID) -> list[EarningRule]:
    """Every rule of a program, the two that each has first. Raises ProgramNotFound."""
    return rules.complete(settings(uow, program_id))


def settings_with_rule(uow: UnitOfWork, program_id: UUID, rule: EarningRule) -> dict[str, Any]:
    """A program's settings with a rule added or changed, not saved. Raises ProgramNotFound."""
    return rules.with_rule(settings(uow, program_id), rule)


def settings_with_campaign(uow: UnitOfWork, program_id: UUID, campaign: Multiplier) -> dict[str, Any]:
    """A program's settings with a campaign added or changed, not saved. Raises ProgramNotFound."""
    return rules.with_campaign(settings(uow, program_id), campaign)


def remove_campaign(uow: UnitOfWork, program_id: UUID, campaign_id: str, *, version: int) -> Program:
    """Take a campaign out of the terms. Raises CampaignNotFound and what `update` raises."""
    found = settings(uow, program_id)
    if all(one["id"] != campaign_id for one in found["multipliers"]):
        raise CampaignNotFound()
    return apply(uow, program_id, rules.without_campaign(found, campaign_id), version=version)


def remove_rule(uow: UnitOfWork, program_id: UUID, rule_id: str, *, version: int) -> Program:
    """Take a rule out of the terms. Raises RuleNotFound and what `update` raises."""
    found = settings(uow, program_id)
    if rule_id in (PURCHASE, SIGNUP) or all(one["id"] != rule_id for one in found["rules"]):
        raise RuleNotFound()
    return apply(uow, program_id, rules.without_rule(found, rule_id), version=version)


def roll_back(uow: UnitOfWork, program_id: UUID, number: int, *, version: int) -> Program:
    """Let an older version's terms hold again, as a new version. Raises VersionNotFound and what `update` raises."""
    kept = queries.version(uow, program_id, number)
    if kept is None:
        raise VersionNotFound()
    return apply(uow, program_id, rules.settings_of(kept.terms), version=version)


def create(
    uow: UnitOfWork,
    wanted: ProgramCreate,
    *,
    program_id: UUID | None = None,
    is_default: bool = False,
    copy_of: UUID | None = None,
    rewards: Sequence[RewardIdea] = (),
    tiers: Sequence[int] = (),
) -> Program:
    """Create a program with its first version. Raises AnotherProgramActive when it is to be active and cannot.

    `copy_of` names the program whose rewards are copied as drafts, `rewards` suggests drafts of new ones and
    `tiers` the points at which tiers start.
    """
    if wanted.status == "active":
        _refuse_second_active(uow, None)
    program = Program(**_columns(wanted), id=program_id or ids.new_id(), current_version_id=ids.new_id())
    uow.session.add(program)
    _flush(uow)
    _keep_version(uow, program, 1)
    compliance.record(uow, "program.created", ("program", str(program.id)), None, snapshot(program))
    currency = shops.get(uow).currency
    uow.publish([ProgramCreated(program.id, currency, is_default, copy_of, tuple(rewards), tuple(tiers))])
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
        setattr(program, name, _column(value))
    _check_span(uow, program, wanted_before=before["status"])
    after = snapshot(program)
    if after == before:
        return program
    new_terms = any(before[name] != after[name] for name in rules.SETTINGS)
    if new_terms:
        program.current_version_id = ids.new_id()
    _flush(uow)
    if new_terms:
        _keep_version(uow, program, queries.versions(uow, program.id, 1)[0].number + 1)
    compliance.record(uow, "program.updated", ("program", str(program.id)), before, after)
    uow.publish([ProgramChanged(program.id, program.status)])
    return program


def step(uow: UnitOfWork, program: Program, status: str) -> None:
    """Let a program take a step of its life that was planned before, whatever staff may do by hand."""
    before = snapshot(program)
    program.status = status
    program.rewards_at_start = False
    _flush(uow)
    compliance.record(uow, "program.updated", ("program", str(program.id)), before, snapshot(program))
    uow.publish([ProgramChanged(program.id, status)])


def _check_span(uow: UnitOfWork, program: Program, *, wanted_before: str) -> None:
    """Refuse what cannot be kept to: a start or an end that is past, or a span that another planned program has."""
    if program.status != "scheduled":
        if wanted_before != "scheduled" and program.rewards_at_start:
            raise Invalid(
                fields={"rewards_at_start": mark("Only a scheduled program offers its rewards at a start.")}
            )
        program.rewards_at_start = False
        if program.status == "active" != wanted_before and program.ends_at and program.ends_at <= uow.now:
            program.ends_at = None
        return
    if program.starts_at is None or (wanted_before != "scheduled" and program.starts_at <= uow.now):
        raise Invalid(fields={"starts_at": mark("Choose a time in the future.")})
    if program.ends_at is not None and program.ends_at <= program.starts_at:
        raise Invalid(fields={"ends_at": mark("The end comes before the start.")})
    for other in queries.scheduled(uow):
        if other.id != program.id and rules.overlap(span(program), span(other)):
            raise ScheduleOverlaps(name=other.name)


def span(program: Program) -> tuple[datetime, datetime | None]:
    """From when to when a scheduled program is planned to be active."""
    assert program.starts_at is not None
    return program.starts_at, program.ends_at


def delete(uow: UnitOfWork, program_id: UUID) -> None:
    """Delete a draft that was never published. Raises ProgramNotFound, ProgramInUse."""
    program = get(uow, program_id)
    if program.status != "draft" or was_published(uow, program_id):
        raise ProgramInUse()
    before = snapshot(program)
    uow.session.delete(program)
    _flush(uow)
    compliance.record(uow, "program.deleted", ("program", str(program_id)), before, None)


def was_published(uow: UnitOfWork, program_id: UUID) -> bool:
    """Whether a program was ever more than a draft, so that points may have been given under it."""
    return compliance.ever(uow, ("program", str(program_id)), "status", ("active", "paused", "archived"))


def settings_of_new(wanted: ProgramCreate) -> dict[str, Any]:
    """The settings that a new program would have, as JSON values, without making it."""
    return snapshot(Program(**_columns(wanted)))


def snapshot(program: Program) -> dict[str, Any]:
    """A program's settings as JSON values, for audit and versions."""
    names = ("name", "description", "status", "pause_notes", *_PLAN, *rules.SETTINGS)
    values = {name: getattr(program, name) for name in names}
    values["points_per_unit"] = plain(program.points_per_unit)
    values["step"] = None if program.step is None else plain(program.step)
    for name in ("starts_at", "ends_at"):
        value = getattr(program, name)
        values[name] = value.isoformat() if value else None
    return values


def _columns(wanted: BaseModel) -> dict[str, Any]:
    return {name: _column(getattr(wanted, name)) for name in type(wanted).model_fields}


def _column(value: Any) -> Any:
    """Parts of the terms are kept as JSON values."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True)
    return [_column(one) for one in value] if isinstance(value, list) else value


def _keep_version(uow: UnitOfWork, program: Program, number: int) -> None:
    values = snapshot(program)
    kept = ProgramVersion(
        id=program.current_version_id,
        program_id=program.id,
        number=number,
        terms=rules.terms(values),
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
