"""Points held while a checkout is open: captured by the order, released by the caller or when their time runs out."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from app.core import ids
from app.core.db import UnitOfWork
from app.domains.compliance import service as compliance
from app.domains.compliance.schemas import Change
from app.domains.members import service as members
from app.domains.members.errors import MemberNotFound
from app.domains.points import service as points
from app.domains.points.errors import InsufficientPoints
from app.domains.rewards import queries
from app.domains.rewards.errors import HoldEnded, HoldNotFound, MemberCannotRedeem, RedemptionKeyReused
from app.domains.rewards.schemas import CheckoutHold

log = logging.getLogger(__name__)

# The cart attribute in which a checkout names its hold.
HOLD_FACT = "hold"
_REASON = "checkout_hold"

_INSERT = """
INSERT INTO checkout_holds (shop_id, id, member_id, points, key, reference, hold_entry_id, expires_at, created_at,
  updated_at)
VALUES (%(shop)s, %(id)s, %(member)s, %(points)s, %(key)s, %(reference)s, %(hold)s, %(expires)s, %(now)s, %(now)s)
"""


def hold_points(
    uow: UnitOfWork, member_id: UUID, size: int, *, key: str, minutes: int = 30, reference: str = ""
) -> CheckoutHold:
    """Hold points for some minutes; the same key returns the same hold as it stands now.

    Raises MemberNotFound, MemberCannotRedeem, InsufficientPoints, RedemptionKeyReused.
    """
    known = queries.hold_by_key(uow, key)
    if known is None:
        member = members.by_ids(uow, [member_id]).get(member_id)
        if member is None:
            raise MemberNotFound()
        if not member.active:
            raise MemberCannotRedeem()
        hold_id = ids.new_id()
        entry = points.hold(
            uow,
            member_id,
            size,
            key=f"checkout:{key}",
            reason=_REASON,
            reference_id=hold_id,
            trace={"hold_id": str(hold_id)},
        )
        if not entry.replayed:
            uow.execute(
                _INSERT,
                {
                    "shop": uow.shop,
                    "id": hold_id,
                    "member": member_id,
                    "points": size,
                    "key": key,
                    "reference": reference,
                    "hold": entry.id,
                    "expires": uow.now + timedelta(minutes=minutes),
                    "now": uow.now,
                },
            )
            told = {"member_id": str(member_id), "points": size, "minutes": minutes}
            compliance.record(uow, "hold.made", ("checkout_hold", str(hold_id)), None, told)
        known = queries.hold_by_key(uow, key)
    if known is None or (known.member_id, known.points) != (member_id, size):
        raise RedemptionKeyReused()
    return known


def get_hold(uow: UnitOfWork, hold_id: UUID, *, lock: bool = False) -> CheckoutHold:
    """One hold. Raises HoldNotFound."""
    found = queries.hold(uow, hold_id, lock=lock)
    if found is None:
        raise HoldNotFound()
    return found


def capture(uow: UnitOfWork, hold_id: UUID, *, order_id: int | None = None) -> CheckoutHold:
    """Spend the held points; a repeat for the same order changes nothing. Raises HoldNotFound, HoldEnded."""
    found = get_hold(uow, hold_id, lock=True)
    if found.status == "captured" and order_id in (None, found.order_id):
        return found
    if found.status != "held" or found.expires_at <= uow.now:
        raise HoldEnded(status=found.status if found.status != "held" else "expired")
    _settle(uow, [found], "spend", "captured", {found.id: order_id})
    return get_hold(uow, hold_id)


def release(uow: UnitOfWork, hold_id: UUID) -> CheckoutHold:
    """Give the held points back; a repeat changes nothing. Raises HoldNotFound, HoldEnded."""
    found = get_hold(uow, hold_id, lock=True)
    if found.status in ("released", "expired"):
        return found
    if found.status != "held":
        raise HoldEnded(status=found.status)
    _settle(uow, [found], "release", "released")
    return get_hold(uow, hold_id)


def expire_holds(uow: UnitOfWork, limit: int) -> int:
    """Release the holds whose time ran out, with a few statements for all of them. Out: how many were found."""
    found = queries.overdue_holds(uow, limit)
    _settle(uow, found, "release", "expired")
    return len(found)


def orders_named_holds(uow: UnitOfWork, orders: Mapping[UUID, tuple[int, UUID | None]]) -> None:
    """Orders came in that name holds: `orders` is Shopify's order id and the buyer by hold. Others' holds are skipped.

    A hold whose time ran out before its order came is taken again as far as the points are there.
    """
    for hold_id in sorted(orders):
        order_id, member_id = orders[hold_id]
        found = queries.hold(uow, hold_id, lock=True)
        if found is None or found.member_id != member_id:
            continue
        if found.status == "held":
            _settle(uow, [found], "spend", "captured", {found.id: order_id})
        elif found.status in ("released", "expired") and found.order_id is None:
            _take_late(uow, found, order_id)


def _take_late(uow: UnitOfWork, hold: CheckoutHold, order_id: int) -> None:
    """Hold the points again and spend them, so that a cancellation finds what to return. It is tried once an order."""
    again = hold.hold_entry_id
    try:
        again = points.hold(
            uow,
            hold.member_id,
            hold.points,
            key=f"checkout:{hold.id}:late",
            reason=_REASON,
            reference_id=hold.id,
            trace={"hold_id": str(hold.id)},
        ).id
    except InsufficientPoints:
        log.warning("hold %s was named by an order after its points were given back", hold.id)
    taken = again != hold.hold_entry_id
    uow.execute(
        "UPDATE checkout_holds SET order_id = %(order)s, hold_entry_id = %(hold)s, updated_at = %(now)s"
        " WHERE shop_id = %(shop)s AND id = %(id)s",
        {"shop": uow.shop, "id": hold.id, "order": order_id, "hold": again, "now": uow.now},
    )
    told = {"status": hold.status, "order_id": order_id, "points_taken": hold.points if taken else 0}
    compliance.record(uow, "hold.late", ("checkout_hold", str(hold.id)), {"status": hold.status}, told)
    if taken:
        _settle(uow, [replace(hold, hold_entry_id=again)], "spend", "captured", {hold.id: order_id})


def orders_lost_holds(uow: UnitOfWork, order_ids: Sequence[int]) -> None:
    """Orders that captured holds were canceled: the points return."""
    _settle(uow, queries.holds_of_orders(uow, order_ids), "restore", "returned")


def _settle(
    uow: UnitOfWork,
    holds: Sequence[CheckoutHold],
    step: str,
    status: str,
    orders: Mapping[UUID, int | None] | None = None,
) -> None:
    if not holds:
        return
    points.settle_many(
        uow, {one.hold_entry_id: f"checkout:{one.id}:{step}" for one in holds}, step, reason=_REASONS[status]
    )
    uow.execute(
        "UPDATE checkout_holds h SET status = %(status)s, order_id = coalesce(v.order_id, h.order_id),"
        " updated_at = %(now)s FROM unnest(%(ids)s::uuid[], %(orders)s::bigint[]) AS v (id, order_id)"
        " WHERE h.shop_id = %(shop)s AND h.id = v.id",
        {
            "shop": uow.shop,
            "status": status,
            "now": uow.now,
            "ids": [one.id for one in holds],
            "orders": [(orders or {}).get(one.id) for one in holds],
        },
    )
    compliance.record_many(
        uow,
        f"hold.{status}",
        [Change("checkout_hold", str(one.id), {"status": one.status}, {"status": status}) for one in holds],
    )


_REASONS = {
    "captured": "checkout_hold",
    "released": "checkout_released",
    "expired": "checkout_expired",
    "returned": "checkout_order_canceled",
}
