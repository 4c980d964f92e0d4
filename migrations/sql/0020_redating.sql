-- Changed terms of expiry for points that were earned before: lots get another date by an entry of its own kind.

-- Under which version's terms a lot ends since an entry said so, and the instant before which inactivity does not end it.
ALTER TABLE points_lots ADD COLUMN terms_id uuid, ADD COLUMN kept_until timestamptz;

DROP INDEX points_entries_rare_idx;
CREATE INDEX points_entries_rare_idx ON points_entries (shop_id, created_at DESC, id DESC)
  WHERE kind IN ('adjust', 'reverse', 'release', 'restore', 'expire', 'move_out', 'move_in', 'undo', 'redate');

-- One application of a program's present terms to what was earned under its earlier ones: what it would do, how far it
-- is, and whether it was taken back. `after_id` is the last member who is done.
CREATE TABLE points_redatings (
  shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
  id uuid NOT NULL,
  program_id uuid NOT NULL,
  version_id uuid NOT NULL,
  shortens boolean NOT NULL,
  notice_days integer NOT NULL CHECK (notice_days BETWEEN 30 AND 365),
  status text NOT NULL CHECK (status IN ('counting', 'counted', 'applying', 'applied', 'undoing', 'undone')),
  members bigint NOT NULL DEFAULT 0,
  members_done bigint NOT NULL DEFAULT 0,
  after_id uuid,
  not_before timestamptz,
  result jsonb NOT NULL DEFAULT '{}',
  actor_kind text NOT NULL,
  actor_id text NOT NULL,
  actor_label text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL,
  applied_at timestamptz,
  undone_at timestamptz,
  PRIMARY KEY (shop_id, id)
);
CREATE INDEX points_redatings_newest_idx ON points_redatings (shop_id, created_at DESC, id DESC);
CREATE UNIQUE INDEX points_redatings_one_idx ON points_redatings (shop_id) WHERE status IN ('applying', 'undoing');
CALL protect('points_redatings');

-- A member's available lots that end when the member does nothing: those without a date of their own that follow one of
-- `versions`. Points that became available later than the last activity count from then on. Points by hand follow none.
CREATE OR REPLACE FUNCTION points_idle_lots(s uuid, m uuid, versions uuid[], terms integer[], zones text[])
RETURNS TABLE (lot uuid, points bigint, since timestamptz, months integer, ends_at timestamptz) LANGUAGE sql STABLE AS $$
  SELECT l.id, l.remaining::bigint, a.since, t.months,
    greatest(points_months_after(greatest(a.since, l.activates_at), t.months, t.zone), l.kept_until)
  FROM (SELECT points_last_activity($1, $2) AS since) a
    CROSS JOIN points_lots l
    JOIN points_entries e ON e.shop_id = l.shop_id AND e.id = l.entry_id
    JOIN unnest($3, $4, $5) AS t (version, months, zone) ON t.version = coalesce(l.terms_id, e.program_version_id)
  WHERE l.shop_id = $1 AND l.member_id = $2 AND l.remaining > 0 AND NOT l.pending AND l.expires_at = 'infinity'
$$;

-- Lots get the dates and terms beside them: one entry a member, named by `ids` beside `members`, whose trace says of each
-- lot what it had and what it has. `moved` is how many points that concerns. The accounts are locked by the caller, who
-- read the lots afterwards. A member to whom `w.key` was applied before keeps what that led to.
CREATE FUNCTION points_redate_batch(s uuid, members uuid[], ids uuid[], lots uuid[], dates timestamptz[],
  terms uuid[], keeps timestamptz[], w points_why)
RETURNS SETOF points_entries LANGUAGE plpgsql SET enable_seqscan = off SET enable_nestloop = off AS $$
BEGIN
  RETURN QUERY
  WITH changed AS MATERIALIZED (
    SELECT l.id, m.member, m.entry, l.remaining + l.held AS points, d.ends_at, d.terms, d.keeps,
      jsonb_build_object('lot', l.id, 'points', l.remaining + l.held, 'was', l.expires_at, 'now', d.ends_at, 'was_terms', l.terms_id, 'terms', d.terms,
        'was_kept', l.kept_until, 'kept', d.keeps) AS told
    FROM unnest(lots, dates, terms, keeps) AS d (lot, ends_at, terms, keeps)
    JOIN points_lots l ON l.shop_id = s AND l.id = ANY(lots) AND l.id = d.lot
    JOIN unnest(members, ids) AS m (member, entry) ON m.member = l.member_id),
  whole AS (
    SELECT c.member, c.entry, sum(c.points)::bigint AS points, jsonb_agg(c.told ORDER BY c.id) AS told
    FROM changed c GROUP BY 1, 2),
  written AS (
    INSERT INTO points_entries (shop_id, id, member_id, seq, kind, points, moved, available_after, pending_after,
        held_after, debt_after, qualifying_after, crossed, key, reason, reference_id, program_version_id, trace,
        actor_kind, actor_id, created_at, previous_hash, hash)
    SELECT s, g.entry, g.member, a.seq + 1, 'redate', 0, g.points, a.available, a.pending, a.held, a.debt, a.qualifying,
      c.crossed, c.key, w.reason, w.reference_id, w.program_version_id, c.trace, w.actor_kind, w.actor_id, w.at,
      a.last_hash,
      points_digest(a.last_hash, s, g.entry, g.member, a.seq + 1, 'redate', 0, g.points, 0, a.available, a.pending,
        a.held, a.debt, a.qualifying, c.crossed, c.key, w.reason, NULL, w.reference_id, w.program_version_id, c.trace,
        w.actor_kind, w.actor_id, w.at, NULL, NULL)
    FROM whole g JOIN points_accounts a ON a.shop_id = s AND a.member_id = ANY(members) AND a.member_id = g.member
      CROSS JOIN LATERAL (SELECT points_outside(a.qualifying, a.watch_from, a.watch_to), w.key || ':' || g.member,
        coalesce(w.trace, '{}') || jsonb_build_object('lots', g.told)) AS c (crossed, key, trace)
    ON CONFLICT (shop_id, key) DO NOTHING RETURNING *),
  dated AS (
    UPDATE points_lots l SET expires_at = c.ends_at, terms_id = c.terms, kept_until = c.keeps
    FROM changed c JOIN written e ON e.id = c.entry
    WHERE l.shop_id = s AND l.id = ANY(lots) AND l.id = c.id),
  accounts AS (
    UPDATE points_accounts a SET seq = e.seq, last_hash = e.hash, updated_at = w.at
    FROM written e WHERE a.shop_id = s AND a.member_id = ANY(members) AND a.member_id = e.member_id)
  SELECT * FROM written;
END $$;
