"""Reactions of notifications to the ledger and to privacy requests."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork
from app.core.events import subscribe
from app.core.i18n import mark, translate
from app.core.permissions import Permission
from app.domains.compliance import service as compliance
from app.domains.members import service as members
from app.domains.members.schemas import Happening, TimelineKind, TimelineSlice
from app.domains.notifications import queries, service
from app.domains.notifications.schemas import Earned, Invited, Reversed, Wanted
from app.domains.points.events import PointsPosted
from app.domains.quick import service as quick
from app.domains.referrals.events import ReferralRecorded, ReferralRewarded
from app.domains.rewards.events import CodeRequested, RewardCancelled, RewardFailed
from app.domains.segments import service as segments
from app.domains.tiers import service as tiers

_BY_ORDER = frozenset({"refund", "order_cancelled", "order_edited", "order_deleted"})
_AGAIN_SECONDS = 300


@subscribe(PointsPosted)
def orders_gave_points(uow: UnitOfWork, events: Sequence[PointsPosted]) -> None:
    """Each order's first award is told by e-mail; which tier it led to is looked up when the message is written. So is
    every entry by which a change of an order took points back."""
    service.announce(
        uow,
        [
            Earned(event.member_id, event.order_id, event.points)
            for event in events
            if event.kind == "award" and event.reason == "purchase" and event.order_id
        ],
        [
            Reversed(event.member_id, event.order_id, event.entry_id, -event.points, event.reason)
            for event in events
            if event.kind == "reverse" and event.order_id and event.reason in _BY_ORDER and event.points < 0
        ],
    )


@subscribe(RewardCancelled)
def rewards_were_returned(uow: UnitOfWork, events: Sequence[RewardCancelled]) -> None:
    """Points that came back from a reward are told with the reason; a coupon that cost none has nothing to tell."""
    _tell_returned(uow, [(one.redemption_id, one.member_id, one.reason) for one in events if one.points])


@subscribe(RewardFailed)
def rewards_failed(uow: UnitOfWork, events: Sequence[RewardFailed]) -> None:
    """The code could not be made: the member hears that the points are back."""
    _tell_returned(uow, [(one.redemption_id, one.member_id, "failed") for one in events if one.points])


def _tell_returned(uow: UnitOfWork, returned: Sequence[tuple[UUID, UUID, str]]) -> None:
    news = [
        Wanted(member, str(redemption), {"redemption_id": str(redemption), "reason": reason})
        for redemption, member, reason in returned
    ]
    service.queue_for_present(uow, "reward_returned", news)


@subscribe(CodeRequested)
def codes_were_asked_for(uow: UnitOfWork, events: Sequence[CodeRequested]) -> None:
    """A working code is sent again, once in five minutes however often it is asked for."""
    window = int(uow.now.timestamp()) // _AGAIN_SECONDS
    news = [
        Wanted(one.member_id, f"{one.redemption_id}:{window}", {"redemption_id": str(one.redemption_id)})
        for one in events
    ]
    service.queue_for_present(uow, "reward_code", news)


@subscribe(ReferralRecorded)
def friends_came(uow: UnitOfWork, events: Sequence[ReferralRecorded]) -> None:
    """The advocate hears that somebody came by their link; who it is stays out of it."""
    joined = [Invited(one.advocate_id, one.referral_id, one.advocate_points) for one in events]
    service.queue_invited(uow, "referral_joined", joined)


@subscribe(ReferralRewarded)
def referrals_gave(uow: UnitOfWork, events: Sequence[ReferralRewarded]) -> None:
    """Both sides hear what the referral gave them, when it gave them anything."""
    advocates = [
        Invited(one.advocate_id, one.referral_id, one.advocate_points)
        for one in events
        if one.advocate_points or one.advocate_coupon
    ]
    friends = [
        Invited(one.friend_id, one.referral_id, one.friend_points)
        for one in events
        if one.friend_points or one.friend_coupon
    ]
    service.queue_invited(uow, "referral_advocate", advocates)
    service.queue_invited(uow, "referral_friend", friends)


def export_person(uow: UnitOfWork, member_id: UUID | None, customer_id: int | None) -> dict[str, Any]:
    """What a member was told, for a privacy export; the newest thousand."""
    found = service.history(uow, member_id, limit=1000) if member_id else []
    return {
        "messages": [
            {
                "kind": one.kind,
                "language": one.locale,
                "status": one.status,
                "queued_at": one.created_at.isoformat(),
                "sent_at": one.sent_at.isoformat() if one.sent_at else None,
            }
            for one in found
        ]
    }


def erase_person(uow: UnitOfWork, member_id: UUID | None, customer_id: int | None) -> None:
    """Forget what a member was told; what is still queued finds nothing and is not sent."""
    if member_id is not None:
        service.forget(uow, member_id)


for _task in service.TASKS:
    quick.register_task(_task)
compliance.register_person_data("notifications", export_person, tables=("messages",))
compliance.register_person_eraser("notifications", erase_person, tables=("messages",))
_SENT = {
    "queued": mark("E-mail waiting to be sent: {about}"),
    "sent": mark("E-mail sent: {about}"),
    "failed": mark("E-mail could not be sent: {about}"),
    "skipped": mark("E-mail not sent: {about}"),
}
_ABOUT = {
    "points_earned": mark("points earned"),
    "points_reversed": mark("points taken back"),
    "expiry_warning": mark("points expire soon"),
    "last_chance": mark("last chance to use points"),
    "tier_ending": mark("tier ends soon"),
    "referral_joined": mark("a friend came"),
    "referral_advocate": mark("thanks for inviting a friend"),
    "referral_friend": mark("gift for coming by an invitation"),
    "reward_code": mark("reward code"),
    "reward_returned": mark("points of a reward returned"),
    "invitation": mark("message from your team"),
}


def _timeline(uow: UnitOfWork, part: TimelineSlice, locale: str) -> list[Happening]:
    return [
        Happening(
            row["at"], row["id"], _SENT[row["status"]], {"about": translate(locale, _ABOUT[row["kind"]])}
        )
        for row in queries.happened(uow, part)
    ]


members.register_timeline(
    TimelineKind("messages", 60, mark("Messages"), "mail", Permission.MEMBERS_READ), _timeline
)
members.follow_merges("messages")


def _tier_choices(uow: UnitOfWork, locale: str) -> list[tuple[UUID, str]]:
    return [(level.id, level.localized(locale)) for level in reversed(tiers.ladder(uow))]


service.register_audience(
    "segment",
    service.Audience(
        lambda uow, locale: [(one.id, one.name) for one in segments.options(uow)], segments.member_ids
    ),
)
service.register_audience("tier", service.Audience(_tier_choices, queries.on_tier))
