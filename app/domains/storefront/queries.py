"""Every SELECT of the storefront: four statements for a summary, whoever asks, beside what points say of counts."""

from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork
from app.domains.rewards.schemas import CANCELLING, CODE_KINDS, DISCOUNTS
from app.domains.storefront.schemas import Holder, Offer, Offered, Owned, View
from app.domains.tiers.schemas import Level

ENTRIES_SHOWN = 10
CODES_SHOWN = 20
EXPIRY_NOTICE = "45 days"
_CODE_PURPOSE = "redemptions.code"

_COUNTING = (
    '$[*] ? (!(@.enabled == false) && (@.kind == "goal_spend" || (@.kind == "purchase"'
    ' && (@.per == "spend_step" || @.per == "stamp_order" || @.per == "stamp_item"))))'
)
_STANDING = """
SELECT s.currency, s.timezone, p.id AS program_id, p.name AS program_name, p.points_per_unit, p.signup_bonus, p.type, p.step,
  p.minimum_redemption, p.type IN ('punch_card', 'spend_based') OR p.rules @? %(counting)s::jsonpath AS counts,
  p.rules, pause.pause_notes, s.brand,
  (SELECT coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name, 'names', t.names,
      'color', t.color, 'threshold', t.threshold, 'multiplier_bp', t.multiplier_bp, 'gift_reward_id', t.gift_reward_id,
      'gift_every', t.gift_every, 'early_days', t.early_days) ORDER BY t.threshold), '[]')
    FROM tiers t WHERE t.shop_id = l.shop_id AND t.ladder_id = l.id) AS ladder, coalesce(l.metric, 'points') AS metric,
  mt.tier_id, mt.ends_at AS tier_ends_at, mt.locked_until AS tier_locked_until,
  CASE WHEN l.metric = 'points' THEN coalesce(a.qualifying, 0) - coalesce(mt.base, 0) ELSE coalesce(mt.value, 0) END
    AS tier_value,
  m.id AS member_id, m.status, coalesce(a.available, 0) AS available, coalesce(a.pending, 0) AS pending,
  coalesce(a.debt, 0) AS debt, coalesce(a.qualifying, 0) AS qualifying, coalesce(a.seq, 0) AS seq,
  coalesce(e.expiring, 0) AS expiring, e.expires_at, m.email_proven AND EXISTS (SELECT 1 FROM members g
    WHERE g.shop_id = m.shop_id AND g.status = 'guest' AND g.email_index = m.email_index) AS claims_guest
FROM shops s
LEFT JOIN programs p ON p.shop_id = s.shop_id AND p.status = 'active'
LEFT JOIN members c ON c.shop_id = s.shop_id AND c.customer_id = %(customer)s
LEFT JOIN members m ON m.shop_id = c.shop_id AND m.id = coalesce(c.merged_into, c.id)
LEFT JOIN points_accounts a ON a.shop_id = m.shop_id AND a.member_id = m.id
LEFT JOIN tier_ladders l ON l.shop_id = p.shop_id AND l.program_id = p.id AND l.main AND l.active AND p.type = 'tiered'
LEFT JOIN member_tiers mt ON mt.shop_id = m.shop_id AND mt.member_id = m.id AND mt.ladder_id = l.id
LEFT JOIN LATERAL (SELECT w.pause_notes FROM programs w WHERE w.shop_id = s.shop_id AND w.status = 'paused'
  ORDER BY w.updated_at DESC, w.id LIMIT 1) pause ON p.id IS NULL
LEFT JOIN LATERAL (
  SELECT l.expires_at, sum(l.remaining)::bigint AS expiring FROM points_lots l
  WHERE l.shop_id = m.shop_id AND l.member_id = m.id AND l.remaining > 0 AND NOT l.pending
    AND l.expires_at > %(now)s AND l.expires_at <= %(now)s::timestamptz + %(notice)s::interval
  GROUP BY l.expires_at ORDER BY l.expires_at LIMIT 1) e ON true
WHERE s.shop_id = %(shop)s
"""

