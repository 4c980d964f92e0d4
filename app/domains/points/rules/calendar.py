"""Days, periods and birthdays as a program counts them: in its own time zone."""

from calendar import isleap, monthrange
from datetime import date, timedelta


def birthday_in(year: int, month: int, day: int) -> date:
    """When a birthday is celebrated in a year: 29 February on the 28th where the year has none."""
    if (month, day) == (2, 29) and not isleap(year):
        day = 28
    return date(year, month, day)


def period_of(day: date, period: str | None) -> tuple[date, date]:
    """First and last day of the "day", "week", "month", "quarter" or "year" around a day; all days for None."""
    if period is None:
        return date.min, date.max
    if period == "day":
        return day, day
    if period == "week":
        first = day - timedelta(days=day.weekday())
        return first, first + timedelta(days=6)
    months = {"month": 1, "quarter": 3, "year": 12}[period]
    month = (day.month - 1) // months * months + 1
    last = month + months - 1
    return date(day.year, month, 1), date(day.year, last, monthrange(day.year, last)[1])
