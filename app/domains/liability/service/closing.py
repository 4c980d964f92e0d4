"""Storing the sums of closed months, making them anew, and comparing them with the ledger."""

from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from app.core.db import UnitOfWork
from app.domains.liability import queries, rules
from app.domains.liability.rules import Cell
from app.domains.liability.schemas import Difference
from app.domains.liability.service.book import Month, estimate, open_book, open_months
from app.domains.liability.service.valuing import get_settings
from app.domains.shops import service as shops

# Postings carry the instant at which their transaction began; none lives that long.
_SETTLED_AFTER = timedelta(hours=1)

_PERIOD = """
INSERT INTO liability_periods (shop_id, period, starts_at, ends_at, entries, points, currency, rate_bp, rate_source,
  value_minor, sharing, closed_at)
VALUES (%(shop)s, %(period)s, %(start)s, %(end)s, %(entries)s, %(points)s, %(currency)s, %(rate_bp)s, %(source)s,
  %(value_minor)s, %(sharing)s, %(now)s) ON CONFLICT (shop_id, period) DO NOTHING
"""

_CELL = """
INSERT INTO liability_cells (shop_id, period, cohort, origin, issued, restored, redeemed, expired, reversed, sales)
SELECT %(shop)s, %(period)s, v.* FROM unnest(%(cohort)s::date[], %(origin)s::text[], %(issued)s::bigint[],
  %(restored)s::bigint[], %(redeemed)s::bigint[], %(expired)s::bigint[], %(reversed)s::bigint[], %(sales)s::bigint[]) AS v
"""


def close_next(uow: UnitOfWork) -> date | None:
    """Close the oldest open month that is over and return it; None when there is none. Repeating it closes the next."""
    shop, settings = shops.get(uow), get_settings(uow)
    stored = queries.periods(uow)
    last = (
        Month(stored[-1]["period"], stored[-1]["starts_at"], stored[-1]["ends_at"], True) if stored else None
    )
    month = next(open_months(uow, last, shop.timezone), None)
    if month is None or month.ends_at + _SETTLED_AFTER > uow.now:
        return None
    found = queries.cells_of(uow, month.period, month.starts_at, month.ends_at, shop.timezone, shop.currency)
    entries, points = queries.totals_of(uow, month.starts_at, month.ends_at)
    expected = estimate(queries.cells(uow) + found, settings)
    written = uow.execute(
        _PERIOD,
        {
            "shop": uow.shop,
            "period": month.period,
            "start": month.starts_at,
            "end": month.ends_at,
            "entries": entries,
            "points": points,
            "currency": shop.currency,
            "rate_bp": expected.rate_bp,
            "source": expected.source,
            "value_minor": settings.value_minor,
            "sharing": settings.sharing,
            "now": uow.now,
        },
    )
    if written.rowcount:
        _store(uow, month.period, found)
    return month.period


def closed_months(uow: UnitOfWork) -> list[date]:
    """Months whose sums are stored, oldest first."""
    return [row["period"] for row in queries.periods(uow)]


def rebuild(uow: UnitOfWork, period: date) -> None:
    """Add a closed month up anew from the ledger; its terms stay, because the books were closed under them."""
    row = next(row for row in queries.periods(uow) if row["period"] == period)
    entries, points = queries.totals_of(uow, row["starts_at"], row["ends_at"])
    uow.execute(
        "UPDATE liability_periods SET entries = %(entries)s, points = %(points)s"
        " WHERE shop_id = %(shop)s AND period = %(period)s",
        {"shop": uow.shop, "period": period, "entries": entries, "points": points},
    )
    uow.execute(
        "DELETE FROM liability_cells WHERE shop_id = %(shop)s AND period = %(period)s",
        {"shop": uow.shop, "period": period},
    )
    _store(uow, period, _from_ledger(uow, row))


def verify(uow: UnitOfWork) -> list[Difference]:
    """Compare every closed month with the ledger, and where points stand now with lots and accounts."""
    differences: list[Difference] = []
    stored: dict[date, dict[tuple[date, rules.Origin], Cell]] = {}
    for cell in queries.cells(uow):
        stored.setdefault(cell.period, {})[cell.cohort, cell.origin] = cell
    for row in queries.periods(uow):
        period = row["period"]
        entries, points = queries.totals_of(uow, row["starts_at"], row["ends_at"])
        differences += _compare(
            period,
            {"entries": row["entries"], "points": row["points"]},
            {"entries": entries, "points": points},
        )
        there = stored.get(period, {})
        fresh = {(cell.cohort, cell.origin): cell for cell in _from_ledger(uow, row)}
        for key in sorted(there.keys() | fresh.keys()):
            empty = Cell(period, *key)
            differences += _compare(
                period,
                _sums(there.get(key, empty), f"{key[0]:%Y-%m} {key[1]} "),
                _sums(fresh.get(key, empty), f"{key[0]:%Y-%m} {key[1]} "),
            )
    return differences + _against_lots(uow)


def _against_lots(uow: UnitOfWork) -> list[Difference]:
    book = open_book(uow)
    if not book.months:
        return []
    held: dict[str, int] = {}
    for cell in book.cells:
        name = "debt" if cell.origin == "debt" else f"{cell.cohort:%Y-%m} outstanding"
        held[name] = held.get(name, 0) + (-cell.change if cell.origin == "debt" else cell.change)
    ledger = {
        f"{cohort:%Y-%m} outstanding": points
        for cohort, points in queries.outstanding_in_lots(uow, book.zone).items()
    }
    ledger["debt"] = queries.by_status(uow)["debt"]
    names = dict.fromkeys(held.keys() | ledger.keys(), 0)
    return _compare(book.months[-1].period, names | held, names | ledger)


def _compare(period: date, stored: dict[str, int], ledger: dict[str, int]) -> list[Difference]:
    return [
        Difference(f"{period:%Y-%m}", name, stored[name], ledger[name])
        for name in sorted(stored)
        if stored[name] != ledger[name]
    ]


def _sums(cell: Cell, prefix: str) -> dict[str, int]:
    return {
        prefix + name: value
        for name, value in asdict(cell).items()
        if name not in ("period", "cohort", "origin")
    }


def _from_ledger(uow: UnitOfWork, row: dict[str, Any]) -> list[Cell]:
    zone = shops.get(uow).timezone
    return queries.cells_of(uow, row["period"], row["starts_at"], row["ends_at"], zone, row["currency"])


def _store(uow: UnitOfWork, period: date, cells: list[rules.Cell]) -> None:
    columns = ("cohort", "origin", "issued", "restored", "redeemed", "expired", "reversed", "sales")
    values = {name: [getattr(cell, name) for cell in cells] for name in columns}
    uow.execute(_CELL, values | {"shop": uow.shop, "period": period})
