-- Guests, merges, duplicates and adjustments.
DROP TABLE points_adjustments, points_settings;
DROP FUNCTION points_shift(uuid, uuid, uuid, text, jsonb, jsonb, bigint, bigint, points_why);
DROP FUNCTION points_in_lots(uuid, uuid, uuid[]);
DROP INDEX orders_name_idx;
DROP TABLE member_notes, member_prefixes, member_distinctions;
DROP INDEX members_status_idx, members_source_idx;
ALTER TABLE members DROP COLUMN phone_index, DROP COLUMN email_match, DROP COLUMN person_index, DROP COLUMN indexed, DROP COLUMN email_proven;
DROP INDEX IF EXISTS members_guest_email_idx;
ALTER TABLE members DROP CONSTRAINT members_status_check;
ALTER TABLE members ADD CONSTRAINT members_status_check CHECK (status IN ('active', 'blocked', 'erased', 'merged'));
DROP TABLE member_merges;
DROP INDEX members_merged_idx;
