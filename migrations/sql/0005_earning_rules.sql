-- Earning rules in the terms of a program's versions, what counts over several orders, and budgets.

-- programs -----------------------------------------------------------------------------------------------------------
ALTER TABLE programs
  ADD COLUMN step numeric(12, 4) CHECK (step > 0),
  ADD COLUMN zone text NOT NULL DEFAULT '',
  ADD COLUMN debt_policy text NOT NULL DEFAULT 'negative' CHECK (debt_policy IN ('pending_only', 'to_zero', 'negative')),
  ADD COLUMN multiplier_mode text NOT NULL DEFAULT 'multiply'
    CHECK (multiplier_mode IN ('multiply', 'add', 'highest', 'first')),
  ADD COLUMN rules jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN multipliers jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN caps jsonb NOT NULL DEFAULT '{}',
  DROP CONSTRAINT programs_type_check,
  ADD CONSTRAINT programs_type_check CHECK (type IN ('points', 'tiered', 'punch_card', 'spend_based')),
  DROP CONSTRAINT programs_rounding_check,
  ADD CONSTRAINT programs_rounding_check CHECK (rounding IN ('down', 'nearest', 'half_even', 'up'));

-- A version's figures move into its rules; what they lead to stays the same.
SELECT set_config('app.cross_shop', 'on', true);
UPDATE program_versions v SET terms = (v.terms - 'points_per_unit' - 'signup_bonus' - 'earn_on_tax') || jsonb_build_object(
  'type', p.type, 'zone', '', 'debt_policy', 'negative', 'multiplier_mode', 'multiply', 'multipliers', '[]'::jsonb,
  'caps', '{}'::jsonb, 'rules', jsonb_build_array(
    jsonb_build_object('id', 'purchase', 'kind', 'purchase', 'points', v.terms->>'points_per_unit',
      'exclusions', jsonb_build_object('tax', NOT (v.terms->>'earn_on_tax')::boolean)),
    jsonb_build_object('id', 'signup', 'kind', 'signup', 'per', 'order', 'points', v.terms->>'signup_bonus')))
  FROM programs p WHERE p.shop_id = v.shop_id AND p.id = v.program_id;
SELECT set_config('app.cross_shop', '', true);

-- orders -------------------------------------------------------------------------------------------------------------
-- What rules ask about an order besides its lines: tags, country, currency paid in, company, shipping, tips.
ALTER TABLE orders ADD COLUMN facts jsonb NOT NULL DEFAULT '{}';

-- points -------------------------------------------------------------------------------------------------------------
-- What an order adds to a count that runs over several (stamps, money spent), and what stood there before it.
CREATE TABLE earning_counts (
  shop_id uuid NOT NULL,
  order_id uuid NOT NULL,
  program_id uuid NOT NULL,
  rule_id text NOT NULL,
  member_id uuid NOT NULL,
  period text NOT NULL DEFAULT '',
  units_before bigint NOT NULL,
  completed_before bigint NOT NULL,
  units bigint NOT NULL,
  completed bigint NOT NULL,
  PRIMARY KEY (shop_id, order_id, program_id, rule_id),
  FOREIGN KEY (shop_id, member_id) REFERENCES members ON DELETE CASCADE
);
CREATE INDEX earning_counts_member_idx ON earning_counts (shop_id, member_id, program_id, rule_id, period);
CALL protect('earning_counts');

-- How much of a budget is given; `rule_id` is empty for the program's own.
CREATE TABLE earning_budgets (
  shop_id uuid NOT NULL,
  program_id uuid NOT NULL,
  rule_id text NOT NULL,
  given bigint NOT NULL,
  PRIMARY KEY (shop_id, program_id, rule_id),
  FOREIGN KEY (shop_id, program_id) REFERENCES programs ON DELETE CASCADE
);
CALL protect('earning_budgets');

-- members ------------------------------------------------------------------------------------------------------------
-- Whose birthday is on a day is found by a keyed hash of month and day; the birthday itself stays sealed.
ALTER TABLE members ADD COLUMN birthday_index bytea;
CREATE INDEX members_birthday_idx ON members (shop_id, birthday_index, id) WHERE birthday_index IS NOT NULL;

-- rehearsals ---------------------------------------------------------------------------------------------------------
CREATE TABLE rehearsals (
  shop_id uuid NOT NULL,
  id uuid NOT NULL,
  program_id uuid NOT NULL,
  program_version integer NOT NULL,
  months integer NOT NULL CHECK (months BETWEEN 1 AND 24),
  worth_minor bigint NOT NULL DEFAULT 0,
  settings jsonb NOT NULL,
  status text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'running', 'done', 'failed')),
  seen bigint NOT NULL DEFAULT 0,
  total bigint NOT NULL DEFAULT 0,
  result jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL,
  PRIMARY KEY (shop_id, id),
  FOREIGN KEY (shop_id, program_id) REFERENCES programs ON DELETE CASCADE
);
CREATE INDEX rehearsals_program_idx ON rehearsals (shop_id, program_id, created_at DESC);
CALL protect('rehearsals');
