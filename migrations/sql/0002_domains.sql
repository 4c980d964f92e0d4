-- shops --------------------------------------------------------------------------------------------------------------
CREATE TABLE shops (
  shop_id uuid PRIMARY KEY,
  domain text NOT NULL,
  name text NOT NULL DEFAULT '',
  email_sealed bytea,
  currency text NOT NULL DEFAULT 'USD',
  timezone text NOT NULL DEFAULT 'UTC',
  locale text NOT NULL DEFAULT 'en',
  status text NOT NULL DEFAULT 'installed' CHECK (status IN ('installed', 'uninstalled')),
  installed_at timestamptz NOT NULL,
  uninstalled_at timestamptz,
  needs_reopening boolean NOT NULL DEFAULT false,
  scopes text NOT NULL DEFAULT '',
  access_token_sealed bytea,
  access_expires_at timestamptz,
  refresh_token_sealed bytea,
  refresh_expires_at timestamptz,
  refresh_lease_until timestamptz,
  setup_steps jsonb NOT NULL DEFAULT '{}',
  orders_watermark timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CALL protect('shops');

CREATE TABLE staff (
  shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
  id uuid NOT NULL,
  user_id text NOT NULL,
  role text NOT NULL DEFAULT 'viewer',
  theme text NOT NULL DEFAULT 'auto' CHECK (theme IN ('auto', 'light', 'dark')),
  locale text,
  last_seen_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, id),
  UNIQUE (shop_id, user_id)
);
CALL protect('staff');

CREATE TABLE api_keys (
  shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
  id uuid NOT NULL,
  label text NOT NULL,
  last_four text NOT NULL,
  scopes text[] NOT NULL,
  fingerprint bytea NOT NULL,
  last_used_at timestamptz,
  expires_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, id)
);
CALL protect('api_keys');

-- compliance ---------------------------------------------------------------------------------------------------------
CREATE TABLE privacy_requests (
  shop_id uuid NOT NULL,
  id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('data_request', 'erasure', 'shop_erasure')),
  external_id text NOT NULL,
  customer_id bigint,
  member_id uuid,
  status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'done')),
  outcome text NOT NULL DEFAULT '',
  export_sealed bytea,
  requested_at timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  done_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, id),
  UNIQUE (shop_id, kind, external_id)
);
CALL protect('privacy_requests');

-- programs -----------------------------------------------------------------------------------------------------------
CREATE TABLE programs (
  shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
  id uuid NOT NULL,
  name text NOT NULL,
  description text NOT NULL DEFAULT '',
  type text NOT NULL DEFAULT 'tiered' CHECK (type IN ('points', 'tiered')),
  status text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'active', 'paused', 'archived')),
  points_per_unit numeric(12, 4) NOT NULL CHECK (points_per_unit >= 0 AND points_per_unit <= 100000),
  signup_bonus bigint NOT NULL DEFAULT 0 CHECK (signup_bonus >= 0 AND signup_bonus <= 10000000),
  earn_trigger text NOT NULL DEFAULT 'paid' CHECK (earn_trigger IN ('created', 'paid', 'fulfilled')),
  holding_days integer NOT NULL DEFAULT 0 CHECK (holding_days BETWEEN 0 AND 365),
  expiry_months integer CHECK (expiry_months BETWEEN 1 AND 120),
  rounding text NOT NULL DEFAULT 'down' CHECK (rounding IN ('down', 'nearest', 'up')),
  earn_on_tax boolean NOT NULL DEFAULT true,
  minimum_redemption bigint NOT NULL DEFAULT 0 CHECK (minimum_redemption >= 0),
  current_version_id uuid,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, id)
);
CREATE UNIQUE INDEX programs_one_active_idx ON programs (shop_id) WHERE status = 'active';
CALL protect('programs');

-- What an award was computed under; never changed once written.
CREATE TABLE program_versions (
  shop_id uuid NOT NULL,
  id uuid NOT NULL,
  program_id uuid NOT NULL,
  number integer NOT NULL,
  terms jsonb NOT NULL,
  actor_kind text NOT NULL,
  actor_id text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, id),
  UNIQUE (shop_id, program_id, number),
  FOREIGN KEY (shop_id, program_id) REFERENCES programs ON DELETE CASCADE
);
CALL protect('program_versions', 'SELECT, INSERT, DELETE');

