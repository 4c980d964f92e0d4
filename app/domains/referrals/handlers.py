"""Reactions of referrals to orders and merges, and what they hold about people."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork
from app.core.events import subscribe
from app.core.i18n import mark
from app.core.permissions import Permission
from app.domains.compliance import service as compliance
from app.domains.members import service as members
from app.domains.members.events import MembersMerged, MembersParted
from app.domains.members.schemas import Happening, TimelineKind, TimelineSlice
from app.domains.orders.events import OrderChanged
from app.domains.referrals import queries, service
from app.domains.shops import service as shops
from app.domains.shops.schemas import DayFigure


def _of_days(uow: UnitOfWork, first: date, last: date, zone: str) -> dict[str, dict[date, int]]:
    return {"referrals": queries.recorded_by_day(uow, first, last, zone)}


shops.register_day_figures(
    "referrals",
    (
        DayFigure(
            "referrals", mark("Friends who came by an invitation"), "number", 70, "/app/referral-campaigns"
        ),
    ),
    _of_days,
)


@subscribe(OrderChanged)
def orders_changed(uow: UnitOfWork, events: Sequence[OrderChanged]) -> None:
    """Note who came with a code, and move referrals to what the friends' orders are worth now."""
    service.note_orders(uow, events)


@subscribe(MembersMerged)
def members_merged(uow: UnitOfWork, events: Sequence[MembersMerged]) -> None:
    """Advocate and friend may turn out to be one person, and so may two friends."""
    service.judge_again(uow, {event.kept_id for event in events})


@subscribe(MembersParted)
def members_parted(uow: UnitOfWork, events: Sequence[MembersParted]) -> None:
    """Each of them stands for their own referrals again."""
    service.judge_again(uow, {one for event in events for one in (event.kept_id, event.removed_id)})


def _export(uow: UnitOfWork, member_id: UUID | None, _: int | None) -> dict[str, Any]:
    return queries.of_person(uow, member_id) if member_id else {}


def _erase(uow: UnitOfWork, member_id: UUID | None, _: int | None) -> None:
    if member_id is not None:
        service.forget_link(uow, member_id)


_BROUGHT = {
    "recorded": mark("Brought a friend, who has not ordered yet"),
    "qualified": mark("Brought a friend, whose order counts soon"),
    "rewarded": mark("Brought a friend and was rewarded"),
    "rejected": mark("Brought a friend who does not count"),
    "reversed": mark("Brought a friend whose order was taken back"),
}
_CAME = mark("Came by a friend’s invitation")


def _timeline(uow: UnitOfWork, part: TimelineSlice, locale: str) -> list[Happening]:
    return [
        Happening(row["at"], row["id"], _BROUGHT[row["status"]] if row["brought"] else _CAME)
        for row in queries.happened(uow, part)
    ]


members.register_timeline(
    TimelineKind("referrals", 50, mark("Referrals"), "share-2", Permission.REFERRALS_READ), _timeline
)
_TABLES = ("referral_links", "referrals")
compliance.register_person_data("referrals", _export, tables=_TABLES)
compliance.register_person_eraser("referrals", _erase, tables=_TABLES)
members.register_finder(queries.owners_by_code)
members.follow_merges("referrals", "advocate_id")
