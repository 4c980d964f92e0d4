SELECT set_config('app.cross_shop', 'on', true);
DROP TABLE tier_simulated_moves, tier_simulations, tier_reviews, tier_scores, tier_readings, tier_orders, tier_grants;
DROP INDEX tier_changes_newest_idx;
ALTER TABLE tier_changes DROP COLUMN ladder_id, DROP COLUMN tier_id, DROP COLUMN reason, DROP COLUMN note,
  DROP COLUMN actor_kind, DROP COLUMN actor_id;
ALTER TABLE tier_changes RENAME COLUMN value TO qualifying_points;
DELETE FROM member_tiers WHERE NOT main;
DROP INDEX member_tiers_ends_idx;
ALTER TABLE member_tiers DROP COLUMN ladder_id, DROP COLUMN main, DROP COLUMN value, DROP COLUMN base,
  DROP COLUMN grace_until, DROP COLUMN ends_at, DROP COLUMN locked_until, DROP COLUMN lock_reason,
  ADD PRIMARY KEY (shop_id, member_id);
DELETE FROM tiers t USING tier_ladders l WHERE l.shop_id = t.shop_id AND l.id = t.ladder_id AND NOT l.main;
ALTER TABLE tiers DROP COLUMN ladder_id, DROP COLUMN entry_points, DROP COLUMN entry_reward_id,
  DROP COLUMN gift_reward_id, DROP COLUMN gift_every, DROP COLUMN early_days;
ALTER TABLE tiers RENAME COLUMN threshold TO threshold_points;
ALTER TABLE tiers ADD UNIQUE (shop_id, program_id, threshold_points);
DROP TABLE tier_ladders;
