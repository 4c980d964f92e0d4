"""What expires and when."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.core import paging
from app.core.db import UnitOfWork
from app.domains.points.schemas import Ending, Idle


def members_due(uow: UnitOfWork, what: str, at: Any, limit: int = 500) -> list[UUID]:
    """Members with lots to "activate" or to "expire" at an instant."""
    condition = {
        "activate": "pending AND activates_at <= %(at)s",
        "expire": "NOT pending AND remaining > 0 AND expires_at < 'infinity' AND expires_at <= %(at)s",
    }[what]
    rows = uow.all(
        f"SELECT DISTINCT member_id FROM (SELECT member_id FROM points_lots WHERE shop_id = %(shop)s AND {condition}"
        " LIMIT %(limit)s) due ORDER BY member_id",
        {"shop": uow.shop, "at": at, "limit": limit},
    )
    return [row["member_id"] for row in rows]


_SUM = (
    "SELECT count(*) AS members, coalesce(sum(available), 0)::bigint AS available, coalesce(sum(pending), 0)::bigint AS"
    " pending, coalesce(sum(held), 0)::bigint AS held, coalesce(sum(debt), 0)::bigint AS debt FROM points_accounts"
    " WHERE shop_id = %(shop)s"
)


def members_idle(
    uow: UnitOfWork, idle: Idle, after: UUID | None, limit: int
) -> tuple[list[UUID], UUID | None]:
    """Of the next members, by id, those with points that inactivity ends; and the last looked at, None at the end."""
    rows = uow.all(
        "SELECT a.member_id, EXISTS (SELECT 1 FROM points_idle_lots("
        "%(shop)s, a.member_id, %(versions)s, %(months)s, %(zones)s) n WHERE n.ends_at <= %(now)s) AS due"
        " FROM (SELECT member_id FROM points_accounts WHERE shop_id = %(shop)s"
        " AND member_id > %(after)s AND available > 0 ORDER BY member_id LIMIT %(limit)s) a ORDER BY a.member_id",
        _idle(uow, idle) | {"after": after or UUID(int=0), "limit": limit, "now": uow.now},
    )
    last = rows[-1]["member_id"] if len(rows) == limit else None
    return [row["member_id"] for row in rows if row["due"]], last


# Lots with a date, and lots whose end follows the member's last activity; an array that is NULL has no versions.
_DATED = """
SELECT member_id, expires_at AS ends_at, remaining::bigint AS points, false AS idle FROM points_lots
WHERE shop_id = %(shop)s AND remaining > 0 AND NOT pending AND expires_at > %(from)s AND expires_at <= %(to)s AND {lots}
"""
_FROM_IDLING = """
SELECT a.member_id, n.ends_at, n.points, true AS idle FROM points_accounts a
  CROSS JOIN LATERAL points_idle_lots(a.shop_id, a.member_id, %(versions)s, %(months)s, %(zones)s) n
WHERE a.shop_id = %(shop)s AND cardinality(%(versions)s::uuid[]) > 0 AND a.available > 0 AND {accounts}
  AND n.ends_at > %(from)s AND n.ends_at <= %(to)s
