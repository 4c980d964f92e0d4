-- Several ladders of tiers: what counts and for how long, benefits, where members stand on each, simulations.

CREATE TABLE tier_ladders (
  shop_id uuid NOT NULL,
  id uuid NOT NULL,
  program_id uuid NOT NULL,
  name text NOT NULL,
  metric text NOT NULL DEFAULT 'points' CHECK (metric IN ('points', 'spend', 'orders', 'rfm')),
  period text NOT NULL DEFAULT 'lifetime' CHECK (period IN ('lifetime', 'rolling', 'calendar', 'anniversary')),
  months integer NOT NULL DEFAULT 12 CHECK (months BETWEEN 1 AND 60),
  grace_days integer NOT NULL DEFAULT 0 CHECK (grace_days BETWEEN 0 AND 365),
  downgrade text NOT NULL DEFAULT 'to_earned' CHECK (downgrade IN ('to_earned', 'one_level', 'none')),
  take_back boolean NOT NULL DEFAULT true,
  notice_days integer CHECK (notice_days BETWEEN 1 AND 90),
  main boolean NOT NULL DEFAULT false,
  active boolean NOT NULL DEFAULT true,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, id),
  FOREIGN KEY (shop_id, program_id) REFERENCES programs ON DELETE CASCADE
);
CREATE UNIQUE INDEX tier_ladders_main_idx ON tier_ladders (shop_id, program_id) WHERE main;
CALL protect('tier_ladders');

SELECT set_config('app.cross_shop', 'on', true);
INSERT INTO tier_ladders (shop_id, id, program_id, name, main)
  SELECT shop_id, gen_random_uuid(), program_id, 'Tiers', true FROM (SELECT DISTINCT shop_id, program_id FROM tiers) t;

ALTER TABLE tiers
  ADD COLUMN ladder_id uuid,
  ADD COLUMN entry_points bigint CHECK (entry_points BETWEEN 1 AND 10000000),
  ADD COLUMN entry_reward_id uuid,
  ADD COLUMN gift_reward_id uuid,
  ADD COLUMN gift_every text NOT NULL DEFAULT 'month' CHECK (gift_every IN ('month', 'quarter', 'year')),
  ADD COLUMN early_days integer NOT NULL DEFAULT 0 CHECK (early_days BETWEEN 0 AND 90);
ALTER TABLE tiers RENAME COLUMN threshold_points TO threshold;
UPDATE tiers t SET ladder_id = l.id FROM tier_ladders l WHERE l.shop_id = t.shop_id AND l.program_id = t.program_id;
ALTER TABLE tiers ALTER COLUMN ladder_id SET NOT NULL,
  DROP CONSTRAINT tiers_shop_id_program_id_threshold_points_key,
  ADD UNIQUE (shop_id, ladder_id, threshold),
  ADD FOREIGN KEY (shop_id, ladder_id) REFERENCES tier_ladders ON DELETE CASCADE;

-- One row a member and ladder; the row of the main ladder says so, because lists and earning ask for that one only.
-- `base` is what the member's qualifying points were before the window, so that their points in it need no sum.
ALTER TABLE member_tiers
  ADD COLUMN ladder_id uuid,
  ADD COLUMN main boolean NOT NULL DEFAULT true,
  ADD COLUMN value bigint NOT NULL DEFAULT 0,
  ADD COLUMN base bigint NOT NULL DEFAULT 0,
  ADD COLUMN grace_until timestamptz,
  ADD COLUMN ends_at timestamptz,
  ADD COLUMN locked_until timestamptz,
  ADD COLUMN lock_reason text NOT NULL DEFAULT '';
UPDATE member_tiers m SET ladder_id = t.ladder_id FROM tiers t WHERE t.shop_id = m.shop_id AND t.id = m.tier_id;
DELETE FROM member_tiers WHERE ladder_id IS NULL;
ALTER TABLE member_tiers ALTER COLUMN ladder_id SET NOT NULL,
  DROP CONSTRAINT member_tiers_pkey,
  ADD PRIMARY KEY (shop_id, member_id, ladder_id),
  ADD FOREIGN KEY (shop_id, ladder_id) REFERENCES tier_ladders ON DELETE CASCADE;
CREATE INDEX member_tiers_ends_idx ON member_tiers (shop_id, ends_at, member_id) WHERE ends_at IS NOT NULL;

