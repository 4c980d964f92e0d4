-- The ledger's hot path: few checks, no index on what changes with every posting, the hash computed in the statement that
-- writes the entry.

DROP FUNCTION points_credit_batch(uuid, jsonb, text, text, timestamptz);
DROP FUNCTION points_expire(uuid, uuid, uuid, points_why);
DROP FUNCTION points_activate(uuid, uuid, uuid, points_why);
DROP FUNCTION points_settle(uuid, uuid, uuid, text, points_why);
DROP FUNCTION points_reverse(uuid, uuid, uuid, bigint, boolean, points_why);
DROP FUNCTION points_debit(uuid, uuid, uuid, text, bigint, points_why);
DROP FUNCTION points_credit(uuid, uuid, uuid, uuid, text, bigint, boolean, timestamptz, timestamptz, points_why);
DROP FUNCTION points_take(uuid, uuid, uuid, bigint, text, text, uuid, timestamptz);
DROP FUNCTION points_append(points_accounts, uuid, text, bigint, bigint, points_why);
DROP FUNCTION points_known(uuid, text);
DROP FUNCTION points_digest(bytea, points_entries);

CREATE TYPE points_kind AS ENUM
  ('award', 'adjust', 'reverse', 'hold', 'release', 'spend', 'restore', 'activate', 'expire',
   'move_out', 'move_in', 'undo');

ALTER TABLE points_entries DROP CONSTRAINT points_entries_kind_check;
ALTER TABLE points_entries ALTER COLUMN kind TYPE points_kind USING kind::points_kind;
ALTER TABLE points_entries
  ADD COLUMN waived bigint NOT NULL DEFAULT 0,
  ADD COLUMN activates_at timestamptz,
  ADD COLUMN expires_at timestamptz;
UPDATE points_entries e SET activates_at = l.activates_at, expires_at = nullif(l.expires_at, 'infinity')
  FROM points_lots l WHERE l.shop_id = e.shop_id AND l.entry_id = e.id;

-- A domain's check is kept in memory; a table's check is read again for every statement.
CREATE DOMAIN points_count AS bigint CHECK (VALUE >= 0);
ALTER TABLE points_accounts
  DROP CONSTRAINT points_accounts_available_check, DROP CONSTRAINT points_accounts_pending_check,
  DROP CONSTRAINT points_accounts_held_check, DROP CONSTRAINT points_accounts_debt_check,
  ALTER COLUMN available TYPE points_count, ALTER COLUMN pending TYPE points_count,
  ALTER COLUMN held TYPE points_count, ALTER COLUMN debt TYPE points_count;
DROP INDEX points_accounts_qualifying_idx;

ALTER TABLE points_lots
  DROP CONSTRAINT points_lots_points_check, DROP CONSTRAINT points_lots_remaining_check,
  DROP CONSTRAINT points_lots_held_check, DROP CONSTRAINT points_lots_spent_check,
  DROP CONSTRAINT points_lots_expired_check, DROP CONSTRAINT points_lots_reversed_check,
  DROP CONSTRAINT points_lots_shop_id_member_id_fkey,
  ALTER COLUMN remaining TYPE points_count, ALTER COLUMN held TYPE points_count, ALTER COLUMN spent TYPE points_count,
  ALTER COLUMN expired TYPE points_count, ALTER COLUMN reversed TYPE points_count;
DROP INDEX points_lots_order_idx;
DROP INDEX points_lots_expiry_idx;
CREATE INDEX points_lots_expiry_idx ON points_lots (shop_id, expires_at, member_id)
  WHERE remaining > 0 AND NOT pending AND expires_at < 'infinity';

-- Every move of points says out of which bucket of the lot and into which; a lot is born with all its points pending or
-- available, so that its history, and with it every balance at any instant, can be added up.
CREATE TYPE points_bucket AS ENUM ('pending', 'available', 'held', 'spent', 'expired', 'reversed');
ALTER TABLE points_lots ADD COLUMN waited boolean NOT NULL DEFAULT false;
UPDATE points_lots SET waited = true WHERE activates_at > earned_at;
ALTER TABLE points_moves ADD COLUMN source points_bucket, ADD COLUMN target points_bucket,
  DROP CONSTRAINT points_moves_pkey;
