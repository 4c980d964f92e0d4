"""The list of members: any filter with any order, at a cost that does not grow with the shop.

A filter that few members pass is asked for first and what it leaves is sorted. When every filter lets many pass, the
members are walked in the order asked for, so many at most, and the page ends where the walk does.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core import paging
from app.core.db import UnitOfWork
from app.core.paging import ANYWHERE, Order, Place, Span
from app.domains.members.schemas import MembersFilter

FEW = 2_000
WALK = 5_000


@dataclass(frozen=True)
class _Sort:
    """What members are sorted by, descending: `key` of a joined member, and the index that has this order."""

    key: str
    kind: type
    table: str
    column: str
    row_id: str

    def order(self, key: str, row_id: str) -> Order:
        """The order of rows that have the sort key and the id in these columns."""
        return Order({"key": self.kind, "id": UUID}, descending=True, sql={"key": key, "id": row_id})

    @property
    def joined(self) -> Order:
        """The order of joined members."""
        return self.order(self.key, "m.id")

    @property
    def walked(self) -> Order:
        """The order of the index."""
        return self.order(self.column, self.row_id)


_SORTS = {
    "newest": _Sort("m.enrolled_at", datetime, "members", "enrolled_at", "id"),
    "available": _Sort("coalesce(s.available, 0)", int, "points_standings", "available", "member_id"),
    "qualifying": _Sort("coalesce(s.qualifying, 0)", int, "points_standings", "qualifying", "member_id"),
}
_CHOSEN = {name: one.order("c.key", "c.id") for name, one in _SORTS.items()}

# Who passes a filter, each over an index of its own, and the same as a condition on the joined rows.
_PASSES = {
    "status": "SELECT id FROM members WHERE shop_id = %(shop)s AND status = %(status)s",
    "source": "SELECT id FROM members WHERE shop_id = %(shop)s AND source = %(source)s",
    "tier": "SELECT member_id AS id FROM member_tiers WHERE shop_id = %(shop)s AND tier_id = %(tier)s",
    "segment": "SELECT member_id AS id FROM segment_members WHERE shop_id = %(shop)s AND segment_id = %(segment)s",
    "enrolled": "SELECT id FROM members WHERE shop_id = %(shop)s AND enrolled_at >= %(since)s AND enrolled_at < %(until)s",
    "points": "SELECT member_id AS id FROM points_standings WHERE shop_id = %(shop)s"
    " AND available BETWEEN %(least)s AND %(most)s",
    "found": "SELECT id FROM unnest(%(found)s::uuid[]) AS f (id)",
}
_HOLDS = {
    "status": "m.status = %(status)s",
    "source": "m.source = %(source)s",
    "tier": "t.tier_id = %(tier)s",
    "segment": "EXISTS (SELECT 1 FROM segment_members g WHERE g.shop_id = %(shop)s"
    " AND g.segment_id = %(segment)s AND g.member_id = m.id)",
    "enrolled": "m.enrolled_at >= %(since)s AND m.enrolled_at < %(until)s",
    "points": "coalesce(s.available, 0) BETWEEN %(least)s AND %(most)s",
}

# OFFSET 0 keeps each look-up one by one, over the primary key, whatever the statistics say.
_JOINED = """
CROSS JOIN LATERAL (SELECT id, status, source, enrolled_at FROM members
  WHERE shop_id = %(shop)s AND id = c.id OFFSET 0) m
LEFT JOIN LATERAL (SELECT tier_id FROM member_tiers WHERE shop_id = %(shop)s AND member_id = c.id AND main OFFSET 0) t ON true
LEFT JOIN LATERAL (SELECT available, qualifying FROM points_standings
  WHERE shop_id = %(shop)s AND member_id = c.id OFFSET 0) s ON true
"""
_SHOWN = """
SELECT m.id, m.customer_id, m.status, m.source, m.locale, m.enrolled_at, m.merged_into, m.first_name_sealed,
  m.last_name_sealed, m.email_sealed, m.phone_sealed, coalesce(a.available, 0) AS available,
  coalesce(a.pending, 0) AS pending, coalesce(a.debt, 0) AS debt, coalesce(a.qualifying, 0) AS qualifying, t.tier_id
FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS v (id, n)
JOIN members m ON m.shop_id = %(shop)s AND m.id = v.id
LEFT JOIN points_accounts a ON a.shop_id = m.shop_id AND a.member_id = m.id
LEFT JOIN member_tiers t ON t.shop_id = m.shop_id AND t.member_id = m.id AND t.main
ORDER BY v.n
"""


def page(
    uow: UnitOfWork, query: MembersFilter, found: list[UUID] | None, zone: str
) -> paging.Page[dict[str, Any]]:
    """A page of members with their exact points and tier, personal data sealed; `found` narrows to these ids.

    Days are those of the zone. Merged members appear only when their status is asked for. A page may be short, or empty, and
    have a next one: so many members were looked at. Raises StaleCursor.
    """
    values = _values(uow, query, found, zone)
    few = _fewest(uow, _asked(values), values)
    page, _ = _SORTS[query.sort].walked.bounded(
        query.cursor, query.limit, lambda place: _read(uow, query, values, few, place)
    )
    shown = [row["id"] for row in page.items]
    items = uow.all(_SHOWN, {"shop": uow.shop, "ids": shown}) if shown else []
    return replace(page, items=items)


def _asked(values: dict[str, Any]) -> list[str]:
    """The filters that are set."""
    return [name for name in _PASSES if values[name]]


def _read(
    uow: UnitOfWork, query: MembersFilter, values: dict[str, Any], few: str | None, place: Place | None
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """(id, key) from a place on, one more than a page has, and when they are fewer, where the walk ended before the last."""
    span = _span(query, values)
    known = values | _SORTS[query.sort].walked.values(place, span)
    rows = uow.all(statement(query, _asked(values), few, place, span), known)
    if few is not None or len(rows) > query.limit:
        return rows, None
    ends = uow.all(f"{_walk(query, place, span)} OFFSET %(walk)s - 1 LIMIT 2", known)
    return rows, ends[0] if len(ends) == 2 else None


def _span(query: MembersFilter, values: dict[str, Any]) -> Span:
    """Between which values of the order's key the filters leave members."""
    if query.sort == "newest" and values["enrolled"]:
        return values["since"], values["until"]
    if query.sort == "available" and values["points"]:
        return values["least"], values["most"] + 1
    return ANYWHERE


