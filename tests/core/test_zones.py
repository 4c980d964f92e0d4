"""Time zones as people look for them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from app.core import zones
from app.core.i18n import LOCALES

WINTER, SUMMER = datetime(2026, 1, 15, 12, tzinfo=UTC), datetime(2026, 7, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize("locale", LOCALES)
def test_only_zones_of_countries_are_offered_and_each_has_its_names(locale: str) -> None:
    found = zones.regions(locale)
    names = {zone.name for zone in found}
    assert {"Europe/Paris", "Asia/Kolkata", "Asia/Jerusalem", "America/Argentina/Buenos_Aires"} <= names
    assert not {name for name in names if name.startswith("Etc/") or "/" not in name}
    assert not names & {"UTC", "EST", "Asia/Calcutta", "US/Pacific", "Europe/Belfast"}, "no second names"
    assert all(zone.city and zone.country and ZoneInfo(zone.name) for zone in found)


@pytest.mark.parametrize(
    ("name", "locale", "said"),
    [
        ("Europe/Paris", "en", "Paris (UTC+01:00)"),
        ("Europe/Paris", "ar", "باريس (\u2068UTC+01:00\u2069)"),
        ("Asia/Kolkata", "fr", "Calcutta (UTC+05:30)"),
        ("America/New_York", "es", "Nueva York (UTC-05:00)"),
        ("America/Argentina/Buenos_Aires", "en", "Buenos Aires (UTC-03:00)"),
        ("UTC", "he", "UTC (\u2068UTC+00:00\u2069)"),
    ],
)
def test_a_zone_is_labeled_by_its_city_and_present_offset(name: str, locale: str, said: str) -> None:
    assert zones.labeled(name, locale, WINTER) == said


def test_the_offset_is_that_of_the_moment() -> None:
    assert zones.labeled("Europe/Paris", "en", SUMMER) == "Paris (UTC+02:00)"
    assert zones.short("Europe/Paris", WINTER) == "CET"
