"""Every SELECT of the storefront: four statements for a summary, whoever asks."""

from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork
from app.domains.storefront.schemas import Holder, Offer, Offered, Owned, View
from app.domains.tiers.schemas import Level

ENTRIES_SHOWN = 10
CODES_SHOWN = 20
EXPIRY_NOTICE = "45 days"
_CODE_PURPOSE = "redemptions.code"

_STANDING = """
SELECT s.currency, s.timezone, p.id AS program_id, p.name AS program_name, p.points_per_unit, p.signup_bonus,
  p.minimum_redemption,
  (SELECT coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name, 'names', t.names,
      'color', t.color, 'threshold_points', t.threshold_points, 'multiplier_bp', t.multiplier_bp)
      ORDER BY t.threshold_points), '[]')
    FROM tiers t WHERE t.shop_id = s.shop_id AND t.program_id = p.id AND p.type = 'tiered') AS ladder,
  m.id AS member_id, m.status, coalesce(a.available, 0) AS available, coalesce(a.pending, 0) AS pending,
  coalesce(a.debt, 0) AS debt, coalesce(a.qualifying, 0) AS qualifying, coalesce(a.seq, 0) AS seq,
  coalesce(e.expiring, 0) AS expiring, e.expires_at
FROM shops s
LEFT JOIN programs p ON p.shop_id = s.shop_id AND p.status = 'active'
LEFT JOIN members m ON m.shop_id = s.shop_id AND m.customer_id = %(customer)s
LEFT JOIN points_accounts a ON a.shop_id = m.shop_id AND a.member_id = m.id
LEFT JOIN LATERAL (
  SELECT l.expires_at, sum(l.remaining)::bigint AS expiring FROM points_lots l
  WHERE l.shop_id = m.shop_id AND l.member_id = m.id AND l.remaining > 0 AND NOT l.pending
    AND l.expires_at > %(now)s AND l.expires_at <= %(now)s::timestamptz + %(notice)s::interval
  GROUP BY l.expires_at ORDER BY l.expires_at LIMIT 1) e ON true
WHERE s.shop_id = %(shop)s
"""

_REWARDS = """
SELECT r.id, r.name, r.names, r.description, r.points_cost, r.minimum_subtotal_minor, r.valid_days,
  r.per_member_limit,
  CASE WHEN r.per_member_limit IS NULL OR %(member)s::uuid IS NULL THEN 0 ELSE
    (SELECT count(*) FROM redemptions d WHERE d.shop_id = r.shop_id AND d.member_id = %(member)s
      AND d.reward_id = r.id AND d.status IN ('reserved', 'issued', 'used')) END AS uses
FROM rewards r WHERE r.shop_id = %(shop)s AND r.program_id = %(program)s AND r.status = 'active'
ORDER BY r.position, r.points_cost, r.id LIMIT 50
"""

_REDEMPTION = """
SELECT d.id, d.status, d.terms, d.code_sealed, d.expires_at FROM redemptions d
"""

_ENTRIES = """
SELECT id, kind, points, moved, reason, trace, created_at FROM points_entries
WHERE shop_id = %(shop)s AND member_id = %(member)s AND points <> 0 ORDER BY seq DESC LIMIT %(limit)s
"""


def view(uow: UnitOfWork, customer_id: int | None) -> View:
    """What a shopper (None: a guest) may see. Four statements at most."""
    row = _standing(uow, customer_id)
    offer, holder = _offer(row), _holder(row)
    if offer is None or (holder and holder.status != "active"):
        return View(offer, holder, [], [], [])
    rewards = _rewards(uow, offer.program_id, holder.id if holder else None)
    if holder is None:
        return View(offer, None, rewards, [], [])
    parameters = {"shop": uow.shop, "member": holder.id, "now": uow.now}
    owned = uow.all(
        _REDEMPTION
        + " WHERE d.shop_id = %(shop)s AND d.member_id = %(member)s AND d.status IN ('reserved', 'issued')"
        " AND (d.expires_at IS NULL OR d.expires_at > %(now)s) ORDER BY d.created_at DESC LIMIT %(limit)s",
        parameters | {"limit": CODES_SHOWN},
    )
    entries = uow.all(_ENTRIES, parameters | {"limit": ENTRIES_SHOWN})
    return View(offer, holder, rewards, [_owned(uow, one) for one in owned], entries)


def catalog(uow: UnitOfWork) -> tuple[Offer | None, list[Offered]]:
    """The active program and its rewards, for nobody in particular."""
    offer = _offer(_standing(uow, None))
    return offer, _rewards(uow, offer.program_id, None) if offer else []


def redemption(uow: UnitOfWork, customer_id: int, redemption_id: UUID) -> Owned | None:
    """A redemption, only when it is this customer's."""
    row = uow.one(
        _REDEMPTION + " JOIN members m ON m.shop_id = d.shop_id AND m.id = d.member_id"
        " WHERE d.shop_id = %(shop)s AND d.id = %(id)s AND m.customer_id = %(customer)s",
        {"shop": uow.shop, "id": redemption_id, "customer": customer_id},
    )
    return _owned(uow, row) if row else None


def _standing(uow: UnitOfWork, customer_id: int | None) -> dict[str, Any]:
    row = uow.one(
        _STANDING,
        {
            "shop": uow.shop,
            "customer": customer_id,
            "now": uow.now,
            "notice": EXPIRY_NOTICE,
        },
    )
    assert row is not None
    return row


def _offer(row: dict[str, Any]) -> Offer | None:
    if row["program_id"] is None:
        return None
    return Offer(
        currency=row["currency"],
        timezone=row["timezone"],
        program_id=row["program_id"],
        program_name=row["program_name"],
        points_per_unit=row["points_per_unit"],
        signup_bonus=row["signup_bonus"],
        minimum_redemption=row["minimum_redemption"],
        ladder=tuple(Level(**(level | {"id": UUID(level["id"])})) for level in row["ladder"]),
    )


def _holder(row: dict[str, Any]) -> Holder | None:
    if row["member_id"] is None:
        return None
    return Holder(
        id=row["member_id"],
        status=row["status"],
        available=row["available"],
        pending=row["pending"],
        debt=row["debt"],
        qualifying=row["qualifying"],
        seq=row["seq"],
        expiring=row["expiring"],
        expires_at=row["expires_at"],
    )


def _rewards(uow: UnitOfWork, program_id: UUID, member_id: UUID | None) -> list[Offered]:
    rows = uow.all(_REWARDS, {"shop": uow.shop, "program": program_id, "member": member_id})
    return [Offered(**row) for row in rows]


def _owned(uow: UnitOfWork, row: dict[str, Any]) -> Owned:
    works = row["status"] in ("issued", "used")
    return Owned(
        id=row["id"],
        status=row["status"],
        names=row["terms"].get("names") or {},
        name=row["terms"]["name"],
        code=uow.unseal(row["code_sealed"], _CODE_PURPOSE) if works else None,
        expires_at=row["expires_at"],
    )
