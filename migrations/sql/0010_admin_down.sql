-- What the admin remembers of a person's choices.
SELECT 1;
