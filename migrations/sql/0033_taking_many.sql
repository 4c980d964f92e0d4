-- What bulk actions need to take from many members, and to take back what they did, as fast as they give.

-- Points by hand taken from many members, each of them once: first to expire first, by an entry of `kind` 'adjust' or 'expire'.
-- No amount means whatever is available. Who has too few or nothing, and a key that is there already, writes nothing. The
-- accounts are locked in one order before the lots are read. Returns what was written.
CREATE FUNCTION points_debit_batch(s uuid, kind points_kind, members uuid[], entries uuid[], amounts bigint[], keys text[],
  reasons text[], why jsonb, actor_kind text, actor_id text, at timestamptz)
RETURNS TABLE (key text, points bigint, available bigint, qualifying bigint, crossed boolean) LANGUAGE plpgsql
SET enable_seqscan = off SET enable_nestloop = off AS $$
#variable_conflict use_column
DECLARE bucket points_bucket := CASE kind WHEN 'expire' THEN 'expired' ELSE 'reversed' END; lots uuid[]; owners uuid[]; parts bigint[];
BEGIN
  PERFORM 1 FROM points_accounts WHERE shop_id = s AND member_id = ANY(members) ORDER BY member_id FOR UPDATE;
  SELECT array_agg(l.id), array_agg(l.member_id), array_agg(least(l.remaining, r.points - l.before)) INTO lots, owners, parts
  FROM (SELECT id, member_id, remaining, (sum(remaining) OVER w)::bigint - remaining AS before
      FROM points_lots WHERE shop_id = s AND member_id = ANY(members) AND remaining > 0 AND NOT pending
      WINDOW w AS (PARTITION BY member_id ORDER BY expires_at, id ROWS UNBOUNDED PRECEDING)) AS l
    JOIN unnest(members, amounts) AS r (member_id, points) USING (member_id) WHERE r.points IS NULL OR l.before < r.points;
  RETURN QUERY
  WITH part AS MATERIALIZED (SELECT * FROM unnest(lots, owners, parts) AS p (id, member_id, points)),
  -- Whose lots do not bear out their account moves NULL, which no entry may.
  v AS MATERIALIZED (
    SELECT a.*, r.entry_id, r.key, r.reason, n.points AS taken, CASE WHEN p.points = n.points THEN n.points END AS moved,
      a.available - n.points AS left_over, points_outside(a.qualifying, a.watch_from, a.watch_to) AS crossed
    FROM unnest(members, entries, amounts, keys, reasons) AS r (member_id, entry_id, points, key, reason)
    JOIN points_accounts a ON a.shop_id = s AND a.member_id = ANY(members) AND a.member_id = r.member_id
    LEFT JOIN (SELECT member_id, sum(points) AS points FROM part GROUP BY 1) AS p ON p.member_id = r.member_id
    CROSS JOIN LATERAL (SELECT coalesce(r.points, a.available)) AS n (points)
    WHERE n.points BETWEEN 1 AND a.available),
  written AS (
    INSERT INTO points_entries (shop_id, id, member_id, seq, kind, points, moved, available_after, pending_after, held_after,
        debt_after, qualifying_after, crossed, key, reason, trace, actor_kind, actor_id, created_at, previous_hash, hash)
    SELECT s, v.entry_id, v.member_id, v.seq + 1, kind, -v.taken, v.moved, v.left_over, v.pending, v.held, v.debt, v.qualifying,
      v.crossed, v.key, v.reason, why, actor_kind, actor_id, at, v.last_hash,
      points_digest(v.last_hash, s, v.entry_id, v.member_id, v.seq + 1, kind, -v.taken, v.taken, 0, v.left_over, v.pending,
        v.held, v.debt, v.qualifying, v.crossed, v.key, v.reason, NULL, NULL, NULL, why, actor_kind, actor_id, at, NULL, NULL)
    FROM v ON CONFLICT (shop_id, key) DO NOTHING
    RETURNING id, member_id, seq, points, available_after, qualifying_after, crossed, key, hash),
  accounts AS (
    UPDATE points_accounts a SET available = w.available_after, seq = w.seq, last_hash = w.hash, updated_at = at
    FROM written w WHERE a.shop_id = s AND a.member_id = ANY(members) AND a.member_id = w.member_id),
  taken AS (
    UPDATE points_lots l SET remaining = l.remaining - p.points,
      expired = l.expired + CASE bucket WHEN 'expired' THEN p.points ELSE 0 END,
      reversed = l.reversed + CASE bucket WHEN 'reversed' THEN p.points ELSE 0 END
    FROM part p JOIN written w USING (member_id) WHERE l.shop_id = s AND l.id = ANY(lots) AND l.id = p.id),
  noted AS (
    INSERT INTO points_moves (shop_id, entry_id, lot_id, points, source, target)
    SELECT s, w.id, p.id, p.points, 'available', bucket FROM part p JOIN written w USING (member_id))
  SELECT w.key, w.points, w.available_after, w.qualifying_after, w.crossed FROM written w;
END $$;

-- What entries by hand did is taken back, each of another member: given points leave their lot and what they repaid is owed
-- again, taken points go back to their lots. An entry is undone once, under a key that names it; one whose points were used
-- writes nothing. Returns what was written; whoever has points and a debt now is for the caller to settle.
CREATE FUNCTION points_undo_batch(s uuid, members uuid[], undone uuid[], entries uuid[], reason text, why jsonb,
  actor_kind text, actor_id text, at timestamptz)
