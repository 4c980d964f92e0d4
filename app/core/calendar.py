"""Days and time zones as people and programs may name them."""

from datetime import date, datetime
from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, AwareDatetime, Field

from app.core.i18n import mark

# Arithmetic with the ends of the calendar overflows; nobody means them.
_FIRST, _LAST = date(1900, 1, 1), date(2999, 12, 31)
Day = Annotated[date, Field(ge=_FIRST, le=_LAST)]


def within_reach(moment: datetime) -> datetime:
    """A moment as it came. Raises ValueError with a sentence when it lies outside of the days that can be named."""
    if not _FIRST <= moment.date() <= _LAST:
        raise ValueError(mark("Enter a date and time like 2026-11-30T09:41:00Z."))
    return moment


# A moment with its zone, and one that may stand in the shop's.
Instant = Annotated[AwareDatetime, AfterValidator(within_reach)]
Moment = Annotated[datetime, AfterValidator(within_reach)]


@cache
def known_zones() -> frozenset[str]:
    """Every IANA name; not the one that means whatever zone the machine is in."""
    return frozenset(available_timezones() - {"localtime"})


def zone_name(name: str) -> str:
    """The IANA name of a time zone as it came; "" stands for somebody else's choice. Raises ValueError with a sentence."""
    if name and name not in known_zones():
        raise ValueError(mark("There is no time zone with this name."))
    return name


ZoneName = Annotated[str, AfterValidator(zone_name), Field(examples=["Europe/Paris"])]