UPDATE points_moves v
  SET source = CASE WHEN e.kind = 'reverse' AND l.activates_at > e.created_at THEN 'pending' ELSE 'available' END::points_bucket,
    target = CASE e.kind WHEN 'hold' THEN 'held' WHEN 'spend' THEN 'spent' WHEN 'adjust' THEN 'spent' WHEN 'expire' THEN 'expired'
      ELSE 'reversed' END::points_bucket
  FROM points_entries e, points_lots l
  WHERE e.shop_id = v.shop_id AND e.id = v.entry_id AND l.shop_id = v.shop_id AND l.id = v.lot_id;
INSERT INTO points_moves (shop_id, entry_id, lot_id, points, source, target)
  SELECT e.shop_id, e.id, v.lot_id, v.points, CASE e.kind WHEN 'restore' THEN 'spent' ELSE 'held' END::points_bucket,
    CASE e.kind WHEN 'spend' THEN 'spent' ELSE 'available' END::points_bucket
  FROM points_entries e JOIN points_moves v ON v.shop_id = e.shop_id AND v.entry_id = e.reference_id AND v.target = 'held'
  WHERE e.kind IN ('spend', 'release', 'restore');
INSERT INTO points_moves (shop_id, entry_id, lot_id, points, source, target)
  SELECT e.shop_id, e.id, l.id, e.moved, CASE WHEN l.waited THEN 'pending' ELSE 'available' END::points_bucket, 'reversed'
  FROM points_lots l JOIN points_entries e ON e.shop_id = l.shop_id AND e.id = l.entry_id WHERE e.moved > 0;
INSERT INTO points_moves (shop_id, entry_id, lot_id, points, source, target)
  SELECT l.shop_id, a.id, l.id, l.points - coalesce(g.points, 0), 'pending', 'available'
  FROM points_lots l
  CROSS JOIN LATERAL (SELECT e.id FROM points_entries e WHERE e.shop_id = l.shop_id AND e.member_id = l.member_id
    AND e.kind = 'activate' AND e.created_at >= l.activates_at ORDER BY e.seq LIMIT 1) a
  CROSS JOIN LATERAL (SELECT sum(v.points) AS points FROM points_moves v WHERE v.shop_id = l.shop_id AND v.lot_id = l.id
    AND v.source = 'pending') g
  WHERE l.waited AND NOT l.pending AND l.points > coalesce(g.points, 0);
ALTER TABLE points_moves ALTER COLUMN source SET NOT NULL, ALTER COLUMN target SET NOT NULL,
  ADD PRIMARY KEY (shop_id, entry_id, lot_id, source, target);

-- Where members stand, for lists that sort by points: caught up from the ledger, so that a posting pays for no sort order.
CREATE TABLE points_standings (
  shop_id uuid NOT NULL,
  member_id uuid NOT NULL,
  available bigint NOT NULL,
  qualifying bigint NOT NULL,
  PRIMARY KEY (shop_id, member_id),
  FOREIGN KEY (shop_id, member_id) REFERENCES members ON DELETE CASCADE
);
CREATE INDEX points_standings_qualifying_idx ON points_standings (shop_id, qualifying DESC, member_id DESC);
CREATE INDEX points_standings_available_idx ON points_standings (shop_id, available DESC, member_id DESC);
CALL protect('points_standings');
INSERT INTO points_standings SELECT shop_id, member_id, available, qualifying FROM points_accounts;

CREATE TABLE points_standings_seen (
  shop_id uuid PRIMARY KEY REFERENCES shops ON DELETE CASCADE,
  until timestamptz NOT NULL
);
CALL protect('points_standings_seen');

-- When the ledger was last verified, and the entries (or members) at which it did not add up.
CREATE TABLE points_proofs (
  shop_id uuid PRIMARY KEY REFERENCES shops ON DELETE CASCADE,
  members bigint NOT NULL,
  entries bigint NOT NULL,
  findings uuid[] NOT NULL,
  checked_at timestamptz NOT NULL
);
CALL protect('points_proofs');

