SELECT set_config('app.cross_shop', 'on', true);
ALTER TABLE segment_progress DROP COLUMN recency, DROP COLUMN frequency, DROP COLUMN money,
  ADD COLUMN average_minor bigint NOT NULL DEFAULT 0;
UPDATE segment_progress p SET average_minor = coalesce((SELECT sum(f.spent_minor) / nullif(sum(f.orders), 0)
  FROM segment_facts f WHERE f.shop_id = p.shop_id), 0);
DROP INDEX tier_scores_member_idx;
DELETE FROM tier_scores s USING tier_scores o
  WHERE o.shop_id = s.shop_id AND o.member_id = s.member_id AND o.months > s.months;
ALTER TABLE tier_scores DROP CONSTRAINT tier_scores_pkey, DROP COLUMN months, ADD PRIMARY KEY (shop_id, member_id);
