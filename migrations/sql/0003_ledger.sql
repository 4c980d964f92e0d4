-- The points ledger: append-only entries, lots that carry every credit, and the functions that post.
-- Law per member: total = available + pending + held - debt = sum(entries.points);
-- each lot: points = remaining + held + spent + expired + reversed.

CREATE TABLE points_accounts (
  shop_id uuid NOT NULL,
  member_id uuid NOT NULL,
  available bigint NOT NULL DEFAULT 0 CHECK (available >= 0),
  pending bigint NOT NULL DEFAULT 0 CHECK (pending >= 0),
  held bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
  debt bigint NOT NULL DEFAULT 0 CHECK (debt >= 0),
  qualifying bigint NOT NULL DEFAULT 0,
  multiplier_bp integer NOT NULL DEFAULT 10000,
  watch_from bigint NOT NULL DEFAULT 0,
  watch_to bigint NOT NULL DEFAULT 0,
  seq bigint NOT NULL DEFAULT 0,
  last_hash bytea NOT NULL DEFAULT '\x',
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, member_id),
  FOREIGN KEY (shop_id, member_id) REFERENCES members ON DELETE CASCADE
) WITH (fillfactor = 85);
CREATE INDEX points_accounts_qualifying_idx ON points_accounts (shop_id, qualifying DESC, member_id);
CALL protect('points_accounts');

CREATE TABLE points_entries (
  shop_id uuid NOT NULL,
  id uuid NOT NULL,
  member_id uuid NOT NULL,
  seq bigint NOT NULL,
  kind text NOT NULL CHECK (kind IN
    ('award', 'adjust', 'reverse', 'hold', 'release', 'spend', 'restore', 'activate', 'expire')),
  points bigint NOT NULL,
  moved bigint NOT NULL,
  available_after bigint NOT NULL,
  pending_after bigint NOT NULL,
  held_after bigint NOT NULL,
  debt_after bigint NOT NULL,
  qualifying_after bigint NOT NULL,
  crossed boolean NOT NULL,
  key text NOT NULL,
  reason text NOT NULL,
  order_id uuid,
  reference_id uuid,
  program_version_id uuid,
  trace jsonb NOT NULL,
  actor_kind text NOT NULL,
  actor_id text NOT NULL,
  created_at timestamptz NOT NULL,
  previous_hash bytea NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY (shop_id, id),
  UNIQUE (shop_id, key),
  UNIQUE (shop_id, member_id, seq)
);
CREATE INDEX points_entries_newest_idx ON points_entries (shop_id, created_at DESC, id DESC);
CREATE INDEX points_entries_order_idx ON points_entries (shop_id, order_id) WHERE order_id IS NOT NULL;
CALL protect('points_entries', 'SELECT, INSERT');

CREATE TABLE points_lots (
  shop_id uuid NOT NULL,
  id uuid NOT NULL,
  member_id uuid NOT NULL,
  entry_id uuid NOT NULL,
  order_id uuid,
  points bigint NOT NULL CHECK (points > 0),
  remaining bigint NOT NULL CHECK (remaining >= 0),
  held bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
  spent bigint NOT NULL DEFAULT 0 CHECK (spent >= 0),
  expired bigint NOT NULL DEFAULT 0 CHECK (expired >= 0),
  reversed bigint NOT NULL DEFAULT 0 CHECK (reversed >= 0),
  pending boolean NOT NULL,
  earned_at timestamptz NOT NULL,
  activates_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL DEFAULT 'infinity',
  PRIMARY KEY (shop_id, id),
  FOREIGN KEY (shop_id, member_id) REFERENCES members ON DELETE CASCADE,
  CHECK (points = remaining + held + spent + expired + reversed)
) WITH (fillfactor = 85);
CREATE INDEX points_lots_open_idx ON points_lots (shop_id, member_id, expires_at, id) WHERE remaining > 0;
CREATE INDEX points_lots_order_idx ON points_lots (shop_id, order_id) WHERE order_id IS NOT NULL;
CREATE INDEX points_lots_activation_idx ON points_lots (shop_id, activates_at) WHERE pending;
CREATE INDEX points_lots_expiry_idx ON points_lots (shop_id, expires_at) WHERE remaining > 0 AND NOT pending;
CALL protect('points_lots');

-- Which lots an entry took from or gave back to.
CREATE TABLE points_moves (
  shop_id uuid NOT NULL,
  entry_id uuid NOT NULL,
  lot_id uuid NOT NULL,
  points bigint NOT NULL CHECK (points > 0),
  PRIMARY KEY (shop_id, entry_id, lot_id)
);
CREATE INDEX points_moves_lot_idx ON points_moves (shop_id, lot_id);
CALL protect('points_moves', 'SELECT, INSERT');

