"""Numbers, money and time in five languages."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from babel.dates import format_timedelta
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.clock import use_clock
from app.core.i18n import LOCALES
from app.web import current, filters
from tests.fixtures.web import staff

NOW = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)
ISOLATE, POP = "\u2066", "\u2069"


@pytest.fixture
def reading(app: Flask) -> Callable[[str], object]:
    @contextmanager
    def read_as(locale: str) -> Iterator[None]:
        with app.test_request_context(), use_clock(lambda: NOW):
            current.identify(staff(locale=locale))
            yield

    return read_as


@pytest.mark.parametrize(
    ("locale", "shown"),
    [("en", "$1,234.56"), ("fr", "1\u202f234,56\u00a0$US"), ("es", "1.234,56\u00a0US$")],
)
def test_money(reading: Callable, locale: str, shown: str) -> None:
    with reading(locale):
        assert filters.money(123456, "USD") == shown


def test_money_keeps_its_currencys_decimals(reading: Callable) -> None:
    with reading("en"):
        assert filters.money(1234, "JPY") == "¥1,234"
        assert filters.money(1234, "KWD").endswith("1.234")
        assert filters.money(-5, "USD") == "\u2212$0.05"
        assert filters.money(5, "USD", signed=True) == "+$0.05"
        assert filters.money(None, "USD") == "–"


def test_what_could_turn_round_is_isolated_where_it_could(reading: Callable) -> None:
    with reading("ar"):
        for text in (
            filters.money(5, "USD"),
            filters.percent(0.1),
            filters.points(5, signed=True),
            filters.number(-5),
        ):
            assert (text[0], text[-1]) == (ISOLATE, POP)
        assert filters.number(1240) == "1,240"
    with reading("en"):
        assert ISOLATE not in filters.money(5, "USD") + filters.percent(0.1) + filters.number(-5)


def test_what_is_isolated_keeps_the_direction_of_its_first_letter(reading: Callable) -> None:
    with reading("ar"):
        day = filters.date_text(date(2027, 2, 19))
    assert "\u200f" in day, (
        "an Arabic date carries marks of its direction, which a forced other one would tear apart"
    )
    assert filters.isolated(day) == f"\u2068{day}{POP}"


@pytest.mark.parametrize("locale", LOCALES)
def test_digits_are_latin_everywhere(reading: Callable, locale: str) -> None:
    with reading(locale):
        texts = [
            filters.number(1234567.5),
            filters.money(123456, "USD"),
            filters.percent(0.125),
            filters.date_text(NOW),
            filters.datetime_text(NOW),
            filters.reltime(NOW - timedelta(minutes=12)),
            filters.compact(12_345_678),
        ]
    assert all(sign.isascii() for text in texts for sign in text if sign.isdigit())


def test_numbers(reading: Callable) -> None:
    with reading("en"):
        assert filters.number(1240) == "1,240"
        assert filters.number(12.345, 1) == "12.3"
        assert filters.number(12.0) == "12"
        assert filters.number(-84, signed=True) == "\u221284"
        assert filters.number(0, signed=True) == "0"
        assert filters.number(None) == "–"
        assert filters.points(245, signed=True) == "+245"
        assert filters.points(1, unit=True) == "1\u00a0point"
        assert filters.points(1240, unit=True) == "1,240\u00a0points"
        assert filters.percent(0.0614) == "6.1%"
        assert filters.percent(0.0615, 2) == "6.15%"
        assert filters.compact(9_999_999) == "9,999,999"
        assert filters.compact(12_345_678) == "12.3M"


def test_time_is_in_the_shops_zone(reading: Callable) -> None:
    with reading("en"):
        assert filters.datetime_text(NOW) == "Nov 30, 2026, 9:00\u202fAM"
        assert filters.date_text(datetime(2026, 12, 1, 3, 0, tzinfo=UTC)) == "Nov 30, 2026"
        assert filters.date_text(date(2026, 12, 1), "long") == "December 1, 2026"
    with reading("fr"):
        assert filters.datetime_text(NOW) == "30 nov. 2026, 09:00"


@pytest.mark.parametrize(
    ("distance", "shown"),
    [
        (timedelta(minutes=-12), "12 minutes ago"),
        (timedelta(hours=3), "in 3 hours"),
        (timedelta(days=-2), "Nov 28, 2026"),
    ],
)
def test_relative_time_ends_after_a_day(reading: Callable, distance: timedelta, shown: str) -> None:
    with reading("en"):
        assert filters.reltime(NOW + distance) == shown


def test_missing_times(reading: Callable) -> None:
    with reading("en"):
        assert {filters.reltime(None), filters.date_text(None), filters.datetime_text(None)} == {"–"}


def test_an_unknown_zone_is_utc(app: Flask) -> None:
    from app.web.principals import ShopInfo

    with app.test_request_context():
        current.identify(staff(shop=ShopInfo("x", timezone="Mars/Olympus")))
        assert current.timezone() == "UTC"


@given(seconds=st.floats(-86_399, 86_399, allow_nan=False), locale=st.sampled_from(LOCALES))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_distance_is_told_as_babel_tells_it(reading: Callable, seconds: float, locale: str) -> None:
    distance = timedelta(seconds=seconds)
    with reading(locale):
        shown = filters.reltime(NOW + distance)
    assert shown == format_timedelta(distance, add_direction=True, threshold=1.2, locale=locale)


def test_a_kept_text_belongs_to_its_language(reading: Callable) -> None:
    seen = []
    for locale in ("en", "fr", "en", "es"):
        with reading(locale):
            seen.append((filters.number(1234567), filters.datetime_text(NOW), filters.reltime(NOW)))
    assert seen[0] == seen[2] and len(set(seen)) == 3
