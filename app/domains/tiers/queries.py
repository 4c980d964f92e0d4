"""Every SELECT on tiers."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.core.db import UnitOfWork
from app.domains.tiers.models import Tier
from app.domains.tiers.schemas import Level


def get(uow: UnitOfWork, tier_id: UUID) -> Tier | None:
    """One tier."""
    return uow.session.scalar(select(Tier).where(Tier.id == tier_id))


def of_program(uow: UnitOfWork, program_id: UUID) -> list[Tier]:
    """A program's tiers, lowest first."""
    return list(
        uow.session.scalars(select(Tier).where(Tier.program_id == program_id).order_by(Tier.threshold_points))
    )


_LADDER = """
SELECT t.id, t.name, t.names, t.threshold_points, t.multiplier_bp, t.color
FROM tiers t JOIN programs p ON p.shop_id = t.shop_id AND p.id = t.program_id
WHERE t.shop_id = %(shop)s AND p.status = 'active' AND p.type = 'tiered' ORDER BY t.threshold_points
"""


def ladder(uow: UnitOfWork) -> list[Level]:
    """The active program's tiers, lowest first; empty when it has no tiers."""
    return [Level(**row) for row in uow.all(_LADDER, {"shop": uow.shop})]


def current(uow: UnitOfWork, member_ids: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
    """Members' present tiers: {tier_id, name}."""
    rows = uow.all(
        "SELECT m.member_id, m.tier_id, t.name, t.threshold_points FROM member_tiers m"
        " LEFT JOIN tiers t ON t.shop_id = m.shop_id AND t.id = m.tier_id"
        " WHERE m.shop_id = %(shop)s AND m.member_id = ANY(%(ids)s)",
        {"shop": uow.shop, "ids": list(member_ids)},
    )
    return {row["member_id"]: row for row in rows}


def qualifying(uow: UnitOfWork, member_id: UUID) -> int:
    """A member's points that count for tiers."""
    return int(
        uow.scalar(
            "SELECT qualifying FROM points_accounts WHERE shop_id = %(shop)s AND member_id = %(member)s",
            {"shop": uow.shop, "member": member_id},
        )
        or 0
    )


def counts(uow: UnitOfWork) -> dict[UUID, int]:
    """How many members each tier has."""
    rows = uow.all(
        "SELECT tier_id, count(*) AS members FROM member_tiers WHERE shop_id = %(shop)s AND tier_id IS NOT NULL"
        " GROUP BY tier_id",
        {"shop": uow.shop},
    )
    return {row["tier_id"]: row["members"] for row in rows}


_SLICE = """
SELECT member_id, qualifying FROM points_accounts
WHERE shop_id = %(shop)s AND (%(after)s::uuid IS NULL OR member_id > %(after)s) ORDER BY member_id LIMIT %(limit)s
"""


def slice_of_accounts(uow: UnitOfWork, after: UUID | None, limit: int) -> dict[UUID, int]:
    """Members with points after an id, for re-placing everybody: qualifying points by member."""
    rows = uow.all(_SLICE, {"shop": uow.shop, "after": after, "limit": limit})
    return {row["member_id"]: row["qualifying"] for row in rows}


def changes(uow: UnitOfWork, member_id: UUID, limit: int = 20) -> list[dict[str, Any]]:
    """A member's moves on the ladder, newest first."""
    return uow.all(
        "SELECT from_name, to_name, direction, qualifying_points, created_at FROM tier_changes"
        " WHERE shop_id = %(shop)s AND member_id = %(member)s ORDER BY created_at DESC LIMIT %(limit)s",
        {"shop": uow.shop, "member": member_id, "limit": limit},
    )