-- Everything a posting says besides its amounts.
CREATE TYPE points_why AS (
  key text, reason text, order_id uuid, reference_id uuid, program_version_id uuid, trace jsonb,
  actor_kind text, actor_id text, at timestamptz
);

CREATE FUNCTION points_digest(previous bytea, e points_entries) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
  SELECT sha256(previous || convert_to(concat_ws(chr(31), e.shop_id, e.id, e.member_id, e.seq, e.kind, e.points, e.moved,
    e.available_after, e.pending_after, e.held_after, e.debt_after, e.qualifying_after, e.crossed, e.key, e.reason, coalesce(e.order_id::text, '-'),
    coalesce(e.reference_id::text, '-'), coalesce(e.program_version_id::text, '-'), e.trace::text, e.actor_kind,
    e.actor_id, extract(epoch FROM e.created_at)), 'UTF8'))
$$;

-- Lock the member's account; every posting starts here, so that two never interleave.
CREATE FUNCTION points_lock(s uuid, m uuid) RETURNS points_accounts LANGUAGE plpgsql AS $$
DECLARE a points_accounts;
BEGIN
  SELECT * INTO a FROM points_accounts WHERE shop_id = s AND member_id = m FOR UPDATE;
  IF NOT FOUND THEN
    INSERT INTO points_accounts (shop_id, member_id) VALUES (s, m) ON CONFLICT DO NOTHING;
    SELECT * INTO a FROM points_accounts WHERE shop_id = s AND member_id = m FOR UPDATE;
  END IF;
  RETURN a;
END $$;

