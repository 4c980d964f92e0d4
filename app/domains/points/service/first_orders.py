"""What only a first order earns, when two accounts become one: a person has one first order, on whichever account.

The points go by an entry of their order, so that whatever happens to the order later is reckoned from it.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID

from app.core.db import UnitOfWork
from app.domains.members import service as members
from app.domains.orders import service as orders
from app.domains.orders.events import OrderChanged
from app.domains.points import queries, rules
from app.domains.points.service import earning, order_state
from app.domains.points.service.shifting import Change, Part, Shift, shift, take, total


class Surplus(NamedTuple):
    """Points that a merge would take back, and how many of them still wait."""

    points: int
    pending: int


def take_back(uow: UnitOfWork, merge_id: UUID, kept: UUID, removed: UUID) -> None:
    """After a merge moved everything: orders that are no longer the first give back what only a first one earns."""
    earning.settle_orders(uow, _earned_as_first(uow, kept, removed), merge_id)


def give_back(uow: UnitOfWork, merge_id: UUID, kept: UUID, removed: UUID) -> None:
    """Before what a merge moved goes back: what orders that are first again had to give returns to the same lots."""
    found = _earned_as_first(uow, kept, removed)
    taken = queries.taken_from_first(uow, kept, [event.id for event in found])
    for one in earning.reckon(uow, [event for event in found if event.id in taken]):
        points = one.pricing.points - one.due.owed
        if points > 0:
            _restore(uow, merge_id, taken[one.due.event.id], points, one.trace)


def _restore(
    uow: UnitOfWork, merge_id: UUID, entry: dict[str, Any], points: int, trace: dict[str, Any]
) -> None:
    """Give back at most `points` of what an entry took or made a debt, as far as the debt was not repaid since."""
    parts = take((Part(*one) for one in queries.takings(uow, entry["id"])), points)
    owed = -entry["points"] - entry["moved"]
    owed = min(points - total(parts), owed, queries.balance(uow, entry["member_id"]).debt)
    if not parts and not owed:
        return
    shift(
        uow,
        Shift(
            entry["member_id"],
            "undo",
            key=f"unmerge:{merge_id}:first:{entry['order_id']}",
            reason="unmerged",
            changes=[Change(one.lot, remaining=one.points, reversed=-one.points) for one in parts],
            debt=-owed,
            qualifying=total(parts) + owed,
            order_id=entry["order_id"],
            reference_id=entry["id"],
            version_id=entry["program_version_id"],
            trace=trace | {"unmerge": merge_id},
            tell=False,
        ),
    )


def settle(uow: UnitOfWork, kept: UUID, removed: UUID) -> None:
    """After two members parted: orders get what is still missing."""
    earning.settle_orders(uow, _earned_as_first(uow, kept, removed))


def surplus(uow: UnitOfWork, kept: UUID, removed: UUID) -> Surplus:
    """What a merge of these two would take back; nothing is written."""
    firsts = orders.by_ids(uow, orders.first_of(uow, (kept, removed)).values())
    late = [
        event
        for event in _earned_as_first(uow, kept, removed)
        if any(one.member_id != event.member_id and _before(one, event) for one in firsts)
    ]
    points = pending = 0
    for due in earning.find_dues(uow, late):
        if due.before is None:
            continue
        state = earning.kept_state(replace(due, late=True), due.before)
        left = rules.price(
            order_state.state(due.event, due.day, due.terms.earn_trigger), due.terms, state
        ).points
        excess = max(due.owed - left, 0)
        points += excess
        pending += min(excess, _waiting(uow, due.owner, due.event.id))
    return Surplus(points, pending)


def _before(one: OrderChanged, other: OrderChanged) -> bool:
    return (
        one.placed_at is not None
        and other.placed_at is not None
        and (one.placed_at, one.order_id) < (other.placed_at, other.order_id)
    )


def _waiting(uow: UnitOfWork, member_id: UUID, order_id: UUID) -> int:
    lots = queries.open_lots(uow, member_id)
    return sum(one["remaining"] for one in lots if one["pending"] and one["order_id"] == order_id)


def _earned_as_first(uow: UnitOfWork, kept: UUID, removed: UUID) -> list[OrderChanged]:
    both: Iterable[list[UUID]] = members.sides(uow, kept, removed)
    found = queries.first_orders(uow, [one for side in both for one in side])
    return orders.by_ids(uow, found) if found else []
