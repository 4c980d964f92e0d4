"""Reactions of the ledger: to orders, and to people who register."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork
from app.core.events import subscribe
from app.core.i18n import mark
from app.core.permissions import Permission
from app.domains.compliance import service as compliance
from app.domains.members import service as members
from app.domains.members.events import MemberRegistered, MembersMerged, MembersParted, MemberSubscribed
from app.domains.members.schemas import Happening, TimelineKind, TimelineSlice
from app.domains.orders.events import OrderChanged
from app.domains.points import queries, service
from app.domains.points.events import PointsPosted
from app.domains.programs import service as programs
from app.domains.quick import service as quick
from app.domains.shops import service as shops
from app.domains.shops.schemas import DayFigure, HomeFact, HomeNotice


@subscribe(OrderChanged)
def orders_changed(uow: UnitOfWork, events: Sequence[OrderChanged]) -> None:
    """Move each order's points to what the order deserves now."""
    service.settle_orders(uow, events)


@subscribe(MemberRegistered)
def members_registered(uow: UnitOfWork, events: Sequence[MemberRegistered]) -> None:
    """Give the sign-up bonus, once per customer."""
    service.give_signup_bonus(uow, events)


@subscribe(MemberSubscribed)
def members_subscribed(uow: UnitOfWork, events: Sequence[MemberSubscribed]) -> None:
    """Give what the program has for the newsletter, once per customer."""
    service.give_for_newsletter(uow, events)


@subscribe(MembersMerged)
def members_merged(uow: UnitOfWork, events: Sequence[MembersMerged]) -> None:
    """Everything that the removed member has goes to the kept one."""
    for event in events:
        service.merge(uow, event.merge_id, event.kept_id, event.removed_id)
        service.follow_orders(uow, [event.removed_id])


@subscribe(MembersParted)
def members_parted(uow: UnitOfWork, events: Sequence[MembersParted]) -> None:
    """What a merge moved goes back as far as it is unspent."""
    for event in events:
        service.unmerge(uow, event.merge_id, event.kept_id, event.removed_id)
        service.follow_orders(uow, [event.kept_id])


@subscribe(PointsPosted)
def points_came_back(uow: UnitOfWork, events: Sequence[PointsPosted]) -> None:
    """A reward that a member redeemed before a merge was given back: the points belong to the one who was kept."""
    came = {event.member_id: event.entry_id for event in events if event.kind in ("release", "restore")}
    gone = [one.id for one in members.by_ids(uow, came).values() if one.merged_into] if came else []
    for member_id in gone:
        service.follow(uow, [member_id], str(came[member_id]))


def _export(uow: UnitOfWork, member_id: UUID | None, _: int | None) -> dict[str, Any]:
    if member_id is None:
        return {}
    entries = queries.of_person(uow, members.family(uow, member_id))
    return {"balance": asdict(queries.balance(uow, member_id)), "entries": entries}


def _erase(uow: UnitOfWork, member_id: UUID | None, _: int | None) -> None:
    """The ledger keeps its numbers: they stand under a member id that leads to nobody once members forgot the person."""
    if member_id is not None:
        service.forget_notes(uow, member_id)


_ENDING = timedelta(days=7)


def _home(uow: UnitOfWork, since: datetime) -> list[HomeFact]:
    facts: list[HomeFact] = []
    proof = queries.proof(uow)
    if proof and proof["findings"]:
        facts.append(
            HomeNotice(
                "proof-broken",
                mark(
                    "The ledger has errors. Members concerned: {count}. Look at what the verification found."
                ),
                "critical",
                {"count": len(proof["findings"])},
                url="/app/points-ledger",
            )
        )
    ending = queries.ending_soon(uow, uow.now + _ENDING)
    if ending:
        facts.append(
            HomeNotice(
                "points-ending",
                mark("Points that expire within a week: {count}."),
                "info",
                {"count": ending},
                url="/app/points-ledger",
            )
        )
    waiting = queries.waiting_adjustments(uow)
    if waiting:
        facts.append(
            HomeNotice(
                "adjustments-waiting",
                mark("Adjustments of points that wait for approval: {count}."),
                "info",
                {"count": waiting},
                url="/app/points-ledger/adjustments?status=waiting",
            )
        )
    if service.alerted_since(uow, uow.now - timedelta(hours=24)):
        facts.append(
            HomeNotice(
                "adjustments-alert",
                mark("Unusually many adjustments of points were made in one hour. Look at who made them."),
                "warning",
                {},
                url="/app/points-ledger/adjustments",
            )
        )
    return facts


