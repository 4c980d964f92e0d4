DROP TABLE expiry_notices;
DROP FUNCTION points_expire_batch(uuid, uuid[], uuid[], points_why, uuid[], integer[], text[], integer);
DROP FUNCTION points_idle_lots(uuid, uuid, uuid[], integer[], text[]);
DROP FUNCTION points_last_activity(uuid, uuid);
DROP FUNCTION points_months_after(timestamptz, integer, text);

SELECT set_config('app.cross_shop', 'on', true);
UPDATE program_versions SET terms = terms - 'expiry';
SELECT set_config('app.cross_shop', '', true);
ALTER TABLE programs DROP COLUMN expiry;
