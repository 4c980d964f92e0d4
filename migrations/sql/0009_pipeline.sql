-- What the pipeline's tables need to be fast.

-- A row is found by its webhook id, or among the few that wait; an index by id is paid for by every row and asked by none.
ALTER TABLE inbox DROP CONSTRAINT inbox_pkey;
ALTER TABLE inbox DROP CONSTRAINT inbox_shop_id_received_on_webhook_id_key;
ALTER TABLE inbox ADD PRIMARY KEY (shop_id, webhook_id, received_on);

-- Bodies stay in the row up to a page's size: out of line, each is written, read and cleared in two tables.
CREATE PROCEDURE tune_partition(part text) LANGUAGE plpgsql AS $$
BEGIN
  IF part LIKE 'inbox\_%' THEN
    EXECUTE format('ALTER TABLE %I SET (toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0.02)', part);
  END IF;
END $$;
DO $$
DECLARE part text;
BEGIN
  FOR part IN SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'inbox'::regclass LOOP
    CALL tune_partition(part);
  END LOOP;
END $$;

CREATE OR REPLACE FUNCTION make_partitions(parent text, months_ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE first date; part text; made integer := 0;
BEGIN
  IF parent NOT IN ('inbox', 'audit_entries') THEN RAISE EXCEPTION 'not a partitioned table: %', parent; END IF;
  FOR n IN 0 .. months_ahead LOOP
    first := (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => n))::date;
    part := parent || '_' || to_char(first, 'YYYYMM');
    IF to_regclass(part) IS NULL THEN
      EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
        part, parent, first, (first + interval '1 month')::date);
      CALL tune_partition(part);
      made := made + 1;
    END IF;
  END LOOP;
  RETURN made;
END $$;

-- The day is part of the key, so a webhook that is repeated after midnight is looked for in the day before, too.
CREATE OR REPLACE FUNCTION inbox_put(s uuid, i uuid, t text, w text, e text, tr timestamptz, p bytea) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE today date := (now() AT TIME ZONE 'UTC')::date;
BEGIN
  PERFORM set_config('app.shop_id', s::text, true);
  IF EXISTS (SELECT 1 FROM inbox WHERE shop_id = s AND webhook_id = w AND received_on = today - 1) THEN
    RETURN false;
  END IF;
  INSERT INTO inbox (shop_id, received_on, id, topic, webhook_id, event_id, triggered_at, payload)
    VALUES (s, today, i, t, w, e, tr, p) ON CONFLICT (shop_id, received_on, webhook_id) DO NOTHING;
  RETURN FOUND;
END $$;

-- Every order pays for each index and each foreign key. Nobody deletes a member or a shop while orders are written: members
-- are emptied instead, and a shop is erased table by table. An order's member comes from the same transaction.
ALTER TABLE orders DROP CONSTRAINT orders_shop_id_fkey;
ALTER TABLE orders DROP CONSTRAINT orders_shop_id_member_id_fkey;
DROP INDEX orders_delay_idx;
