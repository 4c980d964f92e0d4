"""What members have of a ladder's metric in their windows, with one statement for many members."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork
from app.domains.tiers.schemas import Metric, Value, Window

# What counts, and when. What a refund takes back counts on the day of the award that it undoes, so that nobody keeps a
# tier by sending goods back after the window has ended.
_POINTS = """
SELECT CASE WHEN e.kind = 'reverse' AND e.order_id IS NOT NULL THEN coalesce((SELECT min(o.created_at)
    FROM points_entries o WHERE o.shop_id = e.shop_id AND o.order_id = e.order_id AND o.kind = 'award'), e.created_at)
  ELSE e.created_at END AS at,
  e.qualifying_after - lag(e.qualifying_after, 1, 0::bigint) OVER (ORDER BY e.seq) AS amount
FROM points_entries e WHERE e.shop_id = %(shop)s AND e.member_id = v.member_id
"""
_ORDERS = """
SELECT o.placed_at AS at, o.{column}::bigint AS amount
FROM (SELECT v.member_id AS id UNION ALL
  SELECT m.id FROM members m WHERE m.shop_id = %(shop)s AND m.merged_into = v.member_id) f
JOIN tier_orders o ON o.shop_id = %(shop)s AND o.member_id = f.id
"""
_COUNTED = {
    "points": _POINTS,
    "spend": _ORDERS.format(column="net_minor"),
    "orders": _ORDERS.format(column="orders"),
}
_SUMS = """
SELECT v.member_id, coalesce(s.now, 0)::bigint AS now, coalesce(s.before, 0)::bigint AS before
FROM {asked}
CROSS JOIN LATERAL (
  SELECT sum(c.amount) FILTER (WHERE c.at >= v.starts) AS now,
    sum(c.amount) FILTER (WHERE c.at >= v.previous AND c.at < v.starts) AS before
  FROM ({counted}) c) s
"""
# Where all members have one window, it is told once.
_ONE_WINDOW = """(SELECT m AS member_id, %(starts)s::timestamptz AS starts, %(previous)s::timestamptz AS previous
  FROM unnest(%(members)s::uuid[]) AS m) v"""
_OWN_WINDOWS = """unnest(%(members)s::uuid[], %(starts)s::timestamptz[], %(previous)s::timestamptz[])
  AS v (member_id, starts, previous)"""
# The newest instant from which on the threshold is reached: once it leaves the window, the tier is no longer earned.
_HELD_BY = """
SELECT v.member_id, s.at
FROM unnest(%(members)s::uuid[], %(starts)s::timestamptz[], %(thresholds)s::bigint[]) AS v (member_id, starts, threshold)
CROSS JOIN LATERAL (
  SELECT max(r.at) AS at FROM (
    SELECT c.at, sum(c.amount) OVER (ORDER BY c.at DESC) AS run FROM ({counted}) c WHERE c.at >= v.starts) r
  WHERE r.run >= v.threshold) s
WHERE s.at IS NOT NULL
"""
_SCORES = """
SELECT member_id, recency + frequency + monetary AS score FROM tier_scores
WHERE shop_id = %(shop)s AND member_id = ANY(%(members)s)
"""
_ALL_TIME = """
SELECT member_id, qualifying FROM points_accounts WHERE shop_id = %(shop)s AND member_id = ANY(%(members)s)
"""


def values(
    uow: UnitOfWork, metric: Metric, windows: Mapping[UUID, Window], *, lifetime: bool
) -> dict[UUID, Value]:
    """What each member has, in the metric's unit: points, minor units, orders, or an RFM score."""
    members = list(windows)
    if not members:
        return {}
    if metric == "rfm":
        rows = uow.all(_SCORES, {"shop": uow.shop, "members": members})
        return {row["member_id"]: Value(row["score"]) for row in rows}
    if metric == "points" and lifetime:
        rows = uow.all(_ALL_TIME, {"shop": uow.shop, "members": members})
        return {row["member_id"]: Value(row["qualifying"]) for row in rows}
    first = next(iter(windows.values()))
    same = all(one is first for one in windows.values())
    rows = uow.all(
        _SUMS.format(counted=_COUNTED[metric], asked=_ONE_WINDOW if same else _OWN_WINDOWS),
        {
            "shop": uow.shop,
            "members": members,
            "starts": first.starts if same else [one.starts for one in windows.values()],
            "previous": first.previous if same else [one.previous for one in windows.values()],
        },
    )
    return {row["member_id"]: Value(row["now"], row["before"]) for row in rows}


def held_by(
    uow: UnitOfWork, metric: Metric, windows: Mapping[UUID, Window], thresholds: Mapping[UUID, int]
) -> dict[UUID, datetime]:
    """For members above the lowest tier: when what their tier stands on happened."""
    if metric == "rfm" or not thresholds:
        return {}
    rows = uow.all(
        _HELD_BY.format(counted=_COUNTED[metric]),
        {
            "shop": uow.shop,
            "members": list(thresholds),
            "starts": [windows[one].starts for one in thresholds],
            "thresholds": list(thresholds.values()),
        },
    )
    return {row["member_id"]: row["at"] for row in rows}


_RFM = """
INSERT INTO tier_scores (shop_id, member_id, recency, frequency, monetary)
SELECT %(shop)s, s.member_id, 6 - ntile(5) OVER (ORDER BY s.last DESC, s.member_id),
  6 - ntile(5) OVER (ORDER BY s.orders DESC, s.member_id), 6 - ntile(5) OVER (ORDER BY s.spend DESC, s.member_id)
FROM (SELECT coalesce(m.merged_into, m.id) AS member_id, max(o.placed_at) AS last, sum(o.orders) AS orders,
    sum(o.net_minor) AS spend
  FROM tier_orders o JOIN members m ON m.shop_id = o.shop_id AND m.id = o.member_id
  WHERE o.shop_id = %(shop)s AND o.placed_at >= %(since)s AND o.orders > 0 GROUP BY 1) s
"""


def score(uow: UnitOfWork, since: datetime) -> None:
    """Score everybody who ordered since an instant: fifths of the shop's members by last order, orders and spend."""
    uow.execute("DELETE FROM tier_scores WHERE shop_id = %(shop)s", {"shop": uow.shop})
    uow.execute(_RFM, {"shop": uow.shop, "since": since})


def reading(uow: UnitOfWork) -> dict[str, Any] | None:
    """How far past orders were read: {placed_at, number, seen, total, ended_at}; None when nobody asked for them."""
    return uow.one(
        "SELECT placed_at, number, seen, total, ended_at FROM tier_readings WHERE shop_id = %(shop)s",
        {"shop": uow.shop},
    )
