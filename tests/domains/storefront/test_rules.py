from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from app.core import ids
from app.domains.storefront import rules
from app.domains.storefront.schemas import Holder, Offer, Offered, Owned
from app.domains.tiers.schemas import Level

LADDER = (
    Level(ids.new_id(), "Bronze", {}, 0, 10_000, "#a8622d"),
    Level(ids.new_id(), "Silver", {"fr": "Argent"}, 1_000, 12_500, "#8a94a3"),
)


def offer(**changes: Any) -> Offer:
    given: dict[str, Any] = {
        "currency": "USD",
        "timezone": "UTC",
        "program_id": ids.new_id(),
        "program_name": "Rewards",
        "points_per_unit": Decimal(10),
        "signup_bonus": 0,
        "minimum_redemption": 0,
        "ladder": LADDER,
    }
    return Offer(**{**given, **changes})


def holder(**changes: Any) -> Holder:
    given: dict[str, Any] = {
        "id": ids.new_id(),
        "status": "active",
        "available": 0,
        "pending": 0,
        "debt": 0,
        "qualifying": 0,
        "seq": 1,
        "expiring": 0,
        "expires_at": None,
    }
    return Holder(**{**given, **changes})


def offered(**changes: Any) -> Offered:
    given: dict[str, Any] = {
        "id": ids.new_id(),
        "name": "Mug",
        "names": {"fr": "Tasse"},
        "description": "",
        "points_cost": 500,
        "minimum_subtotal_minor": None,
        "valid_days": None,
        "per_member_limit": None,
        "uses": 0,
    }
    return Offered(**{**given, **changes})


TODAY = date(2026, 3, 10)


@pytest.mark.parametrize(
    ("rate", "currency", "told"),
    [
        ("10", "USD", "10 points for every $1 spent"),
        ("1", "EUR", "1 point for every €1 spent"),
        ("0.5", "USD", "5 points for every $10 spent"),
        ("1.25", "USD", "125 points for every $100 spent"),
        ("0.0001", "USD", "1 point for every $10,000 spent"),
        ("0.01", "JPY", "1 point for every ¥100 spent"),
    ],
)
def test_a_rate_is_told_for_whole_points(rate: str, currency: str, told: str) -> None:
    assert rules.ways_to_earn(offer(points_per_unit=Decimal(rate), currency=currency), "en", TODAY) == [told]


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"kind": "birthday", "points": "500"}, "500 points for your birthday"),
        (
            {"kind": "goal_spend", "points": "300", "step": "200", "goal_period": "quarter"},
            "300 points for spending $200 in a quarter",
        ),
        (
            {"kind": "first_purchase", "points": "1", "within_hours": 48},
            "1 point for a first purchase within 48 hours of joining",
        ),
        ({"kind": "custom_event", "points": "5", "name": "Quiz", "names": {"fr": None}}, "5 points: Quiz"),
        ({"kind": "custom_event", "points": "5"}, None),
        ({"kind": "purchase", "points": "5", "conditions": {"products": [1]}}, None),
        ({"kind": "review", "points": "0"}, None),
        ({"kind": "review", "points": "9", "enabled": False}, None),
        ({"kind": "review", "points": "9", "conditions": {"tiers": ["x"]}}, None),
        ({"kind": "review", "points": "9", "conditions": {"starts_on": "2026-03-11"}}, None),
        (
            {
                "kind": "review",
                "points": "9",
                "conditions": {"starts_on": "2026-03-10", "ends_on": "2026-03-10"},
            },
            "9 points for a review of what you bought",
        ),
    ],
)
def test_what_everybody_can_earn_by_is_told(rule: dict[str, Any], told: str | None) -> None:
    found = rules.ways_to_earn(offer(points_per_unit=Decimal(0), rules=(rule,)), "en", TODAY)
    assert found == ([told] if told else [])


def test_a_reward_comes_with_its_terms_and_picture() -> None:
    plain = rules.reward(offered(), offer(), None, "fr")
    assert (plain.terms, plain.image_url) == (None, None)
    told = offered(conditions={"en": "Once a day.", "ar": "مرة"}, image_url="https://x.test/mug.png")
    assert rules.reward(told, offer(), None, "ar").terms == "مرة"
    found = rules.reward(told, offer(), None, "fr")
    assert (found.terms, found.image_url) == ("Once a day.", "https://x.test/mug.png")


def test_what_earns_nothing_is_not_told() -> None:
    assert rules.ways_to_earn(offer(points_per_unit=Decimal(0)), "en", TODAY) == []
    assert rules.ways_to_earn(offer(points_per_unit=Decimal(0), signup_bonus=200), "en", TODAY) == [
        "200 points for joining"
    ]


@pytest.mark.parametrize(("count", "told"), [(0, "0 points"), (1, "1 point"), (1240, "1,240 points")])
def test_points_are_counted(count: int, told: str) -> None:
    assert rules.points(count, "en") == told


def test_changes_carry_their_sign_as_a_minus_and_not_a_hyphen() -> None:
    assert [rules.signed(245, "en"), rules.signed(-84, "en")] == ["+245", "\N{MINUS SIGN}84"]