# Of a large catalog those come first that the member could have; what is shown keeps the order of the catalog.
_REWARDS = """
SELECT r.id, r.name, r.names, r.description, r.descriptions, r.points_cost, r.minimum_subtotal_minor, r.valid_days,
  r.per_member_limit, r.conditions, r.image_url, r.tiers, r.kind, r.value_minor, r.least_points, r.most_points,
  s.for_other_tiers, s.sold_out,
  CASE WHEN r.per_member_limit IS NULL OR %(member)s::uuid IS NULL THEN 0 ELSE
    (SELECT count(*) FROM redemptions d WHERE d.shop_id = r.shop_id AND d.member_id = %(member)s
      AND (r.limit_days IS NULL OR d.created_at > %(now)s::timestamptz - make_interval(days => r.limit_days))
      AND d.reward_id = r.id AND d.status IN ('reserved', 'issued', 'used', 'expired')) END AS uses
FROM (SELECT v.* FROM (
    SELECT r.shop_id, r.id, r.position, r.points_cost, r.stock IS NOT NULL AND r.stock_taken >= r.stock AS sold_out,
      cardinality(r.tiers) > 0 AND %(member)s::uuid IS NOT NULL AND NOT EXISTS (SELECT 1 FROM member_tiers t
        WHERE t.shop_id = r.shop_id AND t.member_id = %(member)s AND t.tier_id = ANY(r.tiers)) AS for_other_tiers
    FROM rewards r WHERE r.shop_id = %(shop)s AND r.program_id = %(program)s AND r.status = 'active'
      AND (r.starts_at IS NULL OR r.starts_at <= %(now)s::timestamptz + make_interval(days => %(early)s))
      AND (r.ends_at IS NULL OR r.ends_at > %(now)s)
      AND (cardinality(r.segments) = 0 OR EXISTS (SELECT 1 FROM segment_members g
        WHERE g.shop_id = r.shop_id AND g.member_id = %(member)s AND g.segment_id = ANY(r.segments)))) v
  ORDER BY v.sold_out OR v.for_other_tiers, v.position, v.points_cost, v.id LIMIT 50) s
JOIN rewards r ON r.shop_id = s.shop_id AND r.id = s.id
ORDER BY r.position, r.points_cost, r.id
"""

_REDEMPTION = """
SELECT d.id, d.status, d.failure, d.points, d.terms, d.code_sealed, d.expires_at FROM redemptions d
"""

_ENTRIES = """
SELECT id, kind, points, moved, waived, reason, trace, created_at FROM points_entries
WHERE shop_id = %(shop)s AND member_id = %(member)s AND points <> 0 ORDER BY seq DESC LIMIT %(limit)s
"""


def view(uow: UnitOfWork, customer_id: int | None, previewed: UUID | None = None) -> View:
    """What a shopper (None: a guest) may see. Four statements at most.

    Of a program that is `previewed` instead of the active one, draft rewards are seen too.
    """
    row = _standing(uow, customer_id, previewed)
    offer, holder = _offer(row), _holder(row)
    if offer is None or (holder and holder.status != "active"):
        return View(offer, holder, [], [], [], row["pause_notes"] or {})
    rewards = _rewards(
        uow,
        offer.program_id,
        holder.id if holder else None,
        _early_days(offer, holder),
        drafts=bool(previewed),
    )
    if holder is None:
        return View(offer, None, rewards, [], [])
    parameters = {"shop": uow.shop, "member": holder.id, "now": uow.now}
    owned = uow.all(
        _REDEMPTION
        + " WHERE d.shop_id = %(shop)s AND d.member_id = %(member)s AND d.status IN ('reserved', 'issued')"
        " AND d.terms ->> 'kind' NOT IN ('store_credit', 'exclusive_access', 'custom')"
        " AND (d.expires_at IS NULL OR d.expires_at > %(now)s) ORDER BY d.created_at DESC LIMIT %(limit)s",
        parameters | {"limit": CODES_SHOWN},
    )
    entries = uow.all(_ENTRIES, parameters | {"limit": ENTRIES_SHOWN})
    return View(offer, holder, rewards, [_owned(uow, one) for one in owned], entries)


