"""Where members stand, for lists in an order of points: caught up from the ledger, so that a posting pays for no order."""

from datetime import timedelta

from app.core.db import UnitOfWork

# An entry carries the time at which its transaction began, and may be seen only when that has committed.
_OVERLAP = timedelta(seconds=60)
_SELDOM = timedelta(hours=1)

_CHANGED = """
SELECT member_id FROM points_entries WHERE shop_id = %(shop)s AND created_at >= %(since)s
UNION SELECT id FROM members WHERE shop_id = %(shop)s AND enrolled_at >= %(since)s
UNION SELECT id FROM members WHERE shop_id = %(shop)s AND updated_at >= %(since)s
"""
# OFFSET 0 keeps the look-ups by key, one for each member, also before the tables have statistics.
_EVERYBODY = "SELECT id AS member_id FROM members WHERE shop_id = %(shop)s"
_CATCH_UP = """
INSERT INTO points_standings (shop_id, member_id, available, qualifying, status, source, enrolled_at)
SELECT %(shop)s, c.member_id, coalesce(a.available, 0), coalesce(a.qualifying, 0), m.status, m.source, m.enrolled_at
FROM ({changed}) c
CROSS JOIN LATERAL (SELECT status, source, enrolled_at FROM members
  WHERE shop_id = %(shop)s AND id = c.member_id OFFSET 0) m
LEFT JOIN LATERAL (SELECT available, qualifying FROM points_accounts
  WHERE shop_id = %(shop)s AND member_id = c.member_id OFFSET 0) a ON true
LEFT JOIN LATERAL (SELECT available, qualifying, status, source, enrolled_at FROM points_standings
  WHERE shop_id = %(shop)s AND member_id = c.member_id OFFSET 0) s ON true
WHERE (s.available, s.qualifying, s.status, s.source, s.enrolled_at)
  IS DISTINCT FROM (coalesce(a.available, 0)::bigint, coalesce(a.qualifying, 0), m.status, m.source, m.enrolled_at)
ORDER BY c.member_id
ON CONFLICT (shop_id, member_id) DO UPDATE SET available = EXCLUDED.available, qualifying = EXCLUDED.qualifying,
  status = EXCLUDED.status, source = EXCLUDED.source, enrolled_at = EXCLUDED.enrolled_at
"""
_SEEN = "SELECT until FROM points_standings_seen WHERE shop_id = %(shop)s FOR UPDATE SKIP LOCKED"
_FIRST = """
INSERT INTO points_standings_seen (shop_id, until) VALUES (%(shop)s, 'epoch') ON CONFLICT DO NOTHING RETURNING until
"""


def refresh_standings(uow: UnitOfWork) -> int:
    """Bring the shop's standings up to the ledger. Returns how many changed.

    Who comes while another one does it goes on with what is there.
    """
    known = {"shop": uow.shop}
    until = uow.scalar(_SEEN, known) or uow.scalar(_FIRST, known)
    if until is None:
        return 0
    changed = _CHANGED if until.year > 1970 else _EVERYBODY
    count = uow.execute(_CATCH_UP.format(changed=changed), known | {"since": until - _OVERLAP}).rowcount
    if count or uow.now - until > _SELDOM:
        uow.execute(
            "UPDATE points_standings_seen SET until = greatest(until, %(now)s) WHERE shop_id = %(shop)s",
            known | {"now": uow.now},
        )
    return count
