"""Every SELECT on orders."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork

_LOCK = """
SELECT id, order_id, name, customer_id, member_id, currency, taxes_included, test, source_name, lines, refunds,
  discount_codes, known, placed_at, paid_at, fulfilled_at, cancelled_at, deleted_at, stale_after, paid_triggered_at
FROM orders WHERE shop_id = %(shop)s AND order_id = ANY(%(ids)s) ORDER BY order_id FOR UPDATE
"""


def lock(uow: UnitOfWork, order_ids: Iterable[int]) -> list[dict[str, Any]]:
    """The rows of these orders, locked in the order of their ids."""
    return uow.all(_LOCK, {"shop": uow.shop, "ids": sorted(order_ids)})


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
        " FROM orders WHERE shop_id = %(shop)s AND member_id = %(member)s ORDER BY placed_at DESC LIMIT %(limit)s",
        {"shop": uow.shop, "member": member_id, "limit": limit},
    )


_DELAYS = """
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY award_delay_ms) AS p50,
  percentile_disc(0.95) WITHIN GROUP (ORDER BY award_delay_ms) AS p95, count(*) AS orders
FROM (SELECT award_delay_ms FROM orders WHERE shop_id = %(shop)s AND award_delay_ms IS NOT NULL
      ORDER BY paid_triggered_at DESC LIMIT %(last)s) newest
"""


def award_delay(uow: UnitOfWork, last: int = 200) -> dict[str, Any]:
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
