-- What outstanding points are worth: how a shop values them, and the ledger added up by month.

CREATE TABLE liability_settings (
  shop_id uuid PRIMARY KEY REFERENCES shops ON DELETE CASCADE,
  value_minor bigint NOT NULL CHECK (value_minor >= 0),
  fallback_bp integer NOT NULL CHECK (fallback_bp BETWEEN 0 AND 10000),
  override_bp integer CHECK (override_bp BETWEEN 0 AND 10000),
  override_reason text NOT NULL,
  sharing text NOT NULL CHECK (sharing IN ('exact', 'tenth')),
  accounts jsonb NOT NULL,
  version integer NOT NULL DEFAULT 1,
  updated_at timestamptz NOT NULL DEFAULT now(),
  CHECK (override_bp IS NULL OR override_reason <> '')
);
CALL protect('liability_settings');

-- A closed month: its instants in the shop's zone as it was closed, and the terms that its sales were divided under.
CREATE TABLE liability_periods (
  shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
  period date NOT NULL,
  starts_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL CHECK (ends_at > starts_at),
  entries bigint NOT NULL,
  points bigint NOT NULL,
  currency text NOT NULL,
  rate_bp integer NOT NULL CHECK (rate_bp BETWEEN 0 AND 10000),
  rate_source text NOT NULL CHECK (rate_source IN ('override', 'measured', 'fallback')),
  value_minor bigint NOT NULL CHECK (value_minor >= 0),
  sharing text NOT NULL CHECK (sharing IN ('exact', 'tenth')),
  closed_at timestamptz NOT NULL,
  PRIMARY KEY (shop_id, period)
);
CALL protect('liability_periods');

-- What happened in a closed month to the points earned in `cohort`. Debt that no lot carries stands under its own origin.
CREATE TABLE liability_cells (
  shop_id uuid NOT NULL,
  period date NOT NULL,
  cohort date NOT NULL,
  origin text NOT NULL CHECK (origin IN ('sale', 'gift', 'debt')),
  issued bigint NOT NULL DEFAULT 0,
  restored bigint NOT NULL DEFAULT 0,
  redeemed bigint NOT NULL DEFAULT 0,
  expired bigint NOT NULL DEFAULT 0,
  reversed bigint NOT NULL DEFAULT 0,
  sales bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (shop_id, period, cohort, origin),
  FOREIGN KEY (shop_id, period) REFERENCES liability_periods ON DELETE CASCADE
);
CALL protect('liability_cells');
