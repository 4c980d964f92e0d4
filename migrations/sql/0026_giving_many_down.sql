ALTER TABLE bulk_rows ADD FOREIGN KEY (shop_id, run_id) REFERENCES bulk_runs ON DELETE CASCADE;
DROP FUNCTION points_give(uuid, uuid[], uuid[], bigint[], text[], text[], jsonb, text, text, timestamptz);
