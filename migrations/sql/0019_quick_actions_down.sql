DROP TABLE invitations;
DROP TABLE quick_uses;
DROP TABLE quick_runs;
