"""Figures of days: domains above add up their own, days that are over are added up once, and the present one each time."""

from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import orjson

from app.core.db import UnitOfWork
from app.domains.shops import queries
from app.domains.shops.schemas import DayFigure, DayFigures, DayTotal
from app.domains.shops.service.lifecycle import get

# Work that began before midnight may still be committed a little later.
_SETTLES = timedelta(minutes=10)
_TREND_DAYS = 14
# What is added up before somebody asks: a year, and the one that it is compared with.
_KEPT_AHEAD = 730
_AT_ONCE = 31
_figures: dict[str, DayFigure] = {}
_sums: dict[str, DayFigures] = {}


def register_day_figures(domain: str, figures: Sequence[DayFigure], sums: DayFigures) -> None:
    """Let a domain add figures of days: `sums(uow, first, last, zone)` gives {figure: {day: value}} by one look-up.

    Days are local to the zone and both included; a day that is missing counted nothing. What is added up is only ever
    added to, so that a day that is over stays as it is.
    """
    for figure in figures:
        _figures[figure.key] = figure
    _sums[domain] = sums


def day_totals(
    uow: UnitOfWork, first: date, last: date, before: tuple[date, date] | None = None
) -> list[DayTotal]:
    """Each figure summed over days, and over those to compare with; with its values day by day for a small chart.

    A span shorter than two weeks gets the trend of the two weeks that end with it.
    """
    start = min(first, last - timedelta(days=_TREND_DAYS - 1))
    wanted = [start, *(before[:1] if before else ())]
    days = _days(uow, min(wanted), last)
    shown = [start + timedelta(days=n) for n in range((last - start).days + 1)]
    return [
        DayTotal(
            figure,
            _sum(days, key, first, last),
            _sum(days, key, *before) if before else None,
            tuple((day, days.get(day, {}).get(key, 0)) for day in shown),
        )
        for key, figure in sorted(_figures.items(), key=lambda pair: pair[1].position)
    ]


def keep_days(uow: UnitOfWork) -> bool:
    """Add up the newest days that are over and were not, a month at most; False when none is left within two years."""
    shop = get(uow)
    zone = ZoneInfo(shop.timezone)
    last = (uow.now - _SETTLES).astimezone(zone).date() - timedelta(days=1)
    first = max(last - timedelta(days=_KEPT_AHEAD), shop.installed_at.astimezone(zone).date())
    known = queries.kept_days(uow, first, last)
    missing = [
        day for day in (last - timedelta(days=n) for n in range((last - first).days + 1)) if day not in known
    ]
    if missing:
        _days(uow, max(missing[0] - timedelta(days=_AT_ONCE - 1), missing[-1]), missing[0])
    return len(missing) > _AT_ONCE


def _sum(days: dict[date, dict[str, int]], key: str, first: date, last: date) -> int:
    return sum(found.get(key, 0) for day, found in days.items() if first <= day <= last)


def _days(uow: UnitOfWork, first: date, last: date) -> dict[date, dict[str, int]]:
    """Figures by day; days that are over are kept once they were added up."""
    shop = get(uow)
    zone = ZoneInfo(shop.timezone)
    open_from = (uow.now - _SETTLES).astimezone(zone).date()
    found = queries.kept_days(uow, first, last)
    since = max(first, shop.installed_at.astimezone(zone).date())
    over = [
        since + timedelta(days=n) for n in range((min(last, open_from - timedelta(days=1)) - since).days + 1)
    ]
    missing = [day for day in over if day not in found]
    if missing:
        fresh = _add_up(uow, missing[0], missing[-1], shop.timezone)
        found |= {day: fresh.get(day, {}) for day in missing}
        _keep(uow, {day: found[day] for day in missing})
    if last >= open_from:
        found |= _add_up(uow, max(first, open_from), last, shop.timezone)
    return found


def _add_up(uow: UnitOfWork, first: date, last: date, zone: str) -> dict[date, dict[str, int]]:
    found: dict[date, dict[str, int]] = {}
    for sums in _sums.values():
        for key, by_day in sums(uow, first, last, zone).items():
            for day, value in by_day.items():
                found.setdefault(day, {})[key] = value
    return found


def _keep(uow: UnitOfWork, days: dict[date, dict[str, int]]) -> None:
    rows = [{"day": day.isoformat(), "figures": figures} for day, figures in days.items()]
    uow.execute(
        "INSERT INTO shop_days (shop_id, day, figures) SELECT %(shop)s, v.day, v.figures"
        " FROM jsonb_to_recordset(%(rows)s::jsonb) AS v (day date, figures jsonb) ON CONFLICT DO NOTHING",
        {"shop": uow.shop, "rows": orjson.dumps(rows).decode()},
    )
