"""What orders count for ladders by spend, orders or RFM: followed as they change, and read once from the past."""

from collections.abc import Collection, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from app.core.db import UnitOfWork
from app.domains.orders import service as orders
from app.domains.orders.events import OrderChanged
from app.domains.shops import service as shops
from app.domains.tiers import queries, rules
from app.domains.tiers.queries import values

_PAGE = 500
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")

_COUNT = """
INSERT INTO tier_orders (shop_id, order_id, member_id, placed_at, orders, net_minor)
SELECT %(shop)s, v.* FROM unnest(%(ids)s::uuid[], %(members)s::uuid[], %(placed)s::timestamptz[], %(orders)s::smallint[],
  %(nets)s::bigint[]) AS v
ON CONFLICT (shop_id, order_id) DO UPDATE SET member_id = excluded.member_id, placed_at = excluded.placed_at,
  orders = excluded.orders, net_minor = excluded.net_minor
"""


def start(uow: UnitOfWork) -> None:
    """Have past orders read, once per shop; later ones are followed from now on."""
    made = uow.execute(
        "INSERT INTO tier_readings (shop_id, total) VALUES (%(shop)s, %(total)s) ON CONFLICT DO NOTHING",
        {"shop": uow.shop, "total": orders.count_since(uow, _EPOCH)},
    )
    if made.rowcount:
        uow.enqueue("tiers.read_orders")


def follows_orders(uow: UnitOfWork) -> bool:
    """Whether some ladder of the shop asked for orders."""
    return bool(uow.once("tiers.reading", lambda: queries.values.reading(uow)))


def count_orders(uow: UnitOfWork, events: Sequence[OrderChanged]) -> None:
    """Note what these orders count now."""
    known = [one for one in events if one.member_id is not None and one.placed_at is not None]
    if not known:
        return
    currency = shops.get(uow).currency
    worth = [rules.order_worth(one.lines, one.refunds, stands=_stands(one, currency)) for one in known]
    uow.execute(
        _COUNT,
        {
            "shop": uow.shop,
            "ids": [one.id for one in known],
            "members": [one.member_id for one in known],
            "placed": [one.placed_at for one in known],
            "orders": [count for count, _ in worth],
            "nets": [net for _, net in worth],
        },
    )


def _stands(order: OrderChanged, currency: str) -> bool:
    paid = order.known and order.paid_at is not None and order.currency == currency
    return paid and not order.test and order.cancelled_at is None and order.deleted_at is None


def read_page(uow: UnitOfWork) -> bool:
    """Read the next page of past orders, oldest first; False when all are read. Safe to stop and start again."""
    found = queries.values.reading(uow)
    if found is None or found["ended_at"] is not None:
        return False
    after = (found["placed_at"], found["number"]) if found["placed_at"] else None
    events = orders.replay(uow, _EPOCH, after, _PAGE)
    count_orders(uow, events)
    last = events[-1] if events else None
    uow.execute(
        "UPDATE tier_readings SET placed_at = coalesce(%(placed)s, placed_at), number = coalesce(%(number)s, number),"
        " seen = seen + %(seen)s, ended_at = CASE WHEN %(done)s THEN %(now)s::timestamptz END WHERE shop_id = %(shop)s",
        {
            "shop": uow.shop,
            "placed": last.placed_at if last else None,
            "number": last.order_id if last else None,
            "seen": len(events),
            "done": len(events) < _PAGE,
            "now": uow.now,
        },
    )
    return len(events) == _PAGE


def has_read(uow: UnitOfWork) -> bool:
    """Whether past orders were all read."""
    found = queries.values.reading(uow)
    return found is not None and found["ended_at"] is not None


def score(uow: UnitOfWork, months: Collection[int]) -> None:
    """Score members by recency, frequency and money anew, for each of these numbers of months; other scores are dropped."""
    values.drop_scores(uow)
    for one in months:
        _score(uow, one)


def score_for_draft(uow: UnitOfWork, months: int, in_use: Collection[int]) -> None:
    """Score members for a preview; scores that ladders in use stand on wait for their day."""
    if months not in in_use:
        values.drop_scores(uow, months)
        _score(uow, months)


def _score(uow: UnitOfWork, months: int) -> None:
    at = ZoneInfo(shops.get(uow).timezone)
    values.score(uow, months, rules.window("rolling", months, at, None, uow.now).starts)