ALTER TABLE tier_changes RENAME COLUMN qualifying_points TO value;
ALTER TABLE tier_changes
  ADD COLUMN ladder_id uuid,
  ADD COLUMN tier_id uuid,
  ADD COLUMN reason text NOT NULL DEFAULT 'earned'
    CHECK (reason IN ('earned', 'lapsed', 'refund', 'by_hand', 'ladder')),
  ADD COLUMN note text NOT NULL DEFAULT '',
  ADD COLUMN actor_kind text NOT NULL DEFAULT 'system',
  ADD COLUMN actor_id text NOT NULL DEFAULT 'system',
  ADD FOREIGN KEY (shop_id, ladder_id) REFERENCES tier_ladders ON DELETE SET NULL (ladder_id);
CREATE INDEX tier_changes_newest_idx ON tier_changes (shop_id, created_at DESC, id DESC);

-- What a tier gave to whom: once on entering it (period ''), and once in each of its gift's periods.
CREATE TABLE tier_grants (
  shop_id uuid NOT NULL,
  tier_id uuid NOT NULL,
  member_id uuid NOT NULL,
  period text NOT NULL,
  granted_at timestamptz NOT NULL,
  PRIMARY KEY (shop_id, tier_id, member_id, period),
  FOREIGN KEY (shop_id, tier_id) REFERENCES tiers ON DELETE CASCADE,
  FOREIGN KEY (shop_id, member_id) REFERENCES members ON DELETE CASCADE
);
CREATE INDEX tier_grants_member_idx ON tier_grants (shop_id, member_id);
CALL protect('tier_grants');

-- What each order counts for ladders by spend or orders. Kept only in shops that had such a ladder; filled from the past
-- by a job that notes here how far it came.
CREATE TABLE tier_orders (
  shop_id uuid NOT NULL,
  order_id uuid NOT NULL,
  member_id uuid NOT NULL,
  placed_at timestamptz NOT NULL,
  orders smallint NOT NULL,
  net_minor bigint NOT NULL,
  PRIMARY KEY (shop_id, order_id)
);
CREATE INDEX tier_orders_member_idx ON tier_orders (shop_id, member_id, placed_at) INCLUDE (orders, net_minor);
CALL protect('tier_orders');

CREATE TABLE tier_readings (
  shop_id uuid PRIMARY KEY REFERENCES shops ON DELETE CASCADE,
  placed_at timestamptz,
  number bigint,
  seen bigint NOT NULL DEFAULT 0,
  total bigint NOT NULL DEFAULT 0,
  ended_at timestamptz
);
CALL protect('tier_readings');

CREATE TABLE tier_scores (
  shop_id uuid NOT NULL,
  member_id uuid NOT NULL,
  recency smallint NOT NULL,
  frequency smallint NOT NULL,
  monetary smallint NOT NULL,
  PRIMARY KEY (shop_id, member_id),
  FOREIGN KEY (shop_id, member_id) REFERENCES members ON DELETE CASCADE
);
CALL protect('tier_scores');

-- The review of everybody: of which local day, and how far it came.
CREATE TABLE tier_reviews (
  shop_id uuid PRIMARY KEY REFERENCES shops ON DELETE CASCADE,
  day date NOT NULL,
  after uuid,
  ended_at timestamptz
);
CALL protect('tier_reviews');

CREATE TABLE tier_simulations (
  shop_id uuid NOT NULL,
  id uuid NOT NULL,
  ladder_id uuid NOT NULL,
  ladder_version integer NOT NULL,
  draft jsonb NOT NULL,
  status text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'reading', 'running', 'done')),
  after uuid,
  seen bigint NOT NULL DEFAULT 0,
  total bigint NOT NULL DEFAULT 0,
  result jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL,
  PRIMARY KEY (shop_id, id)
);
CALL protect('tier_simulations');

CREATE TABLE tier_simulated_moves (
  shop_id uuid NOT NULL,
  simulation_id uuid NOT NULL,
  member_id uuid NOT NULL,
  from_name text,
  to_name text,
  outcome text NOT NULL CHECK (outcome IN ('up', 'down', 'later')),
  value bigint NOT NULL,
  PRIMARY KEY (shop_id, simulation_id, member_id),
  FOREIGN KEY (shop_id, simulation_id) REFERENCES tier_simulations ON DELETE CASCADE,
  FOREIGN KEY (shop_id, member_id) REFERENCES members ON DELETE CASCADE
);
CREATE INDEX tier_simulated_moves_outcome_idx ON tier_simulated_moves (shop_id, simulation_id, outcome, member_id);
CALL protect('tier_simulated_moves');
