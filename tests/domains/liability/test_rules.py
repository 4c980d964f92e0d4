"""Deferred revenue by examples that others published, and by what must hold for any history."""

from dataclasses import replace
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.liability import rules
from app.domains.liability.rules import Cell, Standing, Terms

MONTHS = [date(2026, month, 1) for month in range(1, 9)]
MAY = date(2026, 5, 1)


def terms(rate_bp: int = 8_500, value: int = 10_000, sharing: rules.Sharing = "exact") -> Terms:
    return Terms(MONTHS[0], rate_bp, value, sharing)


def test_the_published_example_to_the_cent() -> None:
    """Sales 2,000; 2,000 points worth 200; 85 % expected: 1,842 and 158, and half of the points redeemed gives 79."""
    found = rules.allocate(200_000, 2_000, terms(sharing="tenth"))
    assert (found.goods, found.deferred) == (184_200, 15_800)
    assert rules.released(found.deferred, Standing(2_000, redeemed=850), 8_500) == 7_900


def test_the_same_sale_without_rounding_the_share() -> None:
    found = rules.allocate(200_000, 2_000, terms())
    assert (found.goods, found.deferred) == (184_332, 15_668)
    assert rules.released(found.deferred, Standing(2_000, redeemed=850), 8_500) == 7_834


def test_example_52_of_ifrs_15() -> None:
    """100,000 of sales, 10,000 points at 1 each, 95 % and later 97 % expected: 91,324, 8,676, 4,110 and 3,493."""
    at_one = terms(9_500, 1_000)
    found = rules.allocate(100_000, 10_000, at_one)
    assert (found.goods, found.deferred) == (91_324, 8_676)
    cells = [
        Cell(MONTHS[0], MONTHS[0], "sale", issued=10_000, redeemed=4_500, sales=100_000),
        Cell(MONTHS[1], MONTHS[0], "sale", redeemed=4_000),
    ]
    rows = rules.money_rows(cells, [at_one, replace(at_one, period=MONTHS[1], rate_bp=9_700)])
    assert [row.released for row in rows] == [4_110, 3_493]
    assert [row.closing for row in rows] == [4_566, 1_073]
    assert rows[1].caught_up == rules.half_up(8_676 * 4_500, 9_700) - 4_110


@pytest.mark.parametrize(("sales", "value", "deferred"), [(2_000, 100, 157), (2_000_000, 100_000, 156_682)])
def test_currencies_with_no_and_with_three_decimals(sales: int, value: int, deferred: int) -> None:
    assert rules.allocate(sales, 2_000, terms(value=value)).deferred == deferred


@pytest.mark.parametrize(
    ("sales", "points", "value"), [(0, 100, 10), (-5, 100, 10), (100, 0, 10), (100, 100, 0)]
)
def test_nothing_is_deferred_where_nothing_was_sold_or_promised(sales: int, points: int, value: int) -> None:
    assert rules.allocate(sales, points, terms(value=value)) == rules.Allocation(max(sales, 0), 0)


RATES = st.integers(0, 10_000)
AMOUNTS = st.integers(0, 10**12)
POINTS = st.integers(0, 10**9)
SHARING: st.SearchStrategy[rules.Sharing] = st.sampled_from(["exact", "tenth"])


@given(AMOUNTS, POINTS, RATES, st.integers(0, 10**7), SHARING)
def test_goods_and_deferral_are_the_sale(
    sales: int, points: int, rate: int, value: int, sharing: rules.Sharing
) -> None:
    found = rules.allocate(sales, points, terms(rate, value, sharing))
    assert found.goods + found.deferred == sales
    assert 0 <= found.deferred <= sales


@st.composite
def standing(draw: st.DrawFn) -> Standing:
    issued = draw(st.integers(1, 10**7))
    gone = draw(st.integers(0, issued))
    used = draw(st.integers(0, issued - gone))
    return Standing(issued, used, draw(st.integers(0, issued - gone - used)), gone)


@given(AMOUNTS, standing(), RATES)
def test_never_more_is_released_than_was_deferred(deferred: int, at: Standing, rate: int) -> None:
    found = rules.released(deferred, at, rate)
    assert 0 <= found <= rules.owed(deferred, at) <= deferred
    if at.outstanding == 0:
        assert found == rules.owed(deferred, at)


@given(AMOUNTS, standing(), RATES, RATES)
def test_expecting_more_redemptions_releases_later(deferred: int, at: Standing, one: int, two: int) -> None:
    assert rules.released(deferred, at, max(one, two)) <= rules.released(deferred, at, min(one, two))


