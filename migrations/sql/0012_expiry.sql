-- Ways for points to expire, a bounded expiry run, and when members are warned.

-- programs -----------------------------------------------------------------------------------------------------------
ALTER TABLE programs ADD COLUMN expiry jsonb NOT NULL DEFAULT '{}';
SELECT set_config('app.cross_shop', 'on', true);
UPDATE program_versions SET terms = terms || '{"expiry": {}}';
SELECT set_config('app.cross_shop', '', true);

-- points -------------------------------------------------------------------------------------------------------------
-- The end of the local day that lies a number of months after an instant, as points/rules/expiry.py counts it.
CREATE FUNCTION points_months_after(at timestamptz, months integer, zone text) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT (date_trunc('day', at AT TIME ZONE zone) + make_interval(months => months) + interval '1 day') AT TIME ZONE zone
$$;

-- When a member last earned or spent; what happens by the calendar or by staff is no activity.
CREATE FUNCTION points_last_activity(s uuid, m uuid) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT created_at FROM points_entries WHERE shop_id = s AND member_id = m
    AND kind IN ('award', 'hold', 'spend', 'move_in') ORDER BY seq DESC LIMIT 1
$$;

-- A member's available lots that end when the member does nothing: those without a date of their own that were earned under
-- one of `versions`. Points that became available later than the last activity count from then on. Points that came from
-- another member, or by hand, have no version and stay.
CREATE FUNCTION points_idle_lots(s uuid, m uuid, versions uuid[], terms integer[], zones text[])
RETURNS TABLE (lot uuid, points bigint, since timestamptz, months integer, ends_at timestamptz) LANGUAGE sql STABLE AS $$
  SELECT l.id, l.remaining::bigint, a.since, t.months,
    points_months_after(greatest(a.since, l.activates_at), t.months, t.zone)
  FROM (SELECT points_last_activity($1, $2) AS since) a
    CROSS JOIN points_lots l
    JOIN points_entries e ON e.shop_id = l.shop_id AND e.id = l.entry_id
    JOIN unnest($3, $4, $5) AS t (version, months, zone) ON t.version = e.program_version_id
  WHERE l.shop_id = $1 AND l.member_id = $2 AND l.remaining > 0 AND NOT l.pending AND l.expires_at = 'infinity'
$$;

-- Available lots of these members expire: one entry a member, named by `ids` beside `members`, and at most `most` lots.
-- Without `versions` those past their date; with them those that were earned under these versions of a program and whose
-- member did nothing for the months beside them. Nobody expires twice, and nobody who acts meanwhile: the lots and the last
-- activity are read after the accounts were locked.
CREATE FUNCTION points_expire_batch(s uuid, members uuid[], ids uuid[], w points_why, versions uuid[] DEFAULT NULL,
  months integer[] DEFAULT NULL, zones text[] DEFAULT NULL, most integer DEFAULT 20000)
RETURNS SETOF points_entries LANGUAGE plpgsql SET enable_seqscan = off SET enable_nestloop = off AS $$
DECLARE lots uuid[]; owners uuid[]; amounts bigint[]; since timestamptz[]; idle integer[];
BEGIN
  PERFORM points_lock_many(s, members);
  IF versions IS NULL THEN
    SELECT array_agg(l.id), array_agg(l.member_id), array_agg(l.remaining) INTO lots, owners, amounts FROM (
      SELECT id, member_id, remaining FROM points_lots
      WHERE shop_id = s AND member_id = ANY(members) AND remaining > 0 AND NOT pending AND expires_at <= w.at LIMIT most) l;
  ELSE
    SELECT array_agg(l.lot), array_agg(l.member), array_agg(l.points), array_agg(l.since), array_agg(l.months)
      INTO lots, owners, amounts, since, idle FROM (
      SELECT m.member, n.* FROM unnest(members) AS m (member)
        CROSS JOIN LATERAL points_idle_lots(s, m.member, versions, months, zones) n
      WHERE n.ends_at <= w.at LIMIT most) l;
  END IF;
  IF lots IS NULL THEN RETURN; END IF;
  RETURN QUERY
  WITH due AS MATERIALIZED (
    SELECT d.id, d.member_id, v.entry, d.points, d.since, d.idle
    FROM unnest(lots, owners, amounts, since, idle) AS d (id, member_id, points, since, idle)
    JOIN unnest(members, ids) AS v (member, entry) ON v.member = d.member_id),
  taken AS (
    UPDATE points_lots l SET expired = l.expired + d.points, remaining = 0
    FROM due d WHERE l.shop_id = s AND l.id = ANY(lots) AND l.id = d.id),
  noted AS (
    INSERT INTO points_moves (shop_id, entry_id, lot_id, points, source, target)
    SELECT s, d.entry, d.id, d.points, 'available', 'expired' FROM due d),
  gone AS (SELECT d.member_id, d.entry, sum(d.points)::bigint AS points, max(d.since) AS since, max(d.idle) AS idle
    FROM due d GROUP BY 1, 2),
  written AS (
    INSERT INTO points_entries (shop_id, id, member_id, seq, kind, points, moved, available_after, pending_after,
        held_after, debt_after, qualifying_after, crossed, key, reason, trace, actor_kind, actor_id, created_at,
        previous_hash, hash)
    SELECT s, g.entry, g.member_id, a.seq + 1, 'expire', -g.points, g.points, a.available - g.points, a.pending, a.held,
      a.debt, a.qualifying, c.crossed, c.key, w.reason, c.trace, w.actor_kind, w.actor_id, w.at, a.last_hash,
      points_digest(a.last_hash, s, g.entry, g.member_id, a.seq + 1, 'expire', -g.points, g.points, 0,
        a.available - g.points, a.pending, a.held, a.debt, a.qualifying, c.crossed, c.key, w.reason, NULL, NULL, NULL,
        c.trace, w.actor_kind, w.actor_id, w.at, NULL, NULL)
    FROM gone g JOIN points_accounts a ON a.shop_id = s AND a.member_id = ANY(members) AND a.member_id = g.member_id
      CROSS JOIN LATERAL (SELECT points_outside(a.qualifying, a.watch_from, a.watch_to), 'expire:' || g.entry,
        coalesce(w.trace, '{}') || CASE WHEN g.idle IS NULL THEN '{}'
          ELSE jsonb_build_object('idle_months', g.idle, 'last_activity', g.since) END) AS c (crossed, key, trace)
    RETURNING *),
  accounts AS (
    UPDATE points_accounts a SET available = e.available_after, seq = e.seq, last_hash = e.hash, updated_at = w.at
    FROM written e WHERE a.shop_id = s AND a.member_id = ANY(members) AND a.member_id = e.member_id)
  SELECT * FROM written;
END $$;

-- Naming the members again beside the join keeps the planner from reading every account of a shop it knows nothing of.

-- notifications ------------------------------------------------------------------------------------------------------
-- How many days ahead members are told that points end, and told for the last time.
CREATE TABLE expiry_notices (
  shop_id uuid PRIMARY KEY REFERENCES shops ON DELETE CASCADE,
  enabled boolean NOT NULL DEFAULT true,
  warn_days integer NOT NULL DEFAULT 30 CHECK (warn_days BETWEEN 1 AND 365),
  last_days integer NOT NULL DEFAULT 3 CHECK (last_days BETWEEN 1 AND 30),
  version integer NOT NULL DEFAULT 1,
  updated_at timestamptz NOT NULL DEFAULT now(),
  CHECK (last_days < warn_days)
);
CALL protect('expiry_notices');
