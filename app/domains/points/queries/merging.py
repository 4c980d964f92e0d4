"""What members who are one have twice, and what a merge moved."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork
from app.domains.points.queries.entries import ENTRY

_DEEDS = """
SELECT e.id, e.member_id, e.reason, e.key, e.points, EXISTS (SELECT 1 FROM points_entries u
    WHERE u.shop_id = e.shop_id AND u.member_id = ANY(%(members)s) AND u.reference_id = e.id
      AND u.reason = 'duplicate_bonus' AND NOT EXISTS (SELECT 1 FROM points_entries b WHERE b.shop_id = u.shop_id
        AND b.member_id = u.member_id AND b.reference_id = u.id AND b.kind = 'undo')) AS taken_back
FROM points_entries e WHERE e.shop_id = %(shop)s AND e.member_id = ANY(%(members)s) AND e.kind = 'award'
  AND e.order_id IS NULL ORDER BY e.created_at, e.id
"""


def deeds_of(uow: UnitOfWork, member_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """What members were awarded without an order, oldest first, and whether a merge took it back as a second one."""
    return uow.all(_DEEDS, {"shop": uow.shop, "members": list(member_ids)})


def first_orders(uow: UnitOfWork, member_ids: Sequence[UUID]) -> list[UUID]:
    """Orders that earned as the first of one of these members."""
    rows = uow.all(
        "SELECT DISTINCT order_id FROM points_entries WHERE shop_id = %(shop)s AND member_id = ANY(%(members)s)"
        " AND kind = 'award' AND order_id IS NOT NULL AND (trace->'state'->>'first_order')::boolean",
        {"shop": uow.shop, "members": list(member_ids)},
    )
    return [row["order_id"] for row in rows]


_TAKEN_FROM_FIRST = f"""
SELECT DISTINCT ON (order_id) {ENTRY} FROM points_entries e
WHERE shop_id = %(shop)s AND order_id = ANY(%(orders)s) AND member_id = %(member)s AND reason = 'not_first_order'
  AND NOT EXISTS (SELECT 1 FROM points_entries u WHERE u.shop_id = e.shop_id AND u.order_id = e.order_id
    AND u.kind = 'undo' AND u.reference_id = e.id)
ORDER BY order_id, seq DESC
"""


def taken_from_first(
    uow: UnitOfWork, member_id: UUID, order_ids: Sequence[UUID]
) -> dict[UUID, dict[str, Any]]:
    """By order, the entry by which a merge took back what only a first order earns, unless it was given back."""
    rows = uow.all(_TAKEN_FROM_FIRST, {"shop": uow.shop, "member": member_id, "orders": list(order_ids)})
    return {row["order_id"]: row for row in rows}


def entries_of_merge(
    uow: UnitOfWork, member_id: UUID, merge_id: UUID, kind: str | None = None
) -> list[dict[str, Any]]:
    """What a merge wrote into a member's ledger, in its order."""
    return uow.all(
        f"SELECT {ENTRY} FROM points_entries WHERE shop_id = %(shop)s AND member_id = %(member)s"
        " AND trace->>'merge' = %(merge)s AND (%(kind)s::points_kind IS NULL OR kind = %(kind)s) ORDER BY seq",
        {"shop": uow.shop, "member": member_id, "merge": str(merge_id), "kind": kind},
    )


_OF_ORDERS_SINCE = """
SELECT e.id, e.kind, e.points, e.debt_after - coalesce(p.debt_after, 0) AS owed,
  e.qualifying_after - coalesce(p.qualifying_after, 0) AS qualifying
FROM points_entries e LEFT JOIN points_entries p
  ON p.shop_id = e.shop_id AND p.member_id = e.member_id AND p.seq = e.seq - 1
WHERE e.shop_id = %(shop)s AND e.member_id = %(member)s AND e.order_id = ANY(%(orders)s)
  AND e.kind IN ('award', 'reverse') AND e.reason <> 'not_first_order' AND e.created_at >= %(since)s ORDER BY e.seq
"""


def of_orders_since(
    uow: UnitOfWork, member_id: UUID, order_ids: Sequence[UUID], since: datetime
) -> list[dict[str, Any]]:
    """What orders gave and took back in a member's ledger since an instant, with what each entry did to debt and tiers.

    What a merge takes back because an order is no longer the first comes back by itself and is left out.
    """
    values = {"shop": uow.shop, "member": member_id, "orders": list(order_ids), "since": since}
    return uow.all(_OF_ORDERS_SINCE, values)


def merged_with_points(uow: UnitOfWork, limit: int = 500) -> list[UUID]:
    """Members who were merged into another and have something nevertheless."""
    rows = uow.all(
        "SELECT m.id FROM members m JOIN points_accounts a ON a.shop_id = m.shop_id AND a.member_id = m.id"
        " WHERE m.shop_id = %(shop)s AND m.merged_into IS NOT NULL"
        " AND (a.available, a.pending, a.held, a.debt, a.qualifying) <> (0, 0, 0, 0, 0) ORDER BY m.id LIMIT %(limit)s",
        {"shop": uow.shop, "limit": limit},
    )
    return [row["id"] for row in rows]
