-- Every kind of reward, stock, points that come back, and points held at a checkout.

DROP TABLE checkout_holds;
DROP INDEX redemptions_gid_idx;
DROP INDEX redemptions_ending_idx;
UPDATE redemptions SET status = 'cancelled' WHERE status = 'expired';
ALTER TABLE redemptions
  DROP CONSTRAINT redemptions_status_check,
  ADD CONSTRAINT redemptions_status_check CHECK (status IN ('reserved', 'issued', 'used', 'cancelled', 'failed')),
  DROP COLUMN ending,
  DROP COLUMN stocked,
  DROP COLUMN cost_minor;
DELETE FROM rewards WHERE kind IN ('gift_card', 'store_credit', 'any_amount', 'custom', 'exclusive_access');
ALTER TABLE rewards
  DROP CONSTRAINT rewards_kind_check,
  ADD CONSTRAINT rewards_kind_check CHECK (kind IN ('amount_off', 'percentage_off', 'free_shipping', 'free_product')),
  DROP CONSTRAINT rewards_window_check,
  DROP CONSTRAINT rewards_slider_check,
  DROP CONSTRAINT rewards_value_check,
  DROP CONSTRAINT rewards_slider_needed,
  DROP CONSTRAINT rewards_access_check,
  DROP COLUMN descriptions,
  DROP COLUMN conditions,
  DROP COLUMN image_url,
  DROP COLUMN cost_minor,
  DROP COLUMN stock,
  DROP COLUMN stock_taken,
  DROP COLUMN limit_days,
  DROP COLUMN tiers,
  DROP COLUMN starts_at,
  DROP COLUMN ends_at,
  DROP COLUMN least_points,
  DROP COLUMN most_points,
  DROP COLUMN access_tag,
  DROP COLUMN returns_expired,
  DROP COLUMN returns_canceled;