-- members ------------------------------------------------------------------------------------------------------------
CREATE TABLE members (
  shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
  id uuid NOT NULL,
  customer_id bigint,
  email_sealed bytea,
  email_index bytea,
  first_name_sealed bytea,
  last_name_sealed bytea,
  phone_sealed bytea,
  birthday_sealed bytea,
  locale text NOT NULL DEFAULT 'en',
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'blocked', 'erased', 'merged')),
  source text NOT NULL DEFAULT 'shopify',
  merged_into uuid,
  customer_updated_at timestamptz,
  enrolled_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, id)
);
CREATE UNIQUE INDEX members_customer_idx ON members (shop_id, customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX members_email_idx ON members (shop_id, email_index);
CREATE INDEX members_enrolled_idx ON members (shop_id, enrolled_at DESC, id DESC);
CALL protect('members');

-- orders: our copy, one row an order, merged from whatever arrives in whatever order ----------------------------------
CREATE TABLE orders (
  shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
  id uuid NOT NULL,
  order_id bigint NOT NULL,
  name text NOT NULL DEFAULT '',
  customer_id bigint,
  member_id uuid,
  currency text NOT NULL DEFAULT '',
  taxes_included boolean NOT NULL DEFAULT false,
  test boolean NOT NULL DEFAULT false,
  source_name text NOT NULL DEFAULT '',
  lines jsonb NOT NULL DEFAULT '[]',
  refunds jsonb NOT NULL DEFAULT '{}',
  discount_codes text[] NOT NULL DEFAULT '{}',
  known boolean NOT NULL DEFAULT false,
  placed_at timestamptz,
  paid_at timestamptz,
  fulfilled_at timestamptz,
  cancelled_at timestamptz,
  deleted_at timestamptz,
  stale_after timestamptz,
  paid_triggered_at timestamptz,
  award_delay_ms integer,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, id),
  UNIQUE (shop_id, order_id),
  FOREIGN KEY (shop_id, member_id) REFERENCES members ON DELETE SET NULL (member_id)
) WITH (fillfactor = 85);
CREATE INDEX orders_member_idx ON orders (shop_id, member_id, placed_at DESC);
CREATE INDEX orders_customer_idx ON orders (shop_id, customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX orders_delay_idx ON orders (shop_id, paid_triggered_at DESC) WHERE award_delay_ms IS NOT NULL;
CALL protect('orders');

-- tiers --------------------------------------------------------------------------------------------------------------
CREATE TABLE tiers (
  shop_id uuid NOT NULL,
  id uuid NOT NULL,
  program_id uuid NOT NULL,
  name text NOT NULL,
  names jsonb NOT NULL DEFAULT '{}',
  threshold_points bigint NOT NULL CHECK (threshold_points >= 0),
  multiplier_bp integer NOT NULL DEFAULT 10000 CHECK (multiplier_bp BETWEEN 0 AND 1000000),
  color text NOT NULL DEFAULT '#8a8a8a' CHECK (color ~ '^#[0-9a-f]{6}$'),
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, id),
  UNIQUE (shop_id, program_id, threshold_points),
  FOREIGN KEY (shop_id, program_id) REFERENCES programs ON DELETE CASCADE
);
CALL protect('tiers');

CREATE TABLE member_tiers (
  shop_id uuid NOT NULL,
  member_id uuid NOT NULL,
  tier_id uuid,
  since timestamptz NOT NULL,
  PRIMARY KEY (shop_id, member_id),
  FOREIGN KEY (shop_id, member_id) REFERENCES members ON DELETE CASCADE,
  FOREIGN KEY (shop_id, tier_id) REFERENCES tiers ON DELETE SET NULL (tier_id)
);
CREATE INDEX member_tiers_tier_idx ON member_tiers (shop_id, tier_id, member_id);
CALL protect('member_tiers');

CREATE TABLE tier_changes (
  shop_id uuid NOT NULL,
  id uuid NOT NULL,
  member_id uuid NOT NULL,
  from_name text,
  to_name text,
  direction text NOT NULL CHECK (direction IN ('up', 'down')),
  qualifying_points bigint NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (shop_id, id),
  FOREIGN KEY (shop_id, member_id) REFERENCES members ON DELETE CASCADE
);
CREATE INDEX tier_changes_member_idx ON tier_changes (shop_id, member_id, created_at DESC);
CALL protect('tier_changes');

-- rewards ------------------------------------------------------------------------------------------------------------
CREATE TABLE rewards (
  shop_id uuid NOT NULL,
  id uuid NOT NULL,
  program_id uuid NOT NULL,
  name text NOT NULL,
  names jsonb NOT NULL DEFAULT '{}',
  description text NOT NULL DEFAULT '',
  kind text NOT NULL CHECK (kind IN ('amount_off', 'percentage_off', 'free_shipping', 'free_product')),
  points_cost bigint NOT NULL CHECK (points_cost > 0 AND points_cost <= 100000000),
  value_minor bigint CHECK (value_minor > 0),
  percent_bp integer CHECK (percent_bp BETWEEN 1 AND 10000),
  variant_gid text,
  minimum_subtotal_minor bigint CHECK (minimum_subtotal_minor > 0),
  valid_days integer CHECK (valid_days BETWEEN 1 AND 3650),
  per_member_limit integer CHECK (per_member_limit > 0),
  combines_with text[] NOT NULL DEFAULT '{}',
  code_prefix text NOT NULL DEFAULT 'LN',
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('draft', 'active', 'retired')),
  position integer NOT NULL DEFAULT 0,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, id),
  FOREIGN KEY (shop_id, program_id) REFERENCES programs ON DELETE CASCADE,
  CHECK (kind <> 'amount_off' OR value_minor IS NOT NULL),
  CHECK (kind <> 'percentage_off' OR percent_bp IS NOT NULL),
  CHECK (kind <> 'free_product' OR variant_gid IS NOT NULL)
);
CALL protect('rewards');

