"""Every SELECT on tiers: ladders and places here, what members have in `values`, lists in `lists`."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.core.db import UnitOfWork
from app.domains.members.schemas import TimelineSlice
from app.domains.tiers.models import Tier, TierLadder
from app.domains.tiers.schemas import Held, Ladder, Level

_LADDER_COLUMNS = """l.id, l.program_id, l.name, l.metric, l.period, l.months, l.grace_days, l.downgrade, l.take_back,
  l.notice_days, l.main, l.active, l.version"""
_LEVELS = """coalesce((SELECT jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name, 'names', t.names,
    'threshold', t.threshold, 'multiplier_bp', t.multiplier_bp, 'color', t.color, 'entry_points', t.entry_points,
    'entry_reward_id', t.entry_reward_id, 'gift_reward_id', t.gift_reward_id, 'gift_every', t.gift_every,
    'early_days', t.early_days) ORDER BY t.threshold)
  FROM tiers t WHERE t.shop_id = l.shop_id AND t.ladder_id = l.id), '[]') AS levels"""
_LADDERS = f"""
SELECT {_LADDER_COLUMNS}, {_LEVELS}
FROM tier_ladders l JOIN programs p ON p.shop_id = l.shop_id AND p.id = l.program_id
WHERE l.shop_id = %(shop)s AND p.status = 'active' AND p.type = 'tiered'"""
_ORDER = " ORDER BY l.main DESC, l.created_at, l.id"


def ladders(uow: UnitOfWork, *, all_of_them: bool = False) -> list[Ladder]:
    """The active program's ladders, the main one first; those switched off only on demand."""
    sql = _LADDERS + ("" if all_of_them else " AND l.active") + _ORDER
    return [_ladder(row) for row in uow.all(sql, {"shop": uow.shop})]


def ladder(uow: UnitOfWork, ladder_id: UUID) -> Ladder | None:
    """One ladder, of any program."""
    row = uow.one(
        f"SELECT {_LADDER_COLUMNS}, {_LEVELS} FROM tier_ladders l WHERE l.shop_id = %(shop)s AND l.id = %(id)s",
        {"shop": uow.shop, "id": ladder_id},
    )
    return _ladder(row) if row else None


_IDS = ("id", "entry_reward_id", "gift_reward_id")


def _ladder(row: dict[str, Any]) -> Ladder:
    levels = tuple(
        Level(**one | {name: UUID(one[name]) for name in _IDS if one[name]}) for one in row["levels"]
    )
    return Ladder(**row | {"levels": levels})


def stored_ladder(uow: UnitOfWork, ladder_id: UUID) -> TierLadder | None:
    """The row of a ladder, to be changed."""
    return uow.session.scalar(select(TierLadder).where(TierLadder.id == ladder_id))


def stored_tiers(uow: UnitOfWork, ladder_id: UUID) -> dict[UUID, Tier]:
    """The rows of a ladder's tiers by id, to be changed."""
    found = uow.session.scalars(select(Tier).where(Tier.ladder_id == ladder_id))
    return {one.id: one for one in found}


def ladder_of_tier(uow: UnitOfWork, tier_id: UUID) -> UUID | None:
    """The ladder that a tier is on."""
    found: UUID | None = uow.scalar(
        "SELECT ladder_id FROM tiers WHERE shop_id = %(shop)s AND id = %(id)s",
        {"shop": uow.shop, "id": tier_id},
    )
    return found


_HELD = """
SELECT member_id, ladder_id, tier_id, since, value, base, grace_until, ends_at, locked_until, lock_reason
FROM member_tiers WHERE shop_id = %(shop)s AND member_id = ANY(%(ids)s)
  AND (%(ladder)s::uuid IS NULL OR ladder_id = %(ladder)s)
"""


def held(
    uow: UnitOfWork, member_ids: Iterable[UUID], ladder_id: UUID | None = None
) -> dict[tuple[UUID, UUID], Held]:
    """Where members stand, by ladder and member; on one ladder if given."""
    rows = uow.all(_HELD, {"shop": uow.shop, "ids": list(member_ids), "ladder": ladder_id})
    return {
        (row["ladder_id"], row["member_id"]): Held(
            row["tier_id"],
            row["since"],
            row["value"],
            row["base"],
            row["grace_until"],
            row["ends_at"],
            row["locked_until"],
        )
        for row in rows
    }


