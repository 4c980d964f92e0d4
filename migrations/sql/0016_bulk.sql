-- Actions on many members at once.
CREATE TABLE bulk_runs (
  shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
  id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('award', 'deduct', 'set', 'expire', 'tag', 'untag', 'tier', 'email')),
  status text NOT NULL CHECK (status IN ('checking', 'ready', 'waiting', 'running', 'paused', 'done', 'cancelled', 'rejected',
    'undoing', 'undone', 'failed')),
  audience jsonb NOT NULL,
  parameters jsonb NOT NULL DEFAULT '{}',
  reason text NOT NULL,
  note text NOT NULL DEFAULT '',
  -- Rows that are known so far, and how many there will be when that is known before.
  rows bigint NOT NULL DEFAULT 0,
  expected bigint,
  accepted bigint NOT NULL DEFAULT 0,
  refused bigint NOT NULL DEFAULT 0,
  succeeded bigint NOT NULL DEFAULT 0,
  failed bigint NOT NULL DEFAULT 0,
  undone bigint NOT NULL DEFAULT 0,
  kept bigint NOT NULL DEFAULT 0,
  -- The last row that was read, done and undone: what lies before it needs no mark of its own.
  read_to bigint NOT NULL DEFAULT 0,
  done_to bigint NOT NULL DEFAULT 0,
  undone_to bigint NOT NULL DEFAULT 0,
  after_id uuid,
  -- Points that the dry run would move, and that were moved.
  points bigint NOT NULL DEFAULT 0,
  moved bigint NOT NULL DEFAULT 0,
  totals jsonb NOT NULL DEFAULT '{}',
  trouble text NOT NULL DEFAULT '',
  actor_kind text NOT NULL,
  actor_id text NOT NULL,
  actor_label text NOT NULL DEFAULT '',
  decided_by text,
  decided_label text NOT NULL DEFAULT '',
  checked_at timestamptz,
  started_at timestamptz,
  ended_at timestamptz,
  touched_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (shop_id, id)
);
CREATE INDEX bulk_runs_newest_idx ON bulk_runs (shop_id, created_at DESC, id DESC);
CREATE INDEX bulk_runs_started_idx ON bulk_runs (shop_id, started_at) WHERE started_at IS NOT NULL;
CREATE INDEX bulk_runs_open_idx ON bulk_runs (shop_id) WHERE status IN ('checking', 'waiting', 'running', 'undoing');
CALL protect('bulk_runs');

-- One row for each member or line. A row that is 'ready' was done when the run has passed it, and undone when the undoing has:
-- only what did not go well is marked.
CREATE TABLE bulk_rows (
  shop_id uuid NOT NULL,
  run_id uuid NOT NULL,
  n bigint NOT NULL,
  member_id uuid,
  points bigint,
  reason text,
  state text NOT NULL CHECK (state IN ('ready', 'refused', 'failed', 'kept')),
  problem text,
  before jsonb,
  PRIMARY KEY (shop_id, run_id, n),
  FOREIGN KEY (shop_id, run_id) REFERENCES bulk_runs ON DELETE CASCADE
);
CREATE INDEX bulk_rows_problem_idx ON bulk_rows (shop_id, run_id, state, n) WHERE state <> 'ready';
-- What was typed about a member is found when the person asks for it or is erased; amounts stand in the ledger.
CREATE INDEX bulk_rows_typed_idx ON bulk_rows (shop_id, member_id) WHERE reason IS NOT NULL;
CALL protect('bulk_rows');

-- A file while it is read, sealed because it names people.
CREATE TABLE bulk_parts (
  shop_id uuid NOT NULL,
  run_id uuid NOT NULL,
  n integer NOT NULL,
  text_sealed bytea NOT NULL,
  PRIMARY KEY (shop_id, run_id, n),
  FOREIGN KEY (shop_id, run_id) REFERENCES bulk_runs ON DELETE CASCADE
);
CALL protect('bulk_parts');

-- Words that staff put on members.
CREATE TABLE member_tags (
  shop_id uuid NOT NULL,
  member_id uuid NOT NULL,
  tag text NOT NULL CHECK (tag <> ''),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (shop_id, member_id, tag),
  FOREIGN KEY (shop_id, member_id) REFERENCES members ON DELETE CASCADE
);
CREATE INDEX member_tags_tag_idx ON member_tags (shop_id, tag, member_id);
CALL protect('member_tags');
