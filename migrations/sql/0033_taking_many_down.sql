DROP FUNCTION points_undo_batch(uuid, uuid[], uuid[], uuid[], text, jsonb, text, text, timestamptz);
DROP FUNCTION points_debit_batch(uuid, points_kind, uuid[], uuid[], bigint[], text[], text[], jsonb, text, text, timestamptz);
