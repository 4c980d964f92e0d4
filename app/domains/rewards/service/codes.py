"""The life of a code after the redemption was stored: issued, refused, used by an order, taken back.

At any time either the code exists and the points are gone, or neither; while Shopify's answer is unknown the points
stay held and the work is tried again.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from app.core import ids, outbox
from app.core.db import UnitOfWork
from app.core.outbox import OutboxMessage
from app.domains.compliance import service as compliance
from app.domains.compliance.schemas import Change
from app.domains.points import service as points
from app.domains.points.errors import InsufficientPoints
from app.domains.points.schemas import Entry
from app.domains.rewards import queries, rules
from app.domains.rewards.errors import (
    DiscountRefused,
    NotFulfillable,
    RedemptionNotCancellable,
    RedemptionNotFound,
)
from app.domains.rewards.events import CodeRequested, RewardCancelled, RewardFailed, RewardIssued, RewardUsed
from app.domains.rewards.schemas import CANCEL_FAILED, CANCELLING, DISCOUNTS, UNASKED, Ending, Redemption

log = logging.getLogger(__name__)

CREATE = "rewards.create_discount"
DISABLE = "rewards.disable_discount"
_NOTHING: Mapping[int, int] = MappingProxyType({})
_NEXT_ROUND = timedelta(hours=1)
# A checkout that began in time may still place its order a little later.
_LAST_CHECKOUTS = timedelta(hours=1)
_RETURNED: dict[str, str] = {
    "staff": "reward_cancelled",
    "member": "reward_cancelled",
    "expired": "reward_expired",
    "order_canceled": "reward_order_canceled",
}


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
    if redemption.kind == "store_credit":
        # It is in the member's account, so there is nothing left to use.
        _write(uow, redemption_id, status="used", used_at=uow.now)
    _record(uow, "reward.issued", redemption, "issued")
    uow.publish([RewardIssued(redemption_id, redemption.member_id, redemption.reward_id, redemption.points)])
    if redemption.failure == CANCELLING:
        cancel(uow, redemption_id)
    elif redemption.channel in UNASKED:
        uow.publish([CodeRequested(redemption_id, redemption.member_id)])


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
    _give_piece_back(uow, redemption)
    _write(uow, redemption.id, status="failed", failure=reason)
    _record(uow, "reward.failed", redemption, "failed", reason=reason)
    uow.publish(
        [
            RewardFailed(
                redemption.id, redemption.member_id, redemption.reward_id, redemption.points, reason=reason
            )
        ]
    )


def mark_used(uow: UnitOfWork, orders: Mapping[str, int], goods: Mapping[int, int] = _NOTHING) -> None:
    """Orders came in with discount codes: `orders` is Shopify's order id by code. Foreign codes are skipped.

    `goods` is what the goods of an order cost after discounts, in minor units: a percentage costs what it took off them,
    unless staff said what one costs.
    """
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
        " issued_at = coalesce(r.issued_at, %(now)s), updated_at = %(now)s,"
        " cost_minor = coalesce(nullif(r.cost_minor, 0), v.cost, 0)"
        " FROM unnest(%(ids)s::uuid[], %(orders)s::bigint[], %(costs)s::bigint[]) AS v (id, order_id, cost)"
        " WHERE r.shop_id = %(shop)s AND r.id = v.id",
        {
            "shop": uow.shop,
            "now": uow.now,
            "ids": list(fresh),
            "orders": [order_id for _, order_id in fresh.values()],
            "costs": [
                rules.discounted(one.terms, goods.get(order_id, 0)) for one, order_id in fresh.values()
            ],
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
    if not redemption.points:
        return
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


def cancel(
    uow: UnitOfWork, redemption_id: UUID, *, ending: Ending = "staff", member_id: UUID | None = None
) -> Redemption:
    """Take an unused reward back: it is switched off in Shopify first, then the points return.

    A reward that staff hand over is released at once. With `member_id` only that member's, and only codes that can be
    switched off again. Raises RedemptionNotFound, RedemptionNotCancellable.
    """
    redemption = queries.redemption(uow, redemption_id, lock=True)
    if redemption is None or member_id not in (None, redemption.member_id):
        raise RedemptionNotFound()
    if not cancellable(redemption, by_member=ending == "member"):
        raise RedemptionNotCancellable(status=CANCELLING if redemption.cancelling else redemption.status)
    if redemption.kind == "custom":
        _settle(uow, redemption, "release", reason="reward_cancelled")
        _close(uow, redemption, ending)
    else:
        _take_back(uow, [(redemption, ending)])
    return redemption


def cancellable(redemption: Redemption, *, by_member: bool = False) -> bool:
    """Whether a redemption can still be taken back."""
    if redemption.kind == "custom":
        return redemption.status == "reserved"
    kinds = DISCOUNTS if by_member else (*DISCOUNTS, "gift_card", "exclusive_access")
    return redemption.kind in kinds and redemption.status == "issued" and not redemption.cancelling


def _take_back(uow: UnitOfWork, redemptions: Sequence[tuple[Redemption, Ending]]) -> None:
    """Note why each is taken back and leave the switching off to the outbox."""
    uow.execute(
        "UPDATE redemptions r SET failure = %(waiting)s, ending = v.ending, updated_at = %(now)s"
        " FROM unnest(%(ids)s::uuid[], %(endings)s::text[]) AS v (id, ending)"
        " WHERE r.shop_id = %(shop)s AND r.id = v.id",
        {
            "shop": uow.shop,
            "now": uow.now,
            "waiting": CANCELLING,
            "ids": [one.id for one, _ in redemptions],
            "endings": [ending for _, ending in redemptions],
        },
    )
    outbox.put_many(
        uow, DISABLE, [(f"{one.id}:{ids.new_id()}", {"redemption_id": str(one.id)}) for one, _ in redemptions]
    )
    compliance.record_many(
        uow,
        "reward.cancel_requested",
        [
            Change("redemption", str(one.id), {"status": one.status}, {"status": one.status, "why": ending})
            for one, ending in redemptions
        ],
    )


def sweep_lapsed(uow: UnitOfWork, limit: int) -> int:
    """Unused codes past their date are switched off for certain, then points return where the reward says so.

    Access that is over loses its tag; a gift card that is over is only noted. Out: how many were found.
    """
    before = uow.now - _LAST_CHECKOUTS
    found = queries.lapsed(uow, before, limit)
    lapsed = [one for one in found if one.kind in (*DISCOUNTS, "exclusive_access")]
    if lapsed:
        _take_back(uow, [(one, "expired") for one in lapsed])
    for one in found:
        if one.kind == "gift_card":
            _write(uow, one.id, status="expired", ending="expired", failure=None)
    return len(found)


def orders_were_canceled(uow: UnitOfWork, order_ids: Sequence[int]) -> None:
    """Orders that used codes were canceled: the codes do not work again, so the points return where the reward says so."""
    found = queries.used_by_orders(uow, order_ids)
    due = [
        one for one in found if one.kind in DISCOUNTS and one.terms.returns_canceled and not one.cancelling
    ]
    if due:
        _take_back(uow, [(one, "order_canceled") for one in due])


def settle_cancelled(uow: UnitOfWork, redemption_id: UUID, *, was_used: bool) -> None:
    """It is off. The points return unless it was used, or its time was over and the reward keeps them."""
    redemption = queries.redemption(uow, redemption_id, lock=True)
    if redemption is None or not redemption.cancelling:
        return
    ending = redemption.ending or "staff"
    over = ending == "expired"
    if (was_used and ending != "order_canceled") or (over and redemption.kind == "exclusive_access"):
        _write(uow, redemption_id, status="used", used_at=uow.now, failure=None, ending=None)
        _record(uow, "reward.used", redemption, "used")
    elif over and not (redemption.points and redemption.terms.returns_expired):
        _write(uow, redemption_id, status="expired", failure=None)
        _record(uow, "reward.expired", redemption, "expired")
    else:
        _settle(uow, redemption, "restore", reason=_RETURNED[ending])
        _close(uow, redemption, ending)


def _close(uow: UnitOfWork, redemption: Redemption, ending: Ending) -> None:
    """The points are back: say so everywhere."""
    _give_piece_back(uow, redemption)
    _write(uow, redemption.id, status="cancelled", failure=None, ending=ending)
    _record(uow, "reward.cancelled", redemption, "cancelled", why=ending)
    uow.publish([RewardCancelled(redemption.id, redemption.member_id, redemption.points, reason=ending)])


def _give_piece_back(uow: UnitOfWork, redemption: Redemption) -> None:
    if not redemption.stocked:
        return
    uow.execute(
        "UPDATE rewards SET stock_taken = greatest(stock_taken - 1, 0) WHERE shop_id = %(shop)s AND id = %(id)s",
        {"shop": uow.shop, "id": redemption.reward_id},
    )
    _write(uow, redemption.id, stocked=False)


def fulfill(uow: UnitOfWork, redemption_id: UUID) -> Redemption:
    """Staff handed the reward over: the held points are spent. Raises RedemptionNotFound, NotFulfillable."""
    redemption = queries.redemption(uow, redemption_id, lock=True)
    if redemption is None:
        raise RedemptionNotFound()
    if redemption.kind != "custom" or redemption.status != "reserved":
        raise NotFulfillable(status=redemption.status)
    _spend(uow, redemption)
    _write(uow, redemption_id, status="used", issued_at=uow.now, used_at=uow.now, failure=None)
    _record(uow, "reward.fulfilled", redemption, "used")
    uow.publish([RewardIssued(redemption_id, redemption.member_id, redemption.reward_id, redemption.points)])
    return redemption


def disabling_failed(uow: UnitOfWork, message: OutboxMessage, error: Exception) -> None:
    """The code could not be switched off, so it stays issued and staff see that."""
    redemption = queries.redemption(uow, UUID(message.payload["redemption_id"]), lock=True)
    if redemption is None or not redemption.cancelling:
        return
    _write(uow, redemption.id, failure=CANCEL_FAILED)
    _record(
        uow, "reward.cancel_failed", redemption, redemption.status, reason=getattr(error, "code", "error")
    )


def _spend(uow: UnitOfWork, redemption: Redemption) -> None:
    if redemption.points and _settle(uow, redemption, "spend", reason="redemption") is None:
        raise RuntimeError(f"the hold of redemption {redemption.id} was ended by something else")


def _settle(uow: UnitOfWork, redemption: Redemption, step: str, *, reason: str) -> Entry | None:
    """Move the points that the redemption cost; a coupon that was given cost none."""
    if redemption.hold_entry_id is None:
        return None
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


_COLUMNS = frozenset({"status", "failure", "discount_gid", "issued_at", "used_at", "ending", "stocked"})


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
