"""What a member had at an instant, and what they would have had without some entries."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core.db import UnitOfWork
from app.domains.points import queries
from app.domains.points.schemas import Balance, Past
from app.domains.shops import service as shops

Possible = Callable[[UnitOfWork, datetime, int, str], Sequence[tuple[str, int]]]
_POSSIBLE: list[Possible] = []
_AMOUNTS = ("available", "pending", "held", "debt", "qualifying")


def as_of(uow: UnitOfWork, member_id: UUID, at: datetime, *, without: Sequence[UUID] = ()) -> Past:
    """The member's points and lots after every entry until `at`: the same as replaying the ledger to that instant.

    With `without` the amounts are those the member would have had if these entries had never been written; a debt that
    they made and that was repaid meanwhile is available again. The lots are those of the real ledger.
    """
    row = queries.as_of(uow, member_id, at)
    if row is None:
        return Past(at, Balance(), [])
    amounts = {name: row[name] for name in _AMOUNTS}
    for effect in queries.effects(uow, member_id, without):
        if effect["seq"] <= row["seq"]:
            amounts = {name: amounts[name] - effect[name] for name in _AMOUNTS}
    surplus = amounts["available"] - amounts["debt"]
    amounts |= {"available": max(surplus, 0), "debt": max(-surplus, 0)}
    dates = queries.dates_before(uow, member_id, row["seq"])
    lots = [
        lot | {"expires_at": dates.get(lot["id"], lot["expires_at"])}
        for lot in queries.lots_as_of(uow, member_id, row["seq"])
    ]
    return Past(at, Balance(**amounts), lots)


def register_possible(possible: Possible) -> None:
    """Let a domain above say what so many available points would have been enough for at an instant.

    `possible(uow, at, available, locale)` gives names in the locale with what they cost, the dearest first.
    """
    _POSSIBLE.append(possible)


def possible_then(uow: UnitOfWork, at: datetime, available: int, locale: str) -> list[tuple[str, int]]:
    """What so many points would have been enough for at an instant."""
    return [one for possible in _POSSIBLE for one in possible(uow, at, available, locale)]


def when(uow: UnitOfWork, day: date | None, clock: time | None) -> datetime:
    """The instant that a day and a time in the shop's zone mean; the day's end without a time, now without both.

    An instant to come is now.
    """
    if day is None or day >= date.max - timedelta(days=1):
        return uow.now
    zone = ZoneInfo(shops.get(uow).timezone)
    local = (
        datetime.combine(day, clock, zone) + timedelta(seconds=59)
        if clock
        else datetime.combine(day + timedelta(days=1), time.min, zone) - timedelta(microseconds=1)
    )
    return min(local, uow.now)
