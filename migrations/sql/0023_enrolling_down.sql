DELETE FROM bulk_runs WHERE kind = 'enroll';
DROP INDEX bulk_rows_person_idx;
ALTER TABLE bulk_rows DROP COLUMN person_sealed, DROP COLUMN person_index;
ALTER TABLE bulk_runs DROP CONSTRAINT bulk_runs_kind_check;
ALTER TABLE bulk_runs ADD CONSTRAINT bulk_runs_kind_check
  CHECK (kind IN ('award', 'deduct', 'set', 'expire', 'tag', 'untag', 'tier', 'email'));
