"""What referrals give: the ledger is moved to what each has come to, by the difference, like the points of an order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from app.core.db import UnitOfWork
from app.domains.members import service as members
from app.domains.members.schemas import Member, Profile
from app.domains.orders import service as orders
from app.domains.orders.events import OrderChanged
from app.domains.points import service as points
from app.domains.points.schemas import Credit, Reversal
from app.domains.programs import service as programs
from app.domains.programs.schemas import ProgramTerms
from app.domains.referrals import queries, rules
from app.domains.referrals.events import ReferralReversed, ReferralRewarded
from app.domains.referrals.rules import Case, Purchase, Verdict
from app.domains.referrals.schemas import Referral
from app.domains.rewards import service as rewards
from app.domains.shops import service as shops

Side = Literal["advocate", "friend"]

_SIDES: tuple[Side, Side] = ("advocate", "friend")
_GIVEN = ("qualified", "rewarded")

_SAVED = (
    "id",
    "status",
    "reason",
    "order_id",
    "due_at",
    "rewarded_at",
    "advocate_given",
    "friend_given",
    "postings",
    "advocate_redemption_id",
    "friend_redemption_id",
    "coupons",
)

_SAVE = """
UPDATE referrals r SET status = v.status, reason = v.reason, order_id = v.order_id, due_at = v.due_at,
  rewarded_at = v.rewarded_at, advocate_given = v.advocate_given, friend_given = v.friend_given,
  postings = v.postings, advocate_redemption_id = v.advocate_redemption_id,
  friend_redemption_id = v.friend_redemption_id, coupons = v.coupons, updated_at = %(now)s
FROM jsonb_to_recordset(%(rows)s::jsonb) AS v (id uuid, status text, reason text, order_id uuid, due_at timestamptz,
  rewarded_at timestamptz, advocate_given bigint, friend_given bigint, postings integer, advocate_redemption_id uuid,
  friend_redemption_id uuid, coupons integer)
