"""Deciding about rewards: what a form means, who may redeem, what the code is and what Shopify is asked for."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core import money
from app.core.errors import LoyalNestError
from app.core.i18n import mark
from app.domains.rewards.errors import (
    BelowMinimumRedemption,
    InvalidAmount,
    LimitReachedForMember,
    MemberCannotRedeem,
    MemberWithoutCustomer,
    NotInSegment,
    OutOfStock,
    ProgramNotActive,
    RewardNotYet,
    RewardOver,
    RewardRetired,
    TierTooLow,
)
from app.domains.rewards.schemas import DISCOUNTS, RewardForm, Terms

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE_LETTERS = 12
_VARIANT = re.compile(r"(?:gid://shopify/ProductVariant/)?(\d{1,19})")
# Shopify's clock may be behind ours; a code that starts in its future would not work at once.
_HEAD_START = timedelta(minutes=5)
# A credit that Shopify's clock dates before the redemption can still be ours.
_CLOCKS_APART = timedelta(seconds=10)
_COMBINES = {"order": "orderDiscounts", "product": "productDiscounts", "shipping": "shippingDiscounts"}
_NEEDS_NAME = mark("Enter a name in your shop's language.")
_NEEDS_AMOUNT = mark("Enter how much it is worth.")
_NEEDS_PERCENT = mark("Enter how many percent are taken off.")
_NEEDS_VARIANT = mark("Choose the product that is given.")
_NEEDS_TAG = mark("Enter the customer tag that opens the door.")
_NEEDS_DAYS = mark("Enter for how many days the access lasts.")
_NEEDS_STEPS = mark("Enter a multiple of the points per step.")
_MOST_BELOW = mark("The most must not be below the least.")
_ENDS_BEFORE = mark("The last day must not be before the first.")
_HAVE_AMOUNT = ("amount_off", "free_shipping", "any_amount", "gift_card", "store_credit")
_DECIMALS = mark("Amounts in {currency} have at most {decimals} decimals.")

# The three rewards of a new shop. At ten points per unit each gives a tenth back.
DEFAULTS: tuple[tuple[str, int, dict[str, Decimal]], ...] = (
    ("free_shipping", 300, {}),
    ("amount_off", 500, {"amount": Decimal(5)}),
    ("percentage_off", 1000, {"percent": Decimal(10)}),
)


_NO_TIME = timedelta(0)
_WHOLE = 10_000


@dataclass(frozen=True)
class Offer:
    """What a reward says about who may have it, and when."""

    status: str
    starts_at: datetime | None
    ends_at: datetime | None
    tiers: tuple[UUID, ...]
    segments: tuple[UUID, ...]
    stock: int | None
    stock_taken: int
    limit: int | None


@dataclass(frozen=True)
class Asking:
    """Everything that decides whether a member may redeem a reward, besides the points themselves.

    `uses` counts the member's redemptions within the reward's period, `tier_id` is where the member stands,
    `segments` what they are in, `early` how
    long before others their tier has rewards.
    """

    offer: Offer
    now: datetime
    program_active: bool
    member_active: bool
    customer_id: int | None
    tier_id: UUID | None
    segments: frozenset[UUID]
    uses: int
    available: int
    minimum_redemption: int
    early: timedelta = _NO_TIME


def check(asking: Asking) -> None:
    """Raise why the member may not redeem; nothing when they may."""
    refused = closed(asking.offer, asking.now, asking.early)
    if refused:
        raise refused
    if not asking.program_active:
        raise ProgramNotActive()
    if not asking.member_active:
        raise MemberCannotRedeem()
    if asking.customer_id is None:
        raise MemberWithoutCustomer()
    refused = closed_to(asking.offer, asking.tier_id, asking.segments, asking.uses)
    if refused:
        raise refused
    if asking.available < asking.minimum_redemption:
        raise BelowMinimumRedemption(minimum=asking.minimum_redemption, available=asking.available)


def closed(offer: Offer, now: datetime, early: timedelta = _NO_TIME) -> LoyalNestError | None:
    """Why nobody can have the reward at that moment; None when it is on offer, to some members `early` before others."""
    if offer.status != "active":
        return RewardRetired()
    if offer.starts_at is not None and now < offer.starts_at - early:
        return RewardNotYet()
    if offer.ends_at is not None and now >= offer.ends_at:
        return RewardOver()
    if offer.stock is not None and offer.stock_taken >= offer.stock:
        return OutOfStock()
    return None


def closed_to(
    offer: Offer, tier_id: UUID | None, segments: frozenset[UUID], uses: int
) -> LoyalNestError | None:
    """Why this member cannot have it; None when they can."""
    if offer.tiers and tier_id not in offer.tiers:
        return TierTooLow()
    if offer.segments and not segments.intersection(offer.segments):
        return NotInSegment()
    if offer.limit is not None and uses >= offer.limit:
        return LimitReachedForMember(limit=offer.limit)
    return None


def price(kind: str, points_cost: int, least: int | None, most: int | None, chosen: int | None) -> int:
    """How many points a redemption takes. A slider takes what the member chose, in whole steps within its limits.

    Raises InvalidAmount.
    """
    if kind != "any_amount":
        if chosen is not None and chosen != points_cost:
            raise InvalidAmount(least=points_cost, most=points_cost, step=points_cost)
        return points_cost
    least, most = least or points_cost, most or points_cost
    if chosen is None or not least <= chosen <= most or chosen % points_cost:
        raise InvalidAmount(least=least, most=most, step=points_cost)
    return chosen


def worth(kind: str, value_minor: int | None, points_cost: int, points: int) -> int | None:
    """What a redemption takes off or gives, in minor units; a slider gives its step's worth for every step."""
    if kind == "any_amount" and value_minor is not None:
        return value_minor * (points // points_cost)
    return value_minor


def cost(kind: str, cost_minor: int | None, value_minor: int | None, points_cost: int, points: int) -> int:
    """What a redemption costs the shop, in minor units: as staff say (a slider: per step), else what it is worth."""
    if cost_minor is not None:
        return cost_minor * (points // points_cost if kind == "any_amount" else 1)
    return worth(kind, value_minor, points_cost, points) or 0 if kind != "free_shipping" else 0


def discounted(terms: Terms, goods_minor: int) -> int | None:
    """What a percentage took off an order whose goods cost so much after it; None for what an order does not decide."""
    if terms.kind != "percentage_off" or not terms.percent_bp or terms.percent_bp >= _WHOLE:
        return None
    return (goods_minor * terms.percent_bp + (_WHOLE - terms.percent_bp) // 2) // (_WHOLE - terms.percent_bp)


def refusals(form: RewardForm, currency: str, language: str) -> dict[str, str]:
    """What a form lacks or contradicts, a marked sentence by field. Required fields may be None, of which nothing is said."""
    fields: dict[str, str] = {}
    if getattr(form.names, language) is None:
        fields[f"names.{language}"] = _NEEDS_NAME
    for name in ("amount", "minimum_subtotal", "cost"):
        value = getattr(form, name)
        if value is not None and value != round(value, money.exponent(currency)):
            fields[name] = _DECIMALS
    fields |= _missing(form, variant_gid(form.variant))
    if form.starts_on and form.ends_on and form.ends_on < form.starts_on:
        fields["ends_on"] = _ENDS_BEFORE
    return fields


def columns(form: RewardForm, currency: str, language: str, timezone: str) -> dict[str, Any]:
    """The stored values of a form, only those that the kind uses. `language` and `timezone` are the shop's.

    The form has nothing that `refusals` names.
    """
    names = form.names.model_dump(exclude_none=True)
    descriptions = form.descriptions.model_dump(exclude_none=True)
    kind = form.kind
    slider = kind == "any_amount"
    discount_kind = kind in DISCOUNTS
    return {
        "name": names[language],
        "names": names,
        "description": descriptions.get(language, ""),
        "descriptions": descriptions,
        "conditions": form.conditions.model_dump(exclude_none=True),
        "image_url": form.image_url,
        "kind": kind,
        "points_cost": form.points_cost,
        "value_minor": _minor(form.amount, currency) if kind in _HAVE_AMOUNT else None,
        "percent_bp": int(form.percent * 100) if kind == "percentage_off" and form.percent else None,
        "variant_gid": variant_gid(form.variant) if kind == "free_product" else None,
        "least_points": form.least_points if slider else None,
        "most_points": form.most_points if slider else None,
        "access_tag": form.access_tag.strip() if kind == "exclusive_access" else "",
        "minimum_subtotal_minor": _minor(form.minimum_subtotal, currency) if discount_kind else None,
        "valid_days": form.valid_days if kind != "custom" else None,
        "per_member_limit": form.per_member_limit,
        "limit_days": form.limit_days if form.per_member_limit else None,
        "stock": form.stock,
        "tiers": sorted(set(form.tiers)),
        "segments": sorted(set(form.segments)),
        "starts_at": _day_start(form.starts_on, timezone),
        "ends_at": _day_start(form.ends_on + timedelta(days=1), timezone) if form.ends_on else None,
        "cost_minor": _minor(form.cost, currency),
        "returns_expired": form.returns_expired,
        "returns_canceled": form.returns_canceled,
        "combines_with": combinable(kind, form.combines_with) if discount_kind else [],
        "code_prefix": form.code_prefix.upper(),
        "position": form.position,
    }


def _missing(form: RewardForm, gid: str | None) -> dict[str, str]:
    """What the kind needs and the form lacks, by field."""
    fields: dict[str, str] = {}
    if form.kind in _HAVE_AMOUNT and form.kind != "free_shipping" and form.amount is None:
        fields["amount"] = _NEEDS_AMOUNT
    if form.kind == "percentage_off" and form.percent is None:
        fields["percent"] = _NEEDS_PERCENT
    if form.kind == "free_product" and gid is None:
        fields["variant"] = _NEEDS_VARIANT
    if form.kind == "exclusive_access":
        if not form.access_tag.strip():
            fields["access_tag"] = _NEEDS_TAG
        if form.valid_days is None:
            fields["valid_days"] = _NEEDS_DAYS
    if form.kind == "any_amount":
        for name in ("least_points", "most_points"):
            value = getattr(form, name)
            if value is None or (form.points_cost and value % form.points_cost):
                fields[name] = _NEEDS_STEPS
        if not fields and (form.least_points or 0) > (form.most_points or 0):
            fields["most_points"] = _MOST_BELOW
    return fields


def _day_start(day: date | None, timezone: str) -> datetime | None:
    return datetime.combine(day, time(0), ZoneInfo(timezone)) if day else None


def day(moment: datetime | None, timezone: str, *, before: bool = False) -> date | None:
    """The shop's day of an instant; with `before` the last day that ends there."""
    if moment is None:
        return None
    return (moment - timedelta(seconds=1) if before else moment).astimezone(ZoneInfo(timezone)).date()


def combinable(kind: str, classes: list[Any]) -> list[str]:
    """The discount classes this kind can be combined with, in a fixed order; free shipping never adds to itself."""
    return [
        name for name in _COMBINES if name in classes and not (kind == "free_shipping" and name == "shipping")
    ]


def variant_gid(text: str | None) -> str | None:
    """The id of a product variant from a gid or its number; None when it is neither."""
    found = _VARIANT.fullmatch((text or "").strip())
    return f"gid://shopify/ProductVariant/{int(found[1])}" if found else None


def localized(name: str, names: Mapping[str, str], locale: str) -> str:
    """The name in a language, or the name that staff gave."""
    return names.get(locale) or name


def code(prefix: str, digest: bytes) -> str:
    """The discount code of a redemption, 60 bits of its keyed digest: "LN-7K3M-9QXT-2HAB"."""
    number = int.from_bytes(digest[:8], "big") >> 4
    letters = ""
    for _ in range(_CODE_LETTERS):
        number, rest = divmod(number, len(_CROCKFORD))
        letters = _CROCKFORD[rest] + letters
    return "-".join((prefix, letters[:4], letters[4:8], letters[8:]))


def gift_card_code(discount_code: str) -> str:
    """A redemption's code as a gift card's: 8 to 20 letters and digits, the ones that decide last."""
    return discount_code.replace("-", "")[-16:]


def gift_card(
    terms: Terms, *, redemption_id: UUID, card_code: str, customer_id: int, expires_at: datetime | None
) -> dict[str, Any]:
    """The input of Shopify's mutation: a card with our code for this customer; its note says whose it is."""
    wanted: dict[str, Any] = {
        "code": card_code,
        "initialAmount": _money(terms),
        "customerId": f"gid://shopify/Customer/{customer_id}",
        "note": gift_card_note(redemption_id),
    }
    if expires_at is not None:
        wanted["expiresOn"] = expires_at.date().isoformat()
    return wanted


def gift_card_note(redemption_id: UUID) -> str:
    """By this note our cards are recognized."""
    return f"LoyalNest {redemption_id}"


def store_credit(terms: Terms, expires_at: datetime | None) -> dict[str, Any]:
    """The input of Shopify's mutation."""
    wanted: dict[str, Any] = {"creditAmount": _money(terms)}
    if expires_at is not None:
        wanted["expiresAt"] = _instant(expires_at)
    return wanted


def own_credits(terms: Terms, since: datetime, transactions: Iterable[Mapping[str, Any]]) -> list[str]:
    """The ids of credits that may be this redemption's: the same money, made since it was redeemed; oldest first."""
    wanted = _money(terms)
    amount, currency = Decimal(wanted["amount"]), wanted["currencyCode"]
    fitting = [
        (one["createdAt"], one["id"])
        for one in transactions
        if one.get("id")
        and Decimal(one["amount"]["amount"]) == amount
        and one["amount"]["currencyCode"] == currency
        and datetime.fromisoformat(one["createdAt"]) >= since.replace(microsecond=0) - _CLOCKS_APART
    ]
    return [gid for _, gid in sorted(fitting)]


def _money(terms: Terms) -> dict[str, str]:
    return {
        "amount": money.to_decimal_string(terms.value_minor or 0, terms.currency),
        "currencyCode": terms.currency,
    }


def expiry(now: datetime, valid_days: int | None, timezone: str) -> datetime | None:
    """The last second of the last valid day in the shop's zone; None when the code never expires."""
    if valid_days is None:
        return None
    zone = ZoneInfo(timezone)
    last_day = now.astimezone(zone).date() + timedelta(days=valid_days)
    return datetime.combine(last_day, time(23, 59, 59), zone).astimezone(now.tzinfo)


def title(terms: Terms, discount_code: str) -> str:
    """What the discount is called in Shopify's admin. It names the code, so that ours can be recognized."""
    return f"{terms.name} · {discount_code}"


def discount(
    terms: Terms,
    *,
    discount_code: str,
    customer_id: int,
    created_at: datetime,
    expires_at: datetime | None,
    variant_price: str | None = None,
) -> dict[str, Any]:
    """The input of Shopify's mutation: one use, by this customer only. `variant_price` is a decimal in shop currency.

    A free product is an amount off one unit of its variant: a percentage would make every unit in the cart free.
    """
    wanted: dict[str, Any] = {
        "title": title(terms, discount_code),
        "code": discount_code,
        "startsAt": _instant(created_at - _HEAD_START),
        "usageLimit": 1,
        "appliesOncePerCustomer": True,
        "context": {"customers": {"add": [f"gid://shopify/Customer/{customer_id}"]}},
        "combinesWith": {_COMBINES[name]: True for name in combinable(terms.kind, list(terms.combines_with))},
    }
    if expires_at is not None:
        wanted["endsAt"] = _instant(expires_at)
    if terms.minimum_subtotal_minor:
        smallest = money.to_decimal_string(terms.minimum_subtotal_minor, terms.currency)
        wanted["minimumRequirement"] = {"subtotal": {"greaterThanOrEqualToSubtotal": smallest}}
    if terms.kind == "free_shipping":
        wanted["destination"] = {"all": True}
        if terms.value_minor:
            wanted["maximumShippingPrice"] = money.to_decimal_string(terms.value_minor, terms.currency)
        return wanted
    return wanted | {"customerGets": _gets(terms, variant_price)}


def _gets(terms: Terms, variant_price: str | None) -> dict[str, Any]:
    if terms.kind == "percentage_off":
        return {"items": {"all": True}, "value": {"percentage": (terms.percent_bp or 0) / 10_000}}
    items: dict[str, Any] = {"all": True}
    amount = money.to_decimal_string(terms.value_minor or 0, terms.currency)
    if terms.kind == "free_product":
        items = {"products": {"productVariantsToAdd": [terms.variant_gid]}}
        amount = variant_price or amount
    return {"items": items, "value": {"discountAmount": {"amount": amount, "appliesOnEachItem": False}}}


def is_ours(found: Mapping[str, Any], terms: Terms, discount_code: str) -> bool:
    """Whether a discount that Shopify has under our code is the one we asked for and still works."""
    return (
        found.get("title") == title(terms, discount_code)
        and found.get("usageLimit") == 1
        and found.get("status") in ("ACTIVE", "SCHEDULED")
    )


def _minor(amount: Decimal | None, currency: str) -> int | None:
    return None if amount is None else money.to_minor(amount, currency)


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
