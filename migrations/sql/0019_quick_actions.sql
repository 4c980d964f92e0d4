-- One-click tasks that were run. `undo` is what taking it back needs; NULL when there is nothing to take back.
CREATE TABLE quick_runs (
  shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
  id uuid NOT NULL,
  task text NOT NULL,
  actor_kind text NOT NULL,
  actor_id text NOT NULL,
  actor_label text NOT NULL,
  message text NOT NULL,
  data jsonb NOT NULL,
  url text NOT NULL DEFAULT '',
  undo jsonb,
  created_at timestamptz NOT NULL,
  undone_at timestamptz,
  undone_by text,
  PRIMARY KEY (shop_id, id)
);
CREATE INDEX quick_runs_recent_idx ON quick_runs (shop_id, created_at DESC, id DESC);
CALL protect('quick_runs');

-- How often a person used a task, and whether it is kept at the front.
CREATE TABLE quick_uses (
  shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
  actor_id text NOT NULL,
  task text NOT NULL,
  times integer NOT NULL DEFAULT 0,
  used_at timestamptz,
  pinned boolean NOT NULL DEFAULT false,
  PRIMARY KEY (shop_id, actor_id, task)
);
CALL protect('quick_uses');

-- What staff wrote to a tier or a segment. It goes out at `sends_at`; until then it can be withdrawn.
CREATE TABLE invitations (
  shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
  id uuid NOT NULL,
  audience text NOT NULL CHECK (audience IN ('tier', 'segment', 'member', 'bulk')),
  audience_id uuid NOT NULL,
  subjects jsonb NOT NULL,
  texts jsonb NOT NULL,
  sends_at timestamptz NOT NULL,
  queued bigint NOT NULL DEFAULT 0,
  withdrawn_at timestamptz,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (shop_id, id)
);
CALL protect('invitations');