def count(uow: UnitOfWork, query: MembersFilter, found: list[UUID] | None, zone: str) -> int | None:
    """How many members match: up to the cap and one more when nothing narrows, else exactly where a filter leaves few.

    None where only a walk over the whole shop would say it.
    """
    values = _values(uow, query, found, zone)
    asked = _asked(values)
    few = _fewest(uow, asked, values)
    if few is None and asked:
        return None
    if few is None:
        counted = (
            "SELECT 1 FROM members WHERE shop_id = %(shop)s AND status <> 'merged'"
            f" LIMIT {paging.COUNT_CAP + 1}"
        )
    else:
        counted = statement(query.model_copy(update={"sort": "newest"}), asked, few)
        values |= {"limit": None}
    return int(uow.scalar(f"SELECT count(*) FROM ({counted}) c", values))


def statement(
    query: MembersFilter,
    asked: list[str],
    few: str | None,
    place: Place | None = None,
    span: Span = ANYWHERE,
) -> str:
    """The statement that chooses a page's members as (id, key)."""
    sort = _SORTS[query.sort]
    conditions = [_HOLDS[name] for name in asked if name in _HOLDS]
    if not query.status:
        conditions.append("m.status <> 'merged'")
    if few:
        chosen, key, order = f"({_PASSES[few]})", sort.key, sort.joined
        beside = order.beside(place)
    else:
        chosen, key, order = f"({_walk(query, place, span)} LIMIT %(walk)s)", "c.key", _CHOSEN[query.sort]
        beside = ""
    where = f" WHERE {' AND '.join(conditions) or 'true'}{beside}"
    return f"SELECT c.id, {key} AS key FROM {chosen} c {_JOINED}{where} ORDER BY {order.by(place)} LIMIT %(limit)s"


def _walk(query: MembersFilter, place: Place | None, span: Span) -> str:
    sort = _SORTS[query.sort]
    conditions = ["shop_id = %(shop)s"]
    if query.sort == "newest":
        # An index has either of these in front of the order.
        own = next((name for name in ("status", "source") if getattr(query, name)), None)
        conditions += [f"{own} = %({own})s"] if own else []
    return (
        f"SELECT {sort.row_id} AS id, {sort.column} AS key FROM {sort.table} WHERE {' AND '.join(conditions)}"
        f"{sort.walked.beside(place, span)} ORDER BY {sort.walked.by(place)}"
    )


def _fewest(uow: UnitOfWork, asked: list[str], values: dict[str, Any]) -> str | None:
    """The filter that the fewest members pass, if they are few."""
    if "found" in asked:
        return "found"
    if not asked:
        return None
    counts = ", ".join(
        f"(SELECT count(*) FROM ({_PASSES[name]} LIMIT {FEW + 1}) x) AS {name}" for name in asked
    )
    row = uow.one(f"SELECT {counts}", values) or {}
    name = min(row, key=lambda one: int(row[one]))
    return name if row[name] <= FEW else None


def _values(uow: UnitOfWork, query: MembersFilter, found: list[UUID] | None, zone: str) -> dict[str, Any]:
    first, last, here = query.enrolled_from, query.enrolled_to, ZoneInfo(zone)
    return {
        "shop": uow.shop,
        "status": query.status,
        "source": query.source,
        "tier": query.tier,
        "segment": query.segment,
        "enrolled": bool(first or last),
        "since": datetime.combine(first, time(), here) if first else _BEGINNING,
        "until": datetime.combine(last + timedelta(days=1), time(), here) if last else _END,
        "points": query.points_from is not None or query.points_to is not None,
        "least": query.points_from if query.points_from is not None else 0,
        "most": query.points_to if query.points_to is not None else 2**62,
        "found": found if found is None else (found or [_NOBODY]),
        "walk": WALK,
        "limit": query.limit + 1,
    }


_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_END = datetime(9999, 1, 1, tzinfo=UTC)
_NOBODY = UUID(int=0)


def tier_names(uow: UnitOfWork) -> list[dict[str, Any]]:
    """The tiers that members can be on, lowest first: {id, name, names}."""
    return uow.all(
        "SELECT t.id, t.name, t.names FROM tiers t JOIN programs p ON p.shop_id = t.shop_id AND p.id = t.program_id"
        " JOIN tier_ladders l ON l.shop_id = t.shop_id AND l.id = t.ladder_id AND l.main AND l.active"
        " WHERE t.shop_id = %(shop)s AND p.status = 'active' AND p.type = 'tiered' ORDER BY t.threshold",
        {"shop": uow.shop},
    )


def segment_names(uow: UnitOfWork) -> list[tuple[UUID, str]]:
    """The segments that members can be in, by name."""
    rows = uow.all(
        "SELECT id, name FROM segments WHERE shop_id = %(shop)s ORDER BY lower(name), id", {"shop": uow.shop}
    )
    return [(row["id"], row["name"]) for row in rows]