"""
_ADDED = "SELECT member_id, ends_at, sum(points)::bigint AS points, bool_and(idle) AS idle"
_ENDINGS = f"{_ADDED} FROM ({_DATED} UNION ALL {_FROM_IDLING}) x GROUP BY member_id, ends_at"


def endings(
    uow: UnitOfWork,
    idle: Idle | None,
    start: datetime,
    end: datetime,
    after: tuple[UUID, datetime] | None,
    limit: int,
) -> list[Ending]:
    """What ends after `start` and until `end`, by member and instant; members who are gone or blocked are left out."""
    member, instant = after or (UUID(int=0), start)
    found = _ENDINGS.format(lots="member_id >= %(after)s", accounts="a.member_id >= %(after)s")
    rows = uow.all(
        f"SELECT e.* FROM ({found}) e"
        " JOIN members m ON m.shop_id = %(shop)s AND m.id = e.member_id AND m.status = 'active'"
        " WHERE (e.member_id, e.ends_at) > (%(after)s, %(instant)s) ORDER BY e.member_id, e.ends_at LIMIT %(limit)s",
        _idle(uow, idle) | {"from": start, "to": end, "after": member, "instant": instant, "limit": limit},
    )
    return [Ending(**row) for row in rows]


def endings_of(uow: UnitOfWork, idle: Idle | None, member_id: UUID, limit: int) -> list[Ending]:
    """What of a member's points ends when, soonest first."""
    found = _ENDINGS.format(lots="member_id = %(member)s", accounts="a.member_id = %(member)s")
    rows = uow.all(
        found.replace("expires_at <= %(to)s", "expires_at < 'infinity'").replace(
            " AND n.ends_at <= %(to)s", ""
        )
        + " ORDER BY ends_at LIMIT %(limit)s",
        _idle(uow, idle) | {"from": uow.now, "member": member_id, "limit": limit},
    )
    return [Ending(**row) for row in rows]


def _idle(uow: UnitOfWork, idle: Idle | None) -> dict[str, Any]:
    return {
        "shop": uow.shop,
        "versions": list(idle.versions) if idle else [],
        "months": list(idle.months) if idle else [],
        "zones": list(idle.zones) if idle else [],
    }


def endings_by_day(
    uow: UnitOfWork, idle: Idle | None, start: datetime, end: datetime, zone: str
) -> list[tuple[date, int, int]]:
    """What ends after `start` and until `end`, by day of a zone: active members and points."""
    found = _ENDINGS.format(lots="true", accounts="true")
    rows = uow.all(
        f"SELECT (e.ends_at AT TIME ZONE %(zone)s)::date AS day, count(*) AS members, sum(e.points)::bigint AS points"
        f" FROM ({found}) e JOIN members m ON m.shop_id = %(shop)s AND m.id = e.member_id AND m.status = 'active'"
        " GROUP BY 1 ORDER BY 1",
        _idle(uow, idle) | {"from": start, "to": end, "zone": zone},
    )
    return [(row["day"], row["members"], row["points"]) for row in rows]


_SOONEST = paging.Order({"ends_at": datetime, "member_id": UUID})
# The index of ends gives dated lots in this order, so that no more of them are added up than the page shows. OFFSET 0 keeps
# the members looked up one by one.
_NEXT = """
(SELECT e.* FROM ({added} FROM ({rows}) x WHERE true{beside} GROUP BY ends_at, member_id) e
  CROSS JOIN LATERAL (SELECT FROM members m
    WHERE m.shop_id = %(shop)s AND m.id = e.member_id AND m.status = 'active' OFFSET 0) m
  ORDER BY {by} LIMIT %(limit)s)
"""


def endings_soonest(
    uow: UnitOfWork, idle: Idle | None, end: datetime, limit: int, cursor: str | None
) -> paging.Page[Ending]:
    """A page of what ends from now until `end`, by instant and member; members who are gone or blocked are left out.

    Raises StaleCursor.
    """
    sources = (_DATED.format(lots="expires_at < 'infinity'"), _FROM_IDLING.format(accounts="true"))

    def read(place: paging.Place | None) -> list[Ending]:
        beside, by = _SOONEST.beside(place), _SOONEST.by(place)
        both = " UNION ALL ".join(
            _NEXT.format(added=_ADDED, rows=rows, beside=beside, by=by) for rows in sources
        )
        found = uow.all(
            f"{_ADDED} FROM ({both}) e GROUP BY ends_at, member_id ORDER BY {by} LIMIT %(limit)s",
            _idle(uow, idle) | _SOONEST.values(place) | {"from": uow.now, "to": end, "limit": limit + 1},
        )
        return [Ending(**row) for row in found]

    return _SOONEST.page(cursor, limit, read)
