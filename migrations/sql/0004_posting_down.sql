-- What came with 0004 goes; the functions of 0003 are made again by the migration. Hashes stay those of 0004.
DROP FUNCTION points_erase_shop(uuid);
DROP FUNCTION points_credit_batch(uuid, jsonb, text, text, timestamptz);
DROP FUNCTION points_lock_many(uuid, uuid[]);
DROP FUNCTION points_activate(uuid, uuid, uuid, points_why);
DROP FUNCTION points_settle(uuid, uuid, uuid, text, points_why);
DROP FUNCTION points_repay(points_accounts, uuid);
DROP FUNCTION points_reverse(uuid, uuid, uuid, bigint, boolean, text, points_why);
DROP FUNCTION points_debit(uuid, uuid, uuid, text, bigint, points_why);
DROP FUNCTION points_take(uuid, uuid, uuid, bigint, points_bucket, boolean, uuid, timestamptz);
DROP FUNCTION points_credit(uuid, uuid, uuid, text, bigint, boolean, timestamptz, timestamptz, points_why);
DROP FUNCTION points_append(points_accounts, uuid, text, bigint, bigint, points_why, bigint);
DROP FUNCTION points_spendable(boolean);
DROP FUNCTION points_known(uuid, text);
DROP FUNCTION points_digest(points_entries);
DROP FUNCTION points_digest(bytea, uuid, uuid, uuid, bigint, points_kind, bigint, bigint, bigint, bigint, bigint, bigint,
  bigint, bigint, boolean, text, text, uuid, uuid, uuid, jsonb, text, text, timestamptz, timestamptz, timestamptz);
DROP FUNCTION points_outside(bigint, bigint, bigint);
DROP FUNCTION points_lock(uuid, uuid);
DROP TABLE points_proofs, points_standings_seen, points_standings;
DROP INDEX points_lots_expiry_idx;
CREATE INDEX points_lots_expiry_idx ON points_lots (shop_id, expires_at) WHERE remaining > 0 AND NOT pending;
CREATE INDEX points_lots_order_idx ON points_lots (shop_id, order_id) WHERE order_id IS NOT NULL;
CREATE INDEX points_accounts_qualifying_idx ON points_accounts (shop_id, qualifying DESC, member_id);
DELETE FROM points_moves v USING points_entries e WHERE e.shop_id = v.shop_id AND e.id = v.entry_id
  AND (v.source IN ('held', 'spent') OR v.target = 'available' OR e.kind IN ('award', 'adjust') AND v.target = 'reversed');
ALTER TABLE points_moves DROP CONSTRAINT points_moves_pkey, DROP COLUMN source, DROP COLUMN target,
  ADD PRIMARY KEY (shop_id, entry_id, lot_id);
DROP TYPE points_bucket;
ALTER TABLE points_lots DROP COLUMN waited,
  ALTER COLUMN remaining TYPE bigint, ALTER COLUMN held TYPE bigint, ALTER COLUMN spent TYPE bigint,
  ALTER COLUMN expired TYPE bigint, ALTER COLUMN reversed TYPE bigint,
  ADD CHECK (points > 0), ADD CHECK (remaining >= 0), ADD CHECK (held >= 0), ADD CHECK (spent >= 0),
  ADD CHECK (expired >= 0), ADD CHECK (reversed >= 0),
  ADD FOREIGN KEY (shop_id, member_id) REFERENCES members ON DELETE CASCADE;
ALTER TABLE points_accounts
  ALTER COLUMN available TYPE bigint, ALTER COLUMN pending TYPE bigint, ALTER COLUMN held TYPE bigint,
  ALTER COLUMN debt TYPE bigint,
  ADD CHECK (available >= 0), ADD CHECK (pending >= 0), ADD CHECK (held >= 0), ADD CHECK (debt >= 0);
ALTER TABLE points_entries DROP COLUMN waived, DROP COLUMN activates_at, DROP COLUMN expires_at;
ALTER TABLE points_entries ALTER COLUMN kind TYPE text USING kind::text;
ALTER TABLE points_entries ADD CHECK (kind IN
  ('award', 'adjust', 'reverse', 'hold', 'release', 'spend', 'restore', 'activate', 'expire'));
DROP TYPE points_kind;
DROP DOMAIN points_count;
