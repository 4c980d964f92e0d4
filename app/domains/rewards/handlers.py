"""Reactions of rewards to programs and orders."""

from collections.abc import Sequence

from app.core.db import UnitOfWork
from app.core.events import subscribe
from app.domains.orders.events import OrderChanged
from app.domains.programs.events import ProgramCreated
from app.domains.rewards import service


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
