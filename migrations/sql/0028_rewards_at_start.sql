ALTER TABLE programs
  ADD COLUMN rewards_at_start boolean NOT NULL DEFAULT false,
  ADD CONSTRAINT programs_rewards_at_start_check CHECK (NOT rewards_at_start OR status = 'scheduled');
