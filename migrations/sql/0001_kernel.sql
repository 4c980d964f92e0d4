-- Row-level security: a row is visible to the transaction that named its shop, or to work across shops.
CREATE FUNCTION current_shop() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT nullif(current_setting('app.shop_id', true), '')::uuid $$;

-- Called once for each table of a shop: forces the policy and gives the application its rights.
CREATE PROCEDURE protect(name text, rights text DEFAULT 'SELECT, INSERT, UPDATE, DELETE') LANGUAGE plpgsql AS $$
DECLARE app_role text := current_setting('loyalnest.app_role', true);
BEGIN
  EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
  EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
  EXECUTE format('CREATE POLICY own_shop ON %I USING (shop_id = (SELECT current_shop()) '
    'OR (SELECT current_setting(''app.cross_shop'', true)) = ''on'')', name);
  CALL allow(name, rights);
END $$;

CREATE PROCEDURE allow(name text, rights text) LANGUAGE plpgsql AS $$
DECLARE app_role text := current_setting('loyalnest.app_role', true);
BEGIN
  IF app_role <> '' AND app_role <> current_user THEN
    EXECUTE format('GRANT %s ON %I TO %I', rights, name, app_role);
  END IF;
END $$;

-- The small global directory: the only places where something is unique across shops.
CREATE TABLE shop_directory (
  domain text PRIMARY KEY,
  shop_id uuid NOT NULL,
  status text NOT NULL DEFAULT 'installed' CHECK (status IN ('installed', 'uninstalled', 'erased')),
  created_at timestamptz NOT NULL DEFAULT now()
);
CALL allow('shop_directory', 'SELECT, INSERT, UPDATE, DELETE');

CREATE TABLE api_key_directory (
  fingerprint bytea PRIMARY KEY,
  shop_id uuid NOT NULL,
  api_key_id uuid NOT NULL
);
CALL allow('api_key_directory', 'SELECT, INSERT, DELETE');

CREATE TABLE shop_keys (
  shop_id uuid NOT NULL,
  version smallint NOT NULL,
  wrapped bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, version)
);
CALL protect('shop_keys');

-- state: 0 ready, 1 done, 2 deliberately ignored, 3 parked
CREATE TABLE inbox (
  shop_id uuid NOT NULL,
  received_on date NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date,
  id uuid NOT NULL,
  topic text NOT NULL,
  webhook_id text NOT NULL,
  event_id text NOT NULL DEFAULT '',
  triggered_at timestamptz,
  payload bytea,
  state smallint NOT NULL DEFAULT 0,
  attempts smallint NOT NULL DEFAULT 0,
  not_before timestamptz NOT NULL DEFAULT now(),
  received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  done_at timestamptz,
  outcome text NOT NULL DEFAULT '',
  last_error text,
  PRIMARY KEY (shop_id, received_on, id),
  UNIQUE (shop_id, received_on, webhook_id)
) PARTITION BY RANGE (received_on);
CREATE INDEX inbox_ready_idx ON inbox (shop_id, id) WHERE state = 0;
CREATE TABLE inbox_rest PARTITION OF inbox DEFAULT;
CALL protect('inbox');

CREATE FUNCTION inbox_put(s uuid, i uuid, t text, w text, e text, tr timestamptz, p bytea) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.shop_id', s::text, true);
  INSERT INTO inbox (shop_id, id, topic, webhook_id, event_id, triggered_at, payload) VALUES (s, i, t, w, e, tr, p)
    ON CONFLICT (shop_id, received_on, webhook_id) DO NOTHING;
  RETURN FOUND;
END $$;

-- state: 0 waiting, 1 done, 2 failed for good
CREATE TABLE outbox (
  shop_id uuid NOT NULL,
  id uuid NOT NULL,
  kind text NOT NULL,
  key text NOT NULL,
  payload jsonb NOT NULL,
  state smallint NOT NULL DEFAULT 0,
  attempts smallint NOT NULL DEFAULT 0,
  not_before timestamptz NOT NULL DEFAULT now(),
  lease_until timestamptz,
  last_error text,
  created_at timestamptz NOT NULL DEFAULT now(),
  done_at timestamptz,
  PRIMARY KEY (shop_id, id),
  UNIQUE (shop_id, kind, key)
);
CREATE INDEX outbox_due_idx ON outbox (not_before) WHERE state = 0;
CALL protect('outbox');

CREATE TABLE idempotency_keys (
  shop_id uuid NOT NULL,
  principal text NOT NULL,
  key text NOT NULL,
  request_hash bytea NOT NULL,
  status smallint,
  response bytea,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, principal, key)
);
CREATE INDEX idempotency_keys_created_idx ON idempotency_keys (created_at);
CALL protect('idempotency_keys');

CREATE TABLE audit_entries (
  shop_id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  id uuid NOT NULL,
  actor_kind text NOT NULL,
  actor_id text NOT NULL,
  actor_label text NOT NULL DEFAULT '',
  action text NOT NULL,
  subject_kind text NOT NULL,
  subject_id text NOT NULL,
  before jsonb,
  after jsonb,
  PRIMARY KEY (shop_id, created_at, id)
) PARTITION BY RANGE (created_at);
CREATE INDEX audit_entries_subject_idx ON audit_entries (shop_id, subject_kind, subject_id, created_at DESC);
CREATE TABLE audit_entries_rest PARTITION OF audit_entries DEFAULT;
CALL protect('audit_entries', 'SELECT, INSERT');

-- Monthly partitions of the tables that grow with time; called by the housekeeping job ahead of need.
CREATE FUNCTION make_partitions(parent text, months_ahead integer) RETURNS integer
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
SELECT make_partitions('inbox', 3), make_partitions('audit_entries', 3);
CALL allow('alembic_version', 'SELECT');

-- Old months are dropped, not deleted row by row.
CREATE FUNCTION drop_partitions(parent text, before date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE part text; dropped integer := 0;
BEGIN
  IF parent NOT IN ('inbox') THEN RAISE EXCEPTION 'not dropped by age: %', parent; END IF;
  FOR part IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent = parent::regclass AND c.relname ~ '_[0-9]{6}$' LOOP
    IF to_date(right(part, 6), 'YYYYMM') + interval '1 month' <= before THEN
      EXECUTE format('DROP TABLE %I', part);
      dropped := dropped + 1;
    END IF;
  END LOOP;
  RETURN dropped;
END $$;
