"""Programs in the words of the editor: kinds of rules, settings, and what changed between two of them."""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from babel.dates import get_day_names
from babel.numbers import format_decimal

from app.core import money
from app.core.countries import countries
from app.core.i18n import enumerated, mark, translate

KINDS = {
    "purchase": mark("Purchases"),
    "signup": mark("Joining"),
    "birthday": mark("Birthday"),
    "newsletter": mark("Newsletter"),
    "review": mark("Review"),
    "social_follow": mark("Following the shop"),
    "social_share": mark("Sharing the shop"),
    "goal_spend": mark("Spending goal"),
    "first_purchase": mark("First purchase in time"),
    "custom_event": mark("Event of your own"),
    "store_visit": mark("Store visit"),
    "referral": mark("Recommendation"),
}
# Settings in the words of the editor, for the differences of versions.
_FIELDS = {
    "type": mark("Type"),
    "points_per_unit": mark("Points per unit"),
    "signup_bonus": mark("Sign-up bonus"),
    "earn_trigger": mark("Points are given when the order is"),
    "holding_days": mark("Waiting time"),
    "expiry_months": mark("Points expire after"),
    "mode": mark("How points expire"),
    "end_of_month": mark("At the end of the month"),
    "month": mark("Month"),
    "day": mark("Day"),
    "spare_months": mark("Months that live on"),
    "rounding": mark("Rounding"),
    "earn_on_tax": mark("Tax earns points too"),
    "minimum_redemption": mark("Fewest points to redeem"),
    "step": mark("Stamps on a card, or amount of a step"),
    "zone": mark("Time zone"),
    "debt_policy": mark("When a refund takes back points that are spent"),
    "multiplier_mode": mark("Tier and campaigns together"),
    "rules": mark("Earning rule"),
    "multipliers": mark("Campaign"),
    "points": mark("Points"),
    "enabled": mark("Members earn by this rule"),
    "per_order": mark("Most per order"),
    "per_day": mark("Most per member and day"),
    "per_period": mark("Most per member and period"),
    "per_member": mark("Most per member, ever"),
    "budget": mark("Budget for all members"),
    "period": mark("Period"),
    "priority": mark("Priority"),
    "stacking": mark("Beside other rules"),
    "starts_on": mark("First day"),
    "ends_on": mark("Last day"),
    "name": mark("Name"),
    "per": mark("For each"),
    "factor": mark("Factor"),
    "event": mark("Event"),
    "multiplied": mark("Tiers and campaigns multiply it"),
    "within_hours": mark("Within hours of joining"),
    "goal_period": mark("Starts again every"),
    "products": mark("Only products"),
    "variants": mark("Only variants"),
    "collections": mark("Only collections"),
    "tags": mark("Product tags"),
    "vendors": mark("Only vendors"),
    "types": mark("Only product types"),
    "minimum_subtotal": mark("Smallest order"),
    "first_order": mark("Only a member's first order"),
    "channels": mark("Only sales channels"),
    "countries": mark("Only countries"),
    "excluded_countries": mark("Not in countries"),
    "currencies": mark("Only currencies paid in"),
    "customer_tags": mark("Customer tags"),
    "excluded_customer_tags": mark("Not with customer tags"),
    "segments": mark("Only segments"),
    "excluded_segments": mark("Not in segments"),
    "tiers": mark("Only tiers"),
    "weekdays": mark("Only on"),
    "companies": mark("Orders of companies earn"),
    "staff": mark("Orders of staff"),
    "account_days": mark("Age of the account in days"),
    "gift_cards": mark("Gift cards"),
    "tax": mark("Tax"),
    "shipping": mark("Shipping"),
    "tips": mark("Tips"),
    "discounted": mark("Discounted items"),
    "sale": mark("Items on sale"),
    "b2b": mark("Orders of companies"),
    "test_orders": mark("Test orders"),
    "es": mark("Spanish name"),
    "fr": mark("French name"),
    "ar": mark("Arabic name"),
    "he": mark("Hebrew name"),
}
_VALUES = {
    "True": mark("Yes"),
    "False": mark("No"),
    "tiered": mark("Points and tiers"),
    "points": mark("Points only"),
    "punch_card": mark("Punch card"),
    "spend_based": mark("Spending steps"),
    "paid": mark("paid"),
    "created": mark("placed"),
    "fulfilled": mark("paid and fulfilled"),
    "down": mark("Down to whole points"),
    "nearest": mark("To the nearest point"),
    "half_even": mark("To the nearest point, halves to the even one"),
    "up": mark("Up to whole points"),
    "earned": mark("Months after earning"),
    "yearly": mark("On one day of each year"),
    "idle": mark("Months without earning or spending"),
    "negative": mark("the member owes them"),
    "to_zero": mark("other points go, down to zero"),
    "pending_only": mark("only points that still wait are taken"),
    "multiply": mark("multiply each other"),
    "add": mark("add up"),
    "highest": mark("only the highest counts"),
    "first": mark("only the campaign of highest priority counts"),
    "best": mark("only the best of these counts"),
    "exclusive": mark("stops rules of lower priority"),
    "week": mark("week"),
    "month": mark("month"),
    "quarter": mark("quarter"),
    "year": mark("year"),
    "unit": mark("unit of money spent"),
    "item": mark("piece"),
    "order": mark("order"),
    "spend_step": mark("full amount spent"),
    "stamp_order": mark("full card, a stamp per order"),
    "stamp_item": mark("full card, a stamp per piece"),
}
# What drawers compare after two people saved: fields of every rule, of rules about orders, of some kinds, of campaigns.
_EVERY_RULE = (
    "enabled", "name", "names.es", "names.fr", "names.ar", "names.he", "points", "per", "priority",
    "conditions.starts_on", "conditions.ends_on", "conditions.weekdays", "conditions.tiers", "conditions.segments",
    "caps.per_day", "caps.per_period", "caps.period", "caps.per_member", "caps.budget", "holding_days", "expiry_months",
)  # fmt: skip
_GOODS = ("products", "variants", "collections", "tags", "vendors", "types")
_ORDERS = ("channels", "countries", "currencies", "customer_tags")
_RULE_ON_ORDERS = (
    *(f"conditions.{name}" for name in (*_GOODS, "minimum_subtotal", "first_order", *_ORDERS)),
    "stacking", "multiplied",
    *(f"exclusions.{name}" for name in (
        "gift_cards", "tax", "shipping", "tips", "discounted", "sale", "staff", "b2b", "test_orders", "tags",
        "customer_tags")),
    "caps.per_order",
)  # fmt: skip
_RULE_OF_KIND = {
    "purchase": ("step",),
    "goal_spend": ("step", "goal_period"),
    "first_purchase": ("within_hours",),
    "custom_event": ("event",),
}
_CAMPAIGN = (
    "enabled", "name", "names.es", "names.fr", "names.ar", "names.he", "factor", "budget", "conditions.starts_on",
    "conditions.ends_on", *(f"conditions.{name}" for name in (*_GOODS, "weekdays", *_ORDERS, "tiers", "segments")),
    "priority",
)  # fmt: skip
ON_ORDERS = ("purchase", "goal_spend", "first_purchase")
# Lists whose values hold no comma.
_LISTS = frozenset(
    {
        "channels",
        "collections",
        "countries",
        "currencies",
        "customer_tags",
        "excluded_countries",
        "excluded_customer_tags",
        "products",
        "tags",
        "variants",
        "weekdays",
    }
)
_NAMED = frozenset({"tiers", "segments", "excluded_segments"})
# Lists of codes, and what these are called.
_CODED = {"countries": countries, "excluded_countries": countries, "currencies": money.currencies}
_WORDED = frozenset(
    {
        "type",
        "earn_trigger",
        "rounding",
        "mode",
        "debt_policy",
        "multiplier_mode",
        "stacking",
        "period",
        "goal_period",
        "per",
    }
)


