"""Redatings, and the lots they look at."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core import paging
from app.core.db import UnitOfWork
from app.core.walking import Walk, walked
from app.domains.points.schemas import RedatingsQuery

_REDATING = (
    "id, program_id, version_id, shortens, notice_days, status, members, members_done, after_id, not_before, result,"
    " actor_kind, actor_id, actor_label, created_at, applied_at, undone_at"
)


def redating(uow: UnitOfWork, redating_id: UUID, *, for_update: bool = False) -> dict[str, Any] | None:
    """One redating."""
    return uow.one(
        f"SELECT {_REDATING} FROM points_redatings WHERE shop_id = %(shop)s AND id = %(id)s"
        + (" FOR UPDATE" if for_update else ""),
        {"shop": uow.shop, "id": redating_id},
    )


_ORDER = paging.Order({"created_at": datetime, "id": UUID}, descending=True)


def redatings(uow: UnitOfWork, asked: RedatingsQuery) -> paging.Found:
    """Redatings, newest first. Raises StaleCursor."""
    walk = Walk(
        "SELECT * FROM points_redatings WHERE shop_id = %(shop)s{after}",
        _ORDER,
        _REDATING,
        where="w.status = %(status)s" if asked.status else "true",
    )
    return walked(uow, walk, {"shop": uow.shop, "status": asked.status}, asked.limit, asked.cursor)


def redatings_open(uow: UnitOfWork) -> list[UUID]:
    """Redatings that are being counted, applied or undone."""
    rows = uow.all(
        "SELECT id FROM points_redatings WHERE shop_id = %(shop)s AND status IN ('counting', 'applying', 'undoing')"
        " ORDER BY created_at",
        {"shop": uow.shop},
    )
    return [row["id"] for row in rows]


def members_with_points(uow: UnitOfWork, after: UUID | None, limit: int) -> list[UUID]:
    """The next members, by id, who have points."""
    rows = uow.all(
        "SELECT member_id FROM points_accounts WHERE shop_id = %(shop)s AND member_id > %(after)s"
        " AND available + pending + held > 0 ORDER BY member_id LIMIT %(limit)s",
        {"shop": uow.shop, "after": after or UUID(int=0), "limit": limit},
    )
    return [row["member_id"] for row in rows]


def count_members_with_points(uow: UnitOfWork) -> int:
    """How many members have points."""
    return int(
        uow.scalar(
            "SELECT count(*) FROM points_accounts WHERE shop_id = %(shop)s AND available + pending + held > 0",
            {"shop": uow.shop},
        )
    )


# What tells the rules behind an award: the points by rule, else it is all of the base rule.
_RULES = """CASE WHEN e.trace ? 'given' THEN ARRAY(SELECT jsonb_object_keys(e.trace->'given')) ELSE '{purchase}' END"""
_OPEN = "(l.remaining > 0 OR l.remaining = 0 AND l.held > 0)"
_STANDING = "nullif(l.expires_at, 'infinity') AS expires_at, l.terms_id, l.kept_until"

_LOTS_TO_REDATE = f"""
SELECT l.id, l.member_id, (l.remaining + l.held)::bigint AS points, l.earned_at, l.activates_at, {_STANDING},
  e.program_version_id, e.expires_at AS first_expires_at, {_RULES} AS rules
FROM points_lots l JOIN points_entries e ON e.shop_id = l.shop_id AND e.id = l.entry_id
WHERE l.shop_id = %(shop)s AND l.member_id = ANY(%(members)s) AND {_OPEN} AND e.program_version_id IS NOT NULL
ORDER BY l.member_id, l.id
"""


def lots_to_redate(uow: UnitOfWork, member_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Lots of members that still hold something and were earned under a program, with what decides when they end."""
    return uow.all(_LOTS_TO_REDATE, {"shop": uow.shop, "members": list(member_ids)})


_LOTS_TO_EXTEND = f"""
SELECT l.id, l.member_id, (l.remaining + l.held)::bigint AS points, l.activates_at, {_STANDING}, e.program_version_id
FROM points_lots l JOIN points_entries e ON e.shop_id = l.shop_id AND e.id = l.entry_id
WHERE l.shop_id = %(shop)s AND l.member_id = %(member)s AND {_OPEN} ORDER BY l.id
"""


