"""The arithmetic of rewards: forms into columns, codes, expiry, and what Shopify is asked for."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.rewards import rules
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
from app.domains.rewards.schemas import RewardForm, Terms

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def form(**changes: Any) -> RewardForm:
    """A form as it is typed."""
    return RewardForm.model_validate(
        {"names": {"en": "Five off"}, "kind": "amount_off", "points_cost": 500, "amount": "5"} | changes
    )


GOLD = UUID(int=7)


def offer(**changes: Any) -> rules.Offer:
    """A reward that everybody may have."""
    given = {
        "status": "active",
        "starts_at": None,
        "ends_at": None,
        "tiers": (),
        "segments": (),
        "stock": None,
        "stock_taken": 0,
        "limit": None,
    }
    return rules.Offer(**(given | changes))


def asking(**changes: Any) -> rules.Asking:
    """A member who may redeem."""
    given = {
        "offer": offer(),
        "now": NOON,
        "tier_id": None,
        "segments": frozenset(),
        "uses": 0,
        "program_active": True,
        "member_active": True,
        "customer_id": 77,
        "available": 600,
        "minimum_redemption": 600,
    }
    return rules.Asking(**(given | changes))


def test_who_may_redeem() -> None:
    rules.check(asking())
    open_offer = offer(
        starts_at=NOON, ends_at=NOON + timedelta(1), tiers=(GOLD,), stock=3, stock_taken=2, limit=2
    )
    rules.check(asking(offer=open_offer, tier_id=GOLD, uses=1))
    rules.check(asking(offer=offer(segments=(GOLD,)), segments=frozenset({GOLD})))


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"offer": offer(status="retired")}, RewardRetired),
        ({"offer": offer(status="draft")}, RewardRetired),
        ({"offer": offer(starts_at=NOON + timedelta(seconds=1))}, RewardNotYet),
        ({"offer": offer(ends_at=NOON)}, RewardOver),
        ({"offer": offer(stock=3, stock_taken=3)}, OutOfStock),
        ({"offer": offer(stock=0)}, OutOfStock),
        ({"offer": offer(tiers=(GOLD,))}, TierTooLow),
        ({"offer": offer(segments=(GOLD,))}, NotInSegment),
        ({"offer": offer(limit=2), "uses": 2}, LimitReachedForMember),
        ({"program_active": False}, ProgramNotActive),
        ({"member_active": False}, MemberCannotRedeem),
        ({"customer_id": None}, MemberWithoutCustomer),
        ({"available": 599}, BelowMinimumRedemption),
    ],
)
def test_who_may_not(change: dict[str, Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        rules.check(asking(**change))


@pytest.mark.parametrize(
    ("currency", "amount", "minor"),
    [("USD", "5", 500), ("JPY", "500", 500), ("KWD", "1.250", 1250), ("USD", "0.01", 1)],
)
def test_amounts_become_minor_units(currency: str, amount: str, minor: int) -> None:
    assert rules.columns(form(amount=amount), currency, "en", "UTC")["value_minor"] == minor


@pytest.mark.parametrize(
    ("changes", "currency", "field"),
    [
        ({"amount": None}, "USD", "amount"),
        ({"amount": "5.001"}, "USD", "amount"),
        ({"amount": "5.5"}, "JPY", "amount"),
        ({"minimum_subtotal": "20.005"}, "USD", "minimum_subtotal"),
        ({"kind": "percentage_off"}, "USD", "percent"),
        ({"kind": "free_product"}, "USD", "variant"),
        ({"kind": "free_product", "variant": "gid://shopify/Product/3"}, "USD", "variant"),
        ({"names": {"fr": "Cinq de moins"}}, "USD", "names.en"),
    ],
)
def test_what_a_kind_needs(changes: dict[str, Any], currency: str, field: str) -> None:
    assert list(rules.refusals(form(**changes), currency, "en")) == [field]


def test_what_a_kind_does_not_use_is_not_kept() -> None:
    kept = rules.columns(
        form(kind="percentage_off", percent="12.5", variant="9", combines_with=["shipping", "order"]),
        "USD",
        "en",
        "UTC",
    )
    assert (kept["percent_bp"], kept["value_minor"], kept["variant_gid"]) == (1250, None, None)
    assert kept["combines_with"] == ["order", "shipping"]
    assert (
        rules.columns(form(kind="free_shipping", combines_with=["shipping"]), "USD", "en", "UTC")[
            "combines_with"
        ]
        == []
    )


@pytest.mark.parametrize(
    ("text", "gid"),
    [
        ("9", "gid://shopify/ProductVariant/9"),
        (" gid://shopify/ProductVariant/9 ", "gid://shopify/ProductVariant/9"),
    ],
)
def test_a_variant_is_named_by_number_or_gid(text: str, gid: str) -> None:
    assert rules.variant_gid(text) == gid


@pytest.mark.parametrize("text", [None, "", "mug", "gid://shopify/Product/9", "٩9x"])
def test_anything_else_names_no_variant(text: str | None) -> None:
    assert rules.variant_gid(text) is None


@given(st.binary(min_size=8, max_size=32), st.binary(min_size=8, max_size=32))
def test_codes_follow_the_digest_and_can_be_read_aloud(one: bytes, other: bytes) -> None:
    code = rules.code("LN", one)
    assert rules.code("LN", one) == code
    prefix, *groups = code.split("-")
    assert prefix == "LN"
    assert [len(group) for group in groups] == [4, 4, 4]
    assert not set("".join(groups)) & set("ILOUilou")
    same = int.from_bytes(one[:8], "big") >> 4 == int.from_bytes(other[:8], "big") >> 4
    assert (rules.code("LN", other) == code) is same


@pytest.mark.parametrize(
    ("now", "days", "zone", "expected"),
    [
        (NOON, 1, "UTC", datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC)),
        (NOON, 1, "America/New_York", datetime(2026, 11, 23, 4, 59, 59, tzinfo=UTC)),
        (NOON.replace(hour=23), 1, "Asia/Tokyo", datetime(2026, 11, 23, 14, 59, 59, tzinfo=UTC)),
        (
            datetime(2026, 3, 7, 12, tzinfo=UTC),
            1,
            "America/New_York",
            datetime(2026, 3, 9, 3, 59, 59, tzinfo=UTC),
        ),
    ],
)
def test_a_code_lasts_to_the_end_of_its_last_day_in_the_shops_zone(
    now: datetime, days: int, zone: str, expected: datetime
) -> None:
    assert rules.expiry(now, days, zone) == expected


def test_a_code_without_days_never_expires() -> None:
    assert rules.expiry(NOON, None, "UTC") is None


def discount(terms: Terms, **changes: Any) -> dict[str, Any]:
    """The input for a code of customer 77."""
    given = {"discount_code": "LN-1", "customer_id": 77, "created_at": NOON, "expires_at": None}
    return rules.discount(terms, **(given | changes))


def test_money_is_written_with_the_currencys_decimals() -> None:
    for currency, minor, text in (("USD", 500, "5.00"), ("JPY", 500, "500"), ("KWD", 1250, "1.250")):
        terms = Terms(
            name="Off", kind="amount_off", currency=currency, value_minor=minor, minimum_subtotal_minor=minor
        )
        wanted = discount(terms)
        assert wanted["customerGets"]["value"]["discountAmount"] == {
            "amount": text,
            "appliesOnEachItem": False,
        }
        assert wanted["minimumRequirement"]["subtotal"]["greaterThanOrEqualToSubtotal"] == text


def test_a_code_works_at_once_and_only_once() -> None:
    wanted = discount(
        Terms(name="Ten", kind="percentage_off", currency="USD", percent_bp=1000), expires_at=NOON
    )
    assert wanted["startsAt"] < "2026-11-21T12:00:00Z"
    assert wanted["endsAt"] == "2026-11-21T12:00:00Z"
    assert wanted["usageLimit"] == 1
    assert "endsAt" not in discount(Terms(name="Ten", kind="percentage_off", currency="USD", percent_bp=1000))


@pytest.mark.parametrize(
    ("change", "ours"),
    [
        ({}, True),
        ({"status": "SCHEDULED"}, True),
        ({"status": "EXPIRED"}, False),
        ({"usageLimit": 2}, False),
        ({"title": "Sale"}, False),
    ],
)
def test_our_own_code_is_recognized(change: dict[str, Any], ours: bool) -> None:
    terms = Terms(name="Ten", kind="percentage_off", currency="USD", percent_bp=1000)
    found = {"title": "Ten · LN-1", "status": "ACTIVE", "usageLimit": 1} | change
    assert rules.is_ours(found, terms, "LN-1") is ours


@given(
    step=st.integers(1, 500),
    least=st.integers(1, 50),
    more=st.integers(0, 50),
    chosen=st.integers(-10, 60_000),
)
def test_a_slider_takes_whole_steps_within_its_limits(step: int, least: int, more: int, chosen: int) -> None:
    low, high = least * step, (least + more) * step
    fits = low <= chosen <= high and chosen % step == 0
    if not fits:
        with pytest.raises(InvalidAmount):
            rules.price("any_amount", step, low, high, chosen)
        return
    assert rules.price("any_amount", step, low, high, chosen) == chosen
    assert rules.worth("any_amount", 7, step, chosen) == 7 * (chosen // step)
    assert rules.cost("any_amount", None, 7, step, chosen) == 7 * (chosen // step)


def test_other_kinds_take_their_price() -> None:
    assert rules.price("amount_off", 500, None, None, None) == 500
    with pytest.raises(InvalidAmount):
        rules.price("amount_off", 500, None, None, 400)
    with pytest.raises(InvalidAmount):
        rules.price("any_amount", 100, 100, 500, None)
    assert rules.cost("gift_card", None, 1000, 500, 500) == 1000
    assert rules.cost("gift_card", 0, 1000, 500, 500) == 0
    assert rules.cost("free_shipping", None, 700, 500, 500) == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "gift_card", "amount": None}, "amount"),
        ({"kind": "store_credit", "amount": None}, "amount"),
        ({"kind": "exclusive_access", "valid_days": 3}, "access_tag"),
        ({"kind": "exclusive_access", "access_tag": "vip"}, "valid_days"),
        ({"kind": "any_amount", "least_points": 500, "most_points": 750}, "most_points"),
        ({"kind": "any_amount", "least_points": 1000, "most_points": 500}, "most_points"),
        ({"starts_on": "2026-03-02", "ends_on": "2026-03-01"}, "ends_on"),
    ],
)
def test_what_the_newer_kinds_need(changes: dict[str, Any], field: str) -> None:
    assert list(rules.refusals(form(**changes), "USD", "en")) == [field]


def test_days_are_days_of_the_shop() -> None:
    kept = rules.columns(form(starts_on="2026-03-01", ends_on="2026-03-01"), "USD", "en", "America/New_York")
    assert kept["ends_at"] - kept["starts_at"] == timedelta(days=1)
    assert str(rules.day(kept["ends_at"], "America/New_York", before=True)) == "2026-03-01"


def test_a_lost_credit_is_known_by_its_money_and_time() -> None:
    terms = Terms(name="x", kind="store_credit", currency="USD", value_minor=500)

    def one(gid: str, amount: str, at: str) -> dict[str, Any]:
        return {"id": gid, "createdAt": at, "amount": {"amount": amount, "currencyCode": "USD"}}

    history = [
        one("late", "5.0", "2026-11-21T12:00:09Z"),
        one("early", "5.00", "2026-11-21T12:00:05Z"),
        one("other", "6.00", "2026-11-21T12:00:05Z"),
        one("before", "5.00", "2026-11-21T11:59:00Z"),
        {},
    ]
    assert rules.own_credits(terms, NOON, history) == ["early", "late"]
