"""What members have of a ladder's metric in their windows, with one statement for many members."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core import rfm
from app.core.db import UnitOfWork
from app.domains.tiers.schemas import Metric, Value, Window

# What counts, and when. What a refund takes back counts on the day of the award that it undoes, so that nobody keeps a
# tier by sending goods back after the window has ended.
_ENTRIES = """
SELECT e.member_id, CASE WHEN e.kind IN ('reverse', 'undo') AND e.order_id IS NOT NULL THEN coalesce((SELECT min(o.created_at)
    FROM points_entries o WHERE o.shop_id = e.shop_id AND o.order_id = e.order_id AND o.kind = 'award'), e.created_at)
  ELSE e.created_at END AS at,
  e.qualifying_after - lag(e.qualifying_after, 1, 0::bigint) OVER (PARTITION BY e.member_id ORDER BY e.seq) AS amount
FROM points_entries e WHERE e.shop_id = %(shop)s AND {those}
"""
_ORDERS = """
SELECT o.placed_at AS at, o.{column}::bigint AS amount
FROM (SELECT v.member_id AS id UNION ALL
  SELECT m.id FROM members m WHERE m.shop_id = %(shop)s AND m.merged_into = v.member_id) f
JOIN tier_orders o ON o.shop_id = %(shop)s AND o.member_id = f.id
"""
_COUNTED = {
    "points": _ENTRIES.format(those="e.member_id = v.member_id"),
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
WHERE shop_id = %(shop)s AND months = %(months)s AND member_id = ANY(%(members)s)
"""
_ALL_TIME = """
SELECT member_id, qualifying FROM points_accounts WHERE shop_id = %(shop)s AND member_id = ANY(%(members)s)
"""


def values(
    uow: UnitOfWork, metric: Metric, windows: Mapping[UUID, Window], *, lifetime: bool, months: int = 0
) -> dict[UUID, Value]:
    """What each member has, in the metric's unit: points, minor units, orders, or an RFM score.

    RFM scores are those of the orders of the last `months`.
    """
    members = list(windows)
    if not members:
        return {}
    if metric == "rfm":
        rows = uow.all(_SCORES, {"shop": uow.shop, "months": months, "members": members})
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


# Members that follow each other by id, all at once: one pass over what counts instead of a look-up for each.
_SOMEBODY = """
SELECT m.id AS member_id, {starts} AS starts, {previous} AS previous
FROM members m {windows}
WHERE m.shop_id = %(shop)s AND m.merged_into IS NULL AND m.status IN ('active', 'blocked', 'guest')
  AND m.id > %(after)s AND m.id <= %(until)s
"""
_WINDOWS = """JOIN unnest(%(days)s::text[], %(starts)s::timestamptz[], %(previous)s::timestamptz[])
  AS w (day, starts, previous) ON w.day = to_char(m.enrolled_at AT TIME ZONE %(zone)s, 'MM-DD')"""
