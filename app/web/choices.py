"""Closed lists that fields choose from by name although a code is kept: countries, currencies, time zones."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Literal

from flask import Flask
from flask_babel import gettext

from app.core import clock, money, zones
from app.core.calendar import known_zones
from app.core.countries import countries
from app.core.i18n import LOCALES
from app.web import current

Of = Literal["countries", "currencies", "zones"]
_NAMES = {"countries": countries, "currencies": money.currencies}
# What a choice is found by comes in parts, the most telling first.
_PART = "|"
_WITHIN, _MISSED = 98, 99


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to choose: the code that is kept, its name, what stands beside it, and all that it is found by."""

    value: str
    name: str
    line: str
    words: str


def find(of: Of, text: str) -> list[Choice]:
    """What a text begins or stands in, the closest first; without one everything.

    Zones begin with the shop's own, which is kept as "", so that it follows the shop.
    """
    wanted = _folded(text)
    locale, hour = current.locale(), clock.now().replace(minute=0, second=0, microsecond=0)
    offered = (_own_zone(), *_zones(locale, hour)) if of == "zones" else _coded(of, locale)
    if not wanted:
        return list(offered)
    ranked = [(rank, one) for one in offered if (rank := _rank(one, wanted)) < _MISSED]
    return [one for _, one in sorted(ranked, key=lambda pair: pair[0])]


def name_of(value: str, of: Of) -> str:
    """What a kept code is called in the reader's language; what is no such code comes back as it is."""
    if of != "zones":
        return names(of).get(value, value)
    if not value:
        return _own_zone().name
    return _zone_name(value) if value in known_zones() else value


def names(of: Literal["countries", "currencies"]) -> Mapping[str, str]:
    """What the codes of a list are called in the reader's language."""
    return _names(of, current.locale())


def _rank(one: Choice, wanted: str) -> int:
    """How far down what was found stands: by the part that has it, and in that the beginning before later words."""
    if wanted == one.value.casefold():
        return 0
    found = [
        (one.words.count(_PART, 0, at + 1), sign)
        for sign in (_PART, " ")
        if (at := one.words.find(sign + wanted)) >= 0
    ]
    if found:
        part, sign = min(found)
        return 2 * part + (sign == " ")
    return _WITHIN if wanted in one.words else _MISSED


@cache
def _names(of: str, locale: str) -> Mapping[str, str]:
    return {code: name[:1].upper() + name[1:] for code, name in _NAMES[of](locale).items()}


@cache
def _coded(of: str, locale: str) -> tuple[Choice, ...]:
    english = _names(of, "en")
    found = (
        Choice(code, name, code, _searched(name, english[code], code))
        for code, name in _names(of, locale).items()
    )
    return tuple(sorted(found, key=lambda one: _folded(one.name)))


@lru_cache(maxsize=2 * len(LOCALES))
def _zones(locale: str, hour: datetime) -> tuple[Choice, ...]:
    """The zones of all countries from west to east, each with its distance from UTC in an hour."""
    found = sorted(zones.regions(locale), key=lambda zone: zones.ahead(zone.name, hour))
    return tuple(
        Choice(
            zone.name,
            zones.labeled(zone.name, locale, hour),
            f"{zone.country} · {zone.time}" if zone.time else zone.country,
            _zone_words(zone, locale, hour),
        )
        for zone in found
    )


def _zone_words(zone: zones.Zone, locale: str, now: datetime) -> str:
    """What a zone is found by; its IANA name last, because Pacific means a time rather than the islands there."""
    offset = zones.offset(zone.name, now)
    hours = offset.replace("C+0", "C+").replace("C-0", "C-").removesuffix(":00")
    said = _searched(hours, offset, zones.short(zone.name, now))
    return f"{_places(locale)[zone.name]}{said}{_PART}={zone.name.casefold()}"


@cache
def _places(locale: str) -> Mapping[str, str]:
    """Each zone's city, country and time, here and in English."""
    both = zip(zones.regions(locale), zones.regions("en"), strict=True)
    return {
        here.name: _searched(here.city, english.city, here.country, english.country, here.time, english.time)
        for here, english in both
    }


def _own_zone() -> Choice:
    """The shop's own zone, whichever that is at the time."""
    name = gettext("%(zone)s, as your store", zone=_zone_name(current.timezone()))
    return Choice("", name, "", _searched(name))


def _zone_name(zone: str) -> str:
    return zones.labeled(zone, current.locale(), clock.now())


def _searched(*texts: str) -> str:
    return "".join(f"{_PART}{_folded(text)}" for text in texts)


def _folded(text: str) -> str:
    """A text as it is compared: without case, accents and punctuation but for the signs in offsets and IANA names."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return " ".join(re.sub(r"[^\w+:/]+", " ", kept).split())


def init_choices(app: Flask) -> None:
    """Make the names known to templates."""
    app.jinja_env.filters.update(choice_name=name_of)
    app.jinja_env.globals.update(choice_names=names)