-- The hash of an entry covers every column but itself. Not IMMUTABLE, because then PostgreSQL could not inline it.
CREATE FUNCTION points_digest(previous bytea, shop uuid, id uuid, member uuid, seq bigint, kind points_kind, points bigint,
  moved bigint, waived bigint, available bigint, pending bigint, held bigint, debt bigint, qualifying bigint, crossed boolean,
  key text, reason text, ord uuid, reference uuid, version uuid, trace jsonb, actor_kind text, actor_id text,
  at timestamptz, activates timestamptz, expires timestamptz) RETURNS bytea LANGUAGE sql STABLE AS $$
  SELECT sha256(previous || convert_to(concat_ws(chr(31), shop, id, member, seq, kind, points, moved, waived, available,
    pending, held, debt, qualifying, crossed, key, reason, coalesce(ord::text, '-'), coalesce(reference::text, '-'),
    coalesce(version::text, '-'), trace, actor_kind, actor_id, extract(epoch FROM at),
    coalesce(extract(epoch FROM activates)::text, '-'), coalesce(extract(epoch FROM expires)::text, '-')), 'UTF8'))
$$;

CREATE FUNCTION points_digest(e points_entries) RETURNS bytea LANGUAGE sql STABLE AS $$
  SELECT points_digest(e.previous_hash, e.shop_id, e.id, e.member_id, e.seq, e.kind, e.points, e.moved, e.waived,
    e.available_after, e.pending_after, e.held_after, e.debt_after, e.qualifying_after, e.crossed, e.key, e.reason,
    e.order_id, e.reference_id, e.program_version_id, e.trace, e.actor_kind, e.actor_id, e.created_at, e.activates_at,
    e.expires_at)
$$;

-- Entries written before this migration get the hash of the new columns.
DO $$
DECLARE e points_entries; previous bytea := '\x'; member uuid; shop uuid;
BEGIN
  FOR e IN SELECT * FROM points_entries ORDER BY shop_id, member_id, seq LOOP
    IF member IS DISTINCT FROM e.member_id OR shop IS DISTINCT FROM e.shop_id THEN previous := '\x'; END IF;
    e.previous_hash := previous;
    previous := points_digest(e);
    member := e.member_id;
    shop := e.shop_id;
    UPDATE points_entries SET previous_hash = e.previous_hash, hash = previous WHERE shop_id = shop AND id = e.id;
    UPDATE points_accounts SET last_hash = previous WHERE shop_id = shop AND member_id = member AND seq = e.seq;
  END LOOP;
END $$;

CREATE FUNCTION points_known(s uuid, k text) RETURNS points_entries LANGUAGE sql STABLE AS
$$ SELECT * FROM points_entries WHERE shop_id = s AND key = k $$;

-- Write the entry and the account it leads to. `a` is the locked account, already moved to its new amounts.
-- A key that is there already writes nothing and returns NULL; asking the unique index beats looking first, because
-- the plan of a look-up depends on statistics that a new shop does not have yet.
CREATE FUNCTION points_append(a points_accounts, i uuid, k text, p bigint, mv bigint, w points_why, wv bigint DEFAULT 0)
RETURNS points_entries LANGUAGE plpgsql AS $$
DECLARE e points_entries;
BEGIN
  INSERT INTO points_entries (shop_id, id, member_id, seq, kind, points, moved, waived, available_after, pending_after,
      held_after, debt_after, qualifying_after, crossed, key, reason, order_id, reference_id, program_version_id, trace,
      actor_kind, actor_id, created_at, previous_hash, hash)
    SELECT a.shop_id, i, a.member_id, a.seq + 1, k::points_kind, p, mv, wv, a.available, a.pending, a.held, a.debt,
      a.qualifying, c.crossed, w.key, w.reason, w.order_id, w.reference_id, w.program_version_id, c.trace,
      w.actor_kind, w.actor_id, w.at, a.last_hash,
      points_digest(a.last_hash, a.shop_id, i, a.member_id, a.seq + 1, k::points_kind, p, mv, wv, a.available, a.pending,
        a.held, a.debt, a.qualifying, c.crossed, w.key, w.reason, w.order_id, w.reference_id, w.program_version_id,
        c.trace, w.actor_kind, w.actor_id, w.at, NULL, NULL)
    FROM (SELECT points_outside(a.qualifying, a.watch_from, a.watch_to), coalesce(w.trace, '{}')) AS c (crossed, trace)
    ON CONFLICT (shop_id, key) DO NOTHING RETURNING * INTO e;
  IF NOT FOUND THEN RETURN NULL; END IF;
  UPDATE points_accounts SET available = a.available, pending = a.pending, held = a.held, debt = a.debt,
    qualifying = a.qualifying, seq = e.seq, last_hash = e.hash, updated_at = w.at
    WHERE shop_id = a.shop_id AND member_id = a.member_id;
  RETURN e;
