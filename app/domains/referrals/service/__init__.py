"""The verbs of referrals: keeping campaigns, giving out links, noting who brought whom, rewarding it."""

from app.domains.referrals.service.attributing import (
    claim,
    coupons,
    find,
    invited,
    link,
    note_orders,
    promised,
    visit,
)
from app.domains.referrals.service.campaigns import create, delete, get, running, snapshot, update
from app.domains.referrals.service.keeping import forget_link
from app.domains.referrals.service.settling import judge_again, reward_due
from app.domains.referrals.service.wording import advocate_promise, friend_offer, invitation

__all__ = [
    "advocate_promise",
    "claim",
    "coupons",
    "create",
    "delete",
    "find",
    "forget_link",
    "friend_offer",
    "get",
    "invitation",
    "invited",
    "judge_again",
    "link",
    "note_orders",
    "promised",
    "reward_due",
    "running",
    "snapshot",
    "update",
    "visit",
]
