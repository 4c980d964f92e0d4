DROP INDEX referrals_recorded_idx;
DROP TABLE shop_days;
ALTER TABLE shops DROP COLUMN brand;
UPDATE programs SET status = 'draft' WHERE status = 'scheduled';
DROP INDEX programs_due_idx;
ALTER TABLE programs
  DROP CONSTRAINT programs_span_check,
  DROP CONSTRAINT programs_scheduled_check,
  DROP CONSTRAINT programs_status_check,
  ADD CONSTRAINT programs_status_check CHECK (status IN ('draft', 'active', 'paused', 'archived')),
  DROP COLUMN pause_notes,
  DROP COLUMN eligibility,
  DROP COLUMN took_over_from,
  DROP COLUMN hands_back,
  DROP COLUMN after_end,
  DROP COLUMN ends_at,
  DROP COLUMN starts_at;
