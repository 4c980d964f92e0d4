"""Windows, verdicts and drafts: what holds for every ladder, and the edges of the calendar."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import ids
from app.domains.tiers import rules
from app.domains.tiers.errors import FirstTierNeeded, ThresholdTaken, ThresholdTooHigh, WindowNotAllowed
from app.domains.tiers.rules.windows import add_months
from app.domains.tiers.schemas import Held, Ladder, Level, Value, Verdict, Window

UTC_ZONE = ZoneInfo("UTC")
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
ZONES = [
    ZoneInfo(name)
    for name in ("UTC", "America/New_York", "Asia/Kathmandu", "America/Santiago", "Africa/Cairo")
]


def level(threshold: int, name: str = "") -> Level:
    return Level(ids.new_id(), name or f"from {threshold}", {}, threshold, 10_000, "#000000")


LEVELS = (level(0, "Bronze"), level(100, "Silver"), level(500, "Gold"), level(2_000, "Onyx"))


def ladder(**changes: Any) -> Ladder:
    given_ = Ladder(
        ids.new_id(),
        ids.new_id(),
        "L",
        "points",
        "lifetime",
        12,
        0,
        "to_earned",
        True,
        None,
        True,
        True,
        1,
        LEVELS,
    )
    return replace(given_, **changes)


def held(rank: int, **changes: Any) -> Held:
    return Held(LEVELS[rank].id, NOW - timedelta(days=90), **changes)


moments = st.integers(1_546_300_800, 1_956_528_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
ladders = st.builds(
    ladder,
    period=st.sampled_from(["lifetime", "rolling", "calendar", "anniversary"]),
    months=st.integers(1, 60),
    grace_days=st.integers(0, 365),
    downgrade=st.sampled_from(["to_earned", "one_level", "none"]),
    take_back=st.booleans(),
)
values = st.builds(Value, st.integers(-50, 3_000), st.integers(-50, 3_000))
helds = st.none() | st.builds(
    held,
    st.integers(0, 3),
    grace_until=st.none() | moments,
    locked_until=st.none() | moments,
)


@given(ladders, values, helds, moments, moments, st.sampled_from(ZONES), st.booleans())
def test_deciding_twice_at_one_instant_gives_the_same(
    one: Ladder,
    value: Value,
    before: Held | None,
    joined: datetime,
    now: datetime,
    zone: ZoneInfo,
    refunded: bool,
) -> None:
    window = rules.window(one.period, one.months, zone, min(joined, now), now)
    first = rules.decide(one, window, value, before, now, zone, refunded=refunded)
    after = Held(
        one.levels[first.rank].id if first.rank is not None else None,
        now,
        grace_until=first.grace_until,
        locked_until=before.locked_until if before else None,
    )
    again = rules.decide(one, window, value, after, now, zone, refunded=refunded)
    if first.rank is None:
        assert again.rank is None
    else:
        assert (again.rank, again.grace_until) == (
            first.rank,
            first.grace_until,
        ) or again.rank == rules.place(one.levels, value.counted)
        if not refunded:
            assert (again.rank, again.grace_until) == (first.rank, first.grace_until)


@given(ladders, values, st.integers(0, 1_000), helds, moments)
def test_more_never_leads_lower(
    one: Ladder, value: Value, more: int, before: Held | None, now: datetime
) -> None:
    window = rules.window(one.period, one.months, UTC_ZONE, now, now)
    less = rules.decide(one, window, value, before, now, UTC_ZONE).rank
    richer = rules.decide(one, window, replace(value, now=value.now + more), before, now, UTC_ZONE).rank
    assert (-1 if richer is None else richer) >= (-1 if less is None else less)


@given(ladders, values, st.integers(0, 3), moments, st.booleans())
def test_a_locked_tier_is_never_lost(
    one: Ladder, value: Value, rank: int, now: datetime, refunded: bool
) -> None:
    locked = held(rank, locked_until=now + timedelta(seconds=1))
    window = rules.window(one.period, one.months, UTC_ZONE, now, now)
    found = rules.decide(one, window, value, locked, now, UTC_ZONE, refunded=refunded)
    assert found.rank is not None and found.rank >= rank


@given(ladders, values, helds, moments)
def test_nobody_rises_above_what_was_earned_and_nobody_falls_below_it(
    one: Ladder, value: Value, before: Held | None, now: datetime
) -> None:
    window = rules.window(one.period, one.months, UTC_ZONE, now, now)
    found = rules.decide(one, window, value, before, now, UTC_ZONE).rank
    earned = rules.place(one.levels, value.counted)
    had = one.rank(before.tier_id) if before else None
    low = -1 if earned is None else earned
    assert low <= (-1 if found is None else found) <= max(low, -1 if had is None else had)


@pytest.mark.parametrize(
    ("changes", "value", "before", "verdict"),
    [
        ({}, 50, held(2), Verdict(0, lapsed=True)),
        ({"downgrade": "none"}, 50, held(2), Verdict(2)),
        ({"grace_days": 10}, 50, held(2), Verdict(2, NOW + timedelta(days=10))),
        (
            {"grace_days": 10},
            50,
            held(2, grace_until=NOW + timedelta(days=3)),
            Verdict(2, NOW + timedelta(days=3)),
        ),
        ({"grace_days": 10}, 50, held(2, grace_until=NOW), Verdict(0, lapsed=True)),
        ({"grace_days": 10}, 500, held(2, grace_until=NOW), Verdict(2)),
        ({"grace_days": 10}, 500, held(0), Verdict(2)),
        ({}, 50, held(2, locked_until=NOW + timedelta(days=1)), Verdict(2)),
        ({}, 50, held(2, locked_until=NOW), Verdict(0, lapsed=True)),
        ({}, 50, Held(ids.new_id(), NOW), Verdict(0)),
    ],
)
def test_how_a_tier_is_lost(changes: dict[str, Any], value: int, before: Held, verdict: Verdict) -> None:
    one = ladder(**changes)
    assert rules.decide(one, Window(NOW, NOW), Value(value), before, NOW, UTC_ZONE) == verdict


def test_one_tier_down_per_period() -> None:
    one = ladder(downgrade="one_level", period="calendar")
    window = rules.window("calendar", 12, UTC_ZONE, None, NOW)
    first = rules.decide(one, window, Value(0), held(3), NOW, UTC_ZONE)
    assert (first.rank, first.grace_until) == (2, datetime(2027, 1, 1, tzinfo=UTC))
    kept = held(2, grace_until=first.grace_until)
    assert rules.decide(one, window, Value(0), kept, NOW + timedelta(days=1), UTC_ZONE).rank == 2
    year = datetime(2027, 1, 1, tzinfo=UTC)
    later = rules.decide(
        one, rules.window("calendar", 12, UTC_ZONE, None, year), Value(0), kept, year, UTC_ZONE
    )
    assert later.rank == 1


def test_a_refund_takes_back_at_once_only_where_the_ladder_says_so() -> None:
    window = Window(NOW, NOW)
    patient = ladder(grace_days=30)
    assert rules.decide(patient, window, Value(50), held(2), NOW, UTC_ZONE, refunded=True).rank == 0
    lenient = ladder(grace_days=30, take_back=False)
    assert rules.decide(lenient, window, Value(50), held(2), NOW, UTC_ZONE, refunded=True).rank == 2
    never = ladder(downgrade="none")
    assert rules.decide(never, window, Value(50), held(2), NOW, UTC_ZONE, refunded=True).rank == 0


def test_a_year_s_tier_is_kept_to_the_end_of_the_next() -> None:
    one = ladder(period="calendar", grace_days=10)
    window = rules.window("calendar", 12, UTC_ZONE, None, NOW)
    verdict = rules.decide(one, window, Value(10, 600), held(2), NOW, UTC_ZONE)
    assert verdict == Verdict(2)
    ends = rules.ends_at(one, window, Value(10, 600), verdict, None, None, NOW)
    assert ends == datetime(2027, 1, 11, tzinfo=UTC)
    again = rules.ends_at(one, window, Value(600, 0), verdict, None, None, NOW)
    assert again == datetime(2028, 1, 11, tzinfo=UTC)
    assert rules.ends_at(one, window, Value(600, 0), Verdict(0), None, None, NOW) is None


@pytest.mark.parametrize(
    ("joined", "now", "starts", "ends"),
    [
        ("2024-02-29", "2025-02-27", "2024-02-29", "2025-02-28"),
        ("2024-02-29", "2025-02-28", "2025-02-28", "2026-02-28"),
        ("2024-02-29", "2028-02-28", "2027-02-28", "2028-02-29"),
        ("2024-02-29", "2028-02-29", "2028-02-29", "2029-02-28"),
        ("2025-06-15", "2026-06-15", "2026-06-15", "2027-06-15"),
        ("2026-06-15", "2026-06-15", "2026-06-15", "2027-06-15"),
    ],
)
def test_anniversaries(joined: str, now: str, starts: str, ends: str) -> None:
    found = rules.window("anniversary", 12, UTC_ZONE, noon(joined), noon(now))
    assert (found.starts.date().isoformat(), found.ends.date().isoformat() if found.ends else "") == (
        starts,
        ends,
    )


def noon(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC) + timedelta(hours=12)


def test_days_begin_at_the_shop_s_midnight_also_when_clocks_change() -> None:
    new_york = ZoneInfo("America/New_York")
    late = datetime(2027, 1, 1, 4, 59, tzinfo=UTC)
    assert rules.window("calendar", 12, new_york, None, late).starts == datetime(2026, 1, 1, 5, tzinfo=UTC)
    assert rules.window("calendar", 12, new_york, None, late + timedelta(minutes=1)).starts.year == 2027
    summer = rules.window("rolling", 6, new_york, None, datetime(2026, 9, 8, 12, tzinfo=UTC))
    assert summer.starts == datetime(2026, 3, 8, 5, tzinfo=UTC), (
        "the day on which clocks go forward began in winter"
    )


@given(moments, st.integers(1, 60), st.sampled_from(ZONES))
def test_what_lapses_is_outside_the_window_that_day_and_inside_the_day_before(
    at: datetime, months: int, zone: ZoneInfo
) -> None:
    gone = rules.lapses(at, months, zone)
    assert rules.window("rolling", months, zone, None, gone).starts > at
    assert rules.window("rolling", months, zone, None, gone - timedelta(hours=13)).starts <= at


@given(moments, moments, st.sampled_from(ZONES))
def test_an_instant_lies_in_its_year(joined: datetime, now: datetime, zone: ZoneInfo) -> None:
    joined, now = min(joined, now), max(joined, now)
    found = rules.window("anniversary", 12, zone, joined, now)
    assert found.ends is not None and found.follows is not None
    assert found.previous < found.starts <= now < found.ends < found.follows


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(-200, 200))
def test_months_keep_the_day_where_it_exists(day: date, months: int) -> None:
    found = add_months(day, months)
    assert found.day == day.day or (found + timedelta(days=1)).day == 1
    assert (found.year * 12 + found.month) - (day.year * 12 + day.month) == months


@given(values, st.integers(0, 3), st.integers(0, 10_000))
def test_within_the_band_nothing_changes(value: Value, rank: int, base: int) -> None:
    """Points that stay in the band lead to the verdict that holds already."""
    one = ladder()
    before = held(rank)
    value = replace(value, before=0)
    verdict = rules.decide(one, Window(NOW, NOW), value, before, NOW, UTC_ZONE)
    found = rules.band([(one, verdict.rank, value.now, base)])
    for points in (
        value.now - 1,
        value.now + 1,
        *(each.threshold + off for each in LEVELS for off in (-1, 0, 1)),
    ):
        if found.start <= base + points < found.end:
            after = Held(LEVELS[verdict.rank].id if verdict.rank is not None else None, NOW)
            again = rules.decide(one, Window(NOW, NOW), Value(points), after, NOW, UTC_ZONE)
            assert again.rank == verdict.rank


LINES = [
    {"id": 1, "net": 5_000, "tax": 500, "gift_card": False},
    {"id": 2, "net": 2_500, "tax": 0, "gift_card": True},
]


@pytest.mark.parametrize(
    ("refunds", "worth"),
    [
        ({}, (1, 5_000)),
        ({"9": {"lines": [[1, 2_000, 200, 1]], "amount": 0}}, (1, 3_000)),
        ({"9": {"lines": [[2, 2_500, 0, 1]], "amount": 0}}, (1, 5_000)),
        ({"9": {"lines": [[1, 5_000, 500, 1]], "amount": 0}}, (0, 0)),
        ({"9": {"lines": [], "amount": 700}}, (1, 4_300)),
        ({"9": {"lines": [], "amount": 99_000}}, (0, 0)),
    ],
)
def test_what_an_order_counts(refunds: dict[str, Any], worth: tuple[int, int]) -> None:
    assert rules.order_worth(LINES, refunds, stands=True) == worth
    assert rules.order_worth(LINES, refunds, stands=False) == (0, 0)


def test_a_ladder_that_cannot_stand_is_refused() -> None:
    with pytest.raises(ThresholdTaken):
        rules.check(rules.with_tier(ladder(), level(100)))
    with pytest.raises(FirstTierNeeded):
        rules.check(rules.without_tier(ladder(), LEVELS[0].id))
    with pytest.raises(WindowNotAllowed):
        rules.check(ladder(metric="rfm"))
    with pytest.raises(ThresholdTooHigh):
        rules.check(ladder(metric="rfm", period="rolling"))
    rules.check(ladder())


def test_what_needs_a_preview() -> None:
    one = ladder()
    renamed = rules.with_tier(one, replace(LEVELS[1], name="Argent", multiplier_bp=20_000))
    assert not rules.moves_members(one, renamed)
    assert not rules.moves_members(one, replace(one, name="Other", notice_days=7, take_back=False))
    assert rules.moves_members(one, rules.with_tier(one, replace(LEVELS[1], threshold=101)))
    assert rules.moves_members(one, rules.without_tier(one, LEVELS[3].id))
    assert rules.moves_members(one, replace(one, period="calendar"))
    assert not rules.moves_members(None, one)


@given(ladders)
def test_a_draft_survives_its_json(one: Ladder) -> None:
    assert (
        rules.from_json(
            rules.to_json(one)
            | {"id": str(one.id), "program_id": str(one.program_id)}
            | {"levels": [dict(each) | {"id": str(each["id"])} for each in rules.to_json(one)["levels"]]}
        )
        == one
    )
