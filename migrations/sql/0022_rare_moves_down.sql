DROP INDEX tier_changes_rare_idx;
