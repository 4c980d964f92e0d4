"""Liability on the REST API."""

from typing import Any

from app.core.permissions import Permission
from app.domains.liability import schemas, service
from app.domains.liability.errors import MonthUnknown, NoEntries
from app.domains.liability.lists import JOURNAL, MONTHS
from app.web.endpoints import Context, Download, endpoint
from app.web.list_export import download, export_query

_PATH = "/v1/api/points/liability"
_TAG = "Points liability"


@endpoint(
    "GET",
    _PATH,
    permission=Permission.POINTS_READ,
    tag=_TAG,
    query=schemas.AsOf,
    out=schemas.LiabilityOut,
    key="liability",
    errors=(MonthUnknown, NoEntries),
)
def points_liability(ctx: Context, query: schemas.AsOf) -> schemas.LiabilityOut:
    """Get what points are outstanding at the end of a month and what they are worth.

    Deferred revenue follows IFRS 15 B39-B43 and ASC 606-10-55-41: each sale is divided between goods and points by
    stand-alone price, and the points' part is released as they are redeemed.
    """
    found = service.liability(ctx.uow, query.month)
    if found is None:
        raise NoEntries()
    return found


@endpoint(
    "GET",
    _PATH + "/roll-forward",
    permission=Permission.POINTS_READ,
    tag=_TAG,
    query=schemas.Span,
    out=schemas.RollForwardOut,
    key="roll_forward",
)
def points_roll_forward(ctx: Context, query: schemas.Span) -> schemas.RollForwardOut:
    """List how points and deferred revenue went from month to month."""
    return service.roll_forward(ctx.uow, query.first, query.last)


@endpoint(
    "GET",
    _PATH + "/journal",
    permission=Permission.POINTS_READ,
    tag=_TAG,
    query=schemas.Span,
    out=schemas.JournalOut,
    key="journal",
)
def points_journal(ctx: Context, query: schemas.Span) -> schemas.JournalOut:
    """List the double-entry lines of closed months, with the merchant's accounts."""
    return service.journal(ctx.uow, query.first, query.last)


@endpoint(
    "GET",
    _PATH + "/journal.csv",
    permission=Permission.POINTS_READ,
    tag=_TAG,
    query=export_query(schemas.JournalQuery),
    out=Download,
    produces="text/csv",
)
def points_journal_csv(ctx: Context, query: Any) -> Download:
    """Download the double-entry lines of closed months as CSV, newest first, amounts in major units."""
    return download(ctx, JOURNAL, query)


@endpoint(
    "GET",
    _PATH + "/roll-forward.csv",
    permission=Permission.POINTS_READ,
    tag=_TAG,
    query=export_query(schemas.MonthsQuery),
    out=Download,
    produces="text/csv",
)
def points_roll_forward_csv(ctx: Context, query: Any) -> Download:
    """Download how points and deferred revenue went from month to month as CSV, amounts in major units."""
    return download(ctx, MONTHS, query)
