"""Time zones as people look for them: by their city, their country, what their time is called and how far from UTC."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.core import get_global

from app.core.calendar import known_zones
from app.core.countries import countries
from app.core.i18n import isolated


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone in one of our languages. `time` is what its time is called, such as Pacific Time, or ""."""

    name: str
    city: str
    country: str
    time: str


@cache
def regions(locale: str) -> tuple[Zone, ...]:
    """The zones of all countries; neither other names of the same ones nor zones that belong to no place."""
    places = get_global("zone_territories")
    named = countries(locale)
    return tuple(
        Zone(name, city(name, locale), named[place], _time(name, locale))
        for name, place in sorted(places.items())
        if place in named and name in known_zones()
    )


@cache
def city(name: str, locale: str) -> str:
    """What a zone's city is called; the last part of an IANA name where the language has no word of its own."""
    words = Locale(locale).time_zones
    found = (words.get(one, {}).get("city") for one in (name, *_before(name)))
    return next(filter(None, found), name.rpartition("/")[2].replace("_", " "))


def ahead(name: str, now: datetime) -> timedelta:
    """How far a zone's clocks are ahead of UTC at a moment."""
    return now.astimezone(ZoneInfo(name)).utcoffset() or timedelta(0)


def offset(name: str, now: datetime) -> str:
    """The same as people write it: UTC+05:30."""
    return f"UTC{now.astimezone(ZoneInfo(name)).isoformat(timespec='minutes')[-6:]}"


def short(name: str, now: datetime) -> str:
    """What a zone's time is called for short at a moment, such as CET; its offset where nobody calls it anything."""
    return now.astimezone(ZoneInfo(name)).tzname() or ""


def labeled(name: str, locale: str, now: datetime) -> str:
    """A zone by its city and its present distance from UTC: Paris (UTC+01:00)."""
    return f"{city(name, locale)} ({isolated(offset(name, now), locale)})"


def _before(name: str) -> list[str]:
    """What a zone was called before; languages keep their words under the first name."""
    return [old for old, new in get_global("zone_aliases").items() if new == name]


def _time(name: str, locale: str) -> str:
    times = get_global("meta_zones")
    called = next((times[one] for one in (name, *_before(name)) if times.get(one)), "")
    names = Locale(locale).meta_zones.get(called, {}).get("long", {})
    return str(names.get("generic") or names.get("standard") or "")
