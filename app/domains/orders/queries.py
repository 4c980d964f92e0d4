"""Every SELECT on orders."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork
from app.domains.members.schemas import TimelineSlice

_SIXTY_FOUR_BITS = 2**64 - 1

_WHOLE = """
SELECT id, order_id, name, customer_id, member_id, currency, taxes_included, test, source_name, lines, refunds, facts,
  discount_codes, referral_code, known, placed_at, paid_at, fulfilled_at, cancelled_at, deleted_at, stale_after,
  paid_triggered_at
FROM orders WHERE shop_id = %(shop)s"""
_LOCK = _WHOLE + " AND order_id = ANY(%(ids)s) ORDER BY order_id FOR UPDATE"
_OF_MEMBERS = _WHOLE + " AND member_id = ANY(%(members)s) AND known"


# A row cannot be locked before it is there, so that two batches would store the same new order; a number can.
_LOCK_NUMBERS = "SELECT count(pg_advisory_xact_lock(n)::text) FROM unnest(%(numbers)s::bigint[]) AS n"


def lock(uow: UnitOfWork, order_ids: Iterable[int]) -> list[dict[str, Any]]:
    """The rows of these orders. Until the end of the transaction nobody else gets them or makes those missing.

    Locks are taken in one order everywhere; the rows are read afterwards, so that they are what the last holder left.
    """
    wanted = list(order_ids)
    numbers = sorted({_number(uow.shop, order_id) for order_id in wanted})
    uow.execute(_LOCK_NUMBERS, {"numbers": numbers})
    return uow.all(_LOCK, {"shop": uow.shop, "ids": wanted})


def _number(shop_id: UUID, order_id: int) -> int:
    """What is locked for an order; that two orders share one by chance only makes one wait."""
    return ((shop_id.int ^ order_id) & _SIXTY_FOUR_BITS) - 2**63


def by_number(uow: UnitOfWork, order_id: int) -> dict[str, Any] | None:
    """One whole order by Shopify's number."""
    return uow.one(_WHOLE + " AND order_id = %(order)s", {"shop": uow.shop, "order": order_id})


def placed_since(
    uow: UnitOfWork, since: datetime, after: tuple[datetime, int] | None, limit: int
) -> list[dict[str, Any]]:
    """Known orders of members placed since an instant, oldest first, after the last (placed, number) seen."""
    placed, number = after or (since, 0)
    return uow.all(
        _WHOLE + " AND known AND member_id IS NOT NULL AND placed_at >= %(since)s"
        " AND (placed_at, order_id) > (%(placed)s, %(number)s) ORDER BY placed_at, order_id LIMIT %(limit)s",
        {"shop": uow.shop, "since": since, "placed": placed, "number": number, "limit": limit},
    )


def get(uow: UnitOfWork, row_id: UUID) -> dict[str, Any] | None:
    """One order row by our id."""
    return uow.one(
        "SELECT id, order_id, name, currency, lines, refunds, paid_at, cancelled_at, deleted_at, placed_at, member_id"
        " FROM orders WHERE shop_id = %(shop)s AND id = %(id)s",
        {"shop": uow.shop, "id": row_id},
    )


