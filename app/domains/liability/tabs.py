"""Points liability in the admin: a page below the points ledger."""

from datetime import date
from decimal import Decimal
from typing import Any

from app.core.i18n import mark
from app.core.money import to_decimal_string
from app.core.permissions import Permission
from app.domains.liability import service
from app.domains.liability.errors import MonthUnknown
from app.domains.liability.lists import JOURNAL, MONTHS, book_of, options
from app.domains.liability.schemas import JournalQuery, MonthsQuery, Settings, SettingsForm
from app.web.context import Context
from app.web.date_range import today
from app.web.lists import show_list
from app.web.tabs import Done, action, tab_page

_KEY = "points-ledger"
_CHARTED = 24


@tab_page(
    _KEY,
    "/liability",
    "liability.html",
    title=mark("Points liability"),
    permission=Permission.POINTS_READ,
    query=MonthsQuery,
)
def liability(ctx: Context, query: MonthsQuery) -> dict[str, Any]:
    """The report at the end of a month, the months before, the estimate with its evidence, and the settings."""
    book = book_of(ctx)
    shown = show_list(ctx, MONTHS, query)
    try:
        report = service.liability(ctx.uow, shown.query.month, book=book)
    except MonthUnknown:
        shown = show_list(ctx, MONTHS, shown.query.model_copy(update={"month": None}))
        report = service.liability(ctx.uow, book=book)
    rows = service.roll_forward(ctx.uow, book=book, last=shown.query.month).months if report else []
    return {
        "report": report,
        "list": shown,
        "closings": [(date.fromisoformat(f"{row.month}-01"), row.closing_minor) for row in rows[-_CHARTED:]],
        "months": {f"{one.period:%Y-%m}": one.period for one in reversed(book.months)},
        "present": today().replace(day=1),
        "any_closed": any(one.closed for one in book.months),
        "settings": book.settings,
        "currency": book.currency,
        "initial": _typed(book.settings, book.currency),
        "can_write": ctx.can(Permission.SETTINGS_WRITE),
    }


@tab_page(
    _KEY,
    "/liability/journal",
    "journal.html",
    title=mark("Journal"),
    permission=Permission.POINTS_READ,
    query=JournalQuery,
)
def liability_journal(ctx: Context, query: JournalQuery) -> dict[str, Any]:
    """What to book for each closed month, in double entry."""
    return {"list": show_list(ctx, JOURNAL, query, options=options(ctx))}


def _typed(settings: Settings, currency: str) -> dict[str, Any]:
    """The settings as the form shows them."""
    override = settings.override_bp
    return {
        "version": settings.version,
        "value": to_decimal_string(settings.value_minor, currency),
        "fallback": _percent(settings.fallback_bp),
        "override": None if override is None else _percent(override),
        "override_reason": settings.override_reason,
        "sharing": settings.sharing,
        "accounts": settings.accounts,
    }


def _percent(basis_points: int) -> str:
    return f"{(Decimal(basis_points) / 100).normalize():f}"


@action(
    _KEY,
    "save_liability",
    "/save",
    page="liability",
    permission=Permission.SETTINGS_WRITE,
    form=SettingsForm,
)
def save_liability(ctx: Context, form: SettingsForm) -> Done:
    """Value points like this from now on."""
    service.save_settings(ctx.uow, form)
    return Done(mark("The valuation was saved."))
