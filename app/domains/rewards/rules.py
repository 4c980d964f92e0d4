"""Deciding about rewards: what a form means, who may redeem, what the code is and what Shopify is asked for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from app.core import money
from app.core.i18n import mark
from app.domains.rewards.errors import (
    BelowMinimumRedemption,
    InvalidReward,
    MemberCannotRedeem,
    MemberWithoutCustomer,
    ProgramNotActive,
    RewardRetired,
)
from app.domains.rewards.schemas import RewardForm, Terms

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE_LETTERS = 12
_VARIANT = re.compile(r"(?:gid://shopify/ProductVariant/)?(\d{1,19})")
# Shopify's clock may be behind ours; a code that starts in its future would not work at once.
_HEAD_START = timedelta(minutes=5)
_COMBINES = {"order": "orderDiscounts", "product": "productDiscounts", "shipping": "shippingDiscounts"}
_NEEDS_NAME = mark("Enter a name in your shop's language.")
_NEEDS_AMOUNT = mark("Enter how much is taken off.")
_NEEDS_PERCENT = mark("Enter how many percent are taken off.")
_NEEDS_VARIANT = mark("Choose the product that is given.")
_DECIMALS = mark("Amounts in {currency} have at most {decimals} decimals.")

# The three rewards of a new shop. At ten points per unit each gives a tenth back.
DEFAULTS: tuple[tuple[str, int, dict[str, Decimal]], ...] = (
    ("free_shipping", 300, {}),
    ("amount_off", 500, {"amount": Decimal(5)}),
    ("percentage_off", 1000, {"percent": Decimal(10)}),
)


@dataclass(frozen=True)
class Asking:
    """Everything that decides whether a member may redeem a reward, besides the points themselves."""

    reward_status: str
    program_active: bool
    member_active: bool
    customer_id: int | None
    available: int
    minimum_redemption: int


def check(asking: Asking) -> None:
    """Raise why the member may not redeem; nothing when they may."""
    if asking.reward_status != "active":
        raise RewardRetired()
    if not asking.program_active:
        raise ProgramNotActive()
    if not asking.member_active:
        raise MemberCannotRedeem()
    if asking.customer_id is None:
        raise MemberWithoutCustomer()
    if asking.available < asking.minimum_redemption:
        raise BelowMinimumRedemption(minimum=asking.minimum_redemption, available=asking.available)


def columns(form: RewardForm, currency: str, language: str) -> dict[str, Any]:
    """The stored values of a form, only those that the kind uses. `language` is the shop's.

    Raises InvalidReward with the fields.
    """
    names = form.names.model_dump(exclude_none=True)
    fields: dict[str, str] = {}
    if language not in names:
        fields[f"names.{language}"] = _NEEDS_NAME
    decimals = money.exponent(currency)
    for name in ("amount", "minimum_subtotal"):
        value = getattr(form, name)
        if value is not None and value != round(value, decimals):
            fields[name] = _DECIMALS
    gid = variant_gid(form.variant)
    if form.kind == "amount_off" and form.amount is None:
        fields["amount"] = _NEEDS_AMOUNT
    if form.kind == "percentage_off" and form.percent is None:
        fields["percent"] = _NEEDS_PERCENT
    if form.kind == "free_product" and gid is None:
        fields["variant"] = _NEEDS_VARIANT
    if fields:
        raise InvalidReward(fields=fields, currency=currency, decimals=decimals)
    has_amount = form.kind in ("amount_off", "free_shipping")
    return {
        "name": names[language],
        "names": names,
        "description": form.description,
        "kind": form.kind,
        "points_cost": form.points_cost,
        "value_minor": _minor(form.amount, currency) if has_amount else None,
        "percent_bp": int(form.percent * 100) if form.kind == "percentage_off" and form.percent else None,
        "variant_gid": gid if form.kind == "free_product" else None,
        "minimum_subtotal_minor": _minor(form.minimum_subtotal, currency),
        "valid_days": form.valid_days,
        "per_member_limit": form.per_member_limit,
        "combines_with": combinable(form.kind, form.combines_with),
        "code_prefix": form.code_prefix.upper(),
        "position": form.position,
    }


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
