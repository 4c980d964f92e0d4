"""Points liability in the admin: a page below the points ledger."""

from decimal import Decimal
from typing import Any

from app.core.i18n import mark
from app.core.money import to_decimal_string
from app.core.permissions import Permission
from app.domains.liability import service
from app.domains.liability.errors import MonthUnknown
from app.domains.liability.schemas import AsOf, Settings, SettingsForm
from app.web.context import Context
from app.web.tabs import Done, action, tab_page

_KEY = "points-ledger"


@tab_page(
    _KEY,
    "/liability",
    "liability.html",
    title=mark("Points liability"),
    permission=Permission.POINTS_READ,
    query=AsOf,
)
def liability(ctx: Context, query: AsOf) -> dict[str, Any]:
    """The report at the end of a month, the roll-forward, the estimate with its evidence, and the settings."""
    book = service.open_book(ctx.uow)
    month = query.month
    try:
        report = service.liability(ctx.uow, month, book=book)
    except MonthUnknown:
        month, report = None, service.liability(ctx.uow, book=book)
    rows = service.roll_forward(ctx.uow, book=book, last=month).months[-24:] if report else []
    return {
        "report": report,
        "rows": list(reversed(rows)),
        "months": {f"{one.period:%Y-%m}": one.period for one in reversed(book.months)},
        "any_closed": any(one.closed for one in book.months),
        "settings": book.settings,
        "currency": book.currency,
        "initial": _typed(book.settings, book.currency),
        "can_write": ctx.can(Permission.SETTINGS_WRITE),
    }


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
