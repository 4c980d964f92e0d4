-- A bulk action may enroll people. Until its row is done, who they are stands in it, sealed; the index finds a second line of
-- the same person, and whoever is erased meanwhile.
ALTER TABLE bulk_runs DROP CONSTRAINT bulk_runs_kind_check;
ALTER TABLE bulk_runs ADD CONSTRAINT bulk_runs_kind_check
  CHECK (kind IN ('award', 'deduct', 'set', 'expire', 'tag', 'untag', 'tier', 'email', 'enroll'));
ALTER TABLE bulk_rows ADD COLUMN person_sealed bytea, ADD COLUMN person_index bytea;
CREATE INDEX bulk_rows_person_idx ON bulk_rows (shop_id, person_index, run_id) WHERE person_index IS NOT NULL;
