"""What the product is measured against: the least that does the same durable write."""

TABLES = """
DROP SCHEMA IF EXISTS reference CASCADE;
CREATE SCHEMA reference;
CREATE TABLE reference.inbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE reference.member (shop_id bigint, id bigint, balance bigint NOT NULL DEFAULT 0, PRIMARY KEY (shop_id, id));
CREATE TABLE reference.entry (shop_id bigint NOT NULL, id bigint GENERATED ALWAYS AS IDENTITY, member_id bigint NOT NULL,
  points bigint NOT NULL, balance_after bigint NOT NULL, key text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (shop_id, id), UNIQUE (shop_id, key));
CREATE INDEX ON reference.entry (shop_id, member_id, id DESC);
CREATE TABLE reference.lot (shop_id bigint NOT NULL, id bigint GENERATED ALWAYS AS IDENTITY, member_id bigint NOT NULL,
  entry_id bigint NOT NULL, earned bigint NOT NULL, remaining bigint NOT NULL CHECK (remaining >= 0),
  expires_at timestamptz, PRIMARY KEY (shop_id, id));
CREATE INDEX ON reference.lot (shop_id, member_id, expires_at, id) WHERE remaining > 0;
CREATE TABLE reference.accounts (LIKE public.points_accounts INCLUDING ALL);
CREATE TABLE reference.entries (LIKE public.points_entries INCLUDING ALL);
CREATE TABLE reference.lots (LIKE public.points_lots INCLUDING ALL);
CREATE TABLE reference.moves (LIKE public.points_moves INCLUDING ALL);
INSERT INTO reference.member SELECT 1, n FROM generate_series(1, 1000) n;
CREATE FUNCTION reference.earn(m bigint, p bigint, k text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE b bigint; e bigint;
BEGIN
  SELECT balance INTO b FROM reference.member WHERE shop_id = 1 AND id = m FOR UPDATE;
  INSERT INTO reference.entry (shop_id, member_id, points, balance_after, key) VALUES (1, m, p, b + p, k)
    ON CONFLICT (shop_id, key) DO NOTHING RETURNING id INTO e;
  IF e IS NULL THEN RETURN NULL; END IF;
  UPDATE reference.member SET balance = b + p WHERE shop_id = 1 AND id = m;
  INSERT INTO reference.lot (shop_id, member_id, entry_id, earned, remaining, expires_at)
    VALUES (1, m, e, p, p, now() + interval '1 year');
  RETURN b + p;
END $$;
"""

# The same rows as the product's ledger, into tables of the same columns, checks and indexes, in one statement: no
# hashing, no row security, no look-ups, no order, tier or message.
BATCH = """
WITH v AS (SELECT * FROM unnest(%(entries)s::uuid[], %(lots)s::uuid[], %(members)s::uuid[], %(points)s::bigint[],
             %(keys)s::text[]) WITH ORDINALITY AS v (entry_id, lot_id, member_id, points, key, n)),
e AS (INSERT INTO reference.entries
      SELECT a.shop_id, v.entry_id, v.member_id, a.seq + row_number() OVER w, 'award', v.points, 0,
        a.available + sum(v.points) OVER w, 0, 0, 0, a.qualifying + sum(v.points) OVER w, false,
        v.key, 'purchase', v.entry_id, NULL, v.entry_id, %(trace)s::jsonb,
        'system', 'system', now(), a.last_hash, a.last_hash
      FROM v JOIN reference.accounts a ON a.shop_id = %(shop)s AND a.member_id = v.member_id
      WINDOW w AS (PARTITION BY v.member_id ORDER BY v.n) RETURNING *),
u AS (UPDATE reference.accounts a SET available = a.available + g.points, qualifying = a.qualifying + g.points,
        seq = a.seq + g.entries
      FROM (SELECT member_id, sum(points) AS points, count(*) AS entries FROM e GROUP BY 1) g
      WHERE a.shop_id = %(shop)s AND a.member_id = g.member_id)
INSERT INTO reference.lots (shop_id, id, member_id, entry_id, order_id, points, remaining, pending, earned_at, activates_at)
SELECT e.shop_id, v.lot_id, e.member_id, e.id, e.order_id, e.points, e.points, false, now(), now()
FROM e JOIN v ON v.entry_id = e.id
"""

LOCK = (
    "SELECT 1 FROM reference.accounts WHERE shop_id = %(shop)s AND member_id = ANY(%(members)s)"
    " ORDER BY member_id FOR UPDATE"
)

TRACE = (
    '{"base_minor": 12990, "exponent": 2, "points_per_unit": "1E+1", "multiplier_bp": 10000, "rounding": "down",'
    ' "exact": "1299.00", "order_name": "#1001", "order_points": 1299, "currency": "USD"}'
)


def create_intake_app():  # type: ignore[no-untyped-def]
    """A bare Flask application that stores each body with one durable INSERT."""
    import os

    import psycopg
    from flask import Flask, request

    application = Flask("reference")
    connections: dict[int, psycopg.Connection] = {}

    def connection() -> psycopg.Connection:
        import threading

        key = threading.get_ident()
        if key not in connections:
            connections[key] = psycopg.connect(os.environ["REFERENCE_DATABASE_URL"], autocommit=True)
        return connections[key]

    @application.post("/v1/api/shopify/webhook")
    def store() -> dict[str, str]:
        connection().execute("INSERT INTO reference.inbox (body) VALUES (%s)", (request.get_data(),))
        return {"status": "success"}

    return application
