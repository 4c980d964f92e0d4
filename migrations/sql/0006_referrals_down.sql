-- Referral links, attribution and rewards.

DROP TABLE referral_visits;
DELETE FROM redemptions WHERE hold_entry_id IS NULL;
ALTER TABLE redemptions ALTER COLUMN hold_entry_id SET NOT NULL;
DROP INDEX referrals_due_idx;
DROP INDEX referrals_advocate_idx;
ALTER TABLE referrals DROP CONSTRAINT referrals_status_check;
ALTER TABLE referrals ALTER COLUMN status SET DEFAULT 'pending';
UPDATE referrals SET status = CASE status WHEN 'rejected' THEN 'refused' WHEN 'rewarded' THEN 'rewarded'
  WHEN 'reversed' THEN 'reversed' ELSE 'pending' END;
ALTER TABLE referrals
  ADD CONSTRAINT referrals_status_check CHECK (status IN ('pending', 'rewarded', 'refused', 'reversed')),
  DROP COLUMN terms,
  DROP COLUMN recorded_at,
  DROP COLUMN due_at,
  DROP COLUMN advocate_given,
  DROP COLUMN friend_given,
  DROP COLUMN postings,
  DROP COLUMN advocate_redemption_id,
  DROP COLUMN friend_redemption_id,
  DROP COLUMN coupons;
ALTER TABLE referral_campaigns
  DROP CONSTRAINT referral_campaigns_window_check,
  DROP COLUMN starts_at,
  DROP COLUMN ends_at,
  DROP COLUMN reward_on,
  DROP COLUMN share_texts,
  DROP COLUMN advocate_reward_id,
  DROP COLUMN friend_reward_id;
ALTER TABLE orders DROP COLUMN referral_code;
