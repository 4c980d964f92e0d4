"""The verbs of orders: take over what Shopify says, and tell the rest of the house what an order is now."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from app.core import i18n, ids
from app.core.db import UnitOfWork
from app.domains.members import service as members
from app.domains.members.schemas import Guest, Person
from app.domains.orders import queries, rules
from app.domains.orders.errors import OrderNotFound, OrdersMeanwhile
from app.domains.orders.events import OrderChanged
from app.domains.orders.rules import OrderFacts

Change = Callable[[OrderFacts], None]

_COLUMNS = """order_id, name, customer_id, member_id, currency, taxes_included, test, source_name, lines, refunds, facts,
  discount_codes, referral_code, known, placed_at, paid_at, fulfilled_at, cancelled_at, deleted_at, stale_after,
  paid_triggered_at"""

_ROWS = """json_to_recordset(%(rows)s::json) AS v (id uuid, order_id bigint, name text, customer_id bigint, member_id uuid,
  currency text, taxes_included boolean, test boolean, source_name text, lines jsonb, refunds jsonb, facts jsonb,
  discount_codes text[], referral_code text, known boolean, placed_at timestamptz, paid_at timestamptz,
  fulfilled_at timestamptz, cancelled_at timestamptz, deleted_at timestamptz, stale_after timestamptz,
  paid_triggered_at timestamptz)"""

# How long Shopify's "paid" took until its points stand in the ledger; noted once, as the last write about an order.
# `least` ignores NULL, so an order that nobody paid yet has to be kept out of it.
_DELAY = """CASE WHEN v.paid_triggered_at IS NOT NULL
  THEN least(extract(epoch FROM clock_timestamp() - v.paid_triggered_at) * 1000, 2000000000)::integer END"""

_INSERT = f"""
INSERT INTO orders (shop_id, id, {_COLUMNS}, award_delay_ms)
SELECT %(shop)s, v.id, {_COLUMNS}, {_DELAY} FROM {_ROWS} ON CONFLICT (shop_id, order_id) DO NOTHING
"""

_UPDATE = f"""
UPDATE orders o SET ({_COLUMNS}, award_delay_ms, updated_at)
  = (SELECT {", ".join("v." + name.strip() for name in _COLUMNS.split(","))},
       coalesce(o.award_delay_ms, {_DELAY}), %(now)s::timestamptz)
FROM {_ROWS} WHERE o.shop_id = %(shop)s AND o.order_id = v.order_id
"""

_FIELDS = tuple(one.name for one in fields(OrderFacts))


def change(
    uow: UnitOfWork,
    changes: Mapping[int, list[Change]],
    persons: Mapping[int, Person],
    locales: Mapping[int, str],
    guests: Mapping[int, Guest] | None = None,
) -> None:
    """Apply facts to orders (by Shopify order id) and publish OrderChanged for each, all with a few statements.

    `persons` are the customers that the payloads carried, `locales` the languages the orders were placed in, by
    customer id, `guests` what orders without a customer say, by order id. The rows are locked first, so that
    concurrent batches about one order follow each other.
    """
    rows = {row["order_id"]: row for row in queries.lock(uow, changes)}
    facts: dict[int, OrderFacts] = {}
    for order_id, steps in changes.items():
        known = rows.get(order_id)
        facts[order_id] = (
            OrderFacts(**{name: known[name] for name in _FIELDS}) if known else OrderFacts(order_id)
        )
        for step in steps:
            step(facts[order_id])
        rules.count_paid(facts[order_id])
    row_ids = {order_id: rows[order_id]["id"] if order_id in rows else ids.new_id() for order_id in facts}
    owners = _owners(uow, facts, rows, persons, locales)
    if guests:
        _welcome(uow, owners, {one: guest for one, guest in guests.items() if owners[one] is None})
    new = set(facts) - set(rows)
    uow.publish(
        [
            _event(row_ids[order_id], owners[order_id], fact, new=order_id in new)
            for order_id, fact in facts.items()
        ]
    )
    _save(uow, facts, owners, row_ids, new)


def _owners(
    uow: UnitOfWork,
    facts: Mapping[int, OrderFacts],
    rows: Mapping[int, dict[str, Any]],
    persons: Mapping[int, Person],
    locales: Mapping[int, str],
) -> dict[int, UUID | None]:
    """The member of each order; customers who are none yet become members."""
    customers = {fact.customer_id for fact in facts.values() if fact.customer_id is not None} & set(persons)
    enrolled = members.enroll(uow, [persons[one] for one in sorted(customers)]) if customers else {}
    owners: dict[int, UUID | None] = {}
    spoken: dict[UUID, str] = {}
    for order_id, fact in facts.items():
        owners[order_id] = rows[order_id]["member_id"] if order_id in rows else None
        member = enrolled.get(fact.customer_id or 0)
        if member is None:
            continue
        owners[order_id] = owners[order_id] or member.id
        locale = locales.get(fact.customer_id or 0)
        if locale and i18n.supported(locale) != member.locale:
            spoken[member.id] = i18n.supported(locale)
    if spoken:
        members.learn_locales(uow, spoken)
    return owners


def _welcome(uow: UnitOfWork, owners: dict[int, UUID | None], guests: Mapping[int, Guest]) -> None:
    """Orders without a customer belong to whoever their e-mail or phone leads to."""
    found = members.welcome_guests(uow, guests.values())
    owners.update({one: found[guest] for one, guest in guests.items() if guest in found})


def _save(
    uow: UnitOfWork,
    facts: Mapping[int, OrderFacts],
    owners: Mapping[int, UUID | None],
    row_ids: Mapping[int, UUID],
    new: set[int],
) -> None:
    def write(sql: str, chosen: Iterable[int]) -> int:
        found = [vars(facts[one]) | {"id": row_ids[one], "member_id": owners[one]} for one in chosen]
        if not found:
            return 0
        values = {"shop": uow.shop, "now": uow.now, "rows": orjson.dumps(found).decode()}
        return uow.execute(sql, values).rowcount

    if write(_INSERT, sorted(new)) != len(new):
        raise OrdersMeanwhile()
    write(_UPDATE, [order_id for order_id in facts if order_id not in new])


def _event(row_id: UUID, member_id: UUID | None, fact: OrderFacts, *, new: bool = False) -> OrderChanged:
    return OrderChanged(
        id=row_id,
        order_id=fact.order_id,
        name=fact.name,
        member_id=member_id,
        currency=fact.currency,
        lines=fact.lines,
        refunds=fact.refunds if not fact.taxes_included else _without_tax(fact.refunds),
        discount_codes=tuple(fact.discount_codes),
        facts=fact.facts,
        source_name=fact.source_name,
        referral_code=fact.referral_code,
        known=fact.known,
        test=fact.test,
        placed_at=fact.placed_at,
        paid_at=fact.paid_at,
        fulfilled_at=fact.fulfilled_at,
        cancelled_at=fact.cancelled_at,
        deleted_at=fact.deleted_at,
        new=new,
    )


def _without_tax(refunds: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Refunded lines net of tax, for orders whose prices include it."""
    return {
        refund_id: refund
        | {"lines": [[line, subtotal - tax, tax, n] for line, subtotal, tax, n in refund["lines"]]}
        for refund_id, refund in refunds.items()
    }