_RANGE = "{id} > %(after)s AND {id} <= %(until)s"
_ORDERS_OF_MANY = """
SELECT o.member_id, o.placed_at AS at, o.{column}::bigint AS amount
FROM tier_orders o WHERE o.shop_id = %(shop)s AND {own}
UNION ALL
SELECT g.kept, o.placed_at, o.{column}::bigint
FROM tier_orders o JOIN unnest(%(gone)s::uuid[], %(kept)s::uuid[]) AS g (gone, kept) ON g.gone = o.member_id
WHERE o.shop_id = %(shop)s AND o.member_id = ANY(%(gone)s)
"""
_OF_MANY = {
    "points": _ENTRIES.format(those=_RANGE.format(id="e.member_id")),
} | {
    metric: _ORDERS_OF_MANY.format(column=column, own=_RANGE.format(id="o.member_id"))
    for metric, column in (("spend", "net_minor"), ("orders", "orders"))
}
_SUMS_OF_MANY = """
SELECT v.member_id, sum(c.amount) FILTER (WHERE c.at >= v.starts) AS now,
  sum(c.amount) FILTER (WHERE c.at >= v.previous AND c.at < v.starts) AS before
FROM somebody v JOIN ({counted}) c ON c.member_id = v.member_id GROUP BY v.member_id
"""
_SCORES_OF_MANY = """
SELECT member_id, recency + frequency + monetary AS now, 0 AS before FROM tier_scores
WHERE shop_id = %(shop)s AND months = %(months)s AND {those}
""".format(those=_RANGE.format(id="member_id"))
_ALL_TIME_OF_MANY = """
SELECT member_id, qualifying AS now, 0 AS before FROM points_accounts WHERE shop_id = %(shop)s AND {those}
""".format(those=_RANGE.format(id="member_id"))
_KINDS = """
WITH somebody AS MATERIALIZED ({somebody}), have AS ({have})
SELECT s.member_id, coalesce(h.now, 0)::bigint AS value,
  CASE WHEN t.member_id IS NULL THEN 0 ELSE coalesce(array_position(%(known)s::uuid[], t.tier_id), 0) + 1 END AS held,
  width_bucket(greatest(h.now, h.before, 0)::bigint, %(thresholds)s::bigint[]) AS reached,
  coalesce(t.locked_until > %(now)s, false) AS locked,
  CASE WHEN t.grace_until > %(now)s THEN 2 WHEN t.grace_until IS NOT NULL THEN 1 ELSE 0 END AS grace
FROM somebody s LEFT JOIN have h ON h.member_id = s.member_id
LEFT JOIN member_tiers t ON t.shop_id = %(shop)s AND t.member_id = s.member_id AND t.ladder_id = %(ladder)s
"""


def kinds_sql(metric: Metric, *, lifetime: bool, own_windows: bool) -> str:
    """A SELECT of what tells kinds of members apart (`rules.Foreseen`), with their values, for members in a range of ids."""
    somebody = _SOMEBODY.format(
        starts="w.starts" if own_windows else "%(starts)s::timestamptz",
        previous="w.previous" if own_windows else "%(previous)s::timestamptz",
        windows=_WINDOWS if own_windows else "",
    )
    if metric == "rfm":
        have = _SCORES_OF_MANY
    elif metric == "points" and lifetime:
        have = _ALL_TIME_OF_MANY
    else:
        have = _SUMS_OF_MANY.format(counted=_OF_MANY[metric])
    return _KINDS.format(somebody=somebody, have=have)


_BUYERS = """
SELECT coalesce(m.merged_into, m.id) AS member_id, max(o.placed_at) AS last_at, sum(o.orders)::bigint AS orders,
  sum(o.net_minor)::bigint AS spent
FROM tier_orders o JOIN members m ON m.shop_id = o.shop_id AND m.id = o.member_id
WHERE o.shop_id = %(shop)s AND o.placed_at >= %(since)s AND o.orders > 0 GROUP BY 1
"""
_SCORE = f"""
INSERT INTO tier_scores (shop_id, months, member_id, recency, frequency, monetary)
SELECT %(shop)s, %(months)s, member_id, {rfm.score_sql("last_at", "%(recency)s::timestamptz[]")},
  {rfm.score_sql("orders", "%(frequency)s::bigint[]")}, {rfm.score_sql("spent", "%(money)s::bigint[]")}
FROM ({_BUYERS}) b
"""


def score(uow: UnitOfWork, months: int, since: datetime) -> None:
    """Score everybody who ordered since an instant, so many months ago, among themselves."""
    found = rfm.fifths(uow.one(rfm.cuts_sql(_BUYERS), {"shop": uow.shop, "since": since}))
    uow.execute(
        _SCORE,
        {
            "shop": uow.shop,
            "months": months,
            "since": since,
            "recency": list(found.recency),
            "frequency": list(found.frequency),
            "money": list(found.money),
        },
    )


def drop_scores(uow: UnitOfWork, months: int | None = None) -> None:
    """Forget scores, all of them or those of so many months."""
    uow.execute(
        "DELETE FROM tier_scores WHERE shop_id = %(shop)s AND (%(months)s::integer IS NULL OR months = %(months)s)",
        {"shop": uow.shop, "months": months},
    )


def reading(uow: UnitOfWork) -> dict[str, Any] | None:
    """How far past orders were read: {placed_at, number, seen, total, ended_at}; None when nobody asked for them."""
    return uow.one(
        "SELECT placed_at, number, seen, total, ended_at FROM tier_readings WHERE shop_id = %(shop)s",
        {"shop": uow.shop},
    )
