"""Messages on the REST API: whose points end, as a file."""

from typing import Any

from app.core.permissions import Permission
from app.domains.notifications import schemas
from app.domains.notifications.lists import UPCOMING
from app.web.endpoints import Context, Download, endpoint
from app.web.list_export import download, export_query


@endpoint(
    "GET",
    "/v1/api/points/endings.csv",
    permission=Permission.POINTS_READ,
    tag="Points",
    query=export_query(schemas.UpcomingQuery),
    out=Download,
    produces="text/csv",
)
def points_endings_csv(ctx: Context, query: Any) -> Download:
    """Download which points end as CSV, soonest first, as far ahead as members will be told of."""
    return download(ctx, UPCOMING, query)