WHERE r.shop_id = %(shop)s AND r.id = v.id
"""


@dataclass
class _Book:
    """What a round of decisions writes, gathered so that any number of referrals costs the same few statements."""

    uow: UnitOfWork
    credits: list[Credit] = field(default_factory=list)
    settled: list[Referral] = field(default_factory=list)
    rewarded: list[Referral] = field(default_factory=list)
    taken: list[Referral] = field(default_factory=list)

    @cached_property
    def rule(self) -> ProgramTerms | None:
        """The terms under which points wait and expire."""
        return programs.active_terms(self.uow)

    def close(self) -> None:
        """Post, save and tell."""
        if self.credits:
            points.credit(self.uow, self.credits)
        if self.settled:
            rows = [{name: getattr(one, name) for name in _SAVED} for one in self.settled]
            values = {"shop": self.uow.shop, "now": self.uow.now, "rows": orjson.dumps(rows).decode()}
            self.uow.execute(_SAVE, values)
        self.uow.publish(
            [
                ReferralRewarded(
                    one.id,
                    one.advocate_id,
                    one.member_id,
                    one.advocate_given,
                    one.friend_given,
                    advocate_coupon=one.advocate_redemption_id is not None,
                    friend_coupon=one.friend_redemption_id is not None,
                )
                for one in self.rewarded
            ]
        )
        self.uow.publish([ReferralReversed(one.id, one.advocate_id, one.member_id) for one in self.taken])


def judge(uow: UnitOfWork, referrals: Sequence[Referral], news: Sequence[OrderChanged]) -> None:
    """Decide locked referrals by all orders of their friends; `news` are orders that are not saved yet.

    Of a person's referrals all are given, so that the earliest counts.
    """
    if not referrals:
        return
    advocates = {one.advocate_id for one in referrals}
    queries.lock_advocates(uow, advocates)
    bought = _bought(uow, {one.member_id for one in referrals}, news)
    people = members.by_ids(uow, bought.keys() | advocates)
    profiles = members.profiles(uow, people)
    won = queries.successes(uow, advocates)
    book, seen = _Book(uow), set[UUID]()
    for one in sorted(referrals, key=lambda each: (each.recorded_at, each.id)):
        place = (one.advocate_id, one.campaign_id)
        others = won.get(place, 0) - (one.status in _GIVEN)
        orders_of = bought[one.member_id]
        case = replace(_case(one, people, profiles, orders_of, others), earlier=one.member_id in seen)
        verdict = rules.judge(case)
        row_id = next((each.id for each in orders_of if each.order_id == verdict.order_id), None)
        won[place] = others + (_settle(book, one, verdict, row_id).status in _GIVEN)
        seen.add(one.member_id)
    book.close()


def _bought(
    uow: UnitOfWork, friends: set[UUID], news: Sequence[OrderChanged]
) -> dict[UUID, list[OrderChanged]]:
    known = {one.id: one for one in orders.of_members(uow, friends)} | {one.id: one for one in news}
    bought: dict[UUID, list[OrderChanged]] = {friend: [] for friend in friends}
    for order in known.values():
        if order.member_id in bought and not order.test:
            bought[order.member_id].append(order)
    return bought


def _case(
    referral: Referral,
    people: Mapping[UUID, Member],
    profiles: Mapping[UUID, Profile],
    bought: Sequence[OrderChanged],
    others: int,
) -> Case:
    pair = [referral.advocate_id, referral.member_id]
    boxes = [rules.mailbox(profiles[one].email) if one in profiles else "" for one in pair]
    return Case(
        recorded_at=referral.recorded_at,
        reward_on=referral.terms["reward_on"],
        minimum_purchase_minor=referral.terms["minimum_purchase_minor"],
        maximum_per_advocate=referral.terms["maximum_per_advocate"],
        same_person=pair[0] == pair[1] or (boxes[0] != "" and boxes[0] == boxes[1]),
        may_earn=all(one in people and people[one].active for one in pair),
        given=referral.status in _GIVEN,
        others=others,
        purchases=[_purchase(one) for one in bought],
    )


def _purchase(order: OrderChanged) -> Purchase:
    gross, kept = rules.worth(order.lines, order.refunds.values())
    assert order.placed_at is not None
    void = order.cancelled_at is not None or order.deleted_at is not None
    return Purchase(order.placed_at, order.order_id, order.paid_at is not None, void, gross, kept)


def _settle(book: _Book, referral: Referral, verdict: Verdict, order_id: UUID | None) -> Referral:
    """Move a referral to its verdict; nothing is written when it is there already."""
    after = referral
    if verdict.status == "earned":
        if referral.status not in _GIVEN:
            after = _give(book, referral, order_id)
    elif (referral.status, referral.reason) != (verdict.status, verdict.reason):
        after = replace(
            _post_back(book.uow, referral, verdict.reason), status=verdict.status, reason=verdict.reason
        )
        book.taken += [after] if referral.status in _GIVEN else []
    after = _coupons(book.uow, after)
    if after != referral:
        book.settled.append(after)
        book.rewarded += [after] if after.status == "rewarded" != referral.status else []
    return after


def _give(book: _Book, referral: Referral, order_id: UUID | None) -> Referral:
    """Post both sides; with a holding period they stay pending, and the referral qualified, until it is over."""
    now, rule = book.uow.now, book.rule
    waits = now + timedelta(days=rule.holding_days) if rule and rule.holding_days else None
    postings = [
        one
        for side in _SIDES
        if (one := _credit(book.uow, referral, side, referral.terms[f"{side}_points"], rule, waits)).points
    ]
    book.credits += postings
    return replace(
        referral,
        status="qualified" if waits else "rewarded",
        reason="",
        order_id=order_id,
        due_at=waits or now,
        rewarded_at=None if waits else now,
        advocate_given=referral.terms["advocate_points"],
        friend_given=referral.terms["friend_points"],
        postings=referral.postings + len(postings),
    )


def _coupons(uow: UnitOfWork, referral: Referral) -> Referral:
    """The friend's coupon welcomes them, the advocate's comes with the reward; both go back when nothing stands for them.

    One that was used stays, so that the same referral never gives a second.
    """
    due = {
        "advocate": referral.status == "rewarded",
        "friend": referral.status in ("recorded", *_GIVEN),
    }
    for side in _SIDES:
        reward_id = referral.terms.get(f"{side}_reward_id")
        held: UUID | None = getattr(referral, f"{side}_redemption_id")
        if due[side] and reward_id and held is None:
            member_id = referral.advocate_id if side == "advocate" else referral.member_id
            key = f"referral:{referral.id}:{side}:{referral.coupons}"
            made = rewards.give(uow, member_id, UUID(reward_id), key=key)
            if made is not None:
                referral = _holding(replace(referral, coupons=referral.coupons + 1), side, made.id)
        elif not due[side] and held is not None and rewards.withdraw(uow, held):
            referral = _holding(referral, side, None)
    return referral


def _holding(referral: Referral, side: Side, redemption_id: UUID | None) -> Referral:
    if side == "advocate":
        return replace(referral, advocate_redemption_id=redemption_id)
    return replace(referral, friend_redemption_id=redemption_id)


def _credit(
    uow: UnitOfWork,
    referral: Referral,
    side: Side,
    amount: int,
    rule: ProgramTerms | None,
    waits: datetime | None,
) -> Credit:
    """The referral's id stands where the ledger keeps an order's, so that a reversal finds exactly these lots."""
    return Credit(
        referral.advocate_id if side == "advocate" else referral.member_id,
        amount,
        f"referral:{referral.id}:{side}:{referral.postings}",
        f"referral_{side}",
        order_id=referral.id,
        program_version_id=rule.version_id if rule else None,
        trace={"referral_id": str(referral.id), "campaign_id": str(referral.campaign_id)},
        activates_at=waits,
        expires_at=points.lasts_until(
            uow.now, rule.expiry, rule.expiry_months, ZoneInfo(rule.zone or shops.get(uow).timezone)
        )
        if rule
        else None,
    )


def _post_back(uow: UnitOfWork, referral: Referral, why: str) -> Referral:
    """Take back what the referral gave. Returns it as it is then, waiting again."""
    sides: list[tuple[Side, UUID, int]] = [
        ("advocate", referral.advocate_id, referral.advocate_given),
        ("friend", referral.member_id, referral.friend_given),
    ]
    postings = referral.postings
    for side, member_id, given in sides:
        if given:
            points.reverse(
                uow,
                Reversal(
                    member_id,
                    given,
                    f"referral:{referral.id}:{side}:{referral.postings}",
                    "referral_reversed",
                    order_id=referral.id,
                    trace={"referral_id": str(referral.id), "why": why},
                ),
            )
            postings += 1
    return replace(
        referral,
        status="recorded",
        reason="",
        order_id=None,
        due_at=None,
        rewarded_at=None,
        advocate_given=0,
        friend_given=0,
        postings=postings,
    )


def take_back(uow: UnitOfWork, referral: Referral, why: str) -> None:
    """Take back what the referral gave and let it wait again, as when another advocate turns out to be the one."""
    _Book(uow, settled=[_post_back(uow, referral, why)]).close()


def reward_due(uow: UnitOfWork, limit: int) -> int:
    """Referrals whose holding period is over become rewarded. Returns how many."""
    due = [replace(one, status="rewarded", rewarded_at=uow.now) for one in queries.lock_due(uow, limit)]
    settled = [_coupons(uow, one) for one in due]
    _Book(uow, settled=settled, rewarded=settled).close()
    return len(due)


def judge_again(uow: UnitOfWork, member_ids: Iterable[UUID]) -> None:
    """Decide anew every referral of members who became one or parted: they may be friends of themselves now, or two."""
    touched = {one.member_id for one in queries.lock_between(uow, member_ids)}
    judge(uow, queries.lock_of_friends(uow, touched) if touched else [], [])