def lots_to_extend(uow: UnitOfWork, member_id: UUID) -> list[dict[str, Any]]:
    """A member's lots that still hold something, whoever gave it, with what says when they end."""
    return uow.all(_LOTS_TO_EXTEND, {"shop": uow.shop, "member": member_id})


_LOTS_TO_RESTORE = f"""
SELECT l.id, l.member_id, (l.remaining + l.held)::bigint AS points, l.activates_at, {_STANDING}, b.program_version_id,
  nullif(e.was, 'infinity') AS was, e.was_terms, e.was_kept
FROM (
  SELECT e.shop_id, v.* FROM points_entries e
  CROSS JOIN LATERAL jsonb_to_recordset(e.trace->'lots') AS v (lot uuid, was timestamptz, now timestamptz,
    was_terms uuid, terms uuid, was_kept timestamptz, kept timestamptz)
  WHERE e.shop_id = %(shop)s AND e.member_id = ANY(%(members)s) AND e.kind = 'redate'
    AND e.reason IN ('expiry_terms', 'expiry_extended') AND e.reference_id = %(redating)s) e
JOIN points_lots l ON l.shop_id = e.shop_id AND l.id = e.lot
JOIN points_entries b ON b.shop_id = l.shop_id AND b.id = l.entry_id
WHERE {_OPEN} AND (l.expires_at, l.terms_id, l.kept_until) IS NOT DISTINCT FROM (e.now, e.terms, e.kept)
ORDER BY l.member_id, l.id
"""


def lots_to_restore(uow: UnitOfWork, member_ids: Sequence[UUID], redating_id: UUID) -> list[dict[str, Any]]:
    """Lots of members that still stand as a redating left them, with how they stood before it."""
    return uow.all(_LOTS_TO_RESTORE, {"shop": uow.shop, "members": list(member_ids), "redating": redating_id})


def last_activity(uow: UnitOfWork, member_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """When members last earned or spent."""
    rows = uow.all(
        "SELECT m AS member_id, points_last_activity(%(shop)s, m) AS at FROM unnest(%(members)s::uuid[]) AS m",
        {"shop": uow.shop, "members": list(member_ids)},
    )
    return {row["member_id"]: row["at"] for row in rows if row["at"]}


_REDATES = """
SELECT v.lot, nullif(v.was, 'infinity') AS was FROM points_entries e
CROSS JOIN LATERAL jsonb_to_recordset(e.trace->'lots') AS v (lot uuid, was timestamptz)
WHERE e.shop_id = %(shop)s AND e.member_id = %(member)s AND e.kind = 'redate' AND e.seq > %(seq)s ORDER BY e.seq DESC
"""


def dates_before(uow: UnitOfWork, member_id: UUID, seq: int) -> dict[UUID, datetime | None]:
    """The dates that lots had after the entry number `seq`, of those that got another one later."""
    rows = uow.all(_REDATES, {"shop": uow.shop, "member": member_id, "seq": seq})
    return {row["lot"]: row["was"] for row in rows}


_REDATED_LOTS = """
SELECT l.id, l.earned_at, (v.points)::bigint AS moved, nullif(v.was, 'infinity') AS was, nullif(v.now, 'infinity') AS now
FROM points_entries e CROSS JOIN LATERAL jsonb_to_recordset(e.trace->'lots')
  AS v (lot uuid, was timestamptz, now timestamptz, points bigint)
JOIN points_lots l ON l.shop_id = e.shop_id AND l.id = v.lot
WHERE e.shop_id = %(shop)s AND e.id = %(entry)s ORDER BY l.expires_at, l.id
"""


def redated_lots(uow: UnitOfWork, entry_id: UUID) -> list[dict[str, Any]]:
    """The lots that an entry gave another date, with the points in them (`moved`) and the dates before and after."""
    return uow.all(_REDATED_LOTS, {"shop": uow.shop, "entry": entry_id})
