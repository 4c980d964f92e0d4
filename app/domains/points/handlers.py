"""Reactions of the ledger: to orders, and to people who register."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork
from app.core.events import subscribe
from app.core.i18n import mark
from app.domains.compliance import service as compliance
from app.domains.members.events import MemberRegistered, MembersMerged
from app.domains.orders.events import OrderChanged
from app.domains.points import queries, service
from app.domains.shops import service as shops
from app.domains.shops.schemas import HomeFigure


@subscribe(OrderChanged)
def orders_changed(uow: UnitOfWork, events: Sequence[OrderChanged]) -> None:
    """Move each order's points to what the order deserves now."""
    service.settle_orders(uow, events)


@subscribe(MemberRegistered)
def members_registered(uow: UnitOfWork, events: Sequence[MemberRegistered]) -> None:
    """Give the sign-up bonus, once per customer."""
    service.give_signup_bonus(uow, events)


@subscribe(MembersMerged)
def members_merged(uow: UnitOfWork, events: Sequence[MembersMerged]) -> None:
    """Points that the removed member could spend go to the kept one."""
    for event in events:
        service.move_to(uow, event.removed_id, event.kept_id)


def _export(uow: UnitOfWork, member_id: UUID | None, _: int | None) -> dict[str, Any]:
    if member_id is None:
        return {}
    return {"balance": asdict(queries.balance(uow, member_id)), "entries": queries.of_person(uow, member_id)}


def _erase(uow: UnitOfWork, member_id: UUID | None, _: int | None) -> None:
    """The ledger keeps its numbers: they stand under a member id that leads to nobody once members forgot the person."""


def _home(uow: UnitOfWork, since: datetime) -> list[HomeFigure]:
    given = queries.given_since(uow, since)
    return [HomeFigure("points-given", mark("Points given today"), given, "points", position=10)]


_TABLES = ("points_accounts", "points_entries", "points_lots")
compliance.register_person_data("points", _export, tables=_TABLES)
compliance.register_person_eraser("points", _erase, tables=_TABLES)
shops.register_home_facts("points", _home)
