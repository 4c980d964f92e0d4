"""The life of a code after the redemption was stored: issued, refused, used by an order, taken back by staff.

At any time either the code exists and the points are gone, or neither; while Shopify's answer is unknown the points
stay held and the work is tried again.
"""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.core import ids
from app.core.db import UnitOfWork
from app.core.outbox import OutboxMessage
from app.domains.compliance import service as compliance
from app.domains.compliance.schemas import Change
from app.domains.points import service as points
from app.domains.points.errors import InsufficientPoints
from app.domains.points.schemas import Entry
from app.domains.rewards import queries
from app.domains.rewards.errors import DiscountRefused, RedemptionNotCancellable, RedemptionNotFound
from app.domains.rewards.events import RewardCancelled, RewardFailed, RewardIssued, RewardUsed
from app.domains.rewards.schemas import CANCEL_FAILED, CANCELLING, Redemption

log = logging.getLogger(__name__)

CREATE = "rewards.create_discount"
DISABLE = "rewards.disable_discount"
_NEXT_ROUND = timedelta(hours=1)


def settle_issued(uow: UnitOfWork, redemption_id: UUID, discount_gid: str) -> None:
    """The code exists: spend the held points and say so. Nothing happens a second time."""
    redemption = queries.redemption(uow, redemption_id, lock=True)
    if redemption is None:
        return
    if redemption.status != "reserved":
        _write(uow, redemption_id, discount_gid=redemption.discount_gid or discount_gid)
        return
    _spend(uow, redemption)
    _write(uow, redemption_id, status="issued", discount_gid=discount_gid, issued_at=uow.now, failure=None)
    _record(uow, "reward.issued", redemption, "issued")
    uow.publish([RewardIssued(redemption_id, redemption.member_id, redemption.reward_id, redemption.points)])


def creation_failed(uow: UnitOfWork, message: OutboxMessage, error: Exception) -> None:
    """A definite refusal gives the points back. Anything else leaves them held and starts another round in an hour."""
    redemption = queries.redemption(uow, UUID(message.payload["redemption_id"]), lock=True)
    if redemption is None or redemption.status != "reserved":
        return
    if not isinstance(error, DiscountRefused):
        round_number = int(message.payload.get("round", 1)) + 1
        uow.outbox(
            CREATE,
            {"redemption_id": str(redemption.id), "round": round_number},
            key=f"{redemption.id}:{round_number}",
            not_before=uow.now + _NEXT_ROUND,
        )
        return
    reason = str(error.data.get("reason", "refused"))
    _settle(uow, redemption, "release", reason="reward_failed")
    _write(uow, redemption.id, status="failed", failure=reason)
    _record(uow, "reward.failed", redemption, "failed", reason=reason)
    uow.publish(
        [
            RewardFailed(
                redemption.id, redemption.member_id, redemption.reward_id, redemption.points, reason=reason
            )
        ]
    )


def mark_used(uow: UnitOfWork, orders: Mapping[str, int]) -> None:
    """Orders came in with discount codes: `orders` is Shopify's order id by code. Foreign codes are skipped."""
    if not orders:
        return
    fresh: dict[UUID, tuple[Redemption, int]] = {}
    for code, redemption in queries.by_codes(uow, orders).items():
        if redemption.used_order_id is None:
            fresh.setdefault(redemption.id, (redemption, orders[code]))
    for redemption, order_id in fresh.values():
        if redemption.status == "reserved":
            _spend(uow, redemption)
        elif redemption.status in ("cancelled", "failed"):
            _used_after_return(uow, redemption, order_id)
    if not fresh:
        return
    uow.execute(
        "UPDATE redemptions r SET status = 'used', failure = NULL, used_order_id = v.order_id, used_at = %(now)s,"
        " issued_at = coalesce(r.issued_at, %(now)s), updated_at = %(now)s"
        " FROM unnest(%(ids)s::uuid[], %(orders)s::bigint[]) AS v (id, order_id)"
        " WHERE r.shop_id = %(shop)s AND r.id = v.id",
        {
            "shop": uow.shop,
            "now": uow.now,
            "ids": list(fresh),
            "orders": [order_id for _, order_id in fresh.values()],
        },
    )
    compliance.record_many(
        uow,
        "reward.used",
        [
            Change(
                "redemption", str(one.id), {"status": one.status}, {"status": "used", "order_id": order_id}
            )
            for one, order_id in fresh.values()
        ],
    )
    uow.publish([RewardUsed(one.id, one.member_id, order_id) for one, order_id in fresh.values()])


