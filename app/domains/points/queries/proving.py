"""The laws of the ledger, and what members had at an instant."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork


def proof_run(uow: UnitOfWork) -> dict[str, Any] | None:
    """The verification somebody asked for last: {members, members_done, entries_done, started_at, ended_at}."""
    return uow.one(
        "SELECT members, members_done, entries_done, started_at, ended_at FROM points_proof_runs WHERE shop_id = %(shop)s",
        {"shop": uow.shop},
    )


# The lots of the members that are looked at, open and used, each by its own index.
_THEIR_LOTS = """WITH l AS MATERIALIZED (
  SELECT * FROM points_lots WHERE shop_id = %(shop)s AND member_id = ANY(%(members)s) AND remaining > 0
  UNION ALL SELECT * FROM points_lots WHERE shop_id = %(shop)s AND member_id = ANY(%(members)s) AND remaining = 0)"""


# Each law lists what breaks it as {member_id, entry_id, seq}; `l` are the members' lots.
_LAWS = {
    "hash": """
        SELECT e.member_id, e.id AS entry_id, e.seq FROM points_entries e
        WHERE e.shop_id = %(shop)s AND e.member_id = ANY(%(members)s) AND e.hash <> points_digest(e)""",
    "chain": """
        SELECT member_id, id AS entry_id, seq FROM (
          SELECT member_id, id, seq, points, previous_hash, row_number() OVER w AS n,
            lag(hash, 1, '\\x'::bytea) OVER w AS hash_before,
            lag(available_after + pending_after + held_after - debt_after, 1, 0::bigint) OVER w AS before,
            available_after + pending_after + held_after - debt_after AS after
          FROM points_entries WHERE shop_id = %(shop)s AND member_id = ANY(%(members)s)
          WINDOW w AS (PARTITION BY member_id ORDER BY seq)) c
        WHERE seq <> n OR previous_hash <> hash_before OR after <> before + points""",
    "buckets": """
        WITH e AS MATERIALIZED (
          SELECT member_id, id, seq, available_after, pending_after, held_after,
            lag(available_after, 1, 0::bigint) OVER w AS available, lag(pending_after, 1, 0::bigint) OVER w AS pending,
            lag(held_after, 1, 0::bigint) OVER w AS held
          FROM points_entries WHERE shop_id = %(shop)s AND member_id = ANY(%(members)s)
          WINDOW w AS (PARTITION BY member_id ORDER BY seq)),
        d AS (
          SELECT entry_id, points_spendable(waited) AS bucket, points FROM l
          UNION ALL SELECT v.entry_id, u.bucket, u.points
            FROM e JOIN points_moves v ON v.shop_id = %(shop)s AND v.entry_id = e.id
            CROSS JOIN LATERAL (VALUES (v.target, v.points), (v.source, -v.points)) AS u (bucket, points)),
        x AS (
          SELECT entry_id, coalesce(sum(points) FILTER (WHERE bucket = 'available'), 0) AS available,
            coalesce(sum(points) FILTER (WHERE bucket = 'pending'), 0) AS pending,
            coalesce(sum(points) FILTER (WHERE bucket = 'held'), 0) AS held FROM d GROUP BY 1)
        SELECT e.member_id, e.id AS entry_id, e.seq FROM e LEFT JOIN x ON x.entry_id = e.id
        WHERE (e.available_after, e.pending_after, e.held_after) <> (e.available + coalesce(x.available, 0),
          e.pending + coalesce(x.pending, 0), e.held + coalesce(x.held, 0))""",
    "lot": """
        WITH d AS (
          SELECT id AS lot_id, points_spendable(waited) AS bucket, points FROM l
          UNION ALL SELECT v.lot_id, u.bucket, u.points FROM l JOIN points_moves v ON v.shop_id = %(shop)s AND v.lot_id = l.id
            CROSS JOIN LATERAL (VALUES (v.target, v.points), (v.source, -v.points)) AS u (bucket, points)),
        x AS (
          SELECT lot_id, coalesce(sum(points) FILTER (WHERE bucket = 'available'), 0) AS available,
            coalesce(sum(points) FILTER (WHERE bucket = 'pending'), 0) AS pending,
            coalesce(sum(points) FILTER (WHERE bucket = 'held'), 0) AS held,
            coalesce(sum(points) FILTER (WHERE bucket = 'spent'), 0) AS spent,
            coalesce(sum(points) FILTER (WHERE bucket = 'expired'), 0) AS expired,
            coalesce(sum(points) FILTER (WHERE bucket = 'reversed'), 0) AS reversed FROM d GROUP BY 1)
        SELECT l.member_id, l.entry_id, e.seq FROM l JOIN x ON x.lot_id = l.id
        LEFT JOIN points_entries e ON e.shop_id = l.shop_id AND e.id = l.entry_id
        WHERE (CASE WHEN l.pending THEN 0 ELSE l.remaining END, CASE WHEN l.pending THEN l.remaining ELSE 0 END,
            l.held, l.spent, l.expired, l.reversed)
          <> (x.available, x.pending, x.held, x.spent, x.expired, x.reversed)
          OR e.id IS NULL OR e.member_id <> l.member_id
          OR e.kind <> 'move_in' AND (e.points, e.activates_at, e.created_at)
            IS DISTINCT FROM (l.points, l.activates_at, l.earned_at)""",
    "date": """
        WITH r AS (
          SELECT DISTINCT ON (v.lot) e.id, e.seq, v.* FROM points_entries e
          CROSS JOIN LATERAL jsonb_to_recordset(e.trace->'lots')
            AS v (lot uuid, now timestamptz, terms uuid, kept timestamptz)
          WHERE e.shop_id = %(shop)s AND e.member_id = ANY(%(members)s) AND e.kind = 'redate'
          ORDER BY v.lot, e.seq DESC)
        SELECT l.member_id, coalesce(r.id, e.id) AS entry_id, coalesce(r.seq, e.seq) AS seq FROM l
        LEFT JOIN r ON r.lot = l.id LEFT JOIN points_entries e ON e.shop_id = l.shop_id AND e.id = l.entry_id
        WHERE CASE WHEN r.id IS NOT NULL
          THEN (l.expires_at, l.terms_id, l.kept_until) IS DISTINCT FROM (r.now, r.terms, r.kept)
          ELSE e.kind <> 'move_in' AND (l.expires_at, l.terms_id, l.kept_until)
            IS DISTINCT FROM (coalesce(e.expires_at, 'infinity'), NULL::uuid, NULL::timestamptz) END""",
    "account": """
        SELECT a.member_id, e.id AS entry_id, e.seq FROM points_accounts a
        LEFT JOIN LATERAL (SELECT * FROM points_entries e WHERE e.shop_id = a.shop_id AND e.member_id = a.member_id
          ORDER BY e.seq DESC LIMIT 1) e ON true
        WHERE a.shop_id = %(shop)s AND a.member_id = ANY(%(members)s)
          AND (a.available, a.pending, a.held, a.debt, a.qualifying, a.seq, a.last_hash)
            IS DISTINCT FROM (coalesce(e.available_after, 0), coalesce(e.pending_after, 0), coalesce(e.held_after, 0),
              coalesce(e.debt_after, 0), coalesce(e.qualifying_after, 0), coalesce(e.seq, 0), coalesce(e.hash, '\\x'))""",
    "sum": """
        SELECT a.member_id, NULL::uuid AS entry_id, NULL::bigint AS seq FROM points_accounts a
        LEFT JOIN (SELECT member_id, sum(remaining) FILTER (WHERE NOT pending) AS available,
            sum(remaining) FILTER (WHERE pending) AS pending, sum(held) AS held FROM l GROUP BY 1) x USING (member_id)
        WHERE a.shop_id = %(shop)s AND a.member_id = ANY(%(members)s) AND (a.available, a.pending, a.held)
          <> (coalesce(x.available, 0), coalesce(x.pending, 0), coalesce(x.held, 0))""",
}


def broken_laws(uow: UnitOfWork, member_ids: Sequence[UUID]) -> dict[str, list[dict[str, Any]]]:
    """What breaks each law of the ledger, as {member_id, entry_id, seq}, for these members."""
    values = {"shop": uow.shop, "members": list(member_ids)}
    return {law: uow.all(_with_lots(sql), values) for law, sql in _LAWS.items()}


def _with_lots(sql: str) -> str:
    text = sql.strip()
    return _THEIR_LOTS + (", " + text.removeprefix("WITH ") if text.startswith("WITH ") else " " + text)


def proof(uow: UnitOfWork) -> dict[str, Any] | None:
    """When the ledger was last verified and what was found: {members, entries, findings, checked_at}."""
    return uow.one(
        "SELECT members, entries, findings, checked_at FROM points_proofs WHERE shop_id = %(shop)s",
        {"shop": uow.shop},
    )


_AS_OF = """
SELECT available_after AS available, pending_after AS pending, held_after AS held, debt_after AS debt,
  qualifying_after AS qualifying, seq
