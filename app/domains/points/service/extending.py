"""A member's points that end soon may be kept for longer: their lots get a later day, and the day they had back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core import ids
from app.core.db import UnitOfWork
from app.domains.compliance import service as compliance
from app.domains.points import queries, rules
from app.domains.points.errors import NothingEndsSooner, UndoRefused
from app.domains.points.service.expiry_dates import redate, standing_of
from app.domains.programs import service as programs
from app.domains.programs.schemas import ProgramTerms
from app.domains.shops import service as shops


@dataclass(frozen=True)
class Extension:
    """What keeping a member's points until a day would do: how many points, and the last day of the first of them now."""

    points: int
    last_day: date | None


def extend_preview(uow: UnitOfWork, member_id: UUID, day: date, within: int | None) -> Extension:
    """What `extend` would do, as things stand."""
    found = _ending(uow, member_id, _last(uow, day), within)
    ends = min((end for _, end in found), default=None)
    last_day = (ends - timedelta(microseconds=1)).astimezone(_zone(uow)).date() if ends else None
    return Extension(sum(row["points"] for row, _ in found), last_day)


def extend(uow: UnitOfWork, member_id: UUID, day: date, within: int | None) -> tuple[UUID, int]:
    """Let a member's points that end within so many days (None: ever) end with a later day instead.

    Nothing ends sooner than before. Gives what `shorten_back` needs, and how many points it concerns. Raises
    NothingEndsSooner.
    """
    queries.lock_accounts(uow, [member_id])
    until = _last(uow, day)
    changes = [(row, _kept(row, until)) for row, _ in _ending(uow, member_id, until, within)]
    if not changes:
        raise NothingEndsSooner()
    extension_id = ids.new_id()
    [entry_id] = redate(uow, extension_id, changes, "expiry_extended")
    points = sum(row["points"] for row, _ in changes)
    told = {"until": day.isoformat(), "points": points, "entry_id": str(entry_id)}
    compliance.record(uow, "points.extended", ("member", str(member_id)), None, told)
    return extension_id, points


def shorten_back(uow: UnitOfWork, member_id: UUID, extension_id: UUID) -> None:
    """Give lots the days back that they had before an extension, no sooner than the end of this day.

    Raises UndoRefused when none of them stands as it was left.
    """
    queries.lock_accounts(uow, [member_id])
    floor = _last(uow, uow.now.astimezone(_zone(uow)).date())
    rows = _with_terms(uow, member_id, queries.lots_to_restore(uow, [member_id], extension_id))
    changes = []
    for row, terms, zone in rows:
        was = rules.Standing(row["was"], row["was_terms"], row["was_kept"])
        present = rules.ends(standing_of(row), terms, row["active_at"], zone)
        changes.append((row, rules.restored(was, present, terms, row["active_at"], zone, floor)))
    if not changes:
        raise UndoRefused()
    [entry_id] = redate(uow, extension_id, changes, "expiry_extended_undone")
    told = {"entry_id": str(entry_id)}
    compliance.record(uow, "points.extension_undone", ("member", str(member_id)), None, told)


def _ending(
    uow: UnitOfWork, member_id: UUID, until: datetime, within: int | None
) -> list[tuple[dict[str, Any], datetime]]:
    """The member's lots that end before an instant and within so many days, and when."""
    soon = min(until, uow.now + timedelta(days=within)) if within else until
    rows = _with_terms(uow, member_id, queries.lots_to_extend(uow, member_id))
    ends = ((row, rules.ends(standing_of(row), terms, row["active_at"], zone)) for row, terms, zone in rows)
    return [(row, end) for row, end in ends if end and uow.now < end < until and end <= soon]


def _kept(row: dict[str, Any], until: datetime) -> rules.Standing:
    """A lot with a day of its own gets another one; one that ends by inactivity is kept until then at least."""
    now = standing_of(row)
    if now.expires_at is not None:
        return rules.Standing(until, now.terms_id, now.kept_until)
    return rules.Standing(None, now.terms_id, until)


def _with_terms(
    uow: UnitOfWork, member_id: UUID, rows: Sequence[dict[str, Any]]
) -> list[tuple[dict[str, Any], ProgramTerms | None, ZoneInfo]]:
    """Each lot with the terms that it follows, and their zone; points by hand follow none."""
    versions = {row["terms_id"] or row["program_version_id"] for row in rows} - {None}
    known = programs.terms(uow, versions) if versions else {}
    active = queries.last_activity(uow, [member_id]).get(member_id)
    found = []
    for row in rows:
        terms = known.get(row["terms_id"] or row["program_version_id"])
        row["active_at"] = max(active or row["activates_at"], row["activates_at"])
        found.append((row, terms, ZoneInfo(terms.zone) if terms and terms.zone else _zone(uow)))
    return found


def _zone(uow: UnitOfWork) -> ZoneInfo:
    return ZoneInfo(shops.get(uow).timezone)


def _last(uow: UnitOfWork, day: date) -> datetime:
    return rules.end_of(day, _zone(uow))