def lock_reasons(uow: UnitOfWork, member_id: UUID) -> dict[UUID, str]:
    """Why staff fixed a member's tiers, by ladder."""
    rows = uow.all(_HELD, {"shop": uow.shop, "ids": [member_id], "ladder": None})
    return {row["ladder_id"]: row["lock_reason"] for row in rows}


def main_tiers(uow: UnitOfWork, member_ids: Iterable[UUID]) -> dict[UUID, UUID | None]:
    """Members' tiers on the main ladder."""
    rows = uow.all(
        "SELECT member_id, tier_id FROM member_tiers WHERE shop_id = %(shop)s AND member_id = ANY(%(ids)s) AND main",
        {"shop": uow.shop, "ids": list(member_ids)},
    )
    return {row["member_id"]: row["tier_id"] for row in rows}


def qualifying(uow: UnitOfWork, member_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Members' points that count for tiers, those of all time."""
    rows = uow.all(
        "SELECT member_id, qualifying FROM points_accounts WHERE shop_id = %(shop)s AND member_id = ANY(%(ids)s)",
        {"shop": uow.shop, "ids": list(member_ids)},
    )
    return {row["member_id"]: row["qualifying"] for row in rows}


def enrolled(uow: UnitOfWork, member_ids: Iterable[UUID]) -> dict[UUID, datetime]:
    """When members joined."""
    rows = uow.all(
        "SELECT id, enrolled_at FROM members WHERE shop_id = %(shop)s AND id = ANY(%(ids)s)",
        {"shop": uow.shop, "ids": list(member_ids)},
    )
    return {row["id"]: row["enrolled_at"] for row in rows}


def counts(uow: UnitOfWork) -> dict[UUID, int]:
    """How many members each tier has."""
    rows = uow.all(
        "SELECT tier_id, count(*) AS members FROM member_tiers WHERE shop_id = %(shop)s AND tier_id IS NOT NULL"
        " GROUP BY tier_id",
        {"shop": uow.shop},
    )
    return {row["tier_id"]: row["members"] for row in rows}


# Whoever has an account, orders that count or a place: the rest stands on the lowest tier without a row saying so.
_SLICE = """
SELECT m.id FROM members m
WHERE m.shop_id = %(shop)s AND m.merged_into IS NULL AND (%(after)s::uuid IS NULL OR m.id > %(after)s)
  AND m.status IN ('active', 'blocked', 'guest')
ORDER BY m.id LIMIT %(limit)s
"""


def slice_of_members(uow: UnitOfWork, after: UUID | None, limit: int) -> list[UUID]:
    """Members after an id, for going through everybody."""
    rows = uow.all(_SLICE, {"shop": uow.shop, "after": after, "limit": limit})
    return [row["id"] for row in rows]


def end_of_slice(uow: UnitOfWork, after: UUID, limit: int) -> tuple[UUID | None, int]:
    """The last of so many members after an id, None when nobody is left, and how many they are."""
    row = uow.one(
        f"SELECT (array_agg(id ORDER BY id DESC))[1] AS until, count(*) AS seen FROM ({_SLICE}) s",
        {"shop": uow.shop, "after": after, "limit": limit},
    )
    return (row["until"], row["seen"]) if row else (None, 0)


def merged_into(uow: UnitOfWork, after: UUID, until: UUID) -> dict[UUID, UUID]:
    """Who was merged into members of a range, and into whom."""
    rows = uow.all(
        "SELECT id, merged_into FROM members WHERE shop_id = %(shop)s AND merged_into > %(after)s"
        " AND merged_into <= %(until)s",
        {"shop": uow.shop, "after": after, "until": until},
    )
    return {row["id"]: row["merged_into"] for row in rows}


def count_members(uow: UnitOfWork) -> int:
    """How many members a slice after the other gives."""
    return int(
        uow.scalar(
            "SELECT count(*) FROM members WHERE shop_id = %(shop)s AND merged_into IS NULL"
            " AND status IN ('active', 'blocked', 'guest')",
            {"shop": uow.shop},
        )
    )


# What reaching a tier gave is found by the keys under which it was given; several tiers may be passed at once.
_ENTERED = """
SELECT c.*, coalesce(p.points, 0) AS points, p.entry_id, coalesce(p.gifts, '{{}}') AS gifts FROM ({moves}) c
LEFT JOIN LATERAL (SELECT sum(e.points)::bigint AS points,
    CASE WHEN count(e.id) = 1 THEN min(e.id::text) END AS entry_id, array_agg(k.key || ':entry') AS gifts
  FROM tiers t CROSS JOIN LATERAL (SELECT 'tier:' || t.id || ':' || c.member_id AS key) k
  LEFT JOIN points_entries e ON e.shop_id = t.shop_id AND e.key = k.key AND e.created_at = c.at AND %(with_points)s
  WHERE t.shop_id = %(shop)s AND t.ladder_id = c.ladder_id AND c.direction = 'up') p ON true
ORDER BY {by}
"""


def happened(uow: UnitOfWork, part: TimelineSlice) -> list[dict[str, Any]]:
    """Moves on ladders in a slice of a member's timeline, with the keys of rewards that may have been given for them.

    `points` that came of a move are told where points are shown beside it, `entry_id` where they are one entry.
    """
    columns = "id, member_id, ladder_id, from_name, to_name, direction, reason, note, created_at AS at"
    moves = part.rows(columns, "tier_changes", "created_at")
    values = part.values(uow.shop) | {"with_points": "points" in part.kinds}
    return uow.all(_ENTERED.format(moves=moves, by=part.by()), values)


def changes(uow: UnitOfWork, member_id: UUID, limit: int = 20) -> list[dict[str, Any]]:
    """A member's moves on ladders, newest first."""
    return uow.all(
        "SELECT from_name, to_name, direction, value, reason, note, created_at FROM tier_changes"
        " WHERE shop_id = %(shop)s AND member_id = %(member)s ORDER BY created_at DESC, id DESC LIMIT %(limit)s",
        {"shop": uow.shop, "member": member_id, "limit": limit},
    )


def grants(uow: UnitOfWork, member_id: UUID) -> list[dict[str, Any]]:
    """What tiers gave a member, newest first, for an export."""
    return uow.all(
        "SELECT tier_id, period, granted_at FROM tier_grants WHERE shop_id = %(shop)s AND member_id = %(member)s"
        " ORDER BY granted_at DESC LIMIT 1000",
        {"shop": uow.shop, "member": member_id},
    )


def risen(uow: UnitOfWork, member_ids: Iterable[UUID], at: datetime) -> dict[UUID, UUID]:
    """The tiers of the main ladder that members rose to in the transaction of an instant."""
    rows = uow.all(
        "SELECT DISTINCT ON (c.member_id) c.member_id, c.tier_id FROM tier_changes c"
        " JOIN tier_ladders l ON l.shop_id = c.shop_id AND l.id = c.ladder_id AND l.main"
        " WHERE c.shop_id = %(shop)s AND c.member_id = ANY(%(ids)s) AND c.created_at = %(at)s AND c.direction = 'up'"
        " AND c.tier_id IS NOT NULL ORDER BY c.member_id, c.id DESC",
        {"shop": uow.shop, "ids": list(member_ids), "at": at},
    )
    return {row["member_id"]: row["tier_id"] for row in rows}


def of_program(uow: UnitOfWork, program_id: UUID) -> list[Ladder]:
    """A program's ladders, also those that are off, the main one first."""
    rows = uow.all(
        f"SELECT {_LADDER_COLUMNS}, {_LEVELS} FROM tier_ladders l"
        " WHERE l.shop_id = %(shop)s AND l.program_id = %(program)s" + _ORDER,
        {"shop": uow.shop, "program": program_id},
    )
    return [_ladder(row) for row in rows]
