-- Segments: groups of members, by conditions on facts about them or by hand.
CREATE TABLE segments (
  shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
  id uuid NOT NULL,
  name text NOT NULL,
  description text NOT NULL DEFAULT '',
  kind text NOT NULL CHECK (kind IN ('rules', 'manual')),
  rules jsonb NOT NULL DEFAULT '{}',
  size bigint NOT NULL DEFAULT 0 CHECK (size >= 0),
  counted_at timestamptz,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, id)
);
CREATE UNIQUE INDEX segments_name_idx ON segments (shop_id, lower(name));
CALL protect('segments');

CREATE TABLE segment_members (
  shop_id uuid NOT NULL,
  segment_id uuid NOT NULL,
  member_id uuid NOT NULL,
  since timestamptz NOT NULL,
  PRIMARY KEY (shop_id, segment_id, member_id),
  FOREIGN KEY (shop_id, segment_id) REFERENCES segments ON DELETE CASCADE,
  FOREIGN KEY (shop_id, member_id) REFERENCES members ON DELETE CASCADE
);
CREATE INDEX segment_members_member_idx ON segment_members (shop_id, member_id);
CALL protect('segment_members');

-- How many members a segment had at the end of a day of the shop.
CREATE TABLE segment_sizes (
  shop_id uuid NOT NULL,
  segment_id uuid NOT NULL,
  day date NOT NULL,
  members bigint NOT NULL,
  PRIMARY KEY (shop_id, segment_id, day),
  FOREIGN KEY (shop_id, segment_id) REFERENCES segments ON DELETE CASCADE
);
CALL protect('segment_sizes');

-- What conditions ask about a member and no column of theirs says, added up from orders, ledger, redemptions and referrals.
CREATE TABLE segment_facts (
  shop_id uuid NOT NULL,
  member_id uuid NOT NULL,
  available bigint NOT NULL DEFAULT 0,
  earned bigint NOT NULL DEFAULT 0,
  lifetime bigint NOT NULL DEFAULT 0,
  tiers uuid[] NOT NULL DEFAULT '{}',
  orders bigint NOT NULL DEFAULT 0,
  spent_minor bigint NOT NULL DEFAULT 0,
  redemptions bigint NOT NULL DEFAULT 0,
  referrals bigint NOT NULL DEFAULT 0,
  last_order_at timestamptz,
  last_earned_at timestamptz,
  last_redeemed_at timestamptz,
  next_expiry_at timestamptz,
  country text NOT NULL DEFAULT '',
  tags text[] NOT NULL DEFAULT '{}',
  PRIMARY KEY (shop_id, member_id),
  FOREIGN KEY (shop_id, member_id) REFERENCES members ON DELETE CASCADE
) WITH (fillfactor = 85);
CALL protect('segment_facts');

-- How far the facts of a shop follow its orders and its ledger: `after_id` is where the building of all stands.
CREATE TABLE segment_progress (
  shop_id uuid PRIMARY KEY REFERENCES shops ON DELETE CASCADE,
  seen_until timestamptz,
  built_at timestamptz,
  after_id uuid,
  average_minor bigint NOT NULL DEFAULT 0
);
CALL protect('segment_progress');

-- Members about whom something happened that no row with a time tells.
CREATE TABLE segment_stale (
  shop_id uuid NOT NULL,
  member_id uuid NOT NULL,
  PRIMARY KEY (shop_id, member_id),
  FOREIGN KEY (shop_id, member_id) REFERENCES members ON DELETE CASCADE
);
CALL protect('segment_stale');

-- What an order cost its buyer in minor units of the shop's currency: with tax, shipping and tip, less what was refunded.
CREATE FUNCTION order_spent(lines jsonb, refunds jsonb, facts jsonb, taxes_included boolean) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
  SELECT greatest(
    coalesce((SELECT sum((l->>'net')::bigint + (l->>'tax')::bigint) FROM jsonb_array_elements($1) l), 0)
    + coalesce(($3->'shipping'->>0)::bigint + ($3->'shipping'->>1)::bigint, 0) + coalesce(($3->>'tip')::bigint, 0)
    - coalesce((SELECT sum(coalesce((r.value->>'amount')::bigint, 0)
        + coalesce((r.value->'shipping'->>0)::bigint + (r.value->'shipping'->>1)::bigint, 0)
        + coalesce((SELECT sum((b->>1)::bigint + CASE WHEN $4 THEN 0 ELSE (b->>2)::bigint END)
            FROM jsonb_array_elements(r.value->'lines') b), 0))
      FROM jsonb_each($2) r), 0), 0)::bigint
$$;

-- Changed members are found by when they changed.
CREATE INDEX members_updated_idx ON members (shop_id, updated_at);

-- What a member agreed to, as the shop last told it; null when it never did.
ALTER TABLE members ADD COLUMN email_consent text
  CHECK (email_consent IN ('subscribed', 'not_subscribed', 'pending', 'unsubscribed', 'redacted', 'invalid'));

ALTER TABLE rewards ADD COLUMN segments uuid[] NOT NULL DEFAULT '{}';