END $$;

-- The bucket of what remains in a lot.
CREATE FUNCTION points_spendable(waits boolean) RETURNS points_bucket LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE WHEN waits THEN 'pending'::points_bucket ELSE 'available'::points_bucket END $$;

-- Credit points as a new lot, which is named like the entry that it is born with. An open debt is repaid from it first. Returns the entry; nothing changes on a known key.
CREATE FUNCTION points_credit(s uuid, m uuid, i uuid, k text, p bigint, qualifies boolean, activates timestamptz,
  expires timestamptz, w points_why) RETURNS points_entries LANGUAGE plpgsql AS $$
DECLARE a points_accounts; e points_entries; repaid bigint; waits boolean; starts timestamptz;
BEGIN
  IF p <= 0 THEN RAISE EXCEPTION 'a credit is positive, not %', p; END IF;
  SELECT * INTO a FROM points_accounts WHERE shop_id = s AND member_id = m FOR UPDATE;
  IF NOT FOUND THEN a := points_lock(s, m); END IF;
  starts := coalesce(activates, w.at);
  waits := starts > w.at;
  repaid := least(a.debt, p);
  INSERT INTO points_entries (shop_id, id, member_id, seq, kind, points, moved, available_after, pending_after,
      held_after, debt_after, qualifying_after, crossed, key, reason, order_id, reference_id, program_version_id, trace,
      actor_kind, actor_id, created_at, activates_at, expires_at, previous_hash, hash)
    SELECT s, i, m, a.seq + 1, k::points_kind, p, repaid, n.available, n.pending, a.held, n.debt, n.qualifying, c.crossed,
      w.key, w.reason, w.order_id, w.reference_id, w.program_version_id, c.trace, w.actor_kind, w.actor_id, w.at,
      starts, expires, a.last_hash,
      points_digest(a.last_hash, s, i, m, a.seq + 1, k::points_kind, p, repaid, 0, n.available, n.pending, a.held, n.debt,
        n.qualifying, c.crossed, w.key, w.reason, w.order_id, w.reference_id, w.program_version_id, c.trace,
        w.actor_kind, w.actor_id, w.at, starts, expires)
    FROM (SELECT a.available + CASE WHEN waits THEN 0 ELSE p - repaid END,
            a.pending + CASE WHEN waits THEN p - repaid ELSE 0 END, a.debt - repaid,
            a.qualifying + CASE WHEN qualifies THEN p ELSE 0 END) AS n (available, pending, debt, qualifying),
      LATERAL (SELECT points_outside(n.qualifying, a.watch_from, a.watch_to), coalesce(w.trace, '{}')) AS c (crossed, trace)
    ON CONFLICT (shop_id, key) DO NOTHING RETURNING * INTO e;
  IF NOT FOUND THEN RETURN points_known(s, w.key); END IF;
  UPDATE points_accounts SET available = e.available_after, pending = e.pending_after, debt = e.debt_after,
    qualifying = e.qualifying_after, seq = e.seq, last_hash = e.hash, updated_at = w.at
    WHERE shop_id = s AND member_id = m;
  INSERT INTO points_lots (shop_id, id, member_id, entry_id, order_id, points, remaining, reversed, pending, waited,
      earned_at, activates_at, expires_at)
    VALUES (s, i, m, i, w.order_id, p, p - repaid, repaid, waits, waits, w.at, starts, coalesce(expires, 'infinity'));
  IF repaid > 0 THEN
    INSERT INTO points_moves (shop_id, entry_id, lot_id, points, source, target)
      VALUES (s, i, i, repaid, points_spendable(waits), 'reversed');
  END IF;
  RETURN e;
END $$;

-- Take up to `n` points out of the member's open lots, first to expire first, into the named bucket; returns how many.
-- Chosen are pending or available lots, of one order or of all, that expire until `upto`. A loop stops at what is needed
-- and its plan is an index scan whatever the statistics say.
CREATE FUNCTION points_take(s uuid, m uuid, i uuid, n bigint, into_bucket points_bucket, waiting boolean, ord uuid,
  upto timestamptz) RETURNS bigint LANGUAGE plpgsql SET enable_seqscan = off SET enable_sort = off AS $$
