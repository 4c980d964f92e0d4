"""Where members stand, for lists that sort by points: caught up from the ledger, so that a posting pays for no order."""

from datetime import timedelta

from app.core.db import UnitOfWork

# An entry carries the time at which its transaction began, and may be seen only when that has committed.
_OVERLAP = timedelta(seconds=60)
_SELDOM = timedelta(hours=1)

_CHANGED = """
SELECT member_id FROM points_entries WHERE shop_id = %(shop)s AND created_at >= %(since)s
UNION SELECT id FROM members WHERE shop_id = %(shop)s AND enrolled_at >= %(since)s
"""
# OFFSET 0 keeps both look-ups by key, one for each member, also before the tables have statistics.
_EVERYBODY = "SELECT id AS member_id FROM members WHERE shop_id = %(shop)s"
_CATCH_UP = """
INSERT INTO points_standings (shop_id, member_id, available, qualifying)
SELECT %(shop)s, c.member_id, coalesce(a.available, 0), coalesce(a.qualifying, 0) FROM ({changed}) c
LEFT JOIN LATERAL (SELECT available, qualifying FROM points_accounts
  WHERE shop_id = %(shop)s AND member_id = c.member_id OFFSET 0) a ON true
LEFT JOIN LATERAL (SELECT available, qualifying FROM points_standings
  WHERE shop_id = %(shop)s AND member_id = c.member_id OFFSET 0) s ON true
WHERE (s.available, s.qualifying) IS DISTINCT FROM (coalesce(a.available, 0)::bigint, coalesce(a.qualifying, 0))
ORDER BY c.member_id
ON CONFLICT (shop_id, member_id) DO UPDATE SET available = EXCLUDED.available, qualifying = EXCLUDED.qualifying
"""


def refresh_standings(uow: UnitOfWork) -> int:
    """Bring the shop's standings up to the ledger. Returns how many changed.

    Who comes while another one does it goes on with what is there.
    """
    known = {"shop": uow.shop}
    uow.execute(
        "INSERT INTO points_standings_seen (shop_id, until) VALUES (%(shop)s, 'epoch') ON CONFLICT DO NOTHING",
        known,
    )
    until = uow.scalar(
        "SELECT until FROM points_standings_seen WHERE shop_id = %(shop)s FOR UPDATE SKIP LOCKED", known
    )
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
