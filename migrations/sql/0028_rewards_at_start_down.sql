ALTER TABLE programs DROP COLUMN rewards_at_start;
