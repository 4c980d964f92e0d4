DROP FUNCTION points_credit_batch(uuid, uuid[], jsonb, text, text, timestamptz);

-- Naming the members again beside the join keeps the planner from reading every account of a shop it knows nothing of.
-- Many credits at once, each of another member; `rows` hold {member_id, entry_id, kind, points, qualifies, activates,
-- expires, key, reason, order_id, program_version_id, trace}. Returns the entries that were written.
CREATE FUNCTION points_credit_batch(s uuid, rows jsonb, actor_kind text, actor_id text, at timestamptz)
RETURNS SETOF points_entries LANGUAGE plpgsql SET enable_seqscan = off SET enable_nestloop = off
AS $$
DECLARE members uuid[] := (SELECT array_agg((v->>'member_id')::uuid) FROM jsonb_array_elements(rows) v);
BEGIN
  PERFORM points_lock_many(s, members);
  RETURN QUERY
  WITH v AS MATERIALIZED (
    SELECT r.member_id, r.entry_id, r.kind, r.points, r.key, r.reason, r.order_id, r.program_version_id,
      coalesce(r.trace, '{}') AS trace, r.expires, d.starts, d.repaid, a.seq + 1 AS seq, a.last_hash, a.held,
      a.available + CASE WHEN d.starts > at THEN 0 ELSE r.points - d.repaid END AS available,
      a.pending + CASE WHEN d.starts > at THEN r.points - d.repaid ELSE 0 END AS pending,
      a.debt - d.repaid AS debt, q.qualifying, points_outside(q.qualifying, a.watch_from, a.watch_to) AS crossed
    FROM jsonb_to_recordset(rows) AS r (member_id uuid, entry_id uuid, kind points_kind, points bigint,
        qualifies boolean, activates timestamptz, expires timestamptz, key text, reason text, order_id uuid,
        program_version_id uuid, trace jsonb)
    JOIN points_accounts a ON a.shop_id = s AND a.member_id = ANY(members) AND a.member_id = r.member_id
    CROSS JOIN LATERAL (SELECT coalesce(r.activates, at), least(a.debt, r.points)) AS d (starts, repaid)
    CROSS JOIN LATERAL (SELECT a.qualifying + CASE WHEN r.qualifies THEN r.points ELSE 0 END) AS q (qualifying)),
  written AS (
    INSERT INTO points_entries (shop_id, id, member_id, seq, kind, points, moved, available_after, pending_after,
        held_after, debt_after, qualifying_after, crossed, key, reason, order_id, program_version_id, trace,
        actor_kind, actor_id, created_at, activates_at, expires_at, previous_hash, hash)
    SELECT s, v.entry_id, v.member_id, v.seq, v.kind, v.points, v.repaid, v.available, v.pending, v.held, v.debt,
      v.qualifying, v.crossed, v.key, v.reason, v.order_id, v.program_version_id, v.trace, actor_kind, actor_id, at,
      v.starts, v.expires, v.last_hash,
      points_digest(v.last_hash, s, v.entry_id, v.member_id, v.seq, v.kind, v.points, v.repaid, 0, v.available, v.pending,
        v.held, v.debt, v.qualifying, v.crossed, v.key, v.reason, v.order_id, NULL, v.program_version_id, v.trace,
        actor_kind, actor_id, at, v.starts, v.expires)
    FROM v ON CONFLICT (shop_id, key) DO NOTHING RETURNING *),
  accounts AS (
    UPDATE points_accounts a SET available = w.available_after, pending = w.pending_after, debt = w.debt_after,
      qualifying = w.qualifying_after, seq = w.seq, last_hash = w.hash, updated_at = at
    FROM written w WHERE a.shop_id = s AND a.member_id = ANY(members) AND a.member_id = w.member_id),
  lots AS (
    INSERT INTO points_lots (shop_id, id, member_id, entry_id, order_id, points, remaining, reversed, pending, waited,
        earned_at, activates_at, expires_at)
    SELECT s, w.id, w.member_id, w.id, w.order_id, w.points, w.points - w.moved, w.moved, w.activates_at > at,
      w.activates_at > at, at, w.activates_at, coalesce(w.expires_at, 'infinity')
    FROM written w),
  repayments AS (
    INSERT INTO points_moves (shop_id, entry_id, lot_id, points, source, target)
    SELECT s, w.id, w.id, w.moved, points_spendable(w.activates_at > at), 'reversed' FROM written w WHERE w.moved > 0)
  SELECT * FROM written;
END $$;
