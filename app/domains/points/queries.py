"""Every SELECT on the ledger."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from app.core import paging
from app.core.db import UnitOfWork
from app.domains.points.schemas import Balance, LedgerFilter


def balance(uow: UnitOfWork, member_id: UUID) -> Balance:
    """The member's points by status; zeros for a member who never had any."""
    row = uow.one(
        "SELECT available, pending, held, debt, qualifying, multiplier_bp FROM points_accounts"
        " WHERE shop_id = %(shop)s AND member_id = %(member)s",
        {"shop": uow.shop, "member": member_id},
    )
    return Balance(**row) if row else Balance()


def multipliers(uow: UnitOfWork, member_ids: Iterable[UUID]) -> dict[UUID, int]:
    """What purchases are multiplied by, in basis points, by member."""
    rows = uow.all(
        "SELECT member_id, multiplier_bp FROM points_accounts WHERE shop_id = %(shop)s AND member_id = ANY(%(ids)s)",
        {"shop": uow.shop, "ids": list(member_ids)},
    )
    return {row["member_id"]: row["multiplier_bp"] for row in rows}


_POSTED = """
SELECT order_id, sum(points)::bigint AS points, count(*) AS entries,
  (array_agg(member_id ORDER BY seq))[1] AS member_id,
  (array_agg(program_version_id ORDER BY seq))[1] AS version_id,
  (array_agg((trace->>'multiplier_bp')::integer ORDER BY seq))[1] AS multiplier_bp
FROM points_entries WHERE shop_id = %(shop)s AND order_id = ANY(%(orders)s) AND kind IN ('award', 'reverse')
GROUP BY order_id
"""


