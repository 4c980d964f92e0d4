"""Every SELECT on segments."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core import paging
from app.core.db import UnitOfWork
from app.core.paging import Order, Place
from app.domains.segments.queries import conditions, facts
from app.domains.segments.schemas import (
    Moment,
    Option,
    Preview,
    Rules,
    Segment,
    SegmentMemberOut,
    SegmentsFilter,
    Use,
)

__all__ = ["conditions", "facts"]

_COLUMNS = "id, name, description, kind, rules, size, counted_at, version, updated_at"
# At most 200 segments, so that each order may be sorted.
_ORDERS = {
    "name": Order({"key": str, "id": UUID}, sql={"key": "lower(name)"}),
    "size": Order({"key": int, "id": UUID}, descending=True, sql={"key": "size"}),
    "changed": Order({"key": datetime, "id": UUID}, descending=True, sql={"key": "updated_at"}),
}
_NARROWED = (
    " FROM segments WHERE shop_id = %(shop)s"
    " AND (%(search)s::text IS NULL OR name ILIKE '%%' || %(search)s || '%%')"
    " AND (%(kind)s::text IS NULL OR kind = %(kind)s)"
)


def _segment(row: dict[str, Any]) -> Segment:
    return Segment(**(row | {"rules": Rules.model_validate(row["rules"] or {})}))


def get(uow: UnitOfWork, segment_id: UUID, *, for_update: bool = False) -> Segment | None:
    """One segment."""
    row = uow.one(
        f"SELECT {_COLUMNS} FROM segments WHERE shop_id = %(shop)s AND id = %(id)s"
        + (" FOR UPDATE" if for_update else ""),
        {"shop": uow.shop, "id": segment_id},
    )
    return _segment(row) if row else None


def every(uow: UnitOfWork, search: str | None = None, kind: str | None = None) -> list[Segment]:
    """The shop's segments by name; `search` is any part of the name."""
    values = {"shop": uow.shop, "search": _part(search), "kind": kind}
    rows = uow.all(f"SELECT {_COLUMNS}{_NARROWED} ORDER BY lower(name), id", values)
    return [_segment(row) for row in rows]


def listed(uow: UnitOfWork, query: SegmentsFilter) -> paging.Page[dict[str, Any]]:
    """A page of segments. Raises StaleCursor."""
    order = _ORDERS[query.sort]

    def read(place: Place | None) -> list[dict[str, Any]]:
        return uow.all(
            f"SELECT {_COLUMNS}, {order.sql['key']} AS key{_NARROWED}{order.beside(place)}"
            f" ORDER BY {order.by(place)} LIMIT %(limit)s",
            _narrowing(uow, query) | order.values(place) | {"limit": query.limit + 1},
        )

    return order.page(query.cursor, query.limit, read)


def count(uow: UnitOfWork, query: SegmentsFilter) -> int:
    """How many segments match."""
    return int(uow.scalar(f"SELECT count(*){_NARROWED}", _narrowing(uow, query)))


def _narrowing(uow: UnitOfWork, query: SegmentsFilter) -> dict[str, Any]:
    return {"shop": uow.shop, "search": _part(query.search), "kind": query.kind}


def _part(text: str | None) -> str | None:
    """A text as a pattern that means itself."""
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") if text else None


def options(uow: UnitOfWork) -> list[Option]:
    """Segments to choose from, by name."""
    rows = uow.all(
        "SELECT id, name, size FROM segments WHERE shop_id = %(shop)s ORDER BY lower(name), id",
        {"shop": uow.shop},
    )
    return [Option(**row) for row in rows]


def name_taken(uow: UnitOfWork, name: str, but: UUID | None) -> bool:
    """Whether another segment has this name, in whatever case."""
    return bool(
        uow.scalar(
            "SELECT EXISTS (SELECT 1 FROM segments WHERE shop_id = %(shop)s AND lower(name) = lower(%(name)s)"
            " AND id IS DISTINCT FROM %(but)s::uuid)",
            {"shop": uow.shop, "name": name, "but": but},
        )
    )


def member_ids(uow: UnitOfWork, segment_id: UUID, after: UUID | None, limit: int) -> list[UUID]:
    """Ids of a segment's members after an id, in their order."""
    rows = uow.all(
        "SELECT member_id FROM segment_members WHERE shop_id = %(shop)s AND segment_id = %(segment)s"
        " AND (%(after)s::uuid IS NULL OR member_id > %(after)s) ORDER BY member_id LIMIT %(limit)s",
        {"shop": uow.shop, "segment": segment_id, "after": after, "limit": limit},
    )
    return [row["member_id"] for row in rows]


