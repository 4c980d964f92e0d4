"""The lists of months and of journal lines: columns, filters, orders, and how rows are read.

Both are made from sums by month, so that they are as short as the history is long and need no index.
"""

from datetime import date

from app.core.i18n import mark, mark_plural
from app.core.paging import Found, Order, Place, StaleCursor
from app.core.permissions import Permission
from app.domains.liability import service
from app.domains.liability.schemas import JournalQuery, MonthsQuery
from app.domains.liability.service import Book
from app.web.context import Context
from app.web.filters import money, month_text
from app.web.lists import Choice, Column, ListSpec, Row, Sort, declare_list

STATES = {"open": mark("Open"), "closed": mark("Closed")}
_SORTS = ("newest", mark("Newest first")), ("oldest", mark("Oldest first"))


def book_of(ctx: Context) -> Book:
    """The shop's book, read once for a page."""
    return ctx.uow.once("liability.book", lambda: service.open_book(ctx.uow))


_PLACE = Order({"id": str})


def _page(rows: list[Row], query: MonthsQuery | JournalQuery, by: str) -> Found:
    """A page of rows in the order of a day, those of one day as they came, and how many there are. Raises StaleCursor."""
    rows.sort(key=lambda row: row[by], reverse=query.sort == "newest")
    ids = [row["id"] for row in rows]

    def read(place: Place | None) -> list[Row]:
        if place is None:
            return rows
        if place.key[0] not in ids:
            raise StaleCursor()
        at = ids.index(place.key[0]) + (place.back == place.with_it)
        return rows[:at][::-1] if place.back else rows[at:]

    return Found(_PLACE.page(query.cursor, query.limit, read), len(rows))


def _first(book: Book) -> str | None:
    return f"{book.months[0].period:%Y-%m}" if book.months else None


def _months(ctx: Context, query: MonthsQuery) -> Found:
    book = book_of(ctx)
    found = service.roll_forward(ctx.uow, _first(book), query.month, book=book)
    rows = [
        {
            **one.model_dump(),
            "id": one.month,
            "period": date.fromisoformat(f"{one.month}-01"),
            "state": "closed" if one.closed else "open",
            "rate": one.rate_bp / 10_000,
        }
        for one in found.months
    ]
    return _page(rows, query, "period")


def _sorts(column: str) -> tuple[Sort, ...]:
    return tuple(Sort(value, words, column, descending=value == "newest") for value, words in _SORTS)


def _points(key: str, label: str, *, shown: bool = True, priority: int = 2) -> Column:
    return Column(key, label, kind="number", shown=shown, priority=priority, phone="hide")


def _money(key: str, label: str, *, shown: bool = True, priority: int = 2) -> Column:
    return Column(key, label, kind="money", shown=shown, priority=priority, phone="hide")


MONTHS = declare_list(
    ListSpec(
        key="liability-months",
        title=mark("From month to month"),
        place="points-ledger.liability",
        permission=Permission.POINTS_READ,
        query=MonthsQuery,
        rows=_months,
        csv="/v1/api/points/liability/roll-forward.csv",
        columns=(
            Column("month", mark("Month")),
            Column("state", mark("Status"), shown=False, priority=2, words=STATES),
            _points("opening_points", mark("Points at the start"), shown=False),
            _points("issued_points", mark("Issued"), priority=1),
            _points("restored_points", mark("Given back"), shown=False),
            _points("redeemed_points", mark("Redeemed"), priority=1),
            _points("expired_points", mark("Expired")),
            _points("reversed_points", mark("Taken back")),
            Column(
                "closing_points",
                mark("Points outstanding"),
                kind="number",
                phone="key",
                unit=mark_plural("point", "points"),
            ),
            _money("opening_minor", mark("Deferred at the start"), shown=False),
            _money("added_minor", mark("Deferred from sales")),
            _money("reversed_minor", mark("Back to sales"), shown=False),
            _money("released_minor", mark("Released")),
            _money("caught_up_minor", mark("of it by a new estimate"), shown=False),
            Column("rate", mark("Rate"), kind="percent", shown=False, priority=2, phone="hide"),
            Column("closing_minor", mark("Deferred revenue"), kind="money", phone="mark"),
        ),
        sorts=_sorts("month"),
    )
)


def _side(key: str, label: str, unit: str, phone: str) -> Column:
    """One side of a line, where the other one stays empty."""

    def said(row: Row) -> str:
        return f"<bdi>{money(row[key], row['currency'])}</bdi>" if row[key] else ""

    return Column(key, label, kind="money", phone=phone, unit=unit, cell=said)


def _journal(ctx: Context, query: JournalQuery) -> Found:
    book = book_of(ctx)
    accounts = book.settings.accounts
    found = service.journal(ctx.uow, query.first or _first(book), query.last, book=book, locale=ctx.locale)
    rows = [
        {
            "id": f"{n}",
            "date": line.date,
            "account": line.account,
            "debit": line.debit_minor or None,
            "credit": line.credit_minor or None,
            "currency": line.currency,
            "memo": line.memo,
        }
        for n, line in enumerate(found.lines)
        if query.account is None or line.account == accounts[query.account]
    ]
    return _page(rows, query, "date")


JOURNAL = declare_list(
    ListSpec(
        key="liability-journal",
        title=mark("Journal lines"),
        place="points-ledger.liability_journal",
        permission=Permission.POINTS_READ,
        query=JournalQuery,
        rows=_journal,
        csv="/v1/api/points/liability/journal.csv",
        columns=(
            Column("date", mark("Date"), kind="date", phone="note"),
            Column("account", mark("Account"), phone="main"),
            _side("debit", mark("Debit"), mark("debit"), "key"),
            _side("credit", mark("Credit"), mark("credit"), "mark"),
            Column("currency", mark("Currency"), shown=False, priority=2),
            Column("memo", mark("What"), phone="more"),
        ),
        filters=(
            Choice("account", mark("Account")),
            Choice("first", mark("First month")),
            Choice("last", mark("Last month")),
        ),
        sorts=_sorts("date"),
    )
)


def options(ctx: Context) -> dict[str, list[tuple[str, str]]]:
    """Accounts and months to choose journal lines by, the newest month first."""
    book = book_of(ctx)
    months = [(f"{one.period:%Y-%m}", month_text(one.period)) for one in reversed(book.months) if one.closed]
    return {"account": list(book.settings.accounts.items()), "first": months, "last": months}
