ALTER TABLE programs
  ADD COLUMN rewards_at_start boolean NOT NULL DEFAULT false,
  ADD CONSTRAINT programs_rewards_at_start_check CHECK (NOT rewards_at_start OR status = 'scheduled');

-- When Shopify was asked whether an enrolled guest is a customer.
ALTER TABLE members ADD COLUMN looked_up_at timestamptz;
CREATE INDEX members_unasked_idx ON members (shop_id, id)
  WHERE status = 'guest' AND source = 'enrolled' AND looked_up_at IS NULL;
