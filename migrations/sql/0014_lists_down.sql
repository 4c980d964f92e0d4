DROP INDEX privacy_requests_newest_idx;
DROP INDEX referrals_status_idx;
DROP INDEX referrals_newest_idx;
DROP INDEX redemptions_status_idx;
DROP INDEX points_adjustments_status_idx;
DROP TABLE list_selections;
DROP TABLE list_choices;
DROP TABLE list_views;
