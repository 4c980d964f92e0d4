-- What the ledger's screens need to stay fast without making awards and redemptions pay for it.

-- Kinds that are frequent (award, activate, hold, spend) are found among the newest entries; only the rare ones are indexed.
-- The kind itself is no key: comparing an enum is not leakproof, so that under row-level security no index can look it up.
CREATE INDEX points_entries_rare_idx ON points_entries (shop_id, created_at DESC, id DESC)
  WHERE kind IN ('adjust', 'reverse', 'release', 'restore', 'expire', 'move_out', 'move_in', 'undo');

-- With points_lots_open_idx every lot of a member is found; a lot pays for this one when it is used up.
CREATE INDEX points_lots_closed_idx ON points_lots (shop_id, member_id, id) WHERE remaining = 0;

-- The shop's points by status as they were last added up.
CREATE TABLE points_totals (
  shop_id uuid PRIMARY KEY REFERENCES shops ON DELETE CASCADE,
  members bigint NOT NULL,
  available bigint NOT NULL,
  pending bigint NOT NULL,
  held bigint NOT NULL,
  debt bigint NOT NULL,
  summed_at timestamptz NOT NULL
);
CALL protect('points_totals');

-- The verification that somebody asked for, while it runs.
CREATE TABLE points_proof_runs (
  shop_id uuid PRIMARY KEY REFERENCES shops ON DELETE CASCADE,
  members bigint NOT NULL,
  members_done bigint NOT NULL DEFAULT 0,
  entries_done bigint NOT NULL DEFAULT 0,
  started_at timestamptz NOT NULL,
  ended_at timestamptz
);
CALL protect('points_proof_runs');