FROM points_entries WHERE shop_id = %(shop)s AND member_id = %(member)s AND created_at <= %(at)s
ORDER BY seq DESC LIMIT 1
"""


def as_of(uow: UnitOfWork, member_id: UUID, at: datetime) -> dict[str, Any] | None:
    """The amounts after the member's last entry until an instant, and its number; None before the first."""
    return uow.one(_AS_OF, {"shop": uow.shop, "member": member_id, "at": at})


_EFFECTS = """
SELECT e.available_after - coalesce(b.available_after, 0) AS available,
  e.pending_after - coalesce(b.pending_after, 0) AS pending,
  e.held_after - coalesce(b.held_after, 0) AS held, e.debt_after - coalesce(b.debt_after, 0) AS debt,
  e.qualifying_after - coalesce(b.qualifying_after, 0) AS qualifying, e.seq
FROM points_entries e LEFT JOIN points_entries b
  ON b.shop_id = e.shop_id AND b.member_id = e.member_id AND b.seq = e.seq - 1
WHERE e.shop_id = %(shop)s AND e.member_id = %(member)s AND e.id = ANY(%(ids)s)
"""


def effects(uow: UnitOfWork, member_id: UUID, entry_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """What each of these entries of a member did to the amounts."""
    return uow.all(_EFFECTS, {"shop": uow.shop, "member": member_id, "ids": list(entry_ids)})


_LOTS_AS_OF = """
SELECT l.id, l.entry_id, l.order_id, l.points, l.earned_at, l.activates_at, nullif(l.expires_at, 'infinity') AS expires_at,
  d.bucket::text AS bucket, sum(d.points)::bigint AS amount
FROM points_lots l JOIN points_entries b ON b.shop_id = l.shop_id AND b.id = l.entry_id AND b.seq <= %(seq)s
CROSS JOIN LATERAL (
  SELECT points_spendable(l.waited) AS bucket, l.points
  UNION ALL SELECT u.bucket, u.points FROM points_moves v
    JOIN points_entries e ON e.shop_id = v.shop_id AND e.id = v.entry_id AND e.seq <= %(seq)s
    CROSS JOIN LATERAL (VALUES (v.target, v.points), (v.source, -v.points)) AS u (bucket, points)
    WHERE v.shop_id = l.shop_id AND v.lot_id = l.id) d
WHERE l.shop_id = %(shop)s AND l.member_id = %(member)s AND (l.remaining > 0 OR l.remaining = 0)
GROUP BY l.shop_id, l.id, d.bucket HAVING sum(d.points) <> 0 ORDER BY l.expires_at, l.id, d.bucket
"""


def lots_as_of(uow: UnitOfWork, member_id: UUID, seq: int) -> list[dict[str, Any]]:
    """What was in which bucket of a member's lots after the entry number `seq`, first to expire first."""
    return uow.all(_LOTS_AS_OF, {"shop": uow.shop, "member": member_id, "seq": seq})
