DROP FUNCTION drop_partitions(text, date);
DROP FUNCTION make_partitions(text, integer);
DROP TABLE audit_entries, idempotency_keys, outbox;
DROP FUNCTION inbox_put(uuid, uuid, text, text, text, timestamptz, bytea);
DROP TABLE inbox, shop_keys, api_key_directory, shop_directory;
DROP PROCEDURE protect(text, text);
DROP PROCEDURE allow(text, text);
DROP FUNCTION current_shop();
