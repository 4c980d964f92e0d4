ALTER TABLE points_standings DROP COLUMN status, DROP COLUMN source, DROP COLUMN enrolled_at;
CREATE INDEX points_standings_qualifying_idx ON points_standings (shop_id, qualifying DESC, member_id DESC);
CREATE INDEX points_standings_available_idx ON points_standings (shop_id, available DESC, member_id DESC);
