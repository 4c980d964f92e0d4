"""Entries of the ledger."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core import paging
from app.core.db import UnitOfWork
from app.domains.members.schemas import TimelineSlice

ENTRY = (
    "id, member_id, seq, kind, points, moved, waived, available_after, pending_after, held_after, debt_after,"
    " qualifying_after, crossed, key, reason,"
    " order_id, reference_id, program_version_id, trace, actor_kind, actor_id, created_at"
)


def of_order(uow: UnitOfWork, order_id: UUID) -> list[dict[str, Any]]:
    """What was posted for an order, oldest first."""
    return uow.all(
        f"SELECT {ENTRY} FROM points_entries WHERE shop_id = %(shop)s AND order_id = %(order)s"
        " ORDER BY created_at, id LIMIT 100",
        {"shop": uow.shop, "order": order_id},
    )


def history(uow: UnitOfWork, member_id: UUID, limit: int, cursor: str | None) -> paging.Page[dict[str, Any]]:
    """A page of a member's entries, newest first."""
    before = paging.decode_cursor(cursor, 1)[0] if cursor else None
    rows = uow.all(
        f"SELECT {ENTRY} FROM points_entries WHERE shop_id = %(shop)s AND member_id = %(member)s"
        " AND (%(before)s::bigint IS NULL OR seq < %(before)s) ORDER BY seq DESC LIMIT %(limit)s",
        {"shop": uow.shop, "member": member_id, "before": before, "limit": limit + 1},
    )
    return paging.cut(rows, limit, "seq")


# What others tell in one line with what it was for: a redemption setting points aside and spending them, a merge moving
# them, a tier giving them to whoever reaches it. What a scalar looks up is never turned into a hash of everybody's rows.
_TOLD = {
    "rewards": "reason = 'redemption' AND (kind = 'hold' OR kind = 'spend' AND reference_id IS NOT NULL)",
    "merges": "reason IN ('merged', 'unmerged') AND 0 < (SELECT count(*) FROM member_merges g"
    " WHERE g.shop_id = points_entries.shop_id AND points_entries.member_id IN (g.kept_id, g.removed_id)"
    " AND points_entries.created_at IN (g.created_at, g.undone_at))",
    "tiers": "reason = 'tier_entry' AND 0 < (SELECT count(*) FROM tier_changes c JOIN tiers t ON t.shop_id = c.shop_id"
    " AND t.ladder_id = c.ladder_id WHERE c.shop_id = points_entries.shop_id AND c.member_id = points_entries.member_id"
    " AND c.created_at = points_entries.created_at AND c.direction = 'up'"
    " AND points_entries.key = 'tier:' || t.id || ':' || c.member_id)",
}


def happened(uow: UnitOfWork, part: TimelineSlice) -> list[dict[str, Any]]:
    """Entries in a slice of a member's timeline; those that another tells only where that is not shown itself."""
    where = "".join(f" AND NOT ({told})" for kind, told in _TOLD.items() if kind in part.kinds)
    return uow.all(
        part.rows(f"{ENTRY}, created_at AS at", "points_entries", "created_at", where), part.values(uow.shop)
    )


def entry(uow: UnitOfWork, entry_id: UUID) -> dict[str, Any] | None:
    """One entry."""
    return uow.one(
        f"SELECT {ENTRY} FROM points_entries WHERE shop_id = %(shop)s AND id = %(id)s",
        {"shop": uow.shop, "id": entry_id},
    )


def entries(uow: UnitOfWork, entry_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Entries in the order in which they were written."""
    return uow.all(
        f"SELECT {ENTRY} FROM points_entries WHERE shop_id = %(shop)s AND id = ANY(%(ids)s) ORDER BY seq",
        {"shop": uow.shop, "ids": list(entry_ids)},
    )


def owners_of(uow: UnitOfWork, entry_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Whose each entry is."""
    return dict(
        uow.tuples(
            "SELECT id, member_id FROM points_entries WHERE shop_id = %(shop)s AND id = ANY(%(ids)s)",
            {"shop": uow.shop, "ids": list(entry_ids)},
        )
    )


def entries_by_key(uow: UnitOfWork, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The entries that keys led to."""
    rows = uow.all(
        f"SELECT {ENTRY} FROM points_entries WHERE shop_id = %(shop)s AND key = ANY(%(keys)s)",
        {"shop": uow.shop, "keys": list(keys)},
    )
    return {row["key"]: row for row in rows}


_IN_CHAIN = """
SELECT b.id AS previous_id, n.id AS next_id, encode(e.previous_hash, 'hex') AS previous_hash, encode(e.hash, 'hex') AS hash,
  e.hash = points_digest(e) AND e.previous_hash = coalesce(b.hash, '\\x') AND (b.id IS NOT NULL OR e.seq = 1) AS proved,
  coalesce(b.available_after, 0) AS available, coalesce(b.pending_after, 0) AS pending, coalesce(b.held_after, 0) AS held,
  coalesce(b.debt_after, 0) AS debt
FROM points_entries e
LEFT JOIN points_entries b ON b.shop_id = e.shop_id AND b.member_id = e.member_id AND b.seq = e.seq - 1
LEFT JOIN points_entries n ON n.shop_id = e.shop_id AND n.member_id = e.member_id AND n.seq = e.seq + 1
WHERE e.shop_id = %(shop)s AND e.id = %(id)s
"""


def first_entry_of(uow: UnitOfWork, member_id: UUID) -> datetime | None:
    """When a member's ledger begins."""
    found: datetime | None = uow.scalar(
        "SELECT created_at FROM points_entries WHERE shop_id = %(shop)s AND member_id = %(member)s AND seq = 1",
        {"shop": uow.shop, "member": member_id},
    )
    return found


def in_chain(uow: UnitOfWork, entry_id: UUID) -> dict[str, Any]:
    """An entry's place in its member's chain: neighbors, hashes, whether both recompute, and the amounts before it."""
    return uow.one(_IN_CHAIN, {"shop": uow.shop, "id": entry_id}) or {}


def of_person(uow: UnitOfWork, member_ids: Iterable[UUID]) -> list[dict[str, Any]]:
    """Every entry of a person, who may have been several members, as JSON values."""
    return uow.all(
        "SELECT kind, points, available_after, reason, created_at::text FROM points_entries"
        " WHERE shop_id = %(shop)s AND member_id = ANY(%(members)s) ORDER BY created_at, member_id, seq",
        {"shop": uow.shop, "members": list(member_ids)},
    )