@st.composite
def histories(draw: st.DrawFn) -> list[Cell]:
    """Cohorts whose points go their ways over the months, never more than there are."""
    cells = []
    for start, cohort in enumerate(MONTHS):
        left, used = draw(st.integers(0, 5_000)), 0
        cells.append(Cell(cohort, cohort, "sale", issued=left, sales=draw(st.integers(0, 10**6))))
        for period in MONTHS[start:]:
            redeemed = draw(st.integers(0, left))
            restored = draw(st.integers(0, used + redeemed))
            left += restored - redeemed
            used += redeemed - restored
            expired = draw(st.integers(0, left))
            back = draw(st.integers(0, left - expired))
            left -= expired + back
            cells.append(
                Cell(
                    period,
                    cohort,
                    "sale",
                    restored=restored,
                    redeemed=redeemed,
                    expired=expired,
                    reversed=back,
                )
            )
    return cells


@given(histories(), st.lists(RATES, min_size=len(MONTHS), max_size=len(MONTHS)), SHARING)
def test_every_month_closes_where_the_next_opens(
    cells: list[Cell], rates: list[int], sharing: rules.Sharing
) -> None:
    each = [Terms(month, rate, 1_000, sharing) for month, rate in zip(MONTHS, rates, strict=True)]
    rows = rules.money_rows(cells, each)
    before = 0
    for row in rows:
        assert row.opening == before
        assert row.opening + row.added - row.reversed - row.released == row.closing
        assert row.closing >= 0
        before = row.closing
    assert sum(row.added - row.reversed - row.released for row in rows) == rows[-1].closing


@given(histories(), RATES)
def test_an_unchanged_estimate_catches_nothing_up(cells: list[Cell], rate: int) -> None:
    rows = rules.money_rows(cells, [Terms(month, rate, 1_000) for month in MONTHS])
    assert all(row.caught_up == 0 for row in rows)


@given(histories())
def test_points_roll_forward(cells: list[Cell]) -> None:
    rows = rules.points_rows(cells, MONTHS)
    assert rows[-1].closing == sum(at.outstanding for at in rules.standings(cells, "sale").values())
    for row, after in pairwise(rows):
        assert row.closing == after.opening


def cohorts(*rates: int, points: int = 1_000) -> dict[date, Standing]:
    """Mature cohorts of which so many percent were redeemed."""
    return {
        MONTHS[number]: Standing(points, points * rate // 100, points - points * rate // 100)
        for number, rate in enumerate(rates)
    }


def test_the_rate_is_measured_where_there_is_enough_to_measure() -> None:
    found = rules.estimate(cohorts(80, 84, 88), 10_000, None)
    assert (found.rate_bp, found.source, found.cohorts, found.points) == (8_400, "measured", 3, 3_000)
    assert found.error_bp == (400 + 600) // 2


@pytest.mark.parametrize(
    "few", [{}, cohorts(80, 80), cohorts(80, 80, 80, points=100), cohorts(0, 100, 0, 100)]
)
def test_the_fallback_holds_where_the_evidence_does_not_carry(few: dict[date, Standing]) -> None:
    found = rules.estimate(few, 9_000, None)
    assert (found.rate_bp, found.source) == (9_000, "fallback")


def test_an_override_holds_and_shows_what_was_measured() -> None:
    found = rules.estimate(cohorts(80, 80, 80), 10_000, 7_000)
    assert (found.rate_bp, found.source, found.measured_bp) == (7_000, "override", 8_000)


def test_young_cohorts_tell_nothing() -> None:
    young = {MAY: Standing(10_000, redeemed=5_000)}
    assert rules.estimate(young, 10_000, None).cohorts == 0
    old = {MAY: Standing(10_000, redeemed=5_000, expired=4_900)}
    assert rules.estimate(old, 10_000, None).measured_bp == 5_051


def test_ages() -> None:
    outstanding = {date(2026, 5, 1): 1, date(2026, 3, 1): 2, date(2026, 2, 1): 4, date(2025, 5, 1): 8}
    assert rules.age_bands(outstanding | {date(2020, 1, 1): 16}, MAY) == [3, 4, 0, 8, 16]


def test_expected_value() -> None:
    assert rules.expected_value(2_000, terms()) == 17_000
    assert rules.expected_value(-5, terms()) == 0
