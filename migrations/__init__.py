"""The schema: numbered migrations in versions/, their SQL in sql/."""
