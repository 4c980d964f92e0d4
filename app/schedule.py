"""Every periodic job, in one list; `python -m app.worker cron` sends them, and a person can read when what happens."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Periodic:
    """A job sent without arguments at the times of a crontab line (UTC)."""

    job: str
    cron: str
    why: str


PERIODIC: tuple[Periodic, ...] = (
    Periodic("points.activate_due", "* * * * *", "points whose holding period is over become available"),
    Periodic("programs.keep_schedule", "* * * * *", "planned programs start and end"),
    Periodic("bulk.go_on", "* * * * *", "bulk actions whose worker was stopped go on"),
    Periodic("referrals.reward_due", "* * * * *", "referrals whose holding period is over are rewarded"),
    Periodic(
        "points.follow_merges", "50 * * * *", "points that came to a merged member go to the one who was kept"
    ),
    Periodic("points.refresh_standings", "*/5 * * * *", "lists sorted by points follow the ledger"),
    Periodic(
        "rewards.release_holds", "* * * * *", "points that a checkout holds for too long are free again"
    ),
    Periodic(
        "rewards.return_lapsed", "25 * * * *", "codes that lapsed unused are switched off, points return"
    ),
    Periodic("points.expire_due", "5 * * * *", "points past their date expire"),
    Periodic("notifications.warn_of_expiry", "45 * * * *", "members are told which points expire soon"),
    Periodic("notifications.warn_of_tiers", "35 * * * *", "members are told that a tier ends soon"),
    Periodic("points.expire_idle", "25 * * * *", "points of members who are inactive for too long expire"),
    Periodic("points.redate_unfinished", "*/10 * * * *", "changes of expiry dates that were cut short go on"),
    Periodic(
        "points.celebrate_birthdays", "10 * * * *", "members get what the program has for their birthday"
    ),
    Periodic("orders.reconcile", "20 * * * *", "orders whose webhook never came are fetched"),
    Periodic("members.index_everywhere", "15 * * * *", "names and e-mails that changed can be searched"),
    Periodic("members.find_everywhere", "40 * * * *", "people enrolled by e-mail are looked up in Shopify"),
    Periodic("segments.follow_everywhere", "* * * * *", "segments follow orders and the ledger"),
    Periodic("segments.build_everywhere", "20 1 * * *", "segments are counted anew as days go by"),
    Periodic(
        "tiers.review_everywhere", "5 * * * *", "tiers that lapsed are taken, once in each shop's local day"
    ),
    Periodic(
        "liability.close_months",
        "15 4 * * *",
        "points and deferred revenue of a month that is over are added up",
    ),
    Periodic("points.verify", "55 3 * * *", "the ledger is proved to add up, entry by entry"),
    Periodic("compliance.drop_exports", "50 2 * * *", "copies of personal data are dropped after a month"),
    Periodic("shops.keep_days", "12 * * * *", "figures of days that are over stand ready for Home"),
    Periodic("shops.sweep_erased", "35 * * * *", "erasures that were cut short go on"),
    Periodic(
        "shops.keep_tokens_alive", "10 3 * * *", "tokens a week old are refreshed, so that none dies of age"
    ),
    Periodic(
        "shops.tend_tables", "30 2 * * *", "partitions are made ahead, old webhooks and keys are dropped"
    ),
)