def page(uow: UnitOfWork, segment_id: UUID, cursor: str | None, limit: int) -> paging.Page[SegmentMemberOut]:
    """A page of a segment's members, the latest enrolled last. Raises StaleCursor."""
    after = None
    if cursor:
        try:
            after = UUID(str(paging.decode_cursor(cursor, 1)[0]))
        except ValueError:
            raise paging.StaleCursor() from None
    rows = uow.all(
        "SELECT s.member_id, m.customer_id, m.status, s.since FROM segment_members s"
        " JOIN members m ON m.shop_id = s.shop_id AND m.id = s.member_id"
        " WHERE s.shop_id = %(shop)s AND s.segment_id = %(segment)s"
        " AND (%(after)s::uuid IS NULL OR s.member_id > %(after)s) ORDER BY s.member_id LIMIT %(limit)s",
        {"shop": uow.shop, "segment": segment_id, "after": after, "limit": limit + 1},
    )
    found = paging.cut(rows, limit, "member_id")
    return paging.Page([SegmentMemberOut(**row) for row in found.items], found.next_cursor)


def since(uow: UnitOfWork, segment_id: UUID, ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """Since when these members are in a segment; those who are not are left out."""
    rows = uow.all(
        "SELECT member_id, since FROM segment_members WHERE shop_id = %(shop)s AND segment_id = %(segment)s"
        " AND member_id = ANY(%(ids)s)",
        {"shop": uow.shop, "segment": segment_id, "ids": list(ids)},
    )
    return {row["member_id"]: row["since"] for row in rows}


def of_members(uow: UnitOfWork, ids: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    """The segments that each of these members is in; those in none are left out."""
    rows = uow.all(
        "SELECT member_id, array_agg(segment_id ORDER BY segment_id) AS segments FROM segment_members"
        " WHERE shop_id = %(shop)s AND member_id = ANY(%(ids)s) GROUP BY member_id",
        {"shop": uow.shop, "ids": list(ids)},
    )
    return {row["member_id"]: row["segments"] for row in rows}


def of_member(uow: UnitOfWork, member_id: UUID) -> list[dict[str, Any]]:
    """A member's segments by name: {id, name, kind, since}."""
    return uow.all(
        "SELECT g.id, g.name, g.kind, s.since FROM segment_members s"
        " JOIN segments g ON g.shop_id = s.shop_id AND g.id = s.segment_id"
        " WHERE s.shop_id = %(shop)s AND s.member_id = %(member)s ORDER BY lower(g.name), g.id",
        {"shop": uow.shop, "member": member_id},
    )


def sizes(uow: UnitOfWork, segment_id: UUID, days: int) -> list[dict[str, Any]]:
    """How many members a segment had on each of the last days: {day, members}, oldest first."""
    rows = uow.all(
        "SELECT day, members FROM segment_sizes WHERE shop_id = %(shop)s AND segment_id = %(segment)s"
        " ORDER BY day DESC LIMIT %(days)s",
        {"shop": uow.shop, "segment": segment_id, "days": days},
    )
    return rows[::-1]


def preview(
    uow: UnitOfWork, rules: Rules, moment: Moment, months: dict[int, list[bytes]], limit: int
) -> Preview:
    """Whom conditions lead to, without writing anything."""
    condition, values = conditions.compiled(rules, moment, months)
    values |= {"shop": uow.shop, "limit": limit}
    row = uow.one(
        f"SELECT count(*) AS of, count(*) FILTER (WHERE {condition}) AS count FROM {conditions.BASE}", values
    )
    assert row is not None
    sample = uow.all(
        f"SELECT f.member_id FROM {conditions.BASE} AND {condition} ORDER BY f.member_id DESC LIMIT %(limit)s",
        values,
    )
    return Preview(row["count"], row["of"], [one["member_id"] for one in sample])


_PLACES = """
SELECT 'program' AS kind, p.name, '/app/loyalty-programs/' || p.id AS url FROM programs p
WHERE p.shop_id = %(shop)s AND p.status <> 'archived' AND strpos(to_jsonb(p)::text, %(text)s) > 0
UNION ALL
SELECT 'reward', r.name, '/app/reward-catalog/' || r.id FROM rewards r
WHERE r.shop_id = %(shop)s AND r.status <> 'retired' AND %(id)s = ANY(r.segments)
ORDER BY 1, 2 LIMIT 20
"""


def uses(uow: UnitOfWork, segment_id: UUID) -> list[Use]:
    """Programs and rewards that name the segment, as far as they can still act."""
    values = {"shop": uow.shop, "id": segment_id, "text": f'"{segment_id}"'}
    return [Use(**row) for row in uow.all(_PLACES, values)]


def by_emails(uow: UnitOfWork, emails: list[str]) -> dict[str, UUID]:
    """Members who stand, by e-mail as it was written; the one with an account before a guest."""
    indexes = [uow.blind_index(email, "members.email") for email in emails]
    rows = uow.all(
        "SELECT email_index, id FROM members WHERE shop_id = %(shop)s AND email_index = ANY(%(indexes)s)"
        " AND status IN ('active', 'blocked', 'guest') ORDER BY (status = 'guest') DESC, id DESC",
        {"shop": uow.shop, "indexes": indexes},
    )
    found = {bytes(row["email_index"]): row["id"] for row in rows}
    return {email: found[index] for email, index in zip(emails, indexes, strict=True) if index in found}
