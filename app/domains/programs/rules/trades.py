"""Programs to start from, one for each trade. Figures are in major units of a currency with two decimals.

What a template gives back is derived from its own rates and rewards, never written down: see `given_back`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from app.core.i18n import mark, translate
from app.core.money import exponent, plain
from app.domains.programs.schemas import RewardIdea

# Prices without decimals are about a hundred times as high.
_WITHOUT_DECIMALS = 100


@dataclass(frozen=True)
class Trade:
    """A template: its marked title and reason, the settings that differ from a new program's, and ideas for rewards.

    `typical` is an order of that trade, for examples; `campaign` is the marked name of the campaign it has, if any;
    `tiers` are the points at which the second and the third tier start, of a program that has tiers.
    """

    key: str
    icon: str
    title: str
    text: str
    typical: int
    settings: dict[str, Any]
    rewards: tuple[RewardIdea, ...]
    rules: tuple[dict[str, Any], ...] = ()
    tiers: tuple[int, ...] = ()
    campaign: str = ""
    campaign_settings: dict[str, Any] = field(default_factory=dict)


def _off(points: int, amount: int) -> RewardIdea:
    return RewardIdea("amount_off", points, amount=Decimal(amount))


def _percent(points: int, percent: int) -> RewardIdea:
    return RewardIdea("percentage_off", points, percent=Decimal(percent))


def _shipping(points: int) -> RewardIdea:
    return RewardIdea("free_shipping", points)


def _deed(kind: str, points: int, **more: Any) -> dict[str, Any]:
    return {"id": kind.replace("_", "-"), "kind": kind, "points": str(points)} | more


TRADES: tuple[Trade, ...] = (
    Trade(
        "coffee",
        "store",
        mark("Coffee and tea"),
        mark(
            "A stamp for each order and a reward for the full card. Small, frequent purchases: everybody understands it"
            " at once."
        ),
        8,
        {
            "type": "punch_card",
            "step": "10",
            "points_per_unit": "100",
            "signup_bonus": 20,
            "expiry_months": 6,
            "expiry": {"mode": "idle"},
        },
        (_off(100, 5), _shipping(60)),
        (_deed("birthday", 50),),
    ),
    Trade(
        "fashion",
        "tag",
        mark("Fashion and shoes"),
        mark(
            "Tiers for regulars, nothing for items on sale, and points that wait until the return window is over."
        ),
        80,
        {
            "points_per_unit": "5",
            "signup_bonus": 250,
            "holding_days": 30,
            "expiry_months": 12,
            "expiry": {"end_of_month": True},
        },
        (_shipping(400), _off(1000, 10), _percent(1500, 15)),
        (
            {"id": "purchase", "kind": "purchase", "exclusions": {"sale": True}},
            _deed("birthday", 500),
            _deed("newsletter", 100),
            _deed("review", 150, caps={"per_period": 450}),
        ),
        tiers=(2000, 6000),
    ),
    Trade(
        "beauty",
        "sparkles",
        mark("Beauty and care"),
        mark(
            "Rewards come within reach after two orders, and members who come back keep their points alive."
        ),
        45,
        {
            "points_per_unit": "10",
            "signup_bonus": 200,
            "holding_days": 14,
            "expiry_months": 12,
            "expiry": {"mode": "idle"},
        },
        (_shipping(500), _off(1000, 5), _off(2000, 12)),
        (_deed("birthday", 500), _deed("review", 100, caps={"per_period": 300}), _deed("social_follow", 50)),
        tiers=(2000, 6000),
    ),
    Trade(
        "pets",
        "package",
        mark("Pet supplies"),
        mark(
            "A spending goal each quarter rewards the household that buys all its food and litter from you."
        ),
        60,
        {
            "type": "points",
            "points_per_unit": "5",
            "signup_bonus": 100,
            "expiry_months": 12,
            "expiry": {"mode": "idle"},
        },
        (_shipping(300), _off(500, 5), _off(1000, 12)),
        (
            _deed("goal_spend", 300, step="200", goal_period="quarter", multiplied=False),
            _deed("birthday", 250),
        ),
    ),
    Trade(
        "electronics",
        "smartphone",
        mark("Electronics"),
        mark("Low rates for thin margins, a limit for each order, and points that wait for returns."),
        300,
        {
            "points_per_unit": "1",
            "signup_bonus": 50,
            "holding_days": 30,
            "expiry_months": 24,
            "caps": {"per_order": 2000},
        },
        (_shipping(150), _off(500, 10), _off(1000, 25)),
        (_deed("review", 50, caps={"per_period": 150}),),
        tiers=(1000, 4000),
    ),
    Trade(
        "subscription",
        "refresh-cw",
        mark("Subscriptions and boxes"),
        mark(
            "Points each time that a full amount has been spent, so that every renewal counts towards the next gift."
        ),
        35,
        {"type": "spend_based", "step": "100", "points_per_unit": "100", "signup_bonus": 50},
        (_shipping(60), _off(100, 5), _off(300, 18)),
        (_deed("first_purchase", 50, within_hours=48, multiplied=False),),
    ),
    Trade(
        "food",
        "shopping-cart",
        mark("Food and groceries"),
        mark("A low rate for large baskets, double points on the quiet day, and one expiry date a year."),
        70,
        {
            "type": "points",
            "points_per_unit": "2",
            "signup_bonus": 50,
            "expiry_months": 12,
            "expiry": {"mode": "yearly", "month": 12, "day": 31, "spare_months": 3},
        },
        (_shipping(200), _off(300, 5), _off(600, 11)),
        (_deed("birthday", 100),),
        campaign=mark("Double points on Tuesdays"),
        campaign_settings={"id": "tuesdays", "factor": "2", "conditions": {"weekdays": [2]}},
    ),
    Trade(
        "sports",
        "medal",
        mark("Sports and outdoors"),
        mark("A push for the second purchase, rewards for reviews, and time enough until the next season."),
        90,
        {"points_per_unit": "4", "signup_bonus": 150, "holding_days": 14, "expiry_months": 18},
        (_shipping(400), _percent(600, 10), _off(800, 10)),
        (
            _deed("first_purchase", 200, within_hours=72, multiplied=False),
            _deed("review", 75, caps={"per_period": 300}),
            _deed("newsletter", 75),
        ),
        tiers=(1500, 5000),
    ),
)


def trade(key: str) -> Trade | None:
    """A template by its key."""
    return next((one for one in TRADES if one.key == key), None)


def settings_for(found: Trade, currency: str) -> dict[str, Any]:
    """What of a new program a template sets, as JSON values, in a currency; its campaign is named in five languages."""
    factor = _factor(currency)
    settings: dict[str, Any] = {"type": "tiered", "rules": [_scaled(one, factor) for one in found.rules]}
    settings |= found.settings
    if settings["type"] == "spend_based":
        settings["step"] = plain(Decimal(settings["step"]) * factor)
    if settings["type"] in ("tiered", "points"):
        settings["points_per_unit"] = plain(Decimal(settings["points_per_unit"]) / factor)
    if found.campaign:
        names = {locale: translate(locale, found.campaign) for locale in ("es", "fr", "ar", "he")}
        settings["multipliers"] = [found.campaign_settings | {"name": found.campaign, "names": names}]
    return settings


def _scaled(rule: dict[str, Any], factor: int) -> dict[str, Any]:
    return rule | {"step": plain(Decimal(rule["step"]) * factor)} if rule["kind"] == "goal_spend" else rule


def _factor(currency: str) -> int:
    return 1 if exponent(currency) else _WITHOUT_DECIMALS


def typical(found: Trade, currency: str) -> Decimal:
    """An order that is typical of the trade, in major units."""
    return Decimal(found.typical * _factor(currency))


def rewards_for(found: Trade, currency: str) -> tuple[RewardIdea, ...]:
    """The template's ideas for rewards in a currency."""
    factor = _factor(currency)
    return tuple(
        RewardIdea(one.kind, one.points_cost, one.amount * factor if one.amount else None, one.percent)
        for one in found.rewards
    )


def given_back(points_per_order: Decimal, order: Decimal, rewards: Iterable[RewardIdea]) -> Decimal | None:
    """What of its revenue a program gives back, as a fraction: points of an order at the best price in money off."""
    prices = [one.amount / one.points_cost for one in rewards if one.amount]
    return points_per_order * max(prices) / order if prices and order else None