def catalog(uow: UnitOfWork) -> tuple[Offer | None, list[Offered]]:
    """The active program and its rewards, for nobody in particular."""
    offer = _offer(_standing(uow, None))
    return offer, _rewards(uow, offer.program_id, None, 0) if offer else []


def redemption(uow: UnitOfWork, customer_id: int, redemption_id: UUID, *, lock: bool = False) -> Owned | None:
    """A redemption, only when it is this customer's; `lock` keeps others from changing it."""
    row = uow.one(
        _REDEMPTION + " JOIN members m ON m.shop_id = d.shop_id AND m.id = d.member_id"
        " WHERE d.shop_id = %(shop)s AND d.id = %(id)s AND m.customer_id = %(customer)s"
        + (" FOR UPDATE OF d" if lock else ""),
        {"shop": uow.shop, "id": redemption_id, "customer": customer_id},
    )
    return _owned(uow, row) if row else None


def _standing(uow: UnitOfWork, customer_id: int | None, previewed: UUID | None = None) -> dict[str, Any]:
    row = uow.one(
        _STANDING if previewed is None else _STANDING.replace("p.status = 'active'", "p.id = %(previewed)s"),
        {
            "shop": uow.shop,
            "customer": customer_id,
            "now": uow.now,
            "notice": EXPIRY_NOTICE,
            "counting": _COUNTING,
            "previewed": previewed,
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
        names=row["brand"].get("names", {}),
        points_per_unit=row["points_per_unit"],
        signup_bonus=row["signup_bonus"],
        type=row["type"],
        step=row["step"],
        minimum_redemption=row["minimum_redemption"],
        ladder=tuple(_level(one) for one in row["ladder"] or []),
        metric=row["metric"],
        counts=row["counts"],
        rules=tuple(row["rules"] or ()),
    )


def _level(kept: dict[str, Any]) -> Level:
    gift = UUID(kept["gift_reward_id"]) if kept["gift_reward_id"] else None
    return Level(**kept | {"id": UUID(kept["id"]), "gift_reward_id": gift})


def _early_days(offer: Offer, holder: Holder | None) -> int:
    """How many days before others the member's tier sees rewards."""
    if holder is None:
        return 0
    return next((one.early_days for one in offer.ladder if one.id == holder.tier_id), 0)


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
        claims_guest=bool(row["claims_guest"]),
        tier_id=row["tier_id"],
        tier_value=row["tier_value"],
        tier_ends_at=row["tier_ends_at"],
        tier_locked_until=row["tier_locked_until"],
    )


def _rewards(
    uow: UnitOfWork, program_id: UUID, member_id: UUID | None, early_days: int, *, drafts: bool = False
) -> list[Offered]:
    rows = uow.all(
        _REWARDS.replace("r.status = 'active'", "r.status IN ('active', 'draft')") if drafts else _REWARDS,
        {
            "shop": uow.shop,
            "program": program_id,
            "member": member_id,
            "now": uow.now,
            "early": early_days,
        },
    )
    return [Offered(**row) for row in rows]


def _owned(uow: UnitOfWork, row: dict[str, Any]) -> Owned:
    returning = row["status"] in ("issued", "used") and row["failure"] == CANCELLING
    kind = row["terms"]["kind"]
    works = row["status"] in ("issued", "used") and kind in CODE_KINDS and not returning
    return Owned(
        id=row["id"],
        status=row["status"],
        names=row["terms"].get("names") or {},
        name=row["terms"]["name"],
        code=uow.unseal(row["code_sealed"], _CODE_PURPOSE) if works else None,
        expires_at=row["expires_at"],
        points=row["points"],
        returning=returning,
        returnable=row["status"] == "issued" and kind in DISCOUNTS and row["points"] > 0 and not returning,
    )
