"""Reactions of tiers."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork
from app.core.events import subscribe
from app.core.i18n import enumerated, mark
from app.core.permissions import Permission
from app.domains.compliance import service as compliance
from app.domains.members import service as members
from app.domains.members.schemas import Happening, TimelineKind, TimelineSlice
from app.domains.orders.events import OrderChanged
from app.domains.points import service as points
from app.domains.points.events import PointsPosted
from app.domains.points.schemas import MemberFacts
from app.domains.programs import service as programs
from app.domains.programs.events import ProgramChanged, ProgramCreated
from app.domains.quick import service as quick
from app.domains.tiers import queries, service
from app.domains.tiers.schemas import Gift


@subscribe(PointsPosted)
def points_posted(uow: UnitOfWork, events: Sequence[PointsPosted]) -> None:
    """Points left the band in which a member's tiers hold: see where they lead."""
    crossed = [event for event in events if event.crossed]
    service.place_members(
        uow,
        {event.member_id: event.qualifying for event in crossed},
        refunded={event.member_id for event in crossed if event.kind == "reverse"},
    )


@subscribe(OrderChanged)
def orders_changed(uow: UnitOfWork, events: Sequence[OrderChanged]) -> None:
    """Shops with a ladder by spend or orders: note what each order counts now, and see where it leads."""
    if not service.follows_orders(uow):
        return
    service.count_orders(uow, events)
    if all(one.metric == "points" for one in service.ladders(uow)):
        return
    owners = members.by_ids(uow, {event.member_id for event in events if event.member_id})
    kept = {one.id: one.merged_into or one.id for one in owners.values()}
    back = [one for one in events if one.refunds or one.cancelled_at or one.deleted_at]
    service.review(
        uow,
        sorted(set(kept.values())),
        refunded={kept[one.member_id] for one in back if one.member_id in kept},
    )


@subscribe(ProgramCreated)
def program_created(uow: UnitOfWork, events: Sequence[ProgramCreated]) -> None:
    """The default program and templates come with three tiers; a copy takes over the ladders of its original."""
    for event in events:
        if event.is_default or event.tiers:
            service.create_default(uow, event.program_id, event.tiers)
        elif event.copy_of is not None:
            service.copy_ladders(uow, event.copy_of, event.program_id)


@subscribe(ProgramChanged)
def program_changed(uow: UnitOfWork, events: Sequence[ProgramChanged]) -> None:
    """Another program or type may be active now: place everybody anew."""
    uow.forget("tiers.ladders")
    uow.enqueue("tiers.place_all")


def _export(uow: UnitOfWork, member_id: UUID | None, _: int | None) -> dict[str, Any]:
    if member_id is None:
        return {}
    return {
        "moves": [
            change | {"created_at": change["created_at"].isoformat()}
            for change in queries.changes(uow, member_id, 1000)
        ],
        "places": [
            {
                "tier": one.tier.name if one.tier else None,
                "value": one.value,
                "locked_until": one.locked_until.isoformat() if one.locked_until else None,
            }
            for one in service.standings(uow, member_id)
        ],
        "given": [
            one | {"granted_at": one["granted_at"].isoformat(), "tier_id": str(one["tier_id"])}
            for one in queries.grants(uow, member_id)
        ],
    }


def _erase(uow: UnitOfWork, member_id: UUID | None, _: int | None) -> None:
    """A place on a ladder says nothing about a person once members forgot who it is; reasons and scores may."""
    if member_id is not None:
        service.forget(uow, member_id)


def _facts(uow: UnitOfWork, member_ids: Iterable[UUID]) -> dict[UUID, MemberFacts]:
    found = queries.main_tiers(uow, member_ids)
    return {member_id: MemberFacts(tier=tier_id) for member_id, tier_id in found.items()}


def _thresholds(uow: UnitOfWork) -> list[tuple[int, str]]:
    main = next((one for one in service.ladders(uow) if one.main), None)
    if main is None or main.metric != "points":
        return []
    return [(level.threshold, level.name) for level in main.levels]


points.register_member_facts("tiers", _facts)
points.register_ladder(_thresholds)
programs.register_tiers(
    lambda uow, program_id, locale: [
        (str(one.id), one.localized(locale)) for one in service.main_levels(uow, program_id)
    ]
)
_TABLES = (
    "member_tiers",
    "tier_changes",
    "tier_grants",
    "tier_orders",
    "tier_scores",
    "tier_simulated_moves",
)
compliance.register_person_data("tiers", _export, tables=_TABLES)
compliance.register_person_eraser("tiers", _erase, tables=_TABLES)

_MOVED = {"up": mark("Rose to {tier}"), "down": mark("Fell to {tier}")}
_LEFT = mark("Left {tier}")
_NOTED = {"up": mark("Rose to {tier} ({note})"), "down": mark("Fell to {tier} ({note})")}
_GIVEN = mark("Rose to {tier} and received {reward}")
_NOTED_GIVEN = mark("Rose to {tier} ({note}) and received {reward}")


def _timeline(uow: UnitOfWork, part: TimelineSlice, locale: str) -> list[Happening]:
    rows = queries.happened(uow, part)
    called = service.called(uow, locale) if rows else {}
    by_hand = {(str(row["member_id"]), row["at"]) for row in rows if row["reason"] == "by_hand"}
    who = compliance.actors(uow, "member", by_hand)
    keys = [key for row in rows for key in row["gifts"]] if "rewards" in part.kinds else []
    given = service.given(uow, keys, locale)
    found = []
    for row in rows:
        gifts = [gift for key in row["gifts"] if (gift := given.get(key)) and gift.at == row["at"]]
        name = row["to_name"] or row["from_name"] or ""
        entry = f"/app/points-ledger/{row['entry_id']}" if row["entry_id"] else None
        found.append(
            Happening(
                row["at"],
                row["id"],
                _sentence(row, gifts),
                {
                    "tier": called.get(name, name),
                    "note": row["note"],
                    "reward": enumerated(locale, [gift.name for gift in gifts]) if gifts else "",
                },
                points=row["points"],
                actor=who.get((str(row["member_id"]), row["at"]), "") if row["reason"] == "by_hand" else "",
                url=gifts[0].url if gifts else entry,
                code=gifts[0].code if len(gifts) == 1 else "",
            )
        )
    return found


def _sentence(row: dict[str, Any], gifts: Sequence[Gift]) -> str:
    """What says a move, with the reason that staff gave for it and the rewards for reaching the tier."""
    if gifts:
        return _NOTED_GIVEN if row["note"] else _GIVEN
    if not row["to_name"]:
        return _LEFT
    return (_NOTED if row["note"] else _MOVED)[row["direction"]]


members.register_timeline(
    TimelineKind("tiers", 30, mark("Tiers"), "award", Permission.TIERS_READ, tells="change_id"), _timeline
)
for _task in service.TASKS:
    quick.register_task(_task)
