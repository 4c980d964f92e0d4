"""The facts that conditions ask: summed for named members with one statement, whatever their number."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.core import rfm
from app.core.db import UnitOfWork

# A member's history is that of everybody who was merged into them; what they have now stands in their own rows.
# Each part is aggregated by itself, so that no join multiplies another. An award of the past counts as given even when the
# points moved on; what a refund took back does not.
_REFRESH = """
WITH wanted AS (SELECT id, id AS owner FROM members WHERE shop_id = %(shop)s AND id = ANY(%(ids)s)
    AND status IN ('active', 'blocked', 'guest')),
  family AS (SELECT id, owner FROM wanted UNION ALL
    SELECT m.id, m.merged_into FROM members m JOIN wanted w ON w.id = m.merged_into WHERE m.shop_id = %(shop)s),
  bought AS (SELECT y.owner, count(*) AS orders,
      sum(order_spent(o.lines, o.refunds, o.facts, o.taxes_included)) AS spent, max(o.placed_at) AS last_at,
      (array_agg(o.facts->>'country' ORDER BY o.placed_at DESC) FILTER (WHERE o.facts ? 'country'))[1] AS country
    FROM family y JOIN orders o ON o.shop_id = %(shop)s AND o.member_id = y.id
    WHERE o.known AND NOT o.test AND o.paid_at IS NOT NULL AND o.cancelled_at IS NULL AND o.deleted_at IS NULL
    GROUP BY 1),
  tagged AS (SELECT DISTINCT ON (y.owner) y.owner,
      ARRAY(SELECT DISTINCT lower(t) FROM jsonb_array_elements_text(o.facts->'customer_tags') t) AS tags
    FROM family y JOIN orders o ON o.shop_id = %(shop)s AND o.member_id = y.id
    WHERE o.facts ? 'customer_tags' ORDER BY y.owner, o.placed_at DESC NULLS LAST, o.id DESC),
  marked AS (SELECT w.id AS owner, array_agg(DISTINCT lower(t.tag)) AS tags
    FROM wanted w JOIN member_tags t ON t.shop_id = %(shop)s AND t.member_id = w.id GROUP BY 1),
  posted AS (SELECT y.owner, max(e.created_at) FILTER (WHERE e.kind = 'award') AS earned_at,
      sum(e.points) FILTER (WHERE e.kind IN ('award', 'reverse') OR (e.kind = 'adjust' AND e.points > 0)) AS lifetime
    FROM family y JOIN points_entries e ON e.shop_id = %(shop)s AND e.member_id = y.id GROUP BY 1),
  redeemed AS (SELECT y.owner, count(*) AS times, max(r.created_at) AS last_at
    FROM family y JOIN redemptions r ON r.shop_id = %(shop)s AND r.member_id = y.id
    WHERE r.status NOT IN ('cancelled', 'failed') AND r.hold_entry_id IS NOT NULL GROUP BY 1),
  brought AS (SELECT y.owner, count(*) AS friends
    FROM family y JOIN referrals r ON r.shop_id = %(shop)s AND r.advocate_id = y.id
    WHERE r.status = 'rewarded' GROUP BY 1),
  ending AS (SELECT w.id AS owner, min(l.expires_at) AS next_at
    FROM wanted w JOIN points_lots l ON l.shop_id = %(shop)s AND l.member_id = w.id
    WHERE l.remaining > 0 AND isfinite(l.expires_at) GROUP BY 1),
  placed AS (SELECT w.id AS owner, array_agg(t.tier_id ORDER BY t.tier_id) AS tiers
    FROM wanted w JOIN member_tiers t ON t.shop_id = %(shop)s AND t.member_id = w.id
    WHERE t.tier_id IS NOT NULL GROUP BY 1)
INSERT INTO segment_facts (shop_id, member_id, available, earned, lifetime, tiers, orders, spent_minor, redemptions,
  referrals, last_order_at, last_earned_at, last_redeemed_at, next_expiry_at, country, tags)
SELECT %(shop)s, w.id, coalesce(a.available, 0), greatest(coalesce(a.qualifying, 0), 0),
  greatest(coalesce(p.lifetime, 0), 0), coalesce(c.tiers, '{}'), coalesce(b.orders, 0), coalesce(b.spent, 0),
  coalesce(r.times, 0), coalesce(f.friends, 0), b.last_at, p.earned_at, r.last_at, x.next_at,
  coalesce(b.country, ''), coalesce(g.tags, '{}') || coalesce(k.tags, '{}')
FROM wanted w
LEFT JOIN points_accounts a ON a.shop_id = %(shop)s AND a.member_id = w.id
LEFT JOIN bought b ON b.owner = w.id LEFT JOIN tagged g ON g.owner = w.id LEFT JOIN posted p ON p.owner = w.id
LEFT JOIN redeemed r ON r.owner = w.id LEFT JOIN brought f ON f.owner = w.id LEFT JOIN ending x ON x.owner = w.id
LEFT JOIN placed c ON c.owner = w.id LEFT JOIN marked k ON k.owner = w.id
ON CONFLICT (shop_id, member_id) DO UPDATE SET available = excluded.available, earned = excluded.earned,
  lifetime = excluded.lifetime, tiers = excluded.tiers, orders = excluded.orders, spent_minor = excluded.spent_minor,
  redemptions = excluded.redemptions, referrals = excluded.referrals, last_order_at = excluded.last_order_at,
  last_earned_at = excluded.last_earned_at, last_redeemed_at = excluded.last_redeemed_at,
  next_expiry_at = excluded.next_expiry_at, country = excluded.country, tags = excluded.tags
