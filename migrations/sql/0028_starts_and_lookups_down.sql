DROP INDEX members_unasked_idx;
ALTER TABLE members DROP COLUMN looked_up_at;
ALTER TABLE programs DROP COLUMN rewards_at_start;
