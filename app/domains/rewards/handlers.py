"""Reactions of rewards to programs, orders, privacy requests and the home tab."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork
from app.core.events import subscribe
from app.core.i18n import mark
from app.domains.compliance import service as compliance
from app.domains.orders.events import OrderChanged
from app.domains.programs.events import ProgramCreated
from app.domains.rewards import queries, service
from app.domains.shops import service as shops
from app.domains.shops.schemas import HomeFact, HomeFigure, HomeNotice, HomeStep


@subscribe(ProgramCreated)
def start_with_rewards(uow: UnitOfWork, events: Sequence[ProgramCreated]) -> None:
    """The program that an installation made gets three rewards, so that points are worth something at once."""
    for event in events:
        if event.is_default:
            service.create_default(uow, event.program_id, event.currency)


@subscribe(OrderChanged)
def codes_were_used(uow: UnitOfWork, events: Sequence[OrderChanged]) -> None:
    """Orders with our codes use them up; a later cancellation of the order does not bring the code back in Shopify."""
    service.mark_used(
        uow, {code: event.order_id for event in reversed(events) for code in event.discount_codes}
    )


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
        ]
    }


def erase_person(uow: UnitOfWork, member_id: UUID | None, customer_id: int | None) -> None:
    """Forget the codes of a member; that points were spent stays, under an id that leads to nobody."""
    if member_id is not None:
        service.forget_codes(uow, member_id)


compliance.register_person_data("rewards", export_person, tables=("redemptions",))
compliance.register_person_eraser("rewards", erase_person, tables=("redemptions",))


def home_facts(uow: UnitOfWork, since: datetime) -> list[HomeFact]:
    """Whether there is anything to redeem, how much was redeemed today, and what went wrong."""
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
        HomeFigure("redemptions", mark("Redemptions today"), counts["redeemed"], "number", position=30),
    ]
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


shops.register_home_facts("rewards", home_facts)
