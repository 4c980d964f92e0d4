"""Windows of time in the shop's zone: days begin at its midnight, months end on their last day."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.domains.tiers.schemas import Every, Period, Window

EVER = datetime(1970, 1, 1, tzinfo=UTC)


def window(
    period: Period, months: int, zone: ZoneInfo, enrolled_at: datetime | None, now: datetime
) -> Window:
    """What counts at an instant. An anniversary of 29 February is the 28th in other years."""
    today = now.astimezone(zone).date()
    if period == "rolling":
        starts = _midnight(add_months(today, -months), zone)
        return Window(starts, starts)
    if period == "calendar":
        return _yearly([date(today.year + one, 1, 1) for one in (-1, 0, 1, 2)], zone)
    if period == "anniversary" and enrolled_at is not None:
        joined = enrolled_at.astimezone(zone).date()
        years = today.year - joined.year
        years -= add_months(joined, 12 * years) > today
        return _yearly([add_months(joined, 12 * (years + one)) for one in (-1, 0, 1, 2)], zone)
    return Window(EVER, EVER)


def _yearly(days: list[date], zone: ZoneInfo) -> Window:
    previous, starts, ends, follows = (_midnight(day, zone) for day in days)
    return Window(starts, previous, ends, follows)


def lapses(at: datetime, months: int, zone: ZoneInfo) -> datetime:
    """When something that happened at an instant leaves a window of the last months."""
    day = at.astimezone(zone).date()
    gone = add_months(day + timedelta(days=1), months)
    while add_months(gone, -months) <= day:
        gone += timedelta(days=1)
    return _midnight(gone, zone)


def step(of: Window, months: int, now: datetime, zone: ZoneInfo) -> datetime:
    """When a member who lost one tier may lose the next."""
    return of.ends or _midnight(add_months(now.astimezone(zone).date(), months), zone)


def gift_period(every: Every, now: datetime, zone: ZoneInfo) -> str:
    """The month, quarter or year of the shop in which an instant lies."""
    day = now.astimezone(zone).date()
    if every == "year":
        return str(day.year)
    if every == "quarter":
        return f"{day.year}-Q{(day.month + 2) // 3}"
    return f"{day.year}-{day.month:02}"


def add_months(day: date, months: int) -> date:
    """The same day so many months later or earlier, or the last one of a shorter month."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)
