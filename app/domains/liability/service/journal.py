"""The journal: what to book for each closed month, in double entry."""

import csv
import io
from datetime import date, timedelta

from app.core.db import UnitOfWork
from app.core.money import to_decimal_string
from app.domains.liability.schemas import JournalLine, JournalOut, RollForwardRow
from app.domains.liability.service.book import Book, open_book
from app.domains.liability.service.report import parse_month, roll_forward


def journal(
    uow: UnitOfWork, first: str | None = None, last: str | None = None, *, book: Book | None = None
) -> JournalOut:
    """The lines of closed months, each dated on the month's last day. An open month is not booked yet."""
    whole = book or open_book(uow)
    rows = roll_forward(uow, first, last, book=whole)
    lines = [
        line
        for row in rows.months
        if row.closed
        for line in _of_month(row, whole.settings.accounts, rows.currency)
    ]
    return JournalOut(currency=rows.currency, lines=lines)


def _of_month(row: RollForwardRow, accounts: dict[str, str], currency: str) -> list[JournalLine]:
    """Deferred from sales, given back to sales by refunds, earned by redemptions; nothing is written for zero."""
    month = row.month
    booked = (
        ("sales", "deferred", row.added_minor, f"Points issued {month}"),
        ("deferred", "sales", row.reversed_minor, f"Points taken back with refunds {month}"),
        ("deferred", "points", row.released_minor, f"Points redeemed and lapsed {month}"),
    )
    day = _last_day(parse_month(month))
    lines: list[JournalLine] = []
    for from_, to, amount, memo in booked:
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


def as_csv(found: JournalOut) -> bytes:
    """The journal as UTF-8 CSV with amounts in major units; texts cannot be read as formulas by a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["date", "account", "debit", "credit", "currency", "memo"])
    for line in found.lines:
        amounts = [
            to_decimal_string(minor, line.currency) if minor else ""
            for minor in (line.debit_minor, line.credit_minor)
        ]
        writer.writerow([line.date.isoformat(), _plain(line.account), *amounts, line.currency, line.memo])
    return out.getvalue().encode()


def _plain(text: str) -> str:
    return "'" + text if text[:1] in "=+-@\t\r" else text
