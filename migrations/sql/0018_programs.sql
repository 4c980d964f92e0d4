-- Programs that start and end by themselves, say who earns, and say something while they pause.
ALTER TABLE programs
  ADD COLUMN starts_at timestamptz,
  ADD COLUMN ends_at timestamptz,
  ADD COLUMN after_end text NOT NULL DEFAULT 'paused' CHECK (after_end IN ('paused', 'archived')),
  ADD COLUMN hands_back boolean NOT NULL DEFAULT true,
  ADD COLUMN took_over_from uuid,
  ADD COLUMN eligibility jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN pause_notes jsonb NOT NULL DEFAULT '{}',
  DROP CONSTRAINT programs_status_check,
  ADD CONSTRAINT programs_status_check CHECK (status IN ('draft', 'scheduled', 'active', 'paused', 'archived')),
  ADD CONSTRAINT programs_scheduled_check CHECK (status <> 'scheduled' OR starts_at IS NOT NULL),
  ADD CONSTRAINT programs_span_check CHECK (ends_at IS NULL OR starts_at IS NULL OR ends_at > starts_at);
CREATE INDEX programs_due_idx ON programs (shop_id) WHERE status = 'scheduled' OR (status = 'active' AND ends_at IS NOT NULL);

-- How the shop looks to members: accent color, logo and the program's name, in mails and in the panel.
ALTER TABLE shops ADD COLUMN brand jsonb NOT NULL DEFAULT '{}';

-- What Home shows of days that are over, added up once; figures by the names that domains gave them.
CREATE TABLE shop_days (
  shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
  day date NOT NULL,
  figures jsonb NOT NULL,
  PRIMARY KEY (shop_id, day)
);
CALL protect('shop_days');
CREATE INDEX referrals_recorded_idx ON referrals (shop_id, recorded_at);
