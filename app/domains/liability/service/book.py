"""The whole picture of a shop: stored months, and the open ones read live."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from app.core.db import UnitOfWork
from app.domains.liability import queries, rules
from app.domains.liability.rules import Cell, Estimate, Terms
from app.domains.liability.schemas import Settings
from app.domains.liability.service.valuing import get_settings
from app.domains.shops import service as shops


@dataclass(frozen=True)
class Month:
    """A month of the shop with its instants; `closed` when its sums are stored."""

    period: date
    starts_at: datetime
    ends_at: datetime
    closed: bool


@dataclass(frozen=True)
class Book:
    """Every month from the first entry on, what happened in it by cohort, and the terms it is valued under."""

    currency: str
    zone: str
    settings: Settings
    months: list[Month]
    cells: list[Cell]
    terms: list[Terms]
    estimate: Estimate

    def until(self, month: date) -> "Book":
        """The book as it stood at the end of a month, under the terms of that month."""
        cells = [cell for cell in self.cells if cell.period <= month]
        terms = [one for one in self.terms if one.period <= month]
        return replace(
            self,
            months=[one for one in self.months if one.period <= month],
            cells=cells,
            terms=terms,
            estimate=replace(estimate(cells, self.settings), rate_bp=terms[-1].rate_bp),
        )


def open_book(uow: UnitOfWork) -> Book:
    """Read the stored months and add the open ones. A shop without entries has no months."""
    shop, settings = shops.get(uow), get_settings(uow)
    stored = queries.periods(uow)
    months = [Month(row["period"], row["starts_at"], row["ends_at"], True) for row in stored]
    terms = [Terms(row["period"], row["rate_bp"], row["value_minor"], row["sharing"]) for row in stored]
    cells = queries.cells(uow)
    for month in open_months(uow, months[-1] if months else None, shop.timezone):
        cells += queries.cells_of(
            uow, month.period, month.starts_at, month.ends_at, shop.timezone, shop.currency
        )
        rate = estimate(cells, settings).rate_bp
        terms.append(Terms(month.period, rate, settings.value_minor, settings.sharing))
        months.append(month)
    return Book(shop.currency, shop.timezone, settings, months, cells, terms, estimate(cells, settings))


def estimate(cells: list[Cell], settings: Settings) -> Estimate:
    """The redemption rate to expect, from the cohorts of sales."""
    return rules.estimate(rules.standings(cells, "sale"), settings.fallback_bp, settings.override_bp)


def open_months(uow: UnitOfWork, last: Month | None, zone: str) -> Iterator[Month]:
    """The months after the last closed one, or from the first entry on, up to the present one."""
    place = ZoneInfo(zone)
    if last is None:
        first = queries.first_entry_at(uow)
        if first is None:
            return
        period = first.astimezone(place).date().replace(day=1)
        start = _midnight(period, place)
    else:
        period, start = _next(last.period), last.ends_at
    while start <= uow.now:
        end = _midnight(_next(period), place)
        yield Month(period, start, end, False)
        period, start = _next(period), end


def _next(period: date) -> date:
    return date(period.year + period.month // 12, period.month % 12 + 1, 1)


def _midnight(day: date, place: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=place).astimezone(UTC)