@pytest.mark.parametrize("locale", ["en", "es", "fr", "ar", "he"])
def test_digits_are_latin_everywhere(locale: str) -> None:
    spoken = rules.points(1240, locale) + rules.day(datetime(2026, 3, 9, tzinfo=UTC), "UTC", locale)
    assert not any(
        "\N{ARABIC-INDIC DIGIT ZERO}" <= letter <= "\N{ARABIC-INDIC DIGIT NINE}" for letter in spoken
    )


def test_a_day_is_the_shops_day() -> None:
    late = datetime(2026, 3, 9, 2, 30, tzinfo=UTC)
    assert rules.day(late, "America/New_York", "en") == "March 8, 2026"


def test_a_balance_says_only_what_there_is_to_say() -> None:
    plain = rules.balance(holder(available=1), "UTC", "en")
    assert (plain.sentence, plain.pending_text, plain.debt_text, plain.expiring_text) == (
        "You have 1 point.",
        None,
        None,
        None,
    )
    full = rules.balance(
        holder(available=5, pending=2, debt=1, expiring=4, expires_at=datetime(2026, 12, 24, tzinfo=UTC)),
        "UTC",
        "en",
    )
    assert full.pending_text == "2 more points can be spent soon."
    assert full.debt_text == "1 point is owed after a refund. New points pay it back first."
    assert full.expiring_text == "4 points expire on December 24, 2026."


def test_somebody_we_do_not_know_yet_has_zero() -> None:
    found = rules.balance(None, "UTC", "en")
    assert (found.available, found.sentence) == (0, "You have 0 points.")


@pytest.mark.parametrize(
    ("qualifying", "name", "needed", "percent", "told"),
    [
        (0, "Bronze", 1_000, 0, "1,000 more points to reach Silver"),
        (999, "Bronze", 1, 99, "1 more point to reach Silver"),
        (1_000, "Silver", None, 100, "You have reached the highest tier."),
        (9_999, "Silver", None, 100, "You have reached the highest tier."),
    ],
)
def test_a_tier_and_the_way_to_the_next(
    qualifying: int, name: str, needed: int | None, percent: int, told: str
) -> None:
    found = rules.tier(offer(), holder(qualifying=qualifying), "en")
    assert found is not None
    assert (found.name, found.needed, found.progress_percent, found.progress_text) == (
        name,
        needed,
        percent,
        told,
    )


def test_no_tiers_no_tier() -> None:
    assert rules.tier(offer(ladder=()), holder(), "en") is None
    below = (Level(ids.new_id(), "Gold", {}, 500, 10_000, "#000000"),)
    assert rules.tier(offer(ladder=below), holder(qualifying=-20), "en") is None


def test_tier_names_follow_the_language() -> None:
    found = rules.tier(offer(), holder(qualifying=1_000), "fr")
    assert found is not None and found.name == "Argent"


def test_a_guest_sees_prices_and_cannot_redeem() -> None:
    found = rules.reward(offered(valid_days=90), offer(), None, "fr")
    assert (found.name, found.redeemable, found.missing) == ("Tasse", False, 0)


@pytest.mark.parametrize(
    ("reward", "program", "available", "note"),
    [
        ({}, {}, 499, "1 more point needed"),
        ({}, {}, 0, "500 more points needed"),
        (
            {"per_member_limit": 2, "uses": 2},
            {},
            9_000,
            "You have redeemed this reward as often as it allows.",
        ),
        ({}, {"minimum_redemption": 800}, 700, "Rewards can be redeemed from 800 points on."),
    ],
)
def test_why_a_reward_cannot_be_redeemed(
    reward: dict[str, Any], program: dict[str, Any], available: int, note: str
) -> None:
    found = rules.reward(offered(**reward), offer(**program), holder(available=available), "en")
    assert (found.redeemable, found.note) == (False, note)


def test_a_redeemable_reward_tells_its_conditions_and_asks_once_more() -> None:
    reward = offered(minimum_subtotal_minor=2_500, valid_days=1, per_member_limit=2, uses=1)
    found = rules.reward(reward, offer(), holder(available=500), "en")
    assert (found.redeemable, found.missing) == (True, 0)
    assert found.note == "For orders from $25.00. The code is valid for 1 day."
    assert found.confirm_text == "Use 500 points for Mug?"


@pytest.mark.parametrize(
    ("status", "expires_at", "note"),
    [
        ("reserved", None, "Your code is being prepared."),
        ("issued", None, "Valid for one order."),
        ("issued", datetime(2026, 5, 1, 12, tzinfo=UTC), "Valid for one order, until May 1, 2026."),
    ],
)
def test_codes_say_how_long_they_work(status: str, expires_at: datetime | None, note: str) -> None:
    owned = Owned(ids.new_id(), status, {}, "Mug", "LN-1" if status == "issued" else None, expires_at)
    assert rules.code(owned, "UTC", "en").note == note


@pytest.mark.parametrize("status", ["reserved", "issued", "used"])
def test_only_lost_redemptions_have_a_message(status: str) -> None:
    assert rules.outcome(status, "en") is None
    assert "given back" in (rules.outcome("failed", "en") or "")
    assert "given back" in (rules.outcome("cancelled", "en") or "")
