"""The arithmetic of points liability: integers only, no database and no clock.

Money is in minor units, rates in basis points, `value` is the stand-alone price of 1,000 points in minor units.
Sources of the formulas: IFRS 15 paragraphs B39-B43 and illustrative example 52; ASC 606-10-55-41 to 55-45.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

WHOLE = 10_000
_THOUSAND = 1_000
# A cohort of which this share (basis points) or less is still outstanding has told what it had to tell.
MATURE_BELOW = 100
MIN_COHORTS = 3
MIN_POINTS = 1_000
MAX_ERROR_BP = 1_500
_REMEMBERED = 24

Sharing = Literal["exact", "tenth"]
Origin = Literal["sale", "gift", "debt"]


@dataclass(frozen=True)
class Allocation:
    """A sale divided between what was delivered and the points that came with it."""

    goods: int
    deferred: int


@dataclass(frozen=True)
class Cell:
    """What happened in the month `period` to points earned in the month `cohort`. `sales` is what their orders brought.

    Points of `origin` "sale" came with orders, "gift" without one; "debt" holds points taken back that no lot had.
    """

    period: date
    cohort: date
    origin: Origin
    issued: int = 0
    restored: int = 0
    redeemed: int = 0
    expired: int = 0
    reversed: int = 0
    sales: int = 0

    @property
    def change(self) -> int:
        """By how much the outstanding points grew."""
        return self.issued + self.restored - self.redeemed - self.expired - self.reversed


@dataclass(frozen=True)
class Standing:
    """What became of a cohort's points so far; `redeemed` is without what was given back."""

    issued: int = 0
    redeemed: int = 0
    expired: int = 0
    reversed: int = 0

    @property
    def kept(self) -> int:
        """Points that were not taken back."""
        return self.issued - self.reversed

    @property
    def outstanding(self) -> int:
        """Points that a member still has."""
        return self.kept - self.redeemed - self.expired

    def after(self, cell: Cell) -> "Standing":
        """The standing once a month's cell has happened."""
        return Standing(
            self.issued + cell.issued,
            self.redeemed + cell.redeemed - cell.restored,
            self.expired + cell.expired,
            self.reversed + cell.reversed,
        )


@dataclass(frozen=True)
class Estimate:
    """An expected redemption rate and the evidence: cohorts and points it rests on, and its mean error when it is put to
    the test on each later cohort (None when there were too few)."""

    rate_bp: int
    source: Literal["override", "measured", "fallback"]
    measured_bp: int | None
    error_bp: int | None
    cohorts: int
    points: int


@dataclass(frozen=True)
class Terms:
    """Under what a month is valued."""

    period: date
    rate_bp: int
    value: int
    sharing: Sharing = "exact"


@dataclass(frozen=True)
class MoneyRow:
    """Deferred revenue over one month: opening + added - reversed - released = closing.

    `caught_up` is the part of `released` that a changed estimate brought.
    """

    period: date
    opening: int
    added: int
    reversed: int
    released: int
    caught_up: int
    closing: int


@dataclass(frozen=True)
class PointsRow:
    """Points over one month: opening + issued + restored - redeemed - expired - reversed = closing."""

    period: date
    opening: int
    issued: int
    restored: int
    redeemed: int
    expired: int
    reversed: int
    closing: int


def half_up(numerator: int, denominator: int) -> int:
    """A non-negative fraction rounded to the nearest integer, halves up."""
    return (2 * numerator + denominator) // (2 * denominator)


