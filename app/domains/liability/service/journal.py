"""The journal: what to book for each closed month, in double entry."""

from datetime import date, timedelta

from app.core.db import UnitOfWork
from app.core.i18n import mark, translate
from app.domains.liability.schemas import JournalLine, JournalOut, RollForwardRow
from app.domains.liability.service.book import Book, open_book
from app.domains.liability.service.report import parse_month, roll_forward

_ADDED = mark("Points issued {month}")
_REVERSED = mark("Points taken back with refunds {month}")
_RELEASED = mark("Points redeemed and lapsed {month}")


def journal(
    uow: UnitOfWork,
    first: str | None = None,
    last: str | None = None,
    *,
    book: Book | None = None,
    locale: str = "en",
) -> JournalOut:
    """The lines of closed months, each dated on the month's last day. An open month is not booked yet."""
    whole = book or open_book(uow)
    rows = roll_forward(uow, first, last, book=whole)
    lines = [
        line
        for row in rows.months
        if row.closed
        for line in _of_month(row, whole.settings.accounts, rows.currency, locale)
    ]
    return JournalOut(currency=rows.currency, lines=lines)


def _of_month(row: RollForwardRow, accounts: dict[str, str], currency: str, locale: str) -> list[JournalLine]:
    """Deferred from sales, given back to sales by refunds, earned by redemptions; nothing is written for zero."""
    month = row.month
    booked = (
        ("sales", "deferred", row.added_minor, _ADDED),
        ("deferred", "sales", row.reversed_minor, _REVERSED),
        ("deferred", "points", row.released_minor, _RELEASED),
    )
    day = _last_day(parse_month(month))
    lines: list[JournalLine] = []
    for from_, to, amount, words in booked:
        memo = translate(locale, words, month=month)
        debit, credit = (from_, to) if amount > 0 else (to, from_)
        if amount:
            lines.append(_line(day, accounts[debit], abs(amount), 0, currency, memo))
            lines.append(_line(day, accounts[credit], 0, abs(amount), currency, memo))
    return lines


def _line(day: date, account: str, debit: int, credit: int, currency: str, memo: str) -> JournalLine:
    return JournalLine(
        date=day, account=account, debit_minor=debit, credit_minor=credit, currency=currency, memo=memo
    )


def _last_day(period: date) -> date:
    return (period.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