def names(uow: UnitOfWork, row_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Order names such as #1001 by our id."""
    rows = uow.all(
        "SELECT id, name, order_id FROM orders WHERE shop_id = %(shop)s AND id = ANY(%(ids)s)",
        {"shop": uow.shop, "ids": list(row_ids)},
    )
    return {row["id"]: row["name"] or str(row["order_id"]) for row in rows}


def of_member(uow: UnitOfWork, member_id: UUID, limit: int = 50) -> list[dict[str, Any]]:
    """A member's newest orders."""
    return uow.all(
        "SELECT id, order_id, name, currency, lines, refunds, test, placed_at, paid_at, cancelled_at, deleted_at"
        " FROM orders WHERE shop_id = %(shop)s AND member_id = %(member)s"
        " ORDER BY placed_at DESC, order_id DESC LIMIT %(limit)s",
        {"shop": uow.shop, "member": member_id, "limit": limit},
    )


# As segments count them: paid, not canceled, no tests. Whoever ordered more often is summed up over the newest.
MOST_SUMMED = 1_000
_BOUGHT = """
SELECT id, order_id, name, placed_at, order_spent(lines, refunds, facts, taxes_included) AS spent_minor FROM orders
WHERE shop_id = %(shop)s AND member_id = ANY(%(members)s) AND known AND NOT test AND paid_at IS NOT NULL
  AND cancelled_at IS NULL AND deleted_at IS NULL ORDER BY placed_at DESC, order_id DESC LIMIT %(limit)s
"""


def bought(uow: UnitOfWork, member_ids: Iterable[UUID], shown: int) -> dict[str, Any]:
    """What these members bought: how often, for how much in minor units of the shop's currency, and the newest orders."""
    rows = uow.all(_BOUGHT, {"shop": uow.shop, "members": list(member_ids), "limit": MOST_SUMMED})
    return {
        "orders": len(rows),
        "more": len(rows) == MOST_SUMMED,
        "spent_minor": sum(row["spent_minor"] for row in rows),
        "newest": rows[:shown],
    }


# Ids follow the time in which orders came, so the newest are found without an index of their own.
_DELAYS = """
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY award_delay_ms) AS p50,
  percentile_disc(0.95) WITHIN GROUP (ORDER BY award_delay_ms) AS p95, count(award_delay_ms) AS orders
FROM (SELECT award_delay_ms FROM orders WHERE shop_id = %(shop)s ORDER BY id DESC LIMIT %(last)s) newest
"""


def of_members(uow: UnitOfWork, member_ids: Iterable[UUID]) -> list[dict[str, Any]]:
    """Every known order of these members, with all that a change of it would say."""
    return uow.all(_OF_MEMBERS, {"shop": uow.shop, "members": list(member_ids)})


def award_delay(uow: UnitOfWork, last: int = 500) -> dict[str, Any]:
    """Milliseconds from Shopify's "paid" to the ledger over the newest orders: p50, p95 and how many."""
    row = uow.one(_DELAYS, {"shop": uow.shop, "last": last})
    assert row is not None
    return row


def of_person(uow: UnitOfWork, member_id: UUID | None, customer_id: int | None) -> list[dict[str, Any]]:
    """A person's orders as far as we keep them, as JSON values."""
    return uow.all(
        "SELECT name, order_id, currency, lines, placed_at::text, paid_at::text, cancelled_at::text, source_name"
        " FROM orders WHERE shop_id = %(shop)s AND (member_id = %(member)s OR customer_id = %(customer)s)"
        " ORDER BY placed_at",
        {"shop": uow.shop, "member": member_id, "customer": customer_id},
    )


def first_of(uow: UnitOfWork, member_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Each member's first order that was not a test, by our id."""
    rows = uow.all(
        "SELECT DISTINCT ON (member_id) member_id, id FROM orders WHERE shop_id = %(shop)s AND known AND NOT test"
        " AND member_id = ANY(%(members)s) ORDER BY member_id, placed_at, order_id",
        {"shop": uow.shop, "members": list(member_ids)},
    )
    return {row["member_id"]: row["id"] for row in rows}


def by_ids(uow: UnitOfWork, row_ids: Iterable[UUID]) -> list[dict[str, Any]]:
    """Known orders by our ids, with all that a change of them would say."""
    return uow.all(_WHOLE + " AND id = ANY(%(ids)s) AND known", {"shop": uow.shop, "ids": list(row_ids)})


_FIRST_OF_SIDES = """
SELECT DISTINCT ON (side) id = ANY(%(some)s::uuid[]) AS side, placed_at, order_id FROM orders
WHERE shop_id = %(shop)s AND member_id = %(member)s AND known AND NOT test AND placed_at IS NOT NULL
ORDER BY side, placed_at, order_id
"""


def first_of_sides(
    uow: UnitOfWork, member_id: UUID, some: Iterable[UUID]
) -> dict[bool, tuple[datetime, int]]:
    """When a member's first order was placed, and its number: under True of these orders, under False of all others."""
    rows = uow.all(_FIRST_OF_SIDES, {"shop": uow.shop, "member": member_id, "some": list(some)})
    return {row["side"]: (row["placed_at"], row["order_id"]) for row in rows}


def happened(uow: UnitOfWork, part: TimelineSlice) -> list[dict[str, Any]]:
    """Orders in a slice of a member's timeline."""
    columns = "id, name, order_id, placed_at AS at, cancelled_at, test"
    statement = part.rows(columns, "orders", "placed_at", " AND placed_at IS NOT NULL")
    return uow.all(statement, part.values(uow.shop))


def owners_by_name(uow: UnitOfWork, text: str) -> list[UUID]:
    """Whose order has this name ("#1001", also without its sign) or Shopify id."""
    rows = uow.all(
        "SELECT DISTINCT member_id FROM orders WHERE shop_id = %(shop)s AND member_id IS NOT NULL"
        " AND (name = ANY(%(names)s) OR order_id = %(id)s) LIMIT 20",
        {
            "shop": uow.shop,
            "names": [text, f"#{text}"],
            "id": int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None,
        },
    )
    return [row["member_id"] for row in rows]


def ids_by_name(uow: UnitOfWork, text: str) -> list[UUID]:
    """Our ids of the orders with this name ("#1001", also without its sign)."""
    rows = uow.all(
        "SELECT id FROM orders WHERE shop_id = %(shop)s AND name = ANY(%(names)s) LIMIT 20",
        {"shop": uow.shop, "names": [text, f"#{text}"]},
    )
    return [row["id"] for row in rows]


def count_since(uow: UnitOfWork, since: datetime) -> int:
    """How many known orders of members were placed since an instant, at most a million."""
    return int(
        uow.scalar(
            "SELECT count(*) FROM (SELECT 1 FROM orders WHERE shop_id = %(shop)s AND known AND member_id IS NOT NULL"
            " AND placed_at >= %(since)s LIMIT 1000000) o",
            {"shop": uow.shop, "since": since},
        )
    )


def told(uow: UnitOfWork, row_id: UUID) -> dict[str, Any] | None:
    """What staff may know of an order by our id."""
    return uow.one(
        "SELECT order_id, name, member_id, placed_at, paid_at, cancelled_at FROM orders"
        " WHERE shop_id = %(shop)s AND id = %(id)s",
        {"shop": uow.shop, "id": row_id},
    )
