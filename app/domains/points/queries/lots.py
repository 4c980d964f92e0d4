"""Lots, the moves between their buckets, and holds."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork
from app.core.paging import Found, Order
from app.core.walking import Walk, walked
from app.domains.points.schemas import LotsQuery

LOT = (
    "l.id, l.points, l.remaining, l.held, l.spent, l.expired, l.reversed, l.pending, l.earned_at, l.activates_at,"
    " nullif(l.expires_at, 'infinity') AS expires_at, l.order_id"
)


# A member's lots lie in two partial indexes; the condition names both.
ANY_LOT = "(l.remaining > 0 OR l.remaining = 0)"


def lots(uow: UnitOfWork, member_id: UUID, limit: int = 100) -> list[dict[str, Any]]:
    """A member's lots, newest first."""
    return uow.all(
        f"SELECT {LOT} FROM points_lots l WHERE l.shop_id = %(shop)s AND l.member_id = %(member)s AND {ANY_LOT}"
        " ORDER BY l.id DESC LIMIT %(limit)s",
        {"shop": uow.shop, "member": member_id, "limit": limit},
    )


# Lots without points left come last, the newest of them first: their instant is mirrored.
_TURN = f"""
SELECT * FROM (SELECT l.*, (l.remaining = 0)::integer AS part, CASE WHEN l.remaining > 0
    THEN least(l.expires_at, '9999-01-01') ELSE 'epoch'::timestamptz - (l.earned_at - 'epoch'::timestamptz) END AS turn
  FROM points_lots l WHERE l.shop_id = %(shop)s AND l.member_id = %(member)s AND {ANY_LOT}) l WHERE true{{after}}"""
_ORDERS = {
    "use": Order({"part": int, "turn": datetime, "id": UUID}),
    "newest": Order({"earned_at": datetime, "id": UUID}, descending=True),
    "oldest": Order({"earned_at": datetime, "id": UUID}),
}
STATE = (
    "CASE WHEN l.remaining > 0 AND l.pending THEN 'pending' WHEN l.remaining > 0 THEN 'available'"
    " WHEN l.held > 0 THEN 'held' ELSE 'used' END"
)


def lots_page(uow: UnitOfWork, member_id: UUID, query: LotsQuery) -> Found:
    """A page of a member's lots, each with its `state`. Raises StaleCursor."""
    order = _ORDERS[query.sort]
    shown = f"{LOT}, {STATE} AS state, {', '.join('l.' + name for name in order.keys if name != 'id')}"
    where = f"{STATE} = %(state)s" if query.state else "true"
    walk = Walk(_TURN, order, shown, where=where, called="l")
    values = {"shop": uow.shop, "member": member_id, "state": query.state}
    return walked(uow, walk, values, query.limit, query.cursor)


_MOVES = f"""
SELECT {LOT}, x.source, x.target, x.points AS moved FROM (
  SELECT l.id AS lot_id, NULL::points_bucket AS source, points_spendable(l.waited) AS target, l.points::bigint AS points
  FROM points_lots l WHERE l.shop_id = %(shop)s AND l.member_id = %(member)s AND {ANY_LOT} AND l.entry_id = %(entry)s
  UNION ALL SELECT v.lot_id, v.source, v.target, v.points FROM points_moves v
  WHERE v.shop_id = %(shop)s AND v.entry_id = %(entry)s) x
JOIN points_lots l ON l.shop_id = %(shop)s AND l.id = x.lot_id ORDER BY l.expires_at, l.id, x.source NULLS FIRST
"""


def moves(uow: UnitOfWork, entry_id: UUID, member_id: UUID) -> list[dict[str, Any]]:
    """What an entry of a member did to lots: each move from a bucket (`source`, None at a lot's birth) to another."""
    return uow.all(_MOVES, {"shop": uow.shop, "entry": entry_id, "member": member_id})


def open_lots(uow: UnitOfWork, member_id: UUID) -> list[dict[str, Any]]:
    """A member's lots that still hold something, first to expire first."""
    return uow.all(
        "SELECT id, entry_id, order_id, remaining, held, pending, expires_at = 'infinity' AS forever"
        f" FROM points_lots l WHERE shop_id = %(shop)s AND member_id = %(member)s AND {ANY_LOT}"
        " AND (remaining > 0 OR held > 0) ORDER BY expires_at, id",
        {"shop": uow.shop, "member": member_id},
    )


def spendable_lots(uow: UnitOfWork, member_id: UUID) -> list[tuple[UUID, int]]:
    """What is available of a member's lots, first to expire first, as (lot, points)."""
    return uow.tuples(
        "SELECT id, remaining FROM points_lots WHERE shop_id = %(shop)s AND member_id = %(member)s AND remaining > 0"
        " AND NOT pending ORDER BY expires_at, id",
        {"shop": uow.shop, "member": member_id},
    )


def lots_by_id(uow: UnitOfWork, lot_ids: Iterable[UUID]) -> list[dict[str, Any]]:
    """Lots by their ids."""
    return uow.all(
        f"SELECT {LOT} FROM points_lots l WHERE l.shop_id = %(shop)s AND l.id = ANY(%(ids)s)",
        {"shop": uow.shop, "ids": list(lot_ids)},
    )


_OPEN_HOLDS = """
SELECT h.id, h.reason, h.reference_id, h.trace, h.moved,
  (SELECT jsonb_agg(jsonb_build_array(v.lot_id, v.points) ORDER BY v.lot_id) FROM points_moves v
   WHERE v.shop_id = h.shop_id AND v.entry_id = h.id AND v.target = 'held') AS lots
FROM points_entries h
WHERE h.shop_id = %(shop)s AND h.member_id = %(member)s AND h.kind = 'hold' AND NOT EXISTS (
  SELECT 1 FROM points_entries e WHERE e.shop_id = h.shop_id AND e.member_id = h.member_id
    AND e.reference_id = h.id AND e.kind IN ('spend', 'release'))
ORDER BY h.seq
"""


def open_holds(uow: UnitOfWork, member_id: UUID) -> list[dict[str, Any]]:
    """A member's holds that nobody ended yet, each with its lots as [[lot id, points]]."""
    return uow.all(_OPEN_HOLDS, {"shop": uow.shop, "member": member_id})


def lots_of_entries(uow: UnitOfWork, entry_ids: Iterable[UUID]) -> list[dict[str, Any]]:
    """The lots that entries made."""
    return uow.all(
        f"SELECT {LOT}, l.member_id, l.entry_id FROM points_entries e JOIN points_lots l ON l.shop_id = e.shop_id"
        f" AND l.member_id = e.member_id AND {ANY_LOT} AND l.entry_id = e.id"
        " WHERE e.shop_id = %(shop)s AND e.id = ANY(%(ids)s) ORDER BY l.id",
        {"shop": uow.shop, "ids": list(entry_ids)},
    )


def takings(uow: UnitOfWork, entry_id: UUID) -> list[tuple[UUID, int]]:
    """Which lots an entry took from, and how much."""
    rows = uow.all(
        "SELECT lot_id, points FROM points_moves WHERE shop_id = %(shop)s AND entry_id = %(id)s ORDER BY lot_id",
        {"shop": uow.shop, "id": entry_id},
    )
    return [(row["lot_id"], row["points"]) for row in rows]
