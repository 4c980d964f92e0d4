-- Views of lists that staff named: somebody's own, or everybody's of the shop when staff_id is null.
CREATE TABLE list_views (
  shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
  id uuid NOT NULL,
  list text NOT NULL,
  name text NOT NULL,
  staff_id uuid,
  query jsonb NOT NULL DEFAULT '{}',
  columns text[],
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, id)
);
CREATE UNIQUE INDEX list_views_name_idx ON list_views (shop_id, list, staff_id, lower(name)) NULLS NOT DISTINCT;
CALL protect('list_views');

-- How somebody wants to see a list: the columns, and the view it opens with.
CREATE TABLE list_choices (
  shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
  staff_id uuid NOT NULL,
  list text NOT NULL,
  columns text[],
  view_id uuid,
  PRIMARY KEY (shop_id, staff_id, list),
  FOREIGN KEY (shop_id, view_id) REFERENCES list_views ON DELETE SET NULL (view_id)
);
CALL protect('list_choices');

-- Rows of a list that were chosen for an action: their ids, or the filter that all of them match.
CREATE TABLE list_selections (
  shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
  id uuid NOT NULL,
  list text NOT NULL,
  ids uuid[] NOT NULL DEFAULT '{}',
  query jsonb,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, id),
  CHECK (cardinality(ids) > 0 OR query IS NOT NULL)
);
CREATE INDEX list_selections_created_idx ON list_selections (shop_id, created_at);
CALL protect('list_selections');

-- Filters of lists that few rows may pass, in the order of the list.
CREATE INDEX points_adjustments_status_idx ON points_adjustments (shop_id, status, created_at DESC, id DESC);
CREATE INDEX redemptions_status_idx ON redemptions (shop_id, status, created_at DESC, id DESC);
CREATE INDEX referrals_newest_idx ON referrals (shop_id, campaign_id, recorded_at DESC, id DESC);
CREATE INDEX referrals_status_idx ON referrals (shop_id, campaign_id, status, recorded_at DESC, id DESC);
CREATE INDEX privacy_requests_newest_idx ON privacy_requests (shop_id, requested_at DESC, id DESC);
