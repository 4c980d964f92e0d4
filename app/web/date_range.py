"""A range of days in a page's address, and the ranges that the date picker offers."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from app.core import clock
from app.web import current

LONGEST_DAYS = 731
Compare = Literal["none", "previous", "year"]


class DateRange(BaseModel):
    """Base of a tab's query: the days asked for, both included, in the shop's zone; None is the tab's default."""

    start: date | None = None
    end: date | None = None
    compare: Compare = "none"


@dataclass(frozen=True, slots=True)
class Days:
    """Days that a page shows, both included; `key` names the preset they are, "" when none."""

    start: date
    end: date
    key: str = ""

    @property
    def count(self) -> int:
        """How many days."""
        return (self.end - self.start).days + 1


def presets(today: date) -> list[Days]:
    """Today, the last 7, 30 and 90 days, and this quarter so far."""
    quarter = date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
    last = [Days(today - timedelta(days=length - 1), today, f"days-{length}") for length in (7, 30, 90)]
    return [Days(today, today, "today"), *last, Days(quarter, today, "quarter")]


def chosen(asked: DateRange, today: date, default: str = "days-30") -> Days:
    """The days a page shows: what was asked, cut to history and at most two years; otherwise the default preset."""
    if asked.start is None or asked.start > today:
        return next(one for one in presets(today) if one.key == default)
    end = min(asked.end or today, today)
    end = max(end, asked.start)
    start = max(asked.start, end - timedelta(days=LONGEST_DAYS - 1))
    return next((one for one in presets(today) if (one.start, one.end) == (start, end)), Days(start, end))


def compared(days: Days, compare: Compare) -> Days | None:
    """The days to compare with: as many before, or the same days a year earlier; None when nothing is compared."""
    if compare == "previous":
        return Days(days.start - timedelta(days=days.count), days.start - timedelta(days=1))
    if compare == "year":
        return Days(_year_before(days.start), _year_before(days.end))
    return None


def today() -> date:
    """The shop's present day."""
    return clock.now().astimezone(ZoneInfo(current.timezone())).date()


def _year_before(day: date) -> date:
    """29 February leads to the 28th."""
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)