def posted_for_orders(uow: UnitOfWork, order_ids: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
    """What orders gave so far: points, number of entries, and the rule and multiplier of the first award."""
    rows = uow.all(_POSTED, {"shop": uow.shop, "orders": list(order_ids)})
    return {row["order_id"]: row for row in rows}


_ENTRY = (
    "id, member_id, seq, kind, points, moved, available_after, pending_after, held_after, debt_after,"
    " qualifying_after, crossed, key, reason,"
    " order_id, reference_id, program_version_id, trace, actor_kind, actor_id, created_at"
)


def history(uow: UnitOfWork, member_id: UUID, limit: int, cursor: str | None) -> paging.Page[dict[str, Any]]:
    """A page of a member's entries, newest first."""
    before = paging.decode_cursor(cursor, 1)[0] if cursor else None
    rows = uow.all(
        f"SELECT {_ENTRY} FROM points_entries WHERE shop_id = %(shop)s AND member_id = %(member)s"
        " AND (%(before)s::bigint IS NULL OR seq < %(before)s) ORDER BY seq DESC LIMIT %(limit)s",
        {"shop": uow.shop, "member": member_id, "before": before, "limit": limit + 1},
    )
    return paging.cut(rows, limit, "seq")


def page(uow: UnitOfWork, query: LedgerFilter, member_ids: list[UUID] | None) -> paging.Page[dict[str, Any]]:
    """A page of the shop's entries, newest first."""
    at, last = paging.decode_cursor(query.cursor, 2) if query.cursor else (None, None)
    rows = uow.all(
        f"SELECT {_ENTRY} FROM points_entries WHERE shop_id = %(shop)s"
        " AND (%(at)s::timestamptz IS NULL OR (created_at, id) < (%(at)s, %(last)s))"
        " AND (%(kind)s::text IS NULL OR kind = %(kind)s)"
        " AND (%(members)s::uuid[] IS NULL OR member_id = ANY(%(members)s))"
        " ORDER BY created_at DESC, id DESC LIMIT %(limit)s",
        {
            "shop": uow.shop,
            "at": at,
            "last": last,
            "kind": query.kind,
            "members": member_ids,
            "limit": query.limit + 1,
        },
    )
    return paging.cut(rows, query.limit, "created_at", "id")


def entry(uow: UnitOfWork, entry_id: UUID) -> dict[str, Any] | None:
    """One entry."""
    return uow.one(
        f"SELECT {_ENTRY} FROM points_entries WHERE shop_id = %(shop)s AND id = %(id)s",
        {"shop": uow.shop, "id": entry_id},
    )


def entries_by_key(uow: UnitOfWork, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The entries that keys led to."""
    rows = uow.all(
        f"SELECT {_ENTRY} FROM points_entries WHERE shop_id = %(shop)s AND key = ANY(%(keys)s)",
        {"shop": uow.shop, "keys": list(keys)},
    )
    return {row["key"]: row for row in rows}


def award_of_order(uow: UnitOfWork, order_id: UUID) -> dict[str, Any] | None:
    """The first award of an order."""
    return uow.one(
        f"SELECT {_ENTRY} FROM points_entries WHERE shop_id = %(shop)s AND order_id = %(order)s AND kind = 'award'"
        " ORDER BY seq LIMIT 1",
        {"shop": uow.shop, "order": order_id},
    )


_LOT = (
    "l.id, l.points, l.remaining, l.held, l.spent, l.expired, l.reversed, l.pending, l.earned_at, l.activates_at,"
    " nullif(l.expires_at, 'infinity') AS expires_at, l.order_id"
)


def lots(uow: UnitOfWork, member_id: UUID, limit: int = 100) -> list[dict[str, Any]]:
    """A member's lots, newest first."""
    return uow.all(
        f"SELECT {_LOT} FROM points_lots l WHERE l.shop_id = %(shop)s AND l.member_id = %(member)s"
        " ORDER BY l.id DESC LIMIT %(limit)s",
        {"shop": uow.shop, "member": member_id, "limit": limit},
    )


def moves(uow: UnitOfWork, entry_id: UUID) -> list[dict[str, Any]]:
    """The lots that an entry made, took from or gave back to."""
    return uow.all(
        f"SELECT {_LOT}, v.points AS moved FROM points_lots l"
        " LEFT JOIN points_moves v ON v.shop_id = l.shop_id AND v.lot_id = l.id AND v.entry_id = %(entry)s"
        " WHERE l.shop_id = %(shop)s AND (l.entry_id = %(entry)s OR v.entry_id IS NOT NULL) ORDER BY l.expires_at, l.id",
        {"shop": uow.shop, "entry": entry_id},
    )


def members_due(uow: UnitOfWork, what: str, at: Any, limit: int = 500) -> list[UUID]:
    """Members with lots to "activate" or to "expire" at an instant."""
    condition = {
        "activate": "pending AND activates_at <= %(at)s",
        "expire": "NOT pending AND remaining > 0 AND expires_at <= %(at)s",
    }[what]
    rows = uow.all(
        f"SELECT DISTINCT member_id FROM points_lots WHERE shop_id = %(shop)s AND {condition}"
        " ORDER BY member_id LIMIT %(limit)s",
        {"shop": uow.shop, "at": at, "limit": limit},
    )
    return [row["member_id"] for row in rows]


def shop_totals(uow: UnitOfWork) -> dict[str, int]:
    """The shop's points by status, from the accounts."""
    row = uow.one(
        "SELECT coalesce(sum(available), 0)::bigint AS available, coalesce(sum(pending), 0)::bigint AS pending,"
        " coalesce(sum(held), 0)::bigint AS held, coalesce(sum(debt), 0)::bigint AS debt FROM points_accounts"
        " WHERE shop_id = %(shop)s",
        {"shop": uow.shop},
    )
    assert row is not None
    return row


def given_since(uow: UnitOfWork, since: Any) -> int:
    """Points credited since an instant."""
    return int(
        uow.scalar(
            "SELECT coalesce(sum(points), 0)::bigint FROM points_entries"
            " WHERE shop_id = %(shop)s AND created_at >= %(since)s AND points > 0 AND kind IN ('award', 'adjust')",
            {"shop": uow.shop, "since": since},
        )
    )


def of_person(uow: UnitOfWork, member_id: UUID) -> list[dict[str, Any]]:
    """Every entry of a person, as JSON values."""
    return uow.all(
        "SELECT kind, points, available_after, reason, created_at::text FROM points_entries"
        " WHERE shop_id = %(shop)s AND member_id = %(member)s ORDER BY seq",
        {"shop": uow.shop, "member": member_id},
    )