def _used_after_return(uow: UnitOfWork, redemption: Redemption, order_id: int) -> None:
    """A checkout that was open while the code was taken back: the points are taken again as far as they are there."""
    try:
        points.spend(
            uow,
            redemption.member_id,
            redemption.points,
            key=f"redemption:{redemption.id}:used_after_return",
            reason="redemption",
            trace=_trace(redemption),
        )
        taken = redemption.points
    except InsufficientPoints:
        taken = 0
        log.warning("redemption %s was used after its points were given back", redemption.id)
    _record(uow, "reward.used_after_return", redemption, "used", order_id=order_id, points_taken=taken)


def cancel(uow: UnitOfWork, redemption_id: UUID) -> None:
    """Take an unused code back: it is switched off in the shop first, then the points return.

    Raises RedemptionNotFound, RedemptionNotCancellable.
    """
    redemption = queries.redemption(uow, redemption_id, lock=True)
    if redemption is None:
        raise RedemptionNotFound()
    if redemption.status != "issued" or redemption.cancelling:
        raise RedemptionNotCancellable(status=CANCELLING if redemption.cancelling else redemption.status)
    _write(uow, redemption_id, failure=CANCELLING)
    uow.outbox(DISABLE, {"redemption_id": str(redemption_id)}, key=f"{redemption_id}:{ids.new_id()}")
    _record(uow, "reward.cancel_requested", redemption, "issued")


def settle_cancelled(uow: UnitOfWork, redemption_id: UUID, *, was_used: bool) -> None:
    """The code is off. The points return unless Shopify counted a use, whose order is on its way to us."""
    redemption = queries.redemption(uow, redemption_id, lock=True)
    if redemption is None or not redemption.cancelling:
        return
    if was_used:
        _write(uow, redemption_id, status="used", used_at=uow.now, failure=None)
        _record(uow, "reward.used", redemption, "used")
        return
    _settle(uow, redemption, "restore", reason="reward_cancelled")
    _write(uow, redemption_id, status="cancelled", failure=None)
    _record(uow, "reward.cancelled", redemption, "cancelled")
    uow.publish([RewardCancelled(redemption_id, redemption.member_id, redemption.points)])


def disabling_failed(uow: UnitOfWork, message: OutboxMessage, error: Exception) -> None:
    """The code could not be switched off, so it stays issued and staff see that."""
    redemption = queries.redemption(uow, UUID(message.payload["redemption_id"]), lock=True)
    if redemption is None or not redemption.cancelling:
        return
    _write(uow, redemption.id, failure=CANCEL_FAILED)
    _record(uow, "reward.cancel_failed", redemption, "issued", reason=getattr(error, "code", "error"))


def _spend(uow: UnitOfWork, redemption: Redemption) -> None:
    if _settle(uow, redemption, "spend", reason="redemption") is None:
        raise RuntimeError(f"the hold of redemption {redemption.id} was ended by something else")


def _settle(uow: UnitOfWork, redemption: Redemption, step: str, *, reason: str) -> Entry | None:
    return points.settle(
        uow,
        redemption.hold_entry_id,
        step,
        key=f"redemption:{redemption.id}:{step}",
        reason=reason,
        trace=_trace(redemption),
    )


def _trace(redemption: Redemption) -> dict[str, Any]:
    """What the ledger needs to say which reward it was."""
    return {
        "redemption_id": str(redemption.id),
        "reward_id": str(redemption.reward_id),
        "reward_name": redemption.terms.name,
        "reward_names": redemption.terms.names,
    }


_COLUMNS = frozenset({"status", "failure", "discount_gid", "issued_at", "used_at"})


def _write(uow: UnitOfWork, redemption_id: UUID, **values: Any) -> None:
    assert values.keys() <= _COLUMNS
    assignments = ", ".join(f"{name} = %({name})s" for name in values)
    uow.execute(
        f"UPDATE redemptions SET {assignments}, updated_at = %(now)s WHERE shop_id = %(shop)s AND id = %(id)s",
        {**values, "shop": uow.shop, "id": redemption_id, "now": uow.now},
    )


def _record(uow: UnitOfWork, action: str, redemption: Redemption, status: str, **more: Any) -> None:
    compliance.record(
        uow,
        action,
        ("redemption", str(redemption.id)),
        {"status": redemption.status},
        {"status": status, **more},
    )
