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
    Periodic("points.expire_due", "5 * * * *", "points past their date expire"),
    Periodic("orders.reconcile", "20 * * * *", "orders whose webhook never came are fetched"),
    Periodic("tiers.place_everywhere", "40 3 * * *", "members stand on the tier that their points lead to"),
    Periodic("compliance.drop_exports", "50 2 * * *", "copies of personal data are dropped after a month"),
    Periodic("shops.sweep_erased", "35 * * * *", "erasures that were cut short go on"),
    Periodic(
        "shops.keep_tokens_alive", "10 3 * * *", "tokens a week old are refreshed, so that none dies of age"
    ),
    Periodic(
        "shops.tend_tables", "30 2 * * *", "partitions are made ahead, old webhooks and keys are dropped"
    ),
)
