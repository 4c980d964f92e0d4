-- Referral links, attribution and rewards.

ALTER TABLE orders ADD COLUMN referral_code text NOT NULL DEFAULT '';

ALTER TABLE referral_campaigns
  ADD COLUMN starts_at timestamptz,
  ADD COLUMN ends_at timestamptz,
  ADD COLUMN reward_on text NOT NULL DEFAULT 'first_order' CHECK (reward_on IN ('first_order', 'account')),
  ADD COLUMN share_texts jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN advocate_reward_id uuid,
  ADD COLUMN friend_reward_id uuid,
  ADD FOREIGN KEY (shop_id, advocate_reward_id) REFERENCES rewards ON DELETE SET NULL (advocate_reward_id),
  ADD FOREIGN KEY (shop_id, friend_reward_id) REFERENCES rewards ON DELETE SET NULL (friend_reward_id),
  ADD CONSTRAINT referral_campaigns_window_check CHECK (starts_at < ends_at);

-- What a referral gives is what its campaign promised when the friend came: `terms` keeps that. `advocate_given`,
-- `friend_given` are the points that stand in the ledger for it now, `postings` how many entries led there; the redemptions
-- are the coupons that stand now, `coupons` how many were made. `friend_id` stays who came, also after a merge.
ALTER TABLE referrals DROP CONSTRAINT referrals_status_check;
ALTER TABLE referrals ALTER COLUMN status SET DEFAULT 'recorded';
UPDATE referrals SET status = CASE status WHEN 'pending' THEN 'recorded' WHEN 'refused' THEN 'rejected' ELSE status END;
ALTER TABLE referrals
  ADD CONSTRAINT referrals_status_check
    CHECK (status IN ('recorded', 'qualified', 'rewarded', 'rejected', 'reversed')),
  ADD COLUMN terms jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN recorded_at timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN due_at timestamptz,
  ADD COLUMN advocate_given bigint NOT NULL DEFAULT 0 CHECK (advocate_given >= 0),
  ADD COLUMN friend_given bigint NOT NULL DEFAULT 0 CHECK (friend_given >= 0),
  ADD COLUMN postings integer NOT NULL DEFAULT 0,
  ADD COLUMN advocate_redemption_id uuid,
  ADD COLUMN friend_redemption_id uuid,
  ADD COLUMN coupons integer NOT NULL DEFAULT 0;
UPDATE referrals r SET recorded_at = r.created_at,
  advocate_given = CASE r.status WHEN 'rewarded' THEN c.advocate_points ELSE 0 END,
  friend_given = CASE r.status WHEN 'rewarded' THEN c.friend_points ELSE 0 END,
  terms = jsonb_build_object('advocate_points', c.advocate_points, 'friend_points', c.friend_points,
    'minimum_purchase_minor', c.minimum_purchase_minor, 'maximum_per_advocate', c.maximum_per_advocate,
    'reward_on', c.reward_on)
FROM referral_campaigns c WHERE c.shop_id = r.shop_id AND c.id = r.campaign_id;
CREATE INDEX referrals_advocate_idx ON referrals (shop_id, advocate_id, recorded_at DESC);
CREATE INDEX referrals_due_idx ON referrals (shop_id, due_at) WHERE status = 'qualified';

-- A coupon that a referral gives costs no points and holds none.
ALTER TABLE redemptions ALTER COLUMN hold_entry_id DROP NOT NULL;

-- Who opened an advocate's link, by a keyed hash of their cart, so that a visitor counts once.
CREATE TABLE referral_visits (
  shop_id uuid NOT NULL,
  campaign_id uuid NOT NULL,
  link_id uuid NOT NULL,
  visitor bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, link_id, campaign_id, visitor),
  FOREIGN KEY (shop_id, campaign_id) REFERENCES referral_campaigns ON DELETE CASCADE,
  FOREIGN KEY (shop_id, link_id) REFERENCES referral_links ON DELETE CASCADE
);
CREATE INDEX referral_visits_campaign_idx ON referral_visits (shop_id, campaign_id);
CALL protect('referral_visits');