RETURNS TABLE (id uuid, points bigint, available bigint, debt bigint, qualifying bigint, crossed boolean) LANGUAGE plpgsql
SET enable_seqscan = off SET enable_nestloop = off AS $$
#variable_conflict use_column
DECLARE lots uuid[]; owners uuid[]; parts bigint[]; waits boolean[]; buckets points_bucket[];
BEGIN
  PERFORM 1 FROM points_accounts WHERE shop_id = s AND member_id = ANY(members) ORDER BY member_id FOR UPDATE;
  SELECT array_agg(c.lot), array_agg(c.entry), array_agg(c.points), array_agg(c.pending), array_agg(c.bucket)
    INTO lots, owners, parts, waits, buckets FROM (
    SELECT l.id AS lot, l.id AS entry, -l.remaining AS points, l.pending, 'reversed'::points_bucket AS bucket
    FROM points_lots l WHERE l.shop_id = s AND l.id = ANY(undone)
    UNION ALL
    SELECT m.lot_id, m.entry_id, m.points, false, m.target FROM points_moves m
    JOIN points_entries e ON e.shop_id = s AND e.id = ANY(undone) AND e.id = m.entry_id
    WHERE m.shop_id = s AND m.entry_id = ANY(undone) AND e.points < 0) AS c;
  RETURN QUERY
  WITH part AS MATERIALIZED (
    SELECT * FROM unnest(lots, owners, parts, waits, buckets) AS p (id, entry, points, pending, bucket)),
  v AS MATERIALIZED (
    SELECT a.*, r.entry_id, e.id AS undone, -e.points AS points, 'undo:' || e.id AS key,
      (a.available + p.points - p.pending)::bigint AS ready, (a.pending + p.pending)::bigint AS waiting, a.debt + b.repaid AS owed,
      points_outside(a.qualifying, a.watch_from, a.watch_to) AS crossed
    FROM unnest(undone, entries) AS r (old, entry_id)
    JOIN points_entries e ON e.shop_id = s AND e.id = ANY(undone) AND e.id = r.old
    JOIN points_accounts a ON a.shop_id = s AND a.member_id = ANY(members) AND a.member_id = e.member_id
    JOIN (SELECT entry, sum(points) AS points, coalesce(sum(points) FILTER (WHERE pending), 0) AS pending
      FROM part GROUP BY 1) AS p ON p.entry = e.id
    CROSS JOIN LATERAL (SELECT CASE WHEN e.points > 0 THEN e.moved ELSE 0 END) AS b (repaid)
    WHERE p.points = b.repaid - e.points),
  written AS (
    INSERT INTO points_entries (shop_id, id, member_id, seq, kind, points, moved, available_after, pending_after, held_after,
        debt_after, qualifying_after, crossed, key, reason, reference_id, trace, actor_kind, actor_id, created_at,
        previous_hash, hash)
    SELECT s, v.entry_id, v.member_id, v.seq + 1, 'undo', v.points, abs(v.points), v.ready, v.waiting, v.held, v.owed,
      v.qualifying, v.crossed, v.key, reason, v.undone, why, actor_kind, actor_id, at, v.last_hash,
      points_digest(v.last_hash, s, v.entry_id, v.member_id, v.seq + 1, 'undo', v.points, abs(v.points), 0, v.ready,
        v.waiting, v.held, v.owed, v.qualifying, v.crossed, v.key, reason, NULL, v.undone, NULL, why, actor_kind, actor_id,
        at, NULL, NULL)
    FROM v ON CONFLICT (shop_id, key) DO NOTHING
    RETURNING id, member_id, seq, points, available_after, pending_after, debt_after, qualifying_after, crossed, hash,
      reference_id),
  accounts AS (
    UPDATE points_accounts a SET available = w.available_after, pending = w.pending_after, debt = w.debt_after, seq = w.seq,
      last_hash = w.hash, updated_at = at
    FROM written w WHERE a.shop_id = s AND a.member_id = ANY(members) AND a.member_id = w.member_id),
  returned AS (
    UPDATE points_lots l SET remaining = l.remaining + p.points,
      expired = l.expired - CASE p.bucket WHEN 'expired' THEN p.points ELSE 0 END,
      reversed = l.reversed - CASE p.bucket WHEN 'reversed' THEN p.points ELSE 0 END
    FROM part p JOIN written w ON w.reference_id = p.entry WHERE l.shop_id = s AND l.id = ANY(lots) AND l.id = p.id),
  noted AS (
    INSERT INTO points_moves (shop_id, entry_id, lot_id, points, source, target)
    SELECT s, w.id, p.id, abs(p.points), CASE WHEN p.points < 0 THEN points_spendable(p.pending) ELSE p.bucket END,
      CASE WHEN p.points < 0 THEN p.bucket ELSE 'available' END
    FROM part p JOIN written w ON w.reference_id = p.entry WHERE p.points <> 0)
  SELECT w.reference_id, w.points, w.available_after, w.debt_after, w.qualifying_after, w.crossed FROM written w;
END $$;