def allocate(sales: int, points: int, terms: Terms) -> Allocation:
    """Divide `sales` by relative stand-alone price: the goods' own price against points times value times redemption.

    "tenth" takes the goods' share in percent with one decimal, cut off, as some published examples do.
    """
    if sales <= 0 or points <= 0:
        return Allocation(max(sales, 0), 0)
    scale = _THOUSAND * WHOLE
    worth = points * terms.value * terms.rate_bp
    whole = sales * scale + worth
    if terms.sharing == "tenth":
        deferred = sales - half_up(sales * (_THOUSAND * sales * scale // whole), _THOUSAND)
    else:
        deferred = half_up(sales * worth, whole)
    return Allocation(sales - deferred, deferred)


def expected_value(points: int, terms: Terms) -> int:
    """What outstanding points will cost at their stand-alone price, in minor units."""
    return half_up(max(points, 0) * terms.value * terms.rate_bp, _THOUSAND * WHOLE)


def owed(deferred: int, at: Standing) -> int:
    """The part of a cohort's deferral whose points were not taken back."""
    return half_up(deferred * max(at.kept, 0), at.issued) if at.issued > 0 else 0


def released(deferred: int, at: Standing, rate_bp: int) -> int:
    """Revenue of a cohort recognized so far: its deferral times redeemed over expected to be redeemed in all.

    The expectation never falls below what was redeemed nor exceeds what still can be, so that nothing is left once no
    point is outstanding, and never more is released than was deferred.
    """
    share = owed(deferred, at)
    if at.outstanding <= 0:
        return share
    expected = expected_in_all(at, rate_bp)
    return half_up(share * WHOLE * max(at.redeemed, 0), expected) if expected else 0


def expected_in_all(at: Standing, rate_bp: int) -> int:
    """Points of a cohort to be redeemed in all, in ten-thousandths: its rate, within what was and what still can be."""
    used = max(at.redeemed, 0)
    return WHOLE * used + min(max(rate_bp * at.kept - WHOLE * used, 0), WHOLE * max(at.outstanding, 0))


def still_redeemed(at: Standing, rate_bp: int) -> int:
    """How many of the outstanding points of a cohort will be redeemed."""
    return half_up(expected_in_all(at, rate_bp) - WHOLE * max(at.redeemed, 0), WHOLE)


def standings(cells: Iterable[Cell], origin: Origin) -> dict[date, Standing]:
    """How each cohort of an origin stands after the cells."""
    found: dict[date, Standing] = {}
    for cell in cells:
        if cell.origin == origin:
            found[cell.cohort] = found.get(cell.cohort, Standing()).after(cell)
    return found


def points_rows(cells: Iterable[Cell], periods: Sequence[date]) -> list[PointsRow]:
    """The roll-forward of all points over `periods`, which are every month from the first on, in order."""
    by_period = _by_period(cells)
    opening, rows = 0, []
    for period in periods:
        found = by_period.get(period, [])
        sums = {
            name: sum(getattr(cell, name) for cell in found)
            for name in ("issued", "restored", "redeemed", "expired", "reversed")
        }
        closing = opening + sum(cell.change for cell in found)
        rows.append(PointsRow(period=period, opening=opening, closing=closing, **sums))
        opening = closing
    return rows


def money_rows(cells: Iterable[Cell], terms: Sequence[Terms]) -> list[MoneyRow]:
    """The roll-forward of deferred revenue. `terms` has every month from the first on, in order.

    A sale is divided once, under the terms of the month it was made in; progress follows the estimate of each month,
    and what a changed estimate means for earlier months is caught up in the month of the change.
    """
    by_period = _by_period(cells)
    deferred: dict[date, int] = {}
    at: dict[date, Standing] = {}
    rows: list[MoneyRow] = []
    rate_before = terms[0].rate_bp if terms else WHOLE
    for now in terms:
        found = [cell for cell in by_period.get(now.period, []) if cell.origin == "sale"]
        closing_before = rows[-1].closing if rows else 0
        owed_before, released_before = _totals(deferred, at, rate_before)
        caught_up = _totals(deferred, at, now.rate_bp)[1] - released_before
        added = 0
        for cell in found:
            part = allocate(cell.sales, cell.issued, now).deferred
            added += part
            deferred[cell.cohort] = deferred.get(cell.cohort, 0) + part
            at[cell.cohort] = at.get(cell.cohort, Standing()).after(cell)
        owed_now, released_now = _totals(deferred, at, now.rate_bp)
        rows.append(
            MoneyRow(
                period=now.period,
                opening=closing_before,
                added=added,
                reversed=owed_before + added - owed_now,
                released=released_now - released_before,
                caught_up=caught_up,
                closing=owed_now - released_now,
            )
        )
        rate_before = now.rate_bp
    return rows


def _totals(deferred: Mapping[date, int], at: Mapping[date, Standing], rate_bp: int) -> tuple[int, int]:
    return (
        sum(owed(amount, at[cohort]) for cohort, amount in deferred.items()),
        sum(released(amount, at[cohort], rate_bp) for cohort, amount in deferred.items()),
    )


def _by_period(cells: Iterable[Cell]) -> dict[date, list[Cell]]:
    found: dict[date, list[Cell]] = {}
    for cell in cells:
        found.setdefault(cell.period, []).append(cell)
    return found


def mature(cohorts: Mapping[date, Standing]) -> list[tuple[date, Standing]]:
    """Cohorts whose points are (nearly) all spent, expired or taken back, oldest first, the newest two years of them."""
    done = [
        (cohort, at)
        for cohort, at in sorted(cohorts.items())
        if at.redeemed + at.expired > 0 and at.outstanding * WHOLE <= at.kept * MATURE_BELOW
    ]
    return done[-_REMEMBERED:]


def estimate(cohorts: Mapping[date, Standing], fallback_bp: int, override_bp: int | None) -> Estimate:
    """The expected redemption rate: the override, or the measured one where the evidence carries it, or the fallback.

    Measured is redeemed over redeemed and expired of mature cohorts. Its error is the mean distance between each mature
    cohort and what the ones before it would have predicted.
    """
    done = [at for _, at in mature(cohorts)]
    resolved = sum(at.redeemed + at.expired for at in done)
    measured = half_up(WHOLE * sum(max(at.redeemed, 0) for at in done), resolved) if resolved else None
    error = _tested(done)
    if override_bp is not None:
        return Estimate(override_bp, "override", measured, error, len(done), resolved)
    carries = (
        measured is not None
        and len(done) >= MIN_COHORTS
        and resolved >= MIN_POINTS
        and error is not None
        and error <= MAX_ERROR_BP
    )
    if carries and measured is not None:
        return Estimate(measured, "measured", measured, error, len(done), resolved)
    return Estimate(fallback_bp, "fallback", measured, error, len(done), resolved)


def _tested(done: Sequence[Standing]) -> int | None:
    """Mean absolute error of predicting each cohort from those before it; basis points."""
    if len(done) < MIN_COHORTS:
        return None
    redeemed, resolved, errors = 0, 0, []
    for at in done:
        own = at.redeemed + at.expired
        if resolved:
            errors.append(
                abs(half_up(WHOLE * max(redeemed, 0), resolved) - half_up(WHOLE * max(at.redeemed, 0), own))
            )
        redeemed, resolved = redeemed + at.redeemed, resolved + own
    return half_up(sum(errors), len(errors))


# Months of age at which a band begins.
BANDS = (0, 3, 6, 12, 24)


def age_bands(cohorts: Mapping[date, int], month: date) -> list[int]:
    """Outstanding points by age at the end of `month`: 0-2, 3-5, 6-11, 12-23, 24 or more months since earned."""
    found = [0] * len(BANDS)
    for cohort, points in cohorts.items():
        age = (month.year - cohort.year) * 12 + month.month - cohort.month
        found[max(index for index, start in enumerate(BANDS) if max(age, 0) >= start)] += points
    return found
