-- What a bulk action needs to be fast: points for many members at once, and rows without a look at their run for each.

-- Points by hand for many members, each of them once: available at once, without an end, and not counted for tiers. Locking
-- the accounts in one order reads them, too. Returns what was written; a key that is there already writes nothing.
CREATE FUNCTION points_give(s uuid, members uuid[], entries uuid[], amounts bigint[], keys text[], reasons text[], why jsonb,
  actor_kind text, actor_id text, at timestamptz)
RETURNS TABLE (key text, available bigint, qualifying bigint, crossed boolean) LANGUAGE plpgsql
SET enable_seqscan = off SET enable_nestloop = off AS $$
#variable_conflict use_column
BEGIN
  IF (SELECT count(*) FROM points_accounts a WHERE a.shop_id = s AND a.member_id = ANY(members)) < cardinality(members) THEN
    PERFORM points_lock_many(s, members);
  END IF;
  RETURN QUERY
  WITH a AS MATERIALIZED (
    SELECT * FROM points_accounts a WHERE a.shop_id = s AND a.member_id = ANY(members) ORDER BY a.member_id FOR UPDATE),
  v AS MATERIALIZED (
    SELECT r.member_id, r.entry_id, r.points, r.key, r.reason, d.repaid, a.seq + 1 AS seq, a.last_hash, a.held, a.pending,
      a.available + r.points - d.repaid AS available, a.debt - d.repaid AS debt, a.qualifying,
      points_outside(a.qualifying, a.watch_from, a.watch_to) AS crossed
    FROM unnest(members, entries, amounts, keys, reasons) AS r (member_id, entry_id, points, key, reason)
    JOIN a USING (member_id)
    CROSS JOIN LATERAL (SELECT least(a.debt, r.points)) AS d (repaid)),
  written AS (
    INSERT INTO points_entries (shop_id, id, member_id, seq, kind, points, moved, available_after, pending_after, held_after,
        debt_after, qualifying_after, crossed, key, reason, trace, actor_kind, actor_id, created_at, activates_at,
        previous_hash, hash)
    SELECT s, v.entry_id, v.member_id, v.seq, 'adjust', v.points, v.repaid, v.available, v.pending, v.held, v.debt,
      v.qualifying, v.crossed, v.key, v.reason, why, actor_kind, actor_id, at, at, v.last_hash,
      points_digest(v.last_hash, s, v.entry_id, v.member_id, v.seq, 'adjust', v.points, v.repaid, 0, v.available, v.pending,
        v.held, v.debt, v.qualifying, v.crossed, v.key, v.reason, NULL, NULL, NULL, why, actor_kind, actor_id, at, at, NULL)
    FROM v ON CONFLICT (shop_id, key) DO NOTHING
    RETURNING id, member_id, seq, points, moved, available_after, debt_after, qualifying_after, crossed, key, hash),
  accounts AS (
    UPDATE points_accounts a SET available = w.available_after, debt = w.debt_after, seq = w.seq, last_hash = w.hash,
      updated_at = at
    FROM written w WHERE a.shop_id = s AND a.member_id = ANY(members) AND a.member_id = w.member_id),
  lots AS (
    INSERT INTO points_lots (shop_id, id, member_id, entry_id, points, remaining, reversed, pending, earned_at, activates_at)
    SELECT s, w.id, w.member_id, w.id, w.points, w.points - w.moved, w.moved, false, at, at FROM written w),
  repayments AS (
    INSERT INTO points_moves (shop_id, entry_id, lot_id, points, source, target)
    SELECT s, w.id, w.id, w.moved, 'available', 'reversed' FROM written w WHERE w.moved > 0)
  SELECT w.key, w.available_after, w.qualifying_after, w.crossed FROM written w;
END $$;

-- Rows are written while their run is locked, and no run is deleted; looking it up for each cost more than the row itself.
ALTER TABLE bulk_rows DROP CONSTRAINT bulk_rows_shop_id_run_id_fkey;
