"""What was done by one click, on the REST API."""

from typing import Any

from app.core.permissions import Permission
from app.domains.quick import schemas
from app.domains.quick.lists import RUNS
from app.web.endpoints import Context, Download, endpoint
from app.web.list_export import download, export_query


@endpoint(
    "GET",
    "/v1/api/quick-actions.csv",
    permission=Permission.PROGRAMS_READ,
    tag="Quick actions",
    query=export_query(schemas.RunsQuery),
    out=Download,
    produces="text/csv",
)
def quick_actions_csv(ctx: Context, query: Any) -> Download:
    """Download what was done by one click as CSV: the filters, order and columns of the list in the admin."""
    return download(ctx, RUNS, query)