-- An entry says whether it took the qualifying points out of the band that somebody asked to watch, [from, to); tiers
-- set the band to the member's own tier, so that most postings need not look at the ladder.
CREATE FUNCTION points_outside(q bigint, band_from bigint, band_to bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS
$$ SELECT q < band_from OR q >= band_to $$;

-- Write the entry and the account it leads to. `a` is the locked account, already moved to its new amounts.
-- A key that is there already writes nothing and returns NULL; asking the unique index beats looking first, because
-- the plan of a look-up depends on statistics that a new shop does not have yet.
CREATE FUNCTION points_append(a points_accounts, i uuid, k text, p bigint, mv bigint, w points_why)
RETURNS points_entries LANGUAGE plpgsql AS $$
DECLARE e points_entries;
BEGIN
  e := ROW(a.shop_id, i, a.member_id, a.seq + 1, k, p, mv, a.available, a.pending, a.held, a.debt, a.qualifying,
    points_outside(a.qualifying, a.watch_from, a.watch_to), w.key, w.reason,
    w.order_id, w.reference_id, w.program_version_id, coalesce(w.trace, '{}'), w.actor_kind, w.actor_id, w.at,
    a.last_hash, '\x');
  e.hash := points_digest(a.last_hash, e);
  INSERT INTO points_entries SELECT (e).* ON CONFLICT (shop_id, key) DO NOTHING;
  IF NOT FOUND THEN RETURN NULL; END IF;
  UPDATE points_accounts SET available = a.available, pending = a.pending, held = a.held, debt = a.debt,
    qualifying = a.qualifying, seq = e.seq, last_hash = e.hash, updated_at = w.at
    WHERE shop_id = a.shop_id AND member_id = a.member_id;
  RETURN e;
END $$;

CREATE FUNCTION points_known(s uuid, k text) RETURNS points_entries LANGUAGE sql STABLE AS
$$ SELECT * FROM points_entries WHERE shop_id = s AND key = k $$;

-- Credit points as a new lot. An open debt is repaid from it first. Returns the entry; nothing changes on a known key.
CREATE FUNCTION points_credit(s uuid, m uuid, i uuid, lot uuid, k text, p bigint, qualifies boolean,
  activates timestamptz, expires timestamptz, w points_why) RETURNS points_entries LANGUAGE plpgsql AS $$
DECLARE a points_accounts; e points_entries; repaid bigint; waits boolean;
BEGIN
  IF p <= 0 THEN RAISE EXCEPTION 'a credit is positive, not %', p; END IF;
  a := points_lock(s, m);
  waits := coalesce(activates, w.at) > w.at;
  repaid := least(a.debt, p);
  a.debt := a.debt - repaid;
  IF waits THEN a.pending := a.pending + p - repaid; ELSE a.available := a.available + p - repaid; END IF;
  IF qualifies THEN a.qualifying := a.qualifying + p; END IF;
  e := points_append(a, i, k, p, repaid, w);
  IF e.id IS NULL THEN RETURN points_known(s, w.key); END IF;
  INSERT INTO points_lots (shop_id, id, member_id, entry_id, order_id, points, remaining, reversed, pending, earned_at,
      activates_at, expires_at)
    VALUES (s, lot, m, i, w.order_id, p, p - repaid, repaid, waits, w.at, coalesce(activates, w.at),
      coalesce(expires, 'infinity'));
  RETURN e;
END $$;

-- Take `n` points from lots chosen and ordered by the caller's scope; moves them into the named column of the lot.
-- The lots are read after the account's lock was taken, and cut to what is needed before they are joined.
CREATE FUNCTION points_take(s uuid, m uuid, i uuid, n bigint, into_column text, scope text, ord uuid, at timestamptz)
RETURNS TABLE (from_pending bigint, from_available bigint) LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
BEGIN
  RETURN QUERY
  WITH chosen AS MATERIALIZED (
    SELECT z.id, z.pending, least(z.remaining, n - z.before) AS take
    FROM (SELECT l.id, l.pending, l.remaining,
            (sum(l.remaining) OVER (ORDER BY l.pending DESC, l.expires_at, l.id))::bigint - l.remaining AS before
          FROM points_lots l
          WHERE l.shop_id = s AND l.member_id = m AND l.remaining > 0
            AND CASE scope
                  WHEN 'order' THEN l.order_id = ord
                  WHEN 'expired' THEN NOT l.pending AND l.expires_at <= at
                  ELSE NOT l.pending
                END) z
    WHERE z.before < n),
  taken AS (
    UPDATE points_lots t SET remaining = t.remaining - c.take,
      held = t.held + CASE into_column WHEN 'held' THEN c.take ELSE 0 END,
      spent = t.spent + CASE into_column WHEN 'spent' THEN c.take ELSE 0 END,
      expired = t.expired + CASE into_column WHEN 'expired' THEN c.take ELSE 0 END,
      reversed = t.reversed + CASE into_column WHEN 'reversed' THEN c.take ELSE 0 END
    FROM chosen c WHERE t.shop_id = s AND t.id = c.id
    RETURNING c.id, c.pending, c.take),
  noted AS (
    INSERT INTO points_moves (shop_id, entry_id, lot_id, points) SELECT s, i, taken.id, taken.take FROM taken)
  SELECT coalesce(sum(taken.take) FILTER (WHERE taken.pending), 0)::bigint,
         coalesce(sum(taken.take) FILTER (WHERE NOT taken.pending), 0)::bigint FROM taken;
END $$;

-- Spend or hold available points, first to expire first. Returns NULL when the member has too few.
CREATE FUNCTION points_debit(s uuid, m uuid, i uuid, k text, n bigint, w points_why)
RETURNS points_entries LANGUAGE plpgsql AS $$
DECLARE a points_accounts; e points_entries; t record;
BEGIN
  IF n <= 0 THEN RAISE EXCEPTION 'a debit is positive, not %', n; END IF;
  a := points_lock(s, m);
  IF a.available < n THEN RETURN points_known(s, w.key); END IF;
  a.available := a.available - n;
  IF k = 'hold' THEN a.held := a.held + n; END IF;
  e := points_append(a, i, k, CASE k WHEN 'hold' THEN 0 ELSE -n END, n, w);
  IF e.id IS NULL THEN RETURN points_known(s, w.key); END IF;
  SELECT * INTO t FROM points_take(s, m, i, n, CASE k WHEN 'hold' THEN 'held' ELSE 'spent' END, 'available', NULL, w.at);
  IF t.from_available <> n THEN RAISE EXCEPTION 'account and lots differ for member %', m; END IF;
  RETURN e;
END $$;

-- Take back what an order gave: its own lots (pending first), then what else is available, the rest becomes debt.
CREATE FUNCTION points_reverse(s uuid, m uuid, i uuid, n bigint, unqualify boolean, w points_why)
RETURNS points_entries LANGUAGE plpgsql AS $$
DECLARE a points_accounts; e points_entries; own record; other record; rest bigint;
BEGIN
  IF n <= 0 THEN RAISE EXCEPTION 'a reversal is positive, not %', n; END IF;
  a := points_lock(s, m);
  e := points_known(s, w.key);
  IF e.id IS NOT NULL THEN RETURN e; END IF;
  SELECT * INTO own FROM points_take(s, m, i, n, 'reversed', 'order', w.order_id, w.at);
  a.pending := a.pending - own.from_pending;
  a.available := a.available - own.from_available;
  rest := n - own.from_pending - own.from_available;
  IF rest > 0 THEN
    SELECT * INTO other FROM points_take(s, m, i, rest, 'reversed', 'available', NULL, w.at);
    a.available := a.available - other.from_available;
    rest := rest - other.from_available;
  END IF;
  a.debt := a.debt + rest;
  IF unqualify THEN a.qualifying := a.qualifying - n; END IF;
  RETURN points_append(a, i, 'reverse', -n, n - rest, w);
END $$;

-- End a hold: 'spend' uses the held points up, 'release' gives them back; 'restore' gives spent ones of it back.
-- Returns NULL when the hold is not in the state that the step starts from.
CREATE FUNCTION points_settle(s uuid, hold uuid, i uuid, step text, w points_why)
RETURNS points_entries LANGUAGE plpgsql AS $$
DECLARE a points_accounts; e points_entries; h points_entries; n bigint; repaid bigint := 0; last text;
BEGIN
  SELECT * INTO h FROM points_entries WHERE shop_id = s AND id = hold AND kind = 'hold';
  IF NOT FOUND THEN RETURN NULL; END IF;
  a := points_lock(s, h.member_id);
  e := points_known(s, w.key);
  IF e.id IS NOT NULL THEN RETURN e; END IF;
  SELECT kind INTO last FROM points_entries WHERE shop_id = s AND member_id = h.member_id
    AND reference_id = hold AND kind IN ('spend', 'release', 'restore') ORDER BY seq DESC LIMIT 1;
  IF coalesce(last, 'hold') <> (CASE step WHEN 'restore' THEN 'spend' ELSE 'hold' END) THEN RETURN NULL; END IF;
  n := h.moved;
  UPDATE points_lots t SET
      held = t.held - CASE step WHEN 'restore' THEN 0 ELSE v.points END,
      spent = t.spent + CASE step WHEN 'spend' THEN v.points WHEN 'restore' THEN -v.points ELSE 0 END,
      remaining = t.remaining + CASE step WHEN 'spend' THEN 0 ELSE v.points END
    FROM points_moves v WHERE v.shop_id = s AND v.entry_id = hold AND t.shop_id = s AND t.id = v.lot_id;
  IF step = 'restore' THEN a.available := a.available + n; ELSE a.held := a.held - n; END IF;
  IF step = 'release' THEN a.available := a.available + n; END IF;
  IF step <> 'spend' AND a.debt > 0 THEN
    SELECT from_available INTO repaid FROM points_take(s, h.member_id, i, a.debt, 'reversed', 'available', NULL, w.at);
    a.available := a.available - repaid;
    a.debt := a.debt - repaid;
  END IF;
  w.reference_id := hold;
  w.trace := h.trace || coalesce(w.trace, '{}');
  RETURN points_append(a, i, step, CASE step WHEN 'spend' THEN -n WHEN 'restore' THEN n ELSE 0 END, n, w);
END $$;

-- Pending lots whose day has come become available; an open debt is repaid from them. NULL when there are none.
CREATE FUNCTION points_activate(s uuid, m uuid, i uuid, w points_why) RETURNS points_entries LANGUAGE plpgsql AS $$
DECLARE a points_accounts; n bigint; repaid bigint := 0;
BEGIN
  a := points_lock(s, m);
  WITH due AS (
    UPDATE points_lots SET pending = false
    WHERE shop_id = s AND member_id = m AND pending AND activates_at <= w.at RETURNING remaining)
  SELECT sum(remaining) INTO n FROM due;
  IF n IS NULL THEN RETURN NULL; END IF;
  a.pending := a.pending - n;
  a.available := a.available + n;
  IF a.debt > 0 AND n > 0 THEN
    SELECT from_available INTO repaid FROM points_take(s, m, i, a.debt, 'reversed', 'available', NULL, w.at);
    a.available := a.available - repaid;
    a.debt := a.debt - repaid;
  END IF;
  RETURN points_append(a, i, 'activate', 0, n, w);
END $$;

-- Available lots past their date expire. NULL when there are none.
CREATE FUNCTION points_expire(s uuid, m uuid, i uuid, w points_why) RETURNS points_entries LANGUAGE plpgsql AS $$
DECLARE a points_accounts; t record;
BEGIN
  a := points_lock(s, m);
  SELECT * INTO t FROM points_take(s, m, i, a.available, 'expired', 'expired', NULL, w.at);
  IF coalesce(t.from_available, 0) = 0 THEN RETURN NULL; END IF;
  a.available := a.available - t.from_available;
  RETURN points_append(a, i, 'expire', -t.from_available, t.from_available, w);
END $$;

-- Many credits at once, each of another member; `rows` hold {member_id, entry_id, lot_id, kind, points, qualifies, activates,
-- expires, key, reason, order_id, program_version_id, trace}. Returns the entries that were written.
CREATE FUNCTION points_credit_batch(s uuid, rows jsonb, actor_kind text, actor_id text, at timestamptz)
RETURNS SETOF points_entries LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE members uuid[];
BEGIN
  SELECT array_agg((v->>'member_id')::uuid ORDER BY (v->>'member_id')::uuid) INTO members FROM jsonb_array_elements(rows) v;
  INSERT INTO points_accounts (shop_id, member_id)
    SELECT s, m FROM unnest(members) m
    WHERE NOT EXISTS (SELECT 1 FROM points_accounts a WHERE a.shop_id = s AND a.member_id = m) ON CONFLICT DO NOTHING;
  PERFORM 1 FROM points_accounts WHERE shop_id = s AND member_id = ANY(members) ORDER BY member_id FOR UPDATE;
  RETURN QUERY
  WITH v AS MATERIALIZED (
    SELECT r.*, a.seq + 1 AS seq, a.last_hash, least(a.debt, r.points) AS repaid,
      coalesce(r.activates, at) > at AS waits, a.available, a.pending, a.held, a.debt,
      a.qualifying + CASE WHEN r.qualifies THEN r.points ELSE 0 END AS qualifying, a.watch_from, a.watch_to
    FROM jsonb_to_recordset(rows) AS r (member_id uuid, entry_id uuid, lot_id uuid, kind text, points bigint,
        qualifies boolean, activates timestamptz, expires timestamptz, key text, reason text, order_id uuid,
        program_version_id uuid, trace jsonb)
    JOIN points_accounts a ON a.shop_id = s AND a.member_id = r.member_id),
  drafts AS (
    SELECT ROW(s, v.entry_id, v.member_id, v.seq, v.kind, v.points, v.repaid,
        v.available + CASE WHEN v.waits THEN 0 ELSE v.points - v.repaid END,
        v.pending + CASE WHEN v.waits THEN v.points - v.repaid ELSE 0 END, v.held, v.debt - v.repaid,
        v.qualifying, points_outside(v.qualifying, v.watch_from, v.watch_to), v.key, v.reason, v.order_id, NULL::uuid, v.program_version_id, coalesce(v.trace, '{}'), actor_kind, actor_id, at,
        v.last_hash, '\x'::bytea)::points_entries AS e
    FROM v),
  written AS (
    INSERT INTO points_entries
    SELECT (d.e).shop_id, (d.e).id, (d.e).member_id, (d.e).seq, (d.e).kind, (d.e).points, (d.e).moved,
      (d.e).available_after, (d.e).pending_after, (d.e).held_after, (d.e).debt_after, (d.e).qualifying_after, (d.e).crossed, (d.e).key, (d.e).reason,
      (d.e).order_id, (d.e).reference_id, (d.e).program_version_id, (d.e).trace, (d.e).actor_kind, (d.e).actor_id,
      (d.e).created_at, (d.e).previous_hash, points_digest((d.e).previous_hash, d.e)
    FROM drafts d ON CONFLICT (shop_id, key) DO NOTHING RETURNING *),
  accounts AS (
    UPDATE points_accounts a SET available = w.available_after, pending = w.pending_after, debt = w.debt_after,
      qualifying = w.qualifying_after, seq = w.seq, last_hash = w.hash, updated_at = at
    FROM written w WHERE a.shop_id = s AND a.member_id = w.member_id),
  lots AS (
    INSERT INTO points_lots (shop_id, id, member_id, entry_id, order_id, points, remaining, reversed, pending, earned_at,
        activates_at, expires_at)
    SELECT s, v.lot_id, v.member_id, v.entry_id, v.order_id, v.points, v.points - v.repaid, v.repaid, v.waits, at,
      coalesce(v.activates, at), coalesce(v.expires, 'infinity')
    FROM written w JOIN v ON v.entry_id = w.id)
  SELECT * FROM written;
END $$;

-- Entries cannot be deleted by the application; a shop's erasure goes through here.
CREATE FUNCTION points_erase_shop(s uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  IF s IS DISTINCT FROM current_shop() THEN RAISE EXCEPTION 'not this transaction''s shop'; END IF;
  DELETE FROM points_moves WHERE shop_id = s;
  DELETE FROM points_entries WHERE shop_id = s;
  DELETE FROM audit_entries WHERE shop_id = s;
END $$;
