DROP FUNCTION points_redate_batch(uuid, uuid[], uuid[], uuid[], timestamptz[], uuid[], timestamptz[], points_why);

CREATE OR REPLACE FUNCTION points_idle_lots(s uuid, m uuid, versions uuid[], terms integer[], zones text[])
RETURNS TABLE (lot uuid, points bigint, since timestamptz, months integer, ends_at timestamptz) LANGUAGE sql STABLE AS $$
  SELECT l.id, l.remaining::bigint, a.since, t.months,
    points_months_after(greatest(a.since, l.activates_at), t.months, t.zone)
  FROM (SELECT points_last_activity($1, $2) AS since) a
    CROSS JOIN points_lots l
    JOIN points_entries e ON e.shop_id = l.shop_id AND e.id = l.entry_id
    JOIN unnest($3, $4, $5) AS t (version, months, zone) ON t.version = e.program_version_id
  WHERE l.shop_id = $1 AND l.member_id = $2 AND l.remaining > 0 AND NOT l.pending AND l.expires_at = 'infinity'
$$;

DROP TABLE points_redatings;
DROP INDEX points_entries_rare_idx;
CREATE INDEX points_entries_rare_idx ON points_entries (shop_id, created_at DESC, id DESC)
  WHERE kind IN ('adjust', 'reverse', 'release', 'restore', 'expire', 'move_out', 'move_in', 'undo');
ALTER TABLE points_lots DROP COLUMN terms_id, DROP COLUMN kept_until;
