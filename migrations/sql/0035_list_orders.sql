-- What the list of members filters by stands beside what it orders by, so that going through an order looks nowhere else.
ALTER TABLE points_standings ADD COLUMN status text, ADD COLUMN source text, ADD COLUMN enrolled_at timestamptz;
DROP INDEX points_standings_qualifying_idx;
DROP INDEX points_standings_available_idx;
UPDATE points_standings s SET status = m.status, source = m.source, enrolled_at = m.enrolled_at
  FROM members m WHERE m.shop_id = s.shop_id AND m.id = s.member_id;
ALTER TABLE points_standings ALTER COLUMN status SET NOT NULL, ALTER COLUMN source SET NOT NULL,
  ALTER COLUMN enrolled_at SET NOT NULL,
  SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02);
CREATE INDEX points_standings_available_idx ON points_standings (shop_id, available DESC, member_id DESC)
  INCLUDE (status, source, enrolled_at);
CREATE INDEX points_standings_qualifying_idx ON points_standings (shop_id, qualifying DESC, member_id DESC)
  INCLUDE (available, status, source, enrolled_at);
CREATE INDEX points_standings_enrolled_idx ON points_standings (shop_id, enrolled_at DESC, member_id DESC)
  INCLUDE (available, status, source);

-- Few members are not active or did not come with a customer account; the order of those who are few is an index of its own.
CREATE INDEX points_standings_available_status_idx ON points_standings (shop_id, status, available DESC, member_id DESC)
  WHERE status <> 'active';
CREATE INDEX points_standings_available_source_idx ON points_standings (shop_id, source, available DESC, member_id DESC)
  WHERE source <> 'shopify';
CREATE INDEX points_standings_qualifying_status_idx ON points_standings (shop_id, status, qualifying DESC, member_id DESC)
  WHERE status <> 'active';
CREATE INDEX points_standings_qualifying_source_idx ON points_standings (shop_id, source, qualifying DESC, member_id DESC)
  WHERE source <> 'shopify';