def again(uow: UnitOfWork, order_id: int) -> None:
    """Publish a known order as it is now. Raises OrderNotFound."""
    rows = queries.lock(uow, [order_id])
    if not rows or not rows[0]["known"]:
        raise OrderNotFound()
    uow.publish([_as_event(rows[0])])


def of_members(uow: UnitOfWork, member_ids: Iterable[UUID]) -> list[OrderChanged]:
    """The orders of these members as they were last told; in a handler of OrderChanged its own news come on top."""
    return [_as_event(row) for row in queries.of_members(uow, member_ids)]


def names(uow: UnitOfWork, row_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Order names such as #1001 by our id."""
    return queries.names(uow, row_ids)


def told(uow: UnitOfWork, row_id: UUID) -> dict[str, Any]:
    """What staff may know of an order by our id: Shopify's number, name, member and days. Raises OrderNotFound."""
    found = queries.told(uow, row_id)
    if found is None:
        raise OrderNotFound()
    return found


def ids_by_name(uow: UnitOfWork, text: str) -> list[UUID]:
    """Our ids of the orders with a name such as #1001, also written without its sign."""
    return queries.ids_by_name(uow, text)


def owner(uow: UnitOfWork, order_id: int) -> tuple[UUID, UUID | None]:
    """Our id of an order and its member's. Raises OrderNotFound."""
    rows = queries.lock(uow, [order_id])
    if not rows or not rows[0]["known"]:
        raise OrderNotFound()
    return rows[0]["id"], rows[0]["member_id"]


def award_delay(uow: UnitOfWork) -> dict[str, Any]:
    """Milliseconds from Shopify's "paid" to the ledger over the newest orders: p50, p95 and how many orders."""
    return queries.award_delay(uow)


def forget_person(uow: UnitOfWork, member_id: UUID | None, customer_id: int | None) -> None:
    """Cut the thread from a person's orders to the person; amounts stay, because the ledger stands on them."""
    uow.execute(
        "UPDATE orders SET customer_id = NULL, discount_codes = '{}', referral_code = '',"
        " updated_at = %(now)s"
        " WHERE shop_id = %(shop)s AND (member_id = %(member)s OR customer_id = %(customer)s)",
        {"shop": uow.shop, "member": member_id, "customer": customer_id, "now": uow.now},
    )


def read_again(uow: UnitOfWork, order_id: int) -> None:
    """Read an order from Shopify for what no webhook tells (tags, collections, sale prices), once."""
    uow.outbox("orders.reread", {"order_id": order_id}, key=f"{order_id}:facts")


def first_of(uow: UnitOfWork, member_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Each member's first order that was not a test, by our id."""
    return queries.first_of(uow, member_ids)


def first_of_sides(
    uow: UnitOfWork, member_id: UUID, some: Iterable[UUID]
) -> dict[bool, tuple[datetime, int]]:
    """When a member's first order was placed, and its number: under True of these orders, under False of all others."""
    return queries.first_of_sides(uow, member_id, some)


def by_ids(uow: UnitOfWork, row_ids: Iterable[UUID]) -> list[OrderChanged]:
    """Known orders by our ids as they are now, without telling anybody."""
    return [_as_event(row) for row in queries.by_ids(uow, row_ids)]


def _as_event(row: dict[str, Any]) -> OrderChanged:
    return _event(row["id"], row["member_id"], OrderFacts(**{name: row[name] for name in _FIELDS}))


def seen(uow: UnitOfWork, order_id: int) -> OrderChanged:
    """A known order as it is now, without telling anybody. Raises OrderNotFound."""
    row = queries.by_number(uow, order_id)
    if row is None or not row["known"]:
        raise OrderNotFound()
    return _as_event(row)


def replay(
    uow: UnitOfWork, since: datetime, after: tuple[datetime, int] | None, limit: int
) -> list[OrderChanged]:
    """Known orders placed since an instant, oldest first, after the last (placed, number) of the page before."""
    return [_as_event(row) for row in queries.placed_since(uow, since, after, limit)]


def count_since(uow: UnitOfWork, since: datetime) -> int:
    """How many known orders of members were placed since an instant, at most a million."""
    return queries.count_since(uow, since)
