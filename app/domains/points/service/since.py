"""What happened to the removed member's own orders while two members were one, and what of it goes with them.

Orders that came with the merge go back with the parting, and so does what their refunds took from the kept member: the part
that is still owed, and points that were the kept member's own. What others had of the removed member's points meanwhile,
spent or taken for other orders, is set against it: that stays with the kept member, who had it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork
from app.domains.members import service as members
from app.domains.points import queries
from app.domains.points.service.shifting import Part, take, total


@dataclass(frozen=True)
class Borne:
    """What the kept member bore for the other's orders: points still owed, points of own lots, and what counted for tiers."""

    debt: int = 0
    parts: Sequence[Part] = ()
    qualifying: int = 0

    @property
    def points(self) -> int:
        """What the removed member owes for it."""
        return self.debt + total(self.parts)


def borne(
    uow: UnitOfWork, merge_id: UUID, kept: UUID, copies: Collection[UUID], used: int, open_debt: int
) -> Borne:
    """What of the refunds since a merge goes with the removed member.

    `copies` are the lots that came with the merge, `used` what others had of them, `open_debt` what may be moved.
    """
    merge = next((one for one in members.merges_of(uow, kept) if one.id == merge_id), None)
    orders = [UUID(one) for one in merge.followed.get("orders", [])] if merge else []
    found = queries.of_orders_since(uow, kept, orders, merge.created_at) if merge and orders else []
    taken = max(0, -sum(entry["points"] for entry in found) - used)
    debt = min(taken, max(0, sum(entry["owed"] for entry in found)), open_debt)
    own = take(_own(uow, found, copies), taken - debt)
    return Borne(debt, own, max(0, -sum(entry["qualifying"] for entry in found)))


def _own(uow: UnitOfWork, found: Sequence[dict[str, Any]], copies: Collection[UUID]) -> list[Part]:
    """What the refunds took out of the kept member's own lots, the latest first."""
    taken = [
        Part(*one)
        for entry in found
        if entry["kind"] == "reverse"
        for one in queries.takings(uow, entry["id"])
    ]
    return [one for one in reversed(taken) if one.lot not in copies]
