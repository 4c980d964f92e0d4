"""Points that end: which members have some, the run that ends them, and what ends next for whom."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from app.core import ids
from app.core.db import UnitOfWork
from app.core.paging import Page
from app.domains.points import queries
from app.domains.points.schemas import Ending, Entry, Idle
from app.domains.points.service.posting import POSTED, WHY, as_entry, params, tell
from app.domains.programs import service as programs
from app.domains.shops import service as shops

_EXPIRE = (
    f"SELECT {POSTED} FROM points_expire_batch(%(shop)s, %(members)s, %(ids)s,"
    f" {WHY.replace('%(order)s, %(reference)s, %(version)s', 'NULL, NULL, NULL')},"
    " %(versions)s::uuid[], %(months)s::integer[], %(zones)s::text[], %(most)s) e"
)
# Lots that one transaction ends at most, and members whose last activity it looks at.
_LOTS = 2_000
_LOOKED_AT = 2_000


def expire(
    uow: UnitOfWork, member_ids: Sequence[UUID], idle: Idle | None = None, most: int = _LOTS
) -> list[Entry]:
    """End available points of these members, at most `most` lots: one entry for each member who had any.

    Without `idle` those past their date; with it those of members who were inactive for too long.
    """
    if not member_ids:
        return []
    rows = uow.all(
        _EXPIRE,
        params(uow, "", "inactive" if idle else "expired")
        | _terms(idle)
        | {"members": list(member_ids), "ids": [ids.new_id() for _ in member_ids], "most": most},
    )
    tell(uow, rows)
    return [as_entry(row, replayed=False) for row in rows]


def _terms(idle: Idle | None) -> dict[str, list[UUID] | list[int] | list[str] | None]:
    return {
        "versions": list(idle.versions) if idle else None,
        "months": list(idle.months) if idle else None,
        "zones": list(idle.zones) if idle else None,
    }


def expire_slice(uow: UnitOfWork) -> bool:
    """End some of the shop's points past their date. Returns whether more may be due."""
    members = queries.members_due(uow, "expire", uow.now, _LOTS)
    expire(uow, members)
    return bool(members)


def expire_idle_slice(uow: UnitOfWork, after: UUID | None) -> UUID | None:
    """End points of the next members who were inactive for too long; returns whom to go on after, None at the end.

    Who is looked at again finds nothing left, so a run that was cut short starts from the beginning.
    """
    idle = idle_terms(uow)
    if idle is None:
        return None
    due, last = queries.members_idle(uow, idle, after, _LOOKED_AT)
    if len(expire(uow, due, idle)) < len(due):
        return after
    return last


def idle_terms(uow: UnitOfWork) -> Idle | None:
    """The versions of programs under which points end with inactivity; None when there are none."""
    found = programs.idle_versions(uow)
    if not found:
        return None
    zone = shops.get(uow).timezone
    return Idle(
        tuple(one.version_id for one in found),
        tuple(one.expiry_months or 0 for one in found),
        tuple(one.zone or zone for one in found),
    )


def endings(
    uow: UnitOfWork, first: timedelta, last: timedelta, after: tuple[UUID, datetime] | None, limit: int
) -> list[Ending]:
    """What ends between two times from now, one for each active member and instant, by member; a page of them."""
    return queries.endings(uow, idle_terms(uow), uow.now + first, uow.now + last, after, limit)


def endings_by_day(uow: UnitOfWork, first: timedelta, last: timedelta) -> list[tuple[date, int, int]]:
    """What ends between two times from now, by the shop's day: active members and points."""
    zone = shops.get(uow).timezone
    return queries.endings_by_day(uow, idle_terms(uow), uow.now + first, uow.now + last, zone)


def endings_soonest(uow: UnitOfWork, last: timedelta, limit: int, cursor: str | None) -> Page[Ending]:
    """A page of what ends until a time from now, one for each active member and instant, soonest first.

    Raises StaleCursor.
    """
    return queries.endings_soonest(uow, idle_terms(uow), uow.now + last, limit, cursor)


def endings_of(uow: UnitOfWork, member_id: UUID, limit: int = 12) -> list[Ending]:
    """What of a member's available points ends when, soonest first."""
    return queries.endings_of(uow, idle_terms(uow), member_id, limit)
