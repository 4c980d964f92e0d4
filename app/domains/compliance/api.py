"""Privacy requests on the REST API: the list as a file."""

from typing import Any

from app.core.permissions import Permission
from app.domains.compliance import schemas
from app.domains.compliance.lists import REQUESTS
from app.web.endpoints import Context, Download, endpoint
from app.web.list_export import download, export_query


@endpoint(
    "GET",
    "/v1/api/privacy-requests.csv",
    permission=Permission.AUDIT_READ,
    tag="Compliance",
    query=export_query(schemas.RequestsQuery),
    out=Download,
    produces="text/csv",
)
def privacy_requests_csv(ctx: Context, query: Any) -> Download:
    """Download what customers asked to hand over or to delete as CSV, newest first; it names nobody."""
    return download(ctx, REQUESTS, query)
