-- Every kind of reward, stock, points that come back, and points held at a checkout.

ALTER TABLE rewards DROP CONSTRAINT rewards_kind_check;
ALTER TABLE rewards
  ADD CONSTRAINT rewards_kind_check CHECK (kind IN ('amount_off', 'percentage_off', 'free_shipping', 'free_product',
    'gift_card', 'store_credit', 'any_amount', 'custom', 'exclusive_access')),
  ADD COLUMN descriptions jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN conditions jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN image_url text NOT NULL DEFAULT '',
  ADD COLUMN cost_minor bigint CHECK (cost_minor >= 0),
  ADD COLUMN stock integer CHECK (stock >= 0),
  ADD COLUMN stock_taken integer NOT NULL DEFAULT 0 CHECK (stock_taken >= 0),
  ADD COLUMN limit_days integer CHECK (limit_days BETWEEN 1 AND 3650),
  ADD COLUMN tiers uuid[] NOT NULL DEFAULT '{}',
  ADD COLUMN starts_at timestamptz,
  ADD COLUMN ends_at timestamptz,
  ADD COLUMN least_points bigint CHECK (least_points > 0),
  ADD COLUMN most_points bigint CHECK (most_points > 0),
  ADD COLUMN access_tag text NOT NULL DEFAULT '',
  ADD COLUMN returns_expired boolean NOT NULL DEFAULT true,
  ADD COLUMN returns_canceled boolean NOT NULL DEFAULT true,
  ADD CONSTRAINT rewards_window_check CHECK (starts_at < ends_at),
  ADD CONSTRAINT rewards_slider_check CHECK (least_points <= most_points),
  ADD CONSTRAINT rewards_value_check
    CHECK (kind NOT IN ('gift_card', 'store_credit', 'any_amount') OR value_minor IS NOT NULL),
  ADD CONSTRAINT rewards_slider_needed CHECK (kind <> 'any_amount' OR (least_points IS NOT NULL AND most_points IS NOT NULL)),
  ADD CONSTRAINT rewards_access_check CHECK (kind <> 'exclusive_access' OR (access_tag <> '' AND valid_days IS NOT NULL));

-- `ending` says why a code is being taken back, or was: staff, member, expired, order_canceled; `stocked` that the
-- redemption holds a piece of the reward's stock.
ALTER TABLE redemptions DROP CONSTRAINT redemptions_status_check;
ALTER TABLE redemptions
  ADD CONSTRAINT redemptions_status_check
    CHECK (status IN ('reserved', 'issued', 'used', 'cancelled', 'failed', 'expired')),
  ADD COLUMN ending text CHECK (ending IN ('staff', 'member', 'expired', 'order_canceled')),
  ADD COLUMN stocked boolean NOT NULL DEFAULT false,
  ADD COLUMN cost_minor bigint NOT NULL DEFAULT 0;
CREATE INDEX redemptions_ending_idx ON redemptions (shop_id, expires_at) WHERE status = 'issued';
CREATE UNIQUE INDEX redemptions_gid_idx ON redemptions (shop_id, discount_gid)
  WHERE discount_gid LIKE 'gid://shopify/StoreCredit%';

CREATE TABLE checkout_holds (
  shop_id uuid NOT NULL,
  id uuid NOT NULL,
  member_id uuid NOT NULL,
  points bigint NOT NULL CHECK (points > 0),
  key text NOT NULL,
  reference text NOT NULL DEFAULT '',
  status text NOT NULL DEFAULT 'held' CHECK (status IN ('held', 'captured', 'released', 'expired', 'returned')),
  hold_entry_id uuid NOT NULL,
  order_id bigint,
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, id),
  UNIQUE (shop_id, key),
  FOREIGN KEY (shop_id, member_id) REFERENCES members ON DELETE CASCADE
);
CREATE INDEX checkout_holds_due_idx ON checkout_holds (shop_id, expires_at) WHERE status = 'held';
CREATE INDEX checkout_holds_member_idx ON checkout_holds (shop_id, member_id);
CREATE INDEX checkout_holds_order_idx ON checkout_holds (shop_id, order_id) WHERE order_id IS NOT NULL;
CALL protect('checkout_holds');
