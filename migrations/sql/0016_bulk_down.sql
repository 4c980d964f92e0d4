DROP TABLE member_tags;
DROP TABLE bulk_parts;
DROP TABLE bulk_rows;
DROP TABLE bulk_runs;
