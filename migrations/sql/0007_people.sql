-- Guests, merges, duplicates and adjustments.

-- merges -------------------------------------------------------------------------------------------------------------
-- `merged_into` always names the member who has the points now, also when that member was merged on.
CREATE INDEX members_merged_idx ON members (shop_id, merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE member_merges (
  shop_id uuid NOT NULL,
  id uuid NOT NULL,
  kept_id uuid NOT NULL,
  removed_id uuid NOT NULL,
  origin text NOT NULL CHECK (origin IN ('shopify', 'staff', 'claim')),
  removed_status text NOT NULL,
  kept_status text NOT NULL,
  followed jsonb NOT NULL DEFAULT '{}',
  undone_at timestamptz,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (shop_id, id),
  FOREIGN KEY (shop_id, kept_id) REFERENCES members ON DELETE CASCADE,
  FOREIGN KEY (shop_id, removed_id) REFERENCES members ON DELETE CASCADE
);
CREATE UNIQUE INDEX member_merges_once_idx ON member_merges (shop_id, removed_id) WHERE undone_at IS NULL;
CREATE INDEX member_merges_removed_idx ON member_merges (shop_id, removed_id);
CREATE INDEX member_merges_kept_idx ON member_merges (shop_id, kept_id, created_at DESC);
CALL protect('member_merges');

-- the ledger: moving lots between members, and taking things back ------------------------------------------------------
-- What a member's lots say about the account: what is available, pending and held in the named ones.
CREATE FUNCTION points_in_lots(s uuid, m uuid, lots uuid[], OUT available bigint, OUT pending bigint, OUT held bigint)
LANGUAGE sql STABLE AS $$
  SELECT coalesce(sum(l.remaining) FILTER (WHERE NOT l.pending), 0)::bigint,
         coalesce(sum(l.remaining) FILTER (WHERE l.pending), 0)::bigint, coalesce(sum(l.held), 0)::bigint
  FROM points_lots l WHERE l.shop_id = s AND l.member_id = m AND l.id = ANY(lots)
$$;

-- Change named lots of a member and copy lots of others to them, in one entry. The account follows the lots, so the caller
-- decides which lots and how, never the sums. `changes` hold {lot, remaining, held, spent, expired, reversed, pending}
-- (differences that add up to zero; pending null leaves it), `copies` hold {lot, origin, points, repaid, pending}.
CREATE FUNCTION points_shift(s uuid, m uuid, i uuid, k text, changes jsonb, copies jsonb, debt_change bigint,
  qualifying_change bigint, w points_why) RETURNS points_entries LANGUAGE plpgsql AS $$
DECLARE a points_accounts; e points_entries; was record; now_ record; lots uuid[]; moved bigint; n integer; d bigint;
BEGIN
  a := points_lock(s, m);
  e := points_known(s, w.key);
  IF e.id IS NOT NULL THEN RETURN e; END IF;
  SELECT array_agg((v->>'lot')::uuid) INTO lots FROM jsonb_array_elements(changes || copies) v;
  was := points_in_lots(s, m, lots);
  INSERT INTO points_moves (shop_id, entry_id, lot_id, points, source, target)
    SELECT s, i, l.id, least(-o.points, t.points), o.bucket, t.bucket
    FROM jsonb_to_recordset(changes) AS v (lot uuid, remaining bigint, held bigint, spent bigint, expired bigint,
      reversed bigint, pending boolean)
    JOIN points_lots l ON l.shop_id = s AND l.id = v.lot
    CROSS JOIN LATERAL (VALUES (points_spendable(l.pending), v.remaining), ('held', v.held), ('spent', v.spent),
      ('expired', v.expired), ('reversed', v.reversed)) AS o (bucket, points)
    CROSS JOIN LATERAL (VALUES (points_spendable(coalesce(v.pending, l.pending)), v.remaining), ('held', v.held),
      ('spent', v.spent), ('expired', v.expired), ('reversed', v.reversed)) AS t (bucket, points)
    WHERE o.points < 0 AND t.points > 0;
  SELECT coalesce(sum(v.points), 0) INTO moved FROM points_moves v WHERE v.shop_id = s AND v.entry_id = i;
  IF moved <> (SELECT coalesce(sum(greatest(v.remaining, 0) + greatest(v.held, 0) + greatest(v.spent, 0)
      + greatest(v.expired, 0) + greatest(v.reversed, 0)), 0) FROM jsonb_to_recordset(changes) AS v (remaining bigint,
      held bigint, spent bigint, expired bigint, reversed bigint)) THEN
    RAISE EXCEPTION 'a change of a lot has many sides in a shift of %', m;
  END IF;
  UPDATE points_lots l SET remaining = l.remaining + coalesce(v.remaining, 0), held = l.held + coalesce(v.held, 0),
      spent = l.spent + coalesce(v.spent, 0), expired = l.expired + coalesce(v.expired, 0),
      reversed = l.reversed + coalesce(v.reversed, 0), pending = coalesce(v.pending, l.pending)
    FROM jsonb_to_recordset(changes) AS v (lot uuid, remaining bigint, held bigint, spent bigint, expired bigint,
      reversed bigint, pending boolean)
    WHERE l.shop_id = s AND l.member_id = m AND l.id = v.lot;
  GET DIAGNOSTICS n = ROW_COUNT;
  IF n <> jsonb_array_length(changes) THEN RAISE EXCEPTION 'lots of another member, or none, in a shift of %', m; END IF;
  INSERT INTO points_lots
    SELECT (jsonb_populate_record(l, jsonb_build_object('id', v.lot, 'member_id', m, 'entry_id', i, 'points', v.points,
      'remaining', v.points - v.repaid, 'held', 0, 'spent', 0, 'expired', 0, 'reversed', v.repaid, 'pending', v.pending,
      'waited', v.pending))).*
    FROM jsonb_to_recordset(copies) AS v (lot uuid, origin uuid, points bigint, repaid bigint, pending boolean)
    JOIN points_lots l ON l.shop_id = s AND l.id = v.origin;
  now_ := points_in_lots(s, m, lots);
  INSERT INTO points_moves (shop_id, entry_id, lot_id, points, source, target)
    SELECT s, i, v.lot, v.repaid, points_spendable(v.pending), 'reversed'
    FROM jsonb_to_recordset(copies) AS v (lot uuid, repaid bigint, pending boolean) WHERE v.repaid > 0;
  a.available := a.available + now_.available - was.available;
  a.pending := a.pending + now_.pending - was.pending;
  a.held := a.held + now_.held - was.held;
  a.debt := a.debt + debt_change;
  a.qualifying := a.qualifying + qualifying_change;
  d := now_.available - was.available + now_.pending - was.pending + now_.held - was.held - debt_change;
  RETURN points_append(a, i, k, d, greatest(moved, abs(d)), w);
END $$;

-- adjustments by hand --------------------------------------------------------------------------------------------------
CREATE TABLE points_settings (
  shop_id uuid PRIMARY KEY REFERENCES shops ON DELETE CASCADE,
  approval_above bigint CHECK (approval_above >= 0),
  daily_limit bigint CHECK (daily_limit > 0),
  alert_per_hour integer NOT NULL DEFAULT 100 CHECK (alert_per_hour > 0),
  version integer NOT NULL DEFAULT 1,
  updated_at timestamptz NOT NULL DEFAULT now()
);
CALL protect('points_settings');

CREATE TABLE points_adjustments (
  shop_id uuid NOT NULL,
  id uuid NOT NULL,
  key text NOT NULL,
  member_id uuid NOT NULL,
  to_member_id uuid,
  verb text NOT NULL CHECK (verb IN ('award', 'deduct', 'set', 'expire', 'transfer')),
  points bigint NOT NULL CHECK (points >= 0),
  moved bigint NOT NULL DEFAULT 0,
  reason text NOT NULL,
  note text NOT NULL DEFAULT '',
  status text NOT NULL CHECK (status IN ('done', 'waiting', 'rejected', 'undone')),
  entries uuid[] NOT NULL DEFAULT '{}',
  actor_kind text NOT NULL,
  actor_id text NOT NULL,
  actor_label text NOT NULL DEFAULT '',
  decided_by text,
  decided_at timestamptz,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (shop_id, id),
  UNIQUE (shop_id, key),
  FOREIGN KEY (shop_id, member_id) REFERENCES members ON DELETE CASCADE,
  FOREIGN KEY (shop_id, to_member_id) REFERENCES members ON DELETE CASCADE
);
CREATE INDEX points_adjustments_newest_idx ON points_adjustments (shop_id, created_at DESC, id DESC);
CREATE INDEX points_adjustments_waiting_idx ON points_adjustments (shop_id, created_at, id) WHERE status = 'waiting';
CREATE INDEX points_adjustments_member_idx ON points_adjustments (shop_id, member_id, created_at DESC);
CREATE INDEX points_adjustments_actor_idx ON points_adjustments (shop_id, actor_kind, actor_id, created_at DESC);
CALL protect('points_adjustments');

-- guests, duplicates and search ---------------------------------------------------------------------------------------
-- A guest ordered without a customer account and is known by e-mail or phone only, until somebody proves to be them.
ALTER TABLE members DROP CONSTRAINT members_status_check;
ALTER TABLE members ADD CONSTRAINT members_status_check
  CHECK (status IN ('active', 'blocked', 'erased', 'merged', 'guest'));
-- `email_match` and `person_index` lead to people who may be the same; `indexed` says that the job has written them and
-- the member's name prefixes.
ALTER TABLE members ADD COLUMN phone_index bytea, ADD COLUMN email_match bytea, ADD COLUMN person_index bytea,
  ADD COLUMN indexed boolean NOT NULL DEFAULT false;
-- Whether Shopify last said that the e-mail is the customer's own.
ALTER TABLE members ADD COLUMN email_proven boolean NOT NULL DEFAULT false;
CREATE UNIQUE INDEX members_guest_email_idx ON members (shop_id, email_index) WHERE status = 'guest' AND email_index IS NOT NULL;
CREATE UNIQUE INDEX members_guest_phone_idx ON members (shop_id, phone_index) WHERE status = 'guest' AND email_index IS NULL;
CREATE INDEX members_phone_idx ON members (shop_id, phone_index) WHERE phone_index IS NOT NULL;
CREATE INDEX members_email_match_idx ON members (shop_id, email_match, id) WHERE email_match IS NOT NULL;
CREATE INDEX members_person_idx ON members (shop_id, person_index, id) WHERE person_index IS NOT NULL;
CREATE INDEX members_unindexed_idx ON members (shop_id, id) WHERE NOT indexed;
CREATE INDEX members_source_idx ON members (shop_id, source, enrolled_at DESC, id DESC);
CREATE INDEX members_status_idx ON members (shop_id, status, enrolled_at DESC, id DESC);

-- Two members of whom somebody said that they are not the same person.
CREATE TABLE member_distinctions (
  shop_id uuid NOT NULL,
  low_id uuid NOT NULL,
  high_id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (shop_id, low_id, high_id),
  FOREIGN KEY (shop_id, low_id) REFERENCES members ON DELETE CASCADE,
  FOREIGN KEY (shop_id, high_id) REFERENCES members ON DELETE CASCADE,
  CHECK (low_id <= high_id)
);
CALL protect('member_distinctions');

-- Keyed hashes of the beginnings of a name's words: sealed names cannot be searched with LIKE.
CREATE TABLE member_prefixes (
  shop_id uuid NOT NULL,
  prefix bytea NOT NULL,
  member_id uuid NOT NULL,
  PRIMARY KEY (shop_id, prefix, member_id),
  FOREIGN KEY (shop_id, member_id) REFERENCES members ON DELETE CASCADE
);
CREATE INDEX member_prefixes_member_idx ON member_prefixes (shop_id, member_id);
CALL protect('member_prefixes');

CREATE TABLE member_notes (
  shop_id uuid NOT NULL,
  id uuid NOT NULL,
  member_id uuid NOT NULL,
  text_sealed bytea NOT NULL,
  actor_kind text NOT NULL,
  actor_id text NOT NULL,
  actor_label text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL,
  PRIMARY KEY (shop_id, id),
  FOREIGN KEY (shop_id, member_id) REFERENCES members ON DELETE CASCADE
);
CREATE INDEX member_notes_member_idx ON member_notes (shop_id, member_id, created_at DESC);
CALL protect('member_notes');

CREATE INDEX orders_name_idx ON orders (shop_id, name);