def _of_days(uow: UnitOfWork, first: date, last: date, zone: str) -> dict[str, dict[date, int]]:
    rows = queries.of_days(uow, first, last, zone)
    return {
        "points-given": {row["day"]: row["given"] for row in rows},
        "points-spent": {row["day"]: row["spent"] for row in rows},
        "orders-earning": {row["day"]: row["orders"] for row in rows},
        "member-sales": {row["day"]: row["sales"] for row in rows},
    }


shops.register_day_figures(
    "points",
    (
        DayFigure("points-given", mark("Points given"), "points", 10, "/app/points-ledger"),
        DayFigure("points-spent", mark("Points redeemed"), "points", 20, "/app/points-ledger"),
        DayFigure("orders-earning", mark("Orders that earned"), "number", 40, "/app/points-ledger"),
        DayFigure("member-sales", mark("Sales that earned points"), "money", 50),
    ),
    _of_days,
)


def _rehearse(uow: UnitOfWork, program_id: UUID, settings: dict[str, Any], version: int) -> UUID:
    return service.rehearse(uow, program_id, settings, months=_REHEARSED_MONTHS, version=version)


_REHEARSED_MONTHS = 12


def _rehearsal(uow: UnitOfWork, rehearsal_id: UUID) -> dict[str, Any]:
    found = service.rehearsal(uow, rehearsal_id)
    lines = [one for side in ("losers", "winners") for one in found["result"].get(side, [])]
    people = members.profiles(uow, [UUID(one["member_id"]) for one in lines]) if lines else {}
    for one in lines:
        profile = people.get(UUID(one["member_id"]))
        one["name"] = (profile.name or profile.email or "") if profile else ""
    return found


programs.register_engine(
    programs.Engine(
        service.example, service.example_of_campaign, service.example_order, _rehearse, _rehearsal
    )
)
_TABLES = (
    "points_accounts",
    "points_entries",
    "points_lots",
    "points_standings",
    "points_adjustments",
    "earning_counts",
)
compliance.register_person_data("points", _export, tables=_TABLES)
compliance.register_person_eraser("points", _erase, tables=_TABLES)


def _timeline(uow: UnitOfWork, part: TimelineSlice, locale: str) -> list[Happening]:
    rows = queries.happened(uow, part)
    who = compliance.actors(uow, "member", {_changed(row) for row in rows if row["actor_kind"] != "system"})
    return [
        Happening(
            row["created_at"],
            row["id"],
            service.explain(row, locale),
            told=True,
            points=row["points"],
            actor=who.get(_changed(row), ""),
            url=f"/app/points-ledger/{row['id']}",
        )
        for row in rows
    ]


def _changed(row: dict[str, Any]) -> tuple[str, datetime]:
    """At whom the audit trail notes what wrote an entry, and when; a transfer is noted at whom it took points from."""
    return str(row["trace"].get("from") or row["member_id"]), row["created_at"]


members.register_timeline(
    TimelineKind("points", 20, mark("Points"), "coins", Permission.POINTS_READ, tells="entry_id"), _timeline
)
members.register_merge_facts("points", service.merge_facts)
members.register_standings(service.refresh_standings)
shops.register_home_facts("points", _home)

for _task in service.TASKS:
    quick.register_task(_task)