DECLARE l record; take bigint; rest bigint := n;
BEGIN
  FOR l IN SELECT id, remaining FROM points_lots WHERE shop_id = s AND member_id = m AND remaining > 0
      AND pending = waiting AND (ord IS NULL OR order_id = ord) AND expires_at <= upto ORDER BY expires_at, id LOOP
    EXIT WHEN rest <= 0;
    take := least(l.remaining, rest);
    UPDATE points_lots t SET remaining = t.remaining - take,
        held = t.held + CASE into_bucket WHEN 'held' THEN take ELSE 0 END,
        spent = t.spent + CASE into_bucket WHEN 'spent' THEN take ELSE 0 END,
        expired = t.expired + CASE into_bucket WHEN 'expired' THEN take ELSE 0 END,
        reversed = t.reversed + CASE into_bucket WHEN 'reversed' THEN take ELSE 0 END
      WHERE t.shop_id = s AND t.id = l.id;
    INSERT INTO points_moves (shop_id, entry_id, lot_id, points, source, target)
      VALUES (s, i, l.id, take, points_spendable(waiting), into_bucket);
    rest := rest - take;
  END LOOP;
  RETURN n - rest;
END $$;

-- Spend or hold available points, first to expire first. Returns NULL when the member has too few.
CREATE FUNCTION points_debit(s uuid, m uuid, i uuid, k text, n bigint, w points_why)
RETURNS points_entries LANGUAGE plpgsql AS $$
DECLARE a points_accounts; e points_entries;
BEGIN
  IF n <= 0 THEN RAISE EXCEPTION 'a debit is positive, not %', n; END IF;
  a := points_lock(s, m);
  IF a.available < n THEN RETURN points_known(s, w.key); END IF;
  a.available := a.available - n;
  IF k = 'hold' THEN a.held := a.held + n; END IF;
  e := points_append(a, i, k, CASE k WHEN 'hold' THEN 0 ELSE -n END, n, w);
  IF e.id IS NULL THEN RETURN points_known(s, w.key); END IF;
  IF points_take(s, m, i, n, CASE k WHEN 'hold' THEN 'held' WHEN 'adjust' THEN 'reversed' ELSE 'spent' END::points_bucket, false, NULL, 'infinity') <> n THEN
    RAISE EXCEPTION 'account and lots differ for member %', m;
  END IF;
  RETURN e;
END $$;

-- Take back what an order gave: its own lots, pending before available. What they no longer have follows the debt policy:
-- 'pending_only' takes pending lots alone, 'to_zero' goes on with other available points, 'negative' makes the rest a debt.
-- What is neither taken nor owed is waived, and the entry says so.
CREATE FUNCTION points_reverse(s uuid, m uuid, i uuid, n bigint, unqualify boolean, policy text, w points_why)
RETURNS points_entries LANGUAGE plpgsql AS $$
DECLARE a points_accounts; e points_entries; part bigint; rest bigint := n; owed bigint := 0;
BEGIN
  IF n <= 0 THEN RAISE EXCEPTION 'a reversal is positive, not %', n; END IF;
  IF policy NOT IN ('pending_only', 'to_zero', 'negative') THEN RAISE EXCEPTION 'no such debt policy: %', policy; END IF;
  a := points_lock(s, m);
  e := points_known(s, w.key);
  IF e.id IS NOT NULL THEN RETURN e; END IF;
  part := points_take(s, m, i, rest, 'reversed', true, w.order_id, 'infinity');
  a.pending := a.pending - part;
  rest := rest - part;
  IF policy <> 'pending_only' THEN
    part := points_take(s, m, i, rest, 'reversed', false, w.order_id, 'infinity');
    part := part + points_take(s, m, i, rest - part, 'reversed', false, NULL, 'infinity');
    a.available := a.available - part;
    rest := rest - part;
  END IF;
  IF policy = 'negative' THEN owed := rest; END IF;
  a.debt := a.debt + owed;
  IF unqualify THEN a.qualifying := a.qualifying - n; END IF;
  RETURN points_append(a, i, 'reverse', rest - owed - n, n - rest, w, rest - owed);
END $$;