def kinds(locale: str) -> dict[str, str]:
    """What kinds of rules are called."""
    return {kind: translate(locale, word) for kind, word in KINDS.items()}


def told(
    changes: Iterable[Mapping[str, Any]], locale: str, names: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """Differences of settings in words: fields by their names in the editor, numbers in the locale's notation.

    `names` are those of tiers and segments by their ids.
    """
    known = names or {}
    return [
        dict(change)
        | {
            "field": _field(change["field"], change["part"], locale),
            "before": _value(change["field"], change["before"], locale, known),
            "after": _value(change["field"], change["after"], locale, known),
        }
        for change in changes
    ]


Compared = tuple[str, str, dict[str, str]]


def compared_rule(kind: str, locale: str, names: Mapping[str, str]) -> list[Compared]:
    """The fields of a rule's drawer for `stale_diff`: (name, label, words of its values)."""
    fields = (*_EVERY_RULE, *_RULE_OF_KIND.get(kind, ()), *(_RULE_ON_ORDERS if kind in ON_ORDERS else ()))
    return [_compared("rule", one, locale, names) for one in fields]


def compared_campaign(locale: str, names: Mapping[str, str]) -> list[Compared]:
    """The fields of a campaign's drawer for `stale_diff`."""
    return [_compared("campaign", one, locale, names) for one in _CAMPAIGN]


def _compared(form: str, place: str, locale: str, names: Mapping[str, str]) -> Compared:
    field = place.rpartition(".")[2]
    words = _called(field, locale, names)
    if field in _WORDED:
        words = {value: translate(locale, word) for value, word in _VALUES.items()}
    return f"{form}.{place}", _field(field, "", locale), dict(words)


def _field(field: str, part: str, locale: str) -> str:
    word = translate(locale, _FIELDS[field]) if field in _FIELDS else field
    return f"{translate(locale, KINDS.get(part, part))}: {word}" if part else word


def _called(field: str, locale: str, names: Mapping[str, str]) -> Mapping[str, str]:
    """What the values of a list are called; nothing for those that are words themselves."""
    if field in _CODED:
        return _CODED[field](locale)
    return names if field in _NAMED else _weekdays(locale) if field == "weekdays" else {}


def _weekdays(locale: str) -> dict[str, str]:
    return {str(day + 1): name for day, name in get_day_names(locale=locale).items()}


def _value(field: str, value: str | None, locale: str, names: Mapping[str, str]) -> str | None:
    if value is None:
        return value
    if field in _NAMED or field in _LISTS:
        words = _called(field, locale, names)
        return enumerated(locale, [words.get(part, part) for part in value.split(", ")])
    if field in _WORDED or value in ("True", "False"):
        return translate(locale, _VALUES[value]) if value in _VALUES else value
    try:
        return format_decimal(Decimal(value), locale=locale)
    except InvalidOperation:
        return value
