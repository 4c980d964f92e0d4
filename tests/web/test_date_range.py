"""The days a page shows."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.date_range import LONGEST_DAYS, Compare, DateRange, Days, chosen, compared, presets

TODAY = date(2026, 11, 20)
DAYS = st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1))


def test_presets_end_today() -> None:
    assert [(one.key, one.start, one.end) for one in presets(TODAY)] == [
        ("today", TODAY, TODAY),
        ("days-7", date(2026, 11, 14), TODAY),
        ("days-30", date(2026, 10, 22), TODAY),
        ("days-90", date(2026, 8, 23), TODAY),
        ("quarter", date(2026, 10, 1), TODAY),
    ]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (DateRange(), Days(date(2026, 10, 22), TODAY, "days-30")),
        (DateRange(start=date(2026, 11, 14), end=TODAY), Days(date(2026, 11, 14), TODAY, "days-7")),
        (DateRange(start=date(2026, 3, 1), end=date(2026, 3, 9)), Days(date(2026, 3, 1), date(2026, 3, 9))),
        (DateRange(start=date(2026, 3, 9), end=date(2026, 3, 1)), Days(date(2026, 3, 9), date(2026, 3, 9))),
        (DateRange(start=date(2027, 1, 1)), Days(date(2026, 10, 22), TODAY, "days-30")),
        (DateRange(end=date(2026, 3, 1)), Days(date(2026, 10, 22), TODAY, "days-30")),
    ],
)
def test_chosen(asked: DateRange, expected: Days) -> None:
    assert chosen(asked, TODAY) == expected


@given(start=DAYS, end=DAYS, today=DAYS)
def test_what_is_shown_is_history_in_order_and_bounded(start: date, end: date, today: date) -> None:
    days = chosen(DateRange(start=start, end=end), today)
    assert days.start <= days.end <= today
    assert 1 <= days.count <= LONGEST_DAYS


@given(start=DAYS, length=st.integers(min_value=0, max_value=LONGEST_DAYS))
def test_the_days_before_touch_and_are_as_many(start: date, length: int) -> None:
    days = Days(start, start + timedelta(days=length))
    before = compared(days, "previous")
    assert before is not None
    assert (before.count, before.end + timedelta(days=1)) == (days.count, days.start)


@pytest.mark.parametrize(
    ("compare", "expected"),
    [("none", None), ("year", Days(date(2023, 2, 28), date(2023, 3, 2)))],
)
def test_compared_with_a_year_earlier(compare: Compare, expected: Days | None) -> None:
    assert compared(Days(date(2024, 2, 29), date(2024, 3, 2)), compare) == expected
