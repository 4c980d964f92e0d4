DROP TABLE points_proof_runs;
DROP TABLE points_totals;
DROP INDEX points_lots_closed_idx;
DROP INDEX points_entries_rare_idx;
