"""Reactions of rewards to programs, orders, privacy requests and the home tab."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork
from app.core.events import subscribe
from app.core.i18n import mark
from app.core.permissions import Permission
from app.domains.compliance import service as compliance
from app.domains.members import service as members
from app.domains.members.schemas import Happening, TimelineKind, TimelineSlice
from app.domains.orders.events import OrderChanged
from app.domains.points import service as points
from app.domains.points.events import HoldsMoved
from app.domains.programs import service as programs
from app.domains.programs.events import ProgramCreated, RewardsWanted
from app.domains.quick import service as quick
from app.domains.rewards import queries, service
from app.domains.rewards.schemas import CODE_KINDS
from app.domains.shops import service as shops
from app.domains.shops.schemas import DayFigure, HomeFact, HomeNotice, HomeStep
from app.domains.tiers import service as tiers
from app.domains.tiers.events import TierGave
from app.domains.tiers.schemas import Gift


@subscribe(ProgramCreated)
def start_with_rewards(uow: UnitOfWork, events: Sequence[ProgramCreated]) -> None:
    """The program that an installation made gets three rewards; a copy and a template bring theirs as drafts."""
    for event in events:
        if event.is_default:
            service.create_default(uow, event.program_id, event.currency)
        if event.copy_of is not None:
            service.copy_rewards(uow, event.copy_of, event.program_id)
        if event.rewards:
            service.create_suggested(uow, event.program_id, event.currency, event.rewards)


@subscribe(RewardsWanted)
def offer_drafts(uow: UnitOfWork, events: Sequence[RewardsWanted]) -> None:
    """A program went live together with its draft rewards."""
    for event in events:
        service.offer_drafts(uow, event.program_id)


@subscribe(OrderChanged)
def codes_were_used(uow: UnitOfWork, events: Sequence[OrderChanged]) -> None:
    """Orders with our codes use them up and take the points held for them; canceled orders give both back.

    A canceled order does not bring its code back in Shopify, so the points return instead.
    """
    service.mark_used(
        uow,
        {code: event.order_id for event in reversed(events) for code in event.discount_codes},
        {
            event.order_id: sum(line["net"] for line in event.lines if not line.get("gift_card"))
            for event in events
            if event.discount_codes
        },
    )
    canceled = [event for event in events if event.cancelled_at is not None]
    named = {
        hold: (event.order_id, event.member_id)
        for event in reversed(events)
        if event.cancelled_at is None and (hold := _hold_of(event))
    }
    if named:
        service.orders_named_holds(uow, named)
    if canceled:
        orders = sorted({event.order_id for event in canceled})
        service.orders_were_canceled(uow, orders)
        service.orders_lost_holds(uow, orders)


def _hold_of(event: OrderChanged) -> UUID | None:
    try:
        return UUID(str(event.facts[service.HOLD_FACT])) if service.HOLD_FACT in event.facts else None
    except ValueError:
        return None


@subscribe(HoldsMoved)
def holds_moved(uow: UnitOfWork, events: Sequence[HoldsMoved]) -> None:
    """A merge made holds again for another member: redemptions remember the new ones."""
    for event in events:
        service.remember_holds(uow, event.again)


@subscribe(TierGave)
def tiers_gave(uow: UnitOfWork, events: Sequence[TierGave]) -> None:
    """A tier gives its members discount codes, on entering it or in each period."""
    for event in events:
        service.give(uow, event.member_id, event.reward_id, key=event.key, channel="tier")


def export_person(uow: UnitOfWork, member_id: UUID | None, customer_id: int | None) -> dict[str, Any]:
    """What a member redeemed, for a privacy export."""
    found = service.every_redemption_of(uow, member_id) if member_id else []
    return {
        "redemptions": [
            {
                "reward": one.terms.name,
                "points": one.points,
                "code": one.code,
                "status": one.status,
                "order_id": one.used_order_id,
                "redeemed_at": one.created_at.isoformat(),
                "used_at": one.used_at.isoformat() if one.used_at else None,
                "expires_at": one.expires_at.isoformat() if one.expires_at else None,
            }
            for one in found
        ],
        "checkout_holds": [
            {
                "points": one.points,
                "status": one.status,
                "order_id": one.order_id,
                "held_at": one.created_at.isoformat(),
            }
            for one in (queries.holds_of(uow, member_id) if member_id else [])
        ],
    }


def erase_person(uow: UnitOfWork, member_id: UUID | None, customer_id: int | None) -> None:
    """Forget the codes of a member; that points were spent stays, under an id that leads to nobody."""
    if member_id is not None:
        service.forget_codes(uow, member_id)
        service.forget_references(uow, member_id)


for _task in service.TASKS:
    quick.register_task(_task)
compliance.register_person_data("rewards", export_person, tables=("redemptions", "checkout_holds"))
compliance.register_person_eraser("rewards", erase_person, tables=("redemptions", "checkout_holds"))


def _of_days(uow: UnitOfWork, first: date, last: date, zone: str) -> dict[str, dict[date, int]]:
    return {"redemptions": queries.redeemed_by_day(uow, first, last, zone)}


shops.register_day_figures(
    "rewards",
    (DayFigure("redemptions", mark("Redemptions"), "number", 60, "/app/reward-catalog/redemptions"),),
    _of_days,
)


def home_facts(uow: UnitOfWork, since: datetime) -> list[HomeFact]:
    """Whether there is anything to redeem, and what went wrong today or is about to."""
    counts = queries.today(uow, since)
    facts: list[HomeFact] = [
        HomeStep(
            "rewards",
            mark("Choose what points are worth"),
            mark("Members see your rewards in the store and redeem them for discount codes."),
            done=counts["offered"] > 0,
            url="/app/reward-catalog",
            position=20,
        ),
    ]
    low = queries.low_in_stock(uow)
    if low:
        facts.append(
            HomeNotice(
                "rewards-low",
                mark("Rewards that are nearly out of stock: {count}."),
                "warning",
                {"count": low},
                url="/app/reward-catalog",
            )
        )
    drafts = queries.drafts_without_offer(uow)
    live = programs.active(uow) if drafts else None
    if live is not None:
        facts.append(
            HomeNotice(
                "rewards-drafts",
                mark(
                    "Your program is active, but all of its rewards are drafts: {count}. Members see none of them."
                ),
                "warning",
                {"count": drafts},
                url=f"/app/loyalty-programs/{live.id}?open=launch",
            )
        )
    if counts["failed"]:
        facts.append(
            HomeNotice(
                "redemptions-failed",
                mark("Reward codes that could not be created today: {count}. The points were returned."),
                "warning",
                {"count": counts["failed"]},
                url="/app/reward-catalog/redemptions?status=failed",
            )
        )
    return facts


def covered(uow: UnitOfWork, at: datetime, available: int, locale: str) -> list[tuple[str, int]]:
    """Rewards that were there at an instant and that so many points were enough for, at what they cost today."""
    return [
        (row["names"].get(locale) or row["name"], row["points_cost"])
        for row in queries.covered(uow, at, available)
    ]


points.register_possible(covered)
_REDEEMED = {
    "reserved": mark("Redeemed {reward}; its code is being made"),
    "issued": mark("Redeemed {reward}"),
    "used": mark("Redeemed {reward} and used it"),
    "cancelled": mark("Redeemed {reward}, which was canceled"),
    "failed": mark("Redeemed {reward}, which failed"),
    "expired": mark("Redeemed {reward}, which expired"),
}


def _timeline(uow: UnitOfWork, part: TimelineSlice, locale: str) -> list[Happening]:
    return [
        Happening(
            row["at"],
            row["id"],
            _REDEEMED[row["status"]],
            {"reward": _name(row, locale)},
            points=-row["points"] if row["issued_at"] or row["status"] == "reserved" else 0,
            url=_place(row),
            code=row["code"] if row["terms"]["kind"] in (*CODE_KINDS, "custom") else "",
        )
        for row in queries.happened(uow, part)
    ]


def _given(uow: UnitOfWork, keys: Collection[str], locale: str) -> dict[str, Gift]:
    return {
        row["key"]: Gift(row["at"], _name(row, locale), _place(row), row["code"])
        for row in queries.given(uow, keys)
    }


def _name(row: dict[str, Any], locale: str) -> str:
    name: str = (row["terms"].get("names") or {}).get(locale) or row["terms"]["name"]
    return name


def _place(row: dict[str, Any]) -> str:
    return f"/app/reward-catalog/redemptions?member={row['member_id']}&open={row['id']}"


members.register_timeline(
    TimelineKind("rewards", 40, mark("Rewards"), "gift", Permission.REWARDS_READ), _timeline
)
members.register_finder(queries.owners_by_code)
members.follow_merges("redemptions")
members.follow_merges("checkout_holds")
shops.register_home_facts("rewards", home_facts)
programs.register_offers(service.offer_of_program)
tiers.register_given(_given)
tiers.register_rewards(service.choices)
