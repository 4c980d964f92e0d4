"""The verbs of rewards: keeping the catalog, redeeming, following the code until it is used or taken back."""

from app.domains.rewards.service.catalog import (
    catalog,
    create_default,
    create_reward,
    delete_reward,
    get_reward,
    restore,
    retire,
    snapshot,
    update_reward,
)
from app.domains.rewards.service.codes import (
    CREATE,
    DISABLE,
    cancel,
    creation_failed,
    disabling_failed,
    mark_used,
    settle_cancelled,
    settle_issued,
)
from app.domains.rewards.service.redeeming import (
    deliver_now,
    every_redemption_of,
    forget_codes,
    get_redemption,
    redeem,
    redemptions_of,
)

__all__ = [
    "CREATE",
    "DISABLE",
    "cancel",
    "catalog",
    "create_default",
    "create_reward",
    "creation_failed",
    "delete_reward",
    "deliver_now",
    "disabling_failed",
    "every_redemption_of",
    "forget_codes",
    "get_redemption",
    "get_reward",
    "mark_used",
    "redeem",
    "redemptions_of",
    "restore",
    "retire",
    "settle_cancelled",
    "settle_issued",
    "snapshot",
    "update_reward",
]
