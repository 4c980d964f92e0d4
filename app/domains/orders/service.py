"""The verbs of orders: take over what Shopify says, and tell the rest of the house what an order is now."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any
from uuid import UUID

import orjson

from app.core import i18n, ids
from app.core.db import UnitOfWork
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.orders import queries
from app.domains.orders.errors import OrderNotFound
from app.domains.orders.events import OrderChanged
from app.domains.orders.rules import OrderFacts

Change = Callable[[OrderFacts], None]

_STUBS = """
INSERT INTO orders (shop_id, id, order_id)
SELECT %(shop)s, v.id, v.order_id FROM unnest(%(ids)s::uuid[], %(orders)s::bigint[]) AS v (id, order_id)
ON CONFLICT (shop_id, order_id) DO NOTHING
"""

_SAVE = """
UPDATE orders o SET name = v.name, customer_id = v.customer_id, member_id = v.member_id, currency = v.currency,
  taxes_included = v.taxes_included, test = v.test, source_name = v.source_name, lines = v.lines, refunds = v.refunds,
  discount_codes = coalesce(v.discount_codes, '{}'), known = v.known, placed_at = v.placed_at, paid_at = v.paid_at,
  fulfilled_at = v.fulfilled_at, cancelled_at = v.cancelled_at, deleted_at = v.deleted_at, stale_after = v.stale_after,
  paid_triggered_at = v.paid_triggered_at, updated_at = %(now)s
FROM jsonb_to_recordset(%(rows)s::jsonb) AS v (order_id bigint, name text, customer_id bigint, member_id uuid,
  currency text, taxes_included boolean, test boolean, source_name text, lines jsonb, refunds jsonb,
  discount_codes text[], known boolean, placed_at timestamptz, paid_at timestamptz, fulfilled_at timestamptz,
  cancelled_at timestamptz, deleted_at timestamptz, stale_after timestamptz, paid_triggered_at timestamptz)
WHERE o.shop_id = %(shop)s AND o.order_id = v.order_id
"""

_FIELDS = tuple(one.name for one in fields(OrderFacts))


def change(
    uow: UnitOfWork,
    changes: Mapping[int, list[Change]],
    persons: Mapping[int, Person],
    locales: Mapping[int, str],
) -> None:
    """Apply facts to orders (by Shopify order id) and publish OrderChanged for each, all with a few statements.

    `persons` are the customers that the payloads carried, `locales` the languages the orders were placed in, by
    customer id. The rows are locked first, so that concurrent batches about one order follow each other.
    """
    rows = _lock(uow, changes)
    facts: dict[int, OrderFacts] = {}
    for order_id, row in rows.items():
        facts[order_id] = OrderFacts(**{name: row[name] for name in _FIELDS})
        for apply in changes[order_id]:
            apply(facts[order_id])
    customers = {fact.customer_id for fact in facts.values() if fact.customer_id is not None}
    enrolled = members.enroll(uow, [persons[one] for one in sorted(customers) if one in persons]) if customers else {}
    owners = {order_id: rows[order_id]["member_id"] for order_id in rows}
    for order_id, fact in facts.items():
        if fact.customer_id in enrolled and owners[order_id] is None:
            owners[order_id] = enrolled[fact.customer_id].id
    _learn_locales(uow, facts, owners, locales)
    _save(uow, facts, owners)
    uow.publish([_event(rows[order_id]["id"], owners[order_id], fact) for order_id, fact in facts.items()])


def _lock(uow: UnitOfWork, order_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    wanted = sorted(order_ids)
    uow.execute(_STUBS, {"shop": uow.shop, "ids": [ids.new_id() for _ in wanted], "orders": wanted})
    return {row["order_id"]: row for row in queries.lock(uow, wanted)}


def _learn_locales(
    uow: UnitOfWork, facts: Mapping[int, OrderFacts], owners: Mapping[int, UUID | None], locales: Mapping[int, str]
) -> None:
    spoken: dict[UUID, str] = {}
    for order_id, fact in facts.items():
        owner, locale = owners[order_id], locales.get(fact.customer_id or 0)
        if owner is not None and locale:
            spoken[owner] = i18n.supported(locale)
    if spoken:
        members.learn_locales(uow, spoken)


def _save(uow: UnitOfWork, facts: Mapping[int, OrderFacts], owners: Mapping[int, UUID | None]) -> None:
    rows = [
        {name: getattr(fact, name) for name in _FIELDS} | {"member_id": owners[order_id]}
        for order_id, fact in facts.items()
    ]
    uow.execute(_SAVE, {"shop": uow.shop, "now": uow.now, "rows": orjson.dumps(rows).decode()})


def _event(row_id: UUID, member_id: UUID | None, fact: OrderFacts) -> OrderChanged:
    return OrderChanged(
        id=row_id,
        order_id=fact.order_id,
        name=fact.name,
        member_id=member_id,
        currency=fact.currency,
        lines=fact.lines,
        refunds=fact.refunds if not fact.taxes_included else _without_tax(fact.refunds),
        discount_codes=tuple(fact.discount_codes),
        known=fact.known,
        test=fact.test,
        placed_at=fact.placed_at,
        paid_at=fact.paid_at,
        fulfilled_at=fact.fulfilled_at,
        cancelled_at=fact.cancelled_at,
        deleted_at=fact.deleted_at,
    )


def _without_tax(refunds: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Refunded lines net of tax, for orders whose prices include it."""
    return {
        refund_id: refund | {"lines": [[line, subtotal - tax, tax, n] for line, subtotal, tax, n in refund["lines"]]}
        for refund_id, refund in refunds.items()
    }


def record_award_delay(uow: UnitOfWork, order_ids: Iterable[UUID]) -> None:
    """Note, once per order, how long it took from Shopify's "paid" until now, when its points are in the ledger."""
    uow.execute(
        "UPDATE orders SET award_delay_ms ="
        " least(extract(epoch FROM clock_timestamp() - paid_triggered_at) * 1000, 2000000000)::integer"
        " WHERE shop_id = %(shop)s AND id = ANY(%(ids)s) AND award_delay_ms IS NULL AND paid_triggered_at IS NOT NULL",
        {"shop": uow.shop, "ids": list(order_ids)},
    )


def again(uow: UnitOfWork, order_id: int) -> None:
    """Publish a known order as it is now. Raises OrderNotFound."""
    rows = queries.lock(uow, [order_id])
    if not rows or not rows[0]["known"]:
        raise OrderNotFound()
    fact = OrderFacts(**{name: rows[0][name] for name in _FIELDS})
    uow.publish([_event(rows[0]["id"], rows[0]["member_id"], fact)])


def names(uow: UnitOfWork, row_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Order names such as #1001 by our id."""
    return queries.names(uow, row_ids)


def owner(uow: UnitOfWork, order_id: int) -> tuple[UUID, UUID | None]:
    """Our id of an order and its member's. Raises OrderNotFound."""
    rows = queries.lock(uow, [order_id])
    if not rows or not rows[0]["known"]:
        raise OrderNotFound()
    return rows[0]["id"], rows[0]["member_id"]


def award_delay(uow: UnitOfWork) -> dict[str, Any]:
    """Milliseconds from Shopify's "paid" to the ledger over the newest orders: p50, p95 and how many orders."""
    return queries.award_delay(uow)