CREATE TABLE redemptions (
  shop_id uuid NOT NULL,
  id uuid NOT NULL,
  member_id uuid NOT NULL,
  reward_id uuid NOT NULL,
  points bigint NOT NULL,
  key text NOT NULL,
  code_sealed bytea NOT NULL,
  code_index bytea NOT NULL,
  status text NOT NULL DEFAULT 'reserved'
    CHECK (status IN ('reserved', 'issued', 'used', 'cancelled', 'failed')),
  failure text,
  hold_entry_id uuid NOT NULL,
  terms jsonb NOT NULL,
  discount_gid text,
  used_order_id bigint,
  channel text NOT NULL DEFAULT 'widget',
  issued_at timestamptz,
  used_at timestamptz,
  expires_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, id),
  UNIQUE (shop_id, key),
  UNIQUE (shop_id, code_index),
  FOREIGN KEY (shop_id, member_id) REFERENCES members ON DELETE CASCADE,
  FOREIGN KEY (shop_id, reward_id) REFERENCES rewards ON DELETE CASCADE
);
CREATE INDEX redemptions_member_idx ON redemptions (shop_id, member_id, created_at DESC);
CREATE INDEX redemptions_newest_idx ON redemptions (shop_id, created_at DESC, id DESC);
CREATE INDEX redemptions_reward_idx ON redemptions (shop_id, reward_id, created_at DESC);
CALL protect('redemptions');

-- referrals ----------------------------------------------------------------------------------------------------------
CREATE TABLE referral_campaigns (
  shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
  id uuid NOT NULL,
  name text NOT NULL,
  description text NOT NULL DEFAULT '',
  status text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'active', 'paused', 'completed')),
  advocate_points bigint NOT NULL DEFAULT 0 CHECK (advocate_points >= 0),
  friend_points bigint NOT NULL DEFAULT 0 CHECK (friend_points >= 0),
  minimum_purchase_minor bigint NOT NULL DEFAULT 0 CHECK (minimum_purchase_minor >= 0),
  maximum_per_advocate integer CHECK (maximum_per_advocate > 0),
  sharing_channels text[] NOT NULL DEFAULT '{}',
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, id)
);
CREATE UNIQUE INDEX referral_campaigns_one_active_idx ON referral_campaigns (shop_id) WHERE status = 'active';
CALL protect('referral_campaigns');

CREATE TABLE referral_links (
  shop_id uuid NOT NULL,
  id uuid NOT NULL,
  member_id uuid NOT NULL,
  code text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, id),
  UNIQUE (shop_id, code),
  UNIQUE (shop_id, member_id),
  FOREIGN KEY (shop_id, member_id) REFERENCES members ON DELETE CASCADE
);
CALL protect('referral_links');

CREATE TABLE referrals (
  shop_id uuid NOT NULL,
  id uuid NOT NULL,
  campaign_id uuid NOT NULL,
  advocate_id uuid NOT NULL,
  friend_id uuid NOT NULL,
  order_id uuid,
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'rewarded', 'refused', 'reversed')),
  reason text NOT NULL DEFAULT '',
  rewarded_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, id),
  UNIQUE (shop_id, friend_id),
  FOREIGN KEY (shop_id, campaign_id) REFERENCES referral_campaigns ON DELETE CASCADE,
  FOREIGN KEY (shop_id, advocate_id) REFERENCES members ON DELETE CASCADE,
  FOREIGN KEY (shop_id, friend_id) REFERENCES members ON DELETE CASCADE
);
CREATE INDEX referrals_campaign_idx ON referrals (shop_id, campaign_id, created_at DESC);
CALL protect('referrals');

-- notifications ------------------------------------------------------------------------------------------------------
CREATE TABLE messages (
  shop_id uuid NOT NULL,
  id uuid NOT NULL,
  member_id uuid,
  kind text NOT NULL,
  key text NOT NULL,
  locale text NOT NULL,
  status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'sent', 'failed', 'skipped')),
  reason text NOT NULL DEFAULT '',
  sent_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, id),
  UNIQUE (shop_id, kind, key),
  FOREIGN KEY (shop_id, member_id) REFERENCES members ON DELETE CASCADE
);
CREATE INDEX messages_member_idx ON messages (shop_id, member_id, created_at DESC);
CALL protect('messages');
