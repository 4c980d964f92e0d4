-- The tables of the pipeline as they were.
CREATE INDEX orders_delay_idx ON orders (shop_id, paid_triggered_at DESC) WHERE award_delay_ms IS NOT NULL;
ALTER TABLE orders ADD FOREIGN KEY (shop_id) REFERENCES shops ON DELETE CASCADE;
ALTER TABLE orders ADD FOREIGN KEY (shop_id, member_id) REFERENCES members ON DELETE SET NULL (member_id);

CREATE OR REPLACE FUNCTION inbox_put(s uuid, i uuid, t text, w text, e text, tr timestamptz, p bytea) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.shop_id', s::text, true);
  INSERT INTO inbox (shop_id, id, topic, webhook_id, event_id, triggered_at, payload) VALUES (s, i, t, w, e, tr, p)
    ON CONFLICT (shop_id, received_on, webhook_id) DO NOTHING;
  RETURN FOUND;
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
      made := made + 1;
    END IF;
  END LOOP;
  RETURN made;
END $$;

DO $$
DECLARE part text;
BEGIN
  FOR part IN SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'inbox'::regclass LOOP
    EXECUTE format('ALTER TABLE %I RESET (toast_tuple_target, autovacuum_vacuum_scale_factor)', part);
  END LOOP;
END $$;
DROP PROCEDURE tune_partition(text);

ALTER TABLE inbox DROP CONSTRAINT inbox_pkey;
ALTER TABLE inbox ADD PRIMARY KEY (shop_id, received_on, id);
ALTER TABLE inbox ADD UNIQUE (shop_id, received_on, webhook_id);
