"""What fields choose by name while a code is kept."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from flask_babel import force_locale

from app.core import clock
from app.web import choices
from app.web.choices import Of

WINTER = datetime(2026, 1, 15, 12, tzinfo=UTC)


def found(app: Flask, of: Of, text: str, locale: str = "en") -> list[str]:
    with (
        app.test_request_context(headers={"Accept-Language": locale}),
        force_locale(locale),
        clock.use_clock(lambda: WINTER),
    ):
        return [one.value for one in choices.find(of, text)]


@pytest.mark.parametrize(
    ("of", "text", "locale", "first"),
    [
        ("countries", "fr", "en", ["FR", "GF", "PF", "TF", "CF", "ZA"]),
        ("countries", "guinea", "en", ["GN", "GW", "GQ", "PG"]),
        ("countries", "cote d ivoire", "fr", ["CI"]),
        ("countries", "allemagne", "fr", ["DE"]),
        ("countries", "germany", "fr", ["DE"]),
        ("countries", "مغرب", "ar", ["MA"]),
        ("currencies", "eur", "en", ["EUR"]),
        ("currencies", "livre liban", "fr", ["LBP"]),
        ("currencies", "dinar jordanien", "fr", ["JOD"]),
        ("zones", "europe/paris", "en", ["Europe/Paris"]),
        ("zones", "par", "ar", ["America/Paramaribo", "Europe/Paris", "America/Asuncion"]),
        ("zones", "sao paulo", "en", ["America/Sao_Paulo"]),
        ("zones", "pacific", "en", ["America/Los_Angeles"]),
        ("zones", "UTC+5:45", "en", ["Asia/Kathmandu"]),
        ("zones", "utc+05:45", "en", ["Asia/Kathmandu"]),
        ("zones", "utc-3:30", "en", ["America/St_Johns"]),
        ("zones", "utc+1", "en", ["Africa/Algiers"]),
        ("zones", "ist", "en", ["Europe/Istanbul", "Asia/Jerusalem", "Asia/Kolkata"]),
    ],
)
def test_the_closest_comes_first(web_app: Flask, of: Of, text: str, locale: str, first: list[str]) -> None:
    assert found(web_app, of, text, locale)[: len(first)] == first


@pytest.mark.parametrize(("of", "least"), [("countries", 240), ("currencies", 140), ("zones", 400)])
def test_without_a_text_everything_is_offered_and_with_nonsense_nothing(
    web_app: Flask, of: Of, least: int
) -> None:
    everything = found(web_app, of, "  ")
    assert len(everything) == len(set(everything)) > least
    assert found(web_app, of, "zzzz") == []


def test_the_shops_own_zone_comes_first_and_follows_the_shop(web_app: Flask) -> None:
    assert found(web_app, "zones", "")[0] == ""
    with web_app.test_request_context(), clock.use_clock(lambda: WINTER):
        assert choices.name_of("", "zones") == "UTC (UTC+00:00), as your store"
        assert choices.name_of("Asia/Riyadh", "zones") == "Riyadh (UTC+03:00)"


def test_no_territory_that_is_no_country_is_offered(web_app: Flask) -> None:
    offered = set(found(web_app, "countries", ""))
    assert {"FR", "PS", "XK"} <= offered and not offered & {"EU", "ZZ", "XA", "UN", "QO"}


def test_what_is_no_code_is_shown_as_it_is(web_app: Flask) -> None:
    with web_app.test_request_context():
        assert [choices.name_of(value, "countries") for value in ("JO", "Atlantis")] == ["Jordan", "Atlantis"]
        assert choices.name_of("../etc/passwd", "zones") == "../etc/passwd"
