"""The life of a campaign, and what a referral has come to: pure decisions on plain values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

NEXT_STATUS: dict[str, frozenset[str]] = {
    "draft": frozenset({"active"}),
    "active": frozenset({"paused", "completed"}),
    "paused": frozenset({"active", "completed"}),
    "completed": frozenset(),
}

# No letters or digits that are mistaken for each other; eight of them cannot be guessed through a rate limit.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 8
# More visits of one link are not counted, so that nobody can fill the table.
MOST_VISITS = 2_000
_DOTS_DO_NOT_COUNT = frozenset({"gmail.com", "googlemail.com"})


def may_become(status: str, wanted: str) -> bool:
    """Whether a campaign may go from one status to another in one step."""
    return wanted in NEXT_STATUS[status]


def runs(starts_at: datetime | None, ends_at: datetime | None, at: datetime) -> bool:
    """Whether an instant lies in a campaign's window."""
    return (starts_at is None or starts_at <= at) and (ends_at is None or at < ends_at)


def mailbox(email: str | None) -> str:
    """The mailbox that an address leads to: without what stands after a plus, and without dots where they do not count."""
    local, _, domain = (email or "").strip().lower().rpartition("@")
    local = local.partition("+")[0]
    if domain in _DOTS_DO_NOT_COUNT:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}" if local and domain else ""


def masked(email: str | None) -> str:
    """An address that its owner recognizes and nobody else can use: "g•••@example.com"."""
    local, at, domain = (email or "").partition("@")
    return f"{local[:1]}•••@{domain}" if at else ""


@dataclass(frozen=True)
class Purchase:
    """An order of the friend. `gross_minor` is what it was worth, `kept_minor` what is left after refunds."""

    placed_at: datetime
    order_id: int
    paid: bool
    void: bool
    gross_minor: int
    kept_minor: int


@dataclass(frozen=True)
class Case:
    """Everything that decides about a referral. `others` are the advocate's referrals that are rewarded or about to be;
    `earlier` that the friend, who was merged with another, had come before."""

    recorded_at: datetime
    reward_on: str
    minimum_purchase_minor: int
    maximum_per_advocate: int | None
    same_person: bool
    may_earn: bool
    given: bool
    others: int
    purchases: Sequence[Purchase]
    earlier: bool = False


@dataclass(frozen=True)
class Verdict:
    """What a referral has come to, whatever way it took; `order_id` is the purchase that counts."""

    status: Literal["recorded", "earned", "rejected", "reversed"]
    reason: str = ""
    order_id: int | None = None


def worth(lines: Iterable[Mapping[str, Any]], refunds: Iterable[Mapping[str, Any]]) -> tuple[int, int]:
    """What an order's goods were worth after discounts, without tax, and what is left of it after refunds, in minor units.

    Gift cards do not count. Money back beyond the lines is taken from the rest, tax included.
    """
    goods = {line["id"]: int(line["net"]) for line in lines if not line["gift_card"]}
    left = dict(goods)
    amount = 0
    for refund in refunds:
        amount += int(refund["amount"])
        for line_id, net, _, _ in refund["lines"]:
            if line_id in left:
                left[line_id] -= net
    kept = sum(max(one, 0) for one in left.values())
    return sum(goods.values()), max(kept - max(amount, 0), 0)


def judge(case: Case) -> Verdict:
    """Decide a referral from all that is known now, so that the order of the news does not matter."""
    if case.same_person:
        return Verdict("rejected", "same_person")
    if case.earlier:
        return Verdict("rejected", "came_before")
    # Shopify tells whole seconds: an order of the second in which the friend came is no earlier one.
    if any(one.placed_at < case.recorded_at.replace(microsecond=0) for one in case.purchases):
        return Verdict("rejected", "not_new")
    paid = sorted((one for one in case.purchases if one.paid), key=lambda one: (one.placed_at, one.order_id))
    needed = max(case.minimum_purchase_minor, 1)
    counting = next((one for one in paid if not one.void and one.kept_minor >= needed), None)
    if counting is None and case.reward_on == "first_order":
        lost = any(one.gross_minor >= needed for one in paid)
        return Verdict("reversed", "order_taken_back") if lost else Verdict("recorded")
    if not case.given:
        if not case.may_earn:
            return Verdict("rejected", "member_blocked")
        if case.maximum_per_advocate is not None and case.others >= case.maximum_per_advocate:
            return Verdict("rejected", "maximum_reached")
    return Verdict("earned", "", counting.order_id if counting else None)
