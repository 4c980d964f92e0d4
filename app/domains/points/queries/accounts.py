"""What members have now."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork
from app.domains.points.queries.expiring import _SUM
from app.domains.points.schemas import Balance


def balance(uow: UnitOfWork, member_id: UUID) -> Balance:
    """The member's points by status; zeros for a member who never had any."""
    row = uow.one(
        "SELECT available, pending, held, debt, qualifying, multiplier_bp FROM points_accounts"
        " WHERE shop_id = %(shop)s AND member_id = %(member)s",
        {"shop": uow.shop, "member": member_id},
    )
    return Balance(**row) if row else Balance()


def balances(uow: UnitOfWork, member_ids: Iterable[UUID], *, indebted: bool = False) -> dict[UUID, Balance]:
    """Members' points by status, or those of members with a debt; members who never had any are left out."""
    rows = uow.all(
        "SELECT member_id, available, pending, held, debt, qualifying, multiplier_bp FROM points_accounts"
        " WHERE shop_id = %(shop)s AND member_id = ANY(%(ids)s)" + (" AND debt > 0" if indebted else ""),
        {"shop": uow.shop, "ids": list(member_ids)},
    )
    return {row.pop("member_id"): Balance(**row) for row in rows}


def accounts(uow: UnitOfWork, member_ids: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
    """What purchases are multiplied by (basis points) and what counts for tiers, by member."""
    rows = uow.all(
        "SELECT member_id, multiplier_bp, qualifying FROM points_accounts"
        " WHERE shop_id = %(shop)s AND member_id = ANY(%(ids)s)",
        {"shop": uow.shop, "ids": list(member_ids)},
    )
    return {row["member_id"]: row for row in rows}


def sum_of_accounts(uow: UnitOfWork) -> dict[str, int]:
    """The shop's points by status, from the accounts of all members."""
    return uow.one(_SUM, {"shop": uow.shop}) or {}


def summed(uow: UnitOfWork) -> dict[str, Any] | None:
    """The shop's points by status as they were last added up, with `members` and `summed_at`."""
    return uow.one(
        "SELECT members, available, pending, held, debt, summed_at FROM points_totals WHERE shop_id = %(shop)s",
        {"shop": uow.shop},
    )


def of_days(uow: UnitOfWork, first: date, last: date, zone: str) -> list[dict[str, Any]]:
    """By local day: points given and spent, orders that earned, and the money (minor units) that they earned on."""
    return uow.all(
        "SELECT (created_at AT TIME ZONE %(zone)s)::date AS day,"
        " coalesce(sum(points) FILTER (WHERE points > 0 AND kind IN ('award', 'adjust')), 0)::bigint AS given,"
        " coalesce(-sum(points) FILTER (WHERE kind = 'spend'), 0)::bigint AS spent,"
        " count(DISTINCT order_id) FILTER (WHERE kind = 'award' AND reason = 'purchase') AS orders,"
        " coalesce(sum((trace ->> 'base_minor')::bigint) FILTER (WHERE kind = 'award' AND reason = 'purchase'"
        "   AND right(key, 2) = ':0'), 0)::bigint AS sales"
        " FROM points_entries WHERE shop_id = %(shop)s"
        " AND created_at >= %(first)s::timestamp AT TIME ZONE %(zone)s"
        " AND created_at < (%(last)s::timestamp + interval '1 day') AT TIME ZONE %(zone)s GROUP BY 1",
        {"shop": uow.shop, "first": first, "last": last, "zone": zone},
    )


def ending_soon(uow: UnitOfWork, until: datetime) -> int:
    """Points that can be spent now and expire until an instant."""
    return int(
        uow.scalar(
            "SELECT coalesce(sum(remaining), 0) FROM points_lots WHERE shop_id = %(shop)s AND remaining > 0"
            " AND NOT pending AND expires_at > %(now)s AND expires_at <= %(until)s",
            {"shop": uow.shop, "now": uow.now, "until": until},
        )
    )


def lock_accounts(uow: UnitOfWork, member_ids: Iterable[UUID]) -> None:
    """Lock the accounts of members in the order of their ids, as every posting does first."""
    uow.execute(
        "SELECT points_lock_many(%(shop)s, %(members)s)", {"shop": uow.shop, "members": list(set(member_ids))}
    )


def members_with_entries(
    uow: UnitOfWork, after: UUID | None, since: datetime | None, limit: int
) -> list[UUID]:
    """Members with an account, in the order of their ids, from after one on; with `since`, those posted to from then."""
    rows = uow.all(
        "SELECT member_id FROM points_accounts WHERE shop_id = %(shop)s"
        " AND (%(after)s::uuid IS NULL OR member_id > %(after)s)"
        " AND (%(since)s::timestamptz IS NULL OR updated_at >= %(since)s) ORDER BY member_id LIMIT %(limit)s",
        {"shop": uow.shop, "after": after, "since": since, "limit": limit},
    )
    return [row["member_id"] for row in rows]


def count_entries(uow: UnitOfWork, member_ids: Sequence[UUID]) -> int:
    """How many entries these members have."""
    return int(
        uow.scalar(
            "SELECT coalesce(sum(seq), 0) FROM points_accounts WHERE shop_id = %(shop)s AND member_id = ANY(%(ids)s)",
            {"shop": uow.shop, "ids": list(member_ids)},
        )
    )
