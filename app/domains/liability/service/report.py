"""The report at the end of a month, and the roll-forward."""

from datetime import date

from app.core.db import UnitOfWork
from app.domains.liability import queries, rules
from app.domains.liability.errors import MonthUnknown
from app.domains.liability.schemas import (
    BandOut,
    EstimateOut,
    LiabilityOut,
    RollForwardOut,
    RollForwardRow,
    StatusOut,
)
from app.domains.liability.service.book import Book, open_book

_SHOWN = 24


def parse_month(text: str) -> date:
    """The first day of a month written as "2026-10"."""
    return date.fromisoformat(f"{text}-01")


def liability(uow: UnitOfWork, month: str | None = None, *, book: Book | None = None) -> LiabilityOut | None:
    """What is outstanding at the end of a month, the present one when left out; None for a ledger without entries.

    Raises MonthUnknown.
    """
    whole = book or open_book(uow)
    if not whole.months:
        if month:
            raise MonthUnknown()
        return None
    period = parse_month(month) if month else whole.months[-1].period
    if not any(one.period == period for one in whole.months):
        raise MonthUnknown()
    at = whole.until(period)
    terms = at.terms[-1]
    cohorts: dict[date, int] = {}
    sums = {"sale": 0, "gift": 0, "debt": 0}
    for cell in at.cells:
        sums[cell.origin] += cell.change
        if cell.origin != "debt":
            cohorts[cell.cohort] = cohorts.get(cell.cohort, 0) + cell.change
    held = sums["sale"] + sums["gift"]
    redeemed = _to_be_redeemed(at)
    now = period == whole.months[-1].period
    return LiabilityOut(
        month=f"{period:%Y-%m}",
        currency=whole.currency,
        closed=at.months[-1].closed,
        outstanding=held,
        from_sales=sums["sale"],
        gifts=sums["gift"],
        debt=-sums["debt"],
        expected_redeemed=redeemed,
        expected_breakage=held - redeemed,
        deferred_minor=rules.money_rows(at.cells, at.terms)[-1].closing,
        gift_minor=rules.expected_value(sums["gift"], terms),
        value_minor=terms.value,
        estimate=_estimate(at),
        by_age=_bands(cohorts, period),
        by_status=StatusOut(**queries.by_status(uow)) if now else None,
    )


def _to_be_redeemed(at: Book) -> int:
    """How many of the outstanding points will still be redeemed, cohort by cohort."""
    rate = at.terms[-1].rate_bp
    return sum(
        rules.still_redeemed(standing, rate)
        for origin in ("sale", "gift")
        for standing in rules.standings(at.cells, origin).values()
    )


def _estimate(at: Book) -> EstimateOut:
    found = at.estimate
    return EstimateOut(
        rate_bp=found.rate_bp,
        source=found.source,
        measured_bp=found.measured_bp,
        error_bp=found.error_bp,
        mature_months=found.cohorts,
        mature_points=found.points,
    )


def _bands(cohorts: dict[date, int], period: date) -> list[BandOut]:
    ends = [*(start - 1 for start in rules.BANDS[1:]), None]
    return [
        BandOut(from_months=start, to_months=end, points=points)
        for start, end, points in zip(rules.BANDS, ends, rules.age_bands(cohorts, period), strict=True)
    ]


def roll_forward(
    uow: UnitOfWork, first: str | None = None, last: str | None = None, *, book: Book | None = None
) -> RollForwardOut:
    """Months in points and money, oldest first; the newest 24 when nothing is asked for."""
    whole = book or open_book(uow)
    points = rules.points_rows(whole.cells, [month.period for month in whole.months])
    money = rules.money_rows(whole.cells, whole.terms)
    rows = [
        RollForwardRow(
            month=f"{month.period:%Y-%m}",
            closed=month.closed,
            rate_bp=terms.rate_bp,
            opening_points=counted.opening,
            issued_points=counted.issued,
            restored_points=counted.restored,
            redeemed_points=counted.redeemed,
            expired_points=counted.expired,
            reversed_points=counted.reversed,
            closing_points=counted.closing,
            opening_minor=valued.opening,
            added_minor=valued.added,
            reversed_minor=valued.reversed,
            released_minor=valued.released,
            caught_up_minor=valued.caught_up,
            closing_minor=valued.closing,
        )
        for month, terms, counted, valued in zip(whole.months, whole.terms, points, money, strict=True)
    ]
    if not first and not last:
        rows = rows[-_SHOWN:]
    chosen = [row for row in rows if (not first or row.month >= first) and (not last or row.month <= last)]
    return RollForwardOut(currency=whole.currency, months=chosen)