"""
# Who is nobody any more has no facts and stands in no segment.
_FORGET_FACTS = """
DELETE FROM segment_facts f USING members m WHERE f.shop_id = %(shop)s AND f.member_id = ANY(%(ids)s)
  AND m.shop_id = f.shop_id AND m.id = f.member_id AND m.status IN ('merged', 'erased')
"""


def refresh(uow: UnitOfWork, member_ids: list[UUID]) -> None:
    """Sum up the facts of these members anew."""
    values = {"shop": uow.shop, "ids": member_ids}
    uow.execute(_REFRESH, values)
    uow.execute(_FORGET_FACTS, values)


def slice_of_members(uow: UnitOfWork, after: UUID | None, limit: int) -> list[UUID]:
    """Ids of members after an id, in their order."""
    rows = uow.all(
        "SELECT id FROM members WHERE shop_id = %(shop)s AND (%(after)s::uuid IS NULL OR id > %(after)s)"
        " ORDER BY id LIMIT %(limit)s",
        {"shop": uow.shop, "after": after, "limit": limit},
    )
    return [row["id"] for row in rows]


# Each part over an index that exists for other reasons; order ids follow the time at which orders came.
_CHANGED = """
SELECT member_id FROM points_entries WHERE shop_id = %(shop)s AND created_at >= %(since)s
UNION SELECT id FROM members WHERE shop_id = %(shop)s AND updated_at >= %(since)s
UNION SELECT member_id FROM redemptions WHERE shop_id = %(shop)s AND created_at >= %(since)s
UNION SELECT member_id FROM orders WHERE shop_id = %(shop)s AND id >= %(since_id)s AND member_id IS NOT NULL
UNION SELECT member_id FROM segment_stale WHERE shop_id = %(shop)s
"""


def changed_since(uow: UnitOfWork, since: datetime) -> list[UUID]:
    """Members about whom something happened since an instant, and whoever they were merged into, by id."""
    rows = uow.all(
        f"SELECT DISTINCT v.id FROM ({_CHANGED}) c JOIN members m ON m.shop_id = %(shop)s AND m.id = c.member_id"
        " CROSS JOIN LATERAL (VALUES (m.id), (m.merged_into)) AS v (id) WHERE v.id IS NOT NULL ORDER BY 1",
        {"shop": uow.shop, "since": since, "since_id": _first_id(since)},
    )
    return [row["id"] for row in rows]


def _first_id(at: datetime) -> UUID:
    """The smallest UUIDv7 of an instant."""
    return UUID(int=(int(at.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62))


_BUYERS = """
SELECT last_order_at AS last_at, orders, spent_minor AS spent FROM segment_facts
WHERE shop_id = %(shop)s AND orders > 0 AND last_order_at IS NOT NULL
"""


def fifths(uow: UnitOfWork) -> rfm.Fifths:
    """Where one RFM score of the shop's buyers ends and the next begins."""
    return rfm.fifths(uow.one(rfm.cuts_sql(_BUYERS), {"shop": uow.shop}))


_NOTHING = {
    "seen_until": None,
    "built_at": None,
    "after_id": None,
    "recency": (),
    "frequency": (),
    "money": (),
}


def progress(uow: UnitOfWork) -> dict[str, Any]:
    """How far the facts follow: {seen_until, built_at, after_id} and the RFM cuts; empty before the first building."""
    row = uow.one(
        "SELECT seen_until, built_at, after_id, recency, frequency, money FROM segment_progress WHERE shop_id = %(shop)s",
        {"shop": uow.shop},
    )
    return row or _NOTHING


def lock_progress(uow: UnitOfWork) -> dict[str, Any] | None:
    """The same, locked until the end of the transaction; None while somebody else works on it."""
    uow.execute(
        "INSERT INTO segment_progress (shop_id) VALUES (%(shop)s) ON CONFLICT DO NOTHING", {"shop": uow.shop}
    )
    return uow.one(
        "SELECT seen_until, built_at, after_id, recency, frequency, money FROM segment_progress WHERE shop_id = %(shop)s"
        " FOR UPDATE SKIP LOCKED",
        {"shop": uow.shop},
    )


def count(uow: UnitOfWork) -> int:
    """How many members the facts know."""
    return int(uow.scalar("SELECT count(*) FROM segment_facts WHERE shop_id = %(shop)s", {"shop": uow.shop}))


def is_large(uow: UnitOfWork, limit: int) -> bool:
    """Whether the shop has more members than a limit."""
    return bool(
        uow.scalar(
            "SELECT count(*) > %(limit)s FROM (SELECT 1 FROM members WHERE shop_id = %(shop)s LIMIT %(limit)s + 1) m",
            {"shop": uow.shop, "limit": limit},
        )
    )