-- Repay an open debt from available points; returns the account after it.
CREATE FUNCTION points_repay(a points_accounts, i uuid) RETURNS points_accounts LANGUAGE plpgsql AS $$
DECLARE repaid bigint;
BEGIN
  IF a.debt > 0 AND a.available > 0 THEN
    repaid := points_take(a.shop_id, a.member_id, i, a.debt, 'reversed', false, NULL, 'infinity');
    a.available := a.available - repaid;
    a.debt := a.debt - repaid;
  END IF;
  RETURN a;
END $$;

-- End a hold: 'spend' uses the held points up, 'release' gives them back; 'restore' gives spent ones of it back.
-- Returns NULL when the hold is not in the state that the step starts from.
CREATE FUNCTION points_settle(s uuid, hold uuid, i uuid, step text, w points_why)
RETURNS points_entries LANGUAGE plpgsql AS $$
DECLARE a points_accounts; e points_entries; h points_entries; n bigint; last text;
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
    FROM points_moves v WHERE v.shop_id = s AND v.entry_id = hold AND v.target = 'held' AND t.shop_id = s AND t.id = v.lot_id;
  INSERT INTO points_moves (shop_id, entry_id, lot_id, points, source, target)
    SELECT s, i, v.lot_id, v.points, CASE step WHEN 'restore' THEN 'spent' ELSE 'held' END::points_bucket,
      CASE step WHEN 'spend' THEN 'spent' ELSE 'available' END::points_bucket
    FROM points_moves v WHERE v.shop_id = s AND v.entry_id = hold AND v.target = 'held';
  IF step = 'restore' THEN a.available := a.available + n; ELSE a.held := a.held - n; END IF;
  IF step = 'release' THEN a.available := a.available + n; END IF;
  IF step <> 'spend' THEN a := points_repay(a, i); END IF;
  w.reference_id := hold;
  w.trace := h.trace || coalesce(w.trace, '{}');
  RETURN points_append(a, i, step, CASE step WHEN 'spend' THEN -n WHEN 'restore' THEN n ELSE 0 END, n, w);
END $$;

-- Pending lots whose day has come become available; an open debt is repaid from them. NULL when there are none.
CREATE FUNCTION points_activate(s uuid, m uuid, i uuid, w points_why) RETURNS points_entries LANGUAGE plpgsql AS $$
DECLARE a points_accounts; n bigint;
BEGIN
  a := points_lock(s, m);
  WITH due AS (
    UPDATE points_lots SET pending = false
    WHERE shop_id = s AND member_id = m AND pending AND activates_at <= w.at RETURNING id, remaining),
  noted AS (
    INSERT INTO points_moves (shop_id, entry_id, lot_id, points, source, target)
    SELECT s, i, due.id, due.remaining, 'pending', 'available' FROM due WHERE due.remaining > 0)
  SELECT sum(remaining) INTO n FROM due;
  IF n IS NULL THEN RETURN NULL; END IF;
  a.pending := a.pending - n;
  a.available := a.available + n;
  a := points_repay(a, i);
  RETURN points_append(a, i, 'activate', 0, n, w);
END $$;

-- Lock the accounts of many members in one order, made where there are none.
CREATE FUNCTION points_lock_many(s uuid, members uuid[]) RETURNS void LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
  INSERT INTO points_accounts (shop_id, member_id)
    SELECT s, m FROM unnest(members) m
    WHERE NOT EXISTS (SELECT 1 FROM points_accounts a WHERE a.shop_id = s AND a.member_id = m)
    ORDER BY m ON CONFLICT DO NOTHING;
  PERFORM 1 FROM points_accounts WHERE shop_id = s AND member_id = ANY(members) ORDER BY member_id FOR UPDATE;
END $$;

