"""Reactions of the ledger: to orders, and to people who register."""

from collections.abc import Sequence

from app.core.db import UnitOfWork
from app.core.events import subscribe
from app.domains.members.events import MemberRegistered
from app.domains.orders.events import OrderChanged
from app.domains.points import service


@subscribe(OrderChanged)
def orders_changed(uow: UnitOfWork, events: Sequence[OrderChanged]) -> None:
    """Move each order's points to what the order deserves now."""
    service.settle_orders(uow, events)


@subscribe(MemberRegistered)
def members_registered(uow: UnitOfWork, events: Sequence[MemberRegistered]) -> None:
    """Give the sign-up bonus, once per customer."""
    service.give_signup_bonus(uow, events)