-- Naming the members again beside the join keeps the planner from reading every account of a shop it knows nothing of.
-- Many credits at once, each of another member; `rows` hold {member_id, entry_id, kind, points, qualifies, activates,
-- expires, key, reason, order_id, program_version_id, trace}. Returns the entries that were written.
CREATE FUNCTION points_credit_batch(s uuid, rows jsonb, actor_kind text, actor_id text, at timestamptz)
RETURNS SETOF points_entries LANGUAGE plpgsql SET enable_seqscan = off SET enable_nestloop = off
AS $$
DECLARE members uuid[] := (SELECT array_agg((v->>'member_id')::uuid) FROM jsonb_array_elements(rows) v);
BEGIN
  PERFORM points_lock_many(s, members);
  RETURN QUERY
  WITH v AS MATERIALIZED (
    SELECT r.member_id, r.entry_id, r.kind, r.points, r.key, r.reason, r.order_id, r.program_version_id,
      coalesce(r.trace, '{}') AS trace, r.expires, d.starts, d.repaid, a.seq + 1 AS seq, a.last_hash, a.held,
      a.available + CASE WHEN d.starts > at THEN 0 ELSE r.points - d.repaid END AS available,
      a.pending + CASE WHEN d.starts > at THEN r.points - d.repaid ELSE 0 END AS pending,
      a.debt - d.repaid AS debt, q.qualifying, points_outside(q.qualifying, a.watch_from, a.watch_to) AS crossed
    FROM jsonb_to_recordset(rows) AS r (member_id uuid, entry_id uuid, kind points_kind, points bigint,
        qualifies boolean, activates timestamptz, expires timestamptz, key text, reason text, order_id uuid,
        program_version_id uuid, trace jsonb)
    JOIN points_accounts a ON a.shop_id = s AND a.member_id = ANY(members) AND a.member_id = r.member_id
    CROSS JOIN LATERAL (SELECT coalesce(r.activates, at), least(a.debt, r.points)) AS d (starts, repaid)
    CROSS JOIN LATERAL (SELECT a.qualifying + CASE WHEN r.qualifies THEN r.points ELSE 0 END) AS q (qualifying)),
  written AS (
    INSERT INTO points_entries (shop_id, id, member_id, seq, kind, points, moved, available_after, pending_after,
        held_after, debt_after, qualifying_after, crossed, key, reason, order_id, program_version_id, trace,
        actor_kind, actor_id, created_at, activates_at, expires_at, previous_hash, hash)
    SELECT s, v.entry_id, v.member_id, v.seq, v.kind, v.points, v.repaid, v.available, v.pending, v.held, v.debt,
      v.qualifying, v.crossed, v.key, v.reason, v.order_id, v.program_version_id, v.trace, actor_kind, actor_id, at,
      v.starts, v.expires, v.last_hash,
      points_digest(v.last_hash, s, v.entry_id, v.member_id, v.seq, v.kind, v.points, v.repaid, 0, v.available, v.pending,
        v.held, v.debt, v.qualifying, v.crossed, v.key, v.reason, v.order_id, NULL, v.program_version_id, v.trace,
        actor_kind, actor_id, at, v.starts, v.expires)
    FROM v ON CONFLICT (shop_id, key) DO NOTHING RETURNING *),
  accounts AS (
    UPDATE points_accounts a SET available = w.available_after, pending = w.pending_after, debt = w.debt_after,
      qualifying = w.qualifying_after, seq = w.seq, last_hash = w.hash, updated_at = at
    FROM written w WHERE a.shop_id = s AND a.member_id = ANY(members) AND a.member_id = w.member_id),
  lots AS (
    INSERT INTO points_lots (shop_id, id, member_id, entry_id, order_id, points, remaining, reversed, pending, waited,
        earned_at, activates_at, expires_at)
    SELECT s, w.id, w.member_id, w.id, w.order_id, w.points, w.points - w.moved, w.moved, w.activates_at > at,
      w.activates_at > at, at, w.activates_at, coalesce(w.expires_at, 'infinity')
    FROM written w),
  repayments AS (
    INSERT INTO points_moves (shop_id, entry_id, lot_id, points, source, target)
    SELECT s, w.id, w.id, w.moved, points_spendable(w.activates_at > at), 'reversed' FROM written w WHERE w.moved > 0)
  SELECT * FROM written;
END $$;

-- Entries cannot be deleted by the application; a shop's erasure goes through here.
CREATE OR REPLACE FUNCTION points_erase_shop(s uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  IF s IS DISTINCT FROM current_shop() THEN RAISE EXCEPTION 'not this transaction''s shop'; END IF;
  DELETE FROM points_moves WHERE shop_id = s;
  DELETE FROM points_entries WHERE shop_id = s;
  DELETE FROM points_lots WHERE shop_id = s;
  DELETE FROM audit_entries WHERE shop_id = s;
END $$;
