"""The list of privacy requests: columns, filters, and how rows are read."""

from app.core.i18n import mark
from app.core.paging import Found
from app.core.permissions import Permission
from app.domains.compliance import queries
from app.domains.compliance.schemas import RequestsQuery
from app.web.context import Context
from app.web.lists import Choice, Column, ListSpec, Ready, declare_list

KINDS = {"data_request": mark("Copy of their data"), "erasure": mark("Erasure")}
STATUSES = {"open": mark("Not answered yet"), "done": mark("Answered")}


def _requests(ctx: Context, query: RequestsQuery) -> Found:
    return Found(queries.requests_page(ctx.uow, query))


REQUESTS = declare_list(
    ListSpec(
        key="requests",
        title=mark("Privacy requests"),
        place="compliance",
        permission=Permission.AUDIT_READ,
        query=RequestsQuery,
        rows=_requests,
        csv="/v1/api/privacy-requests.csv",
        columns=(
            Column("kind", mark("Request"), words=KINDS),
            Column("requested_at", mark("Received"), kind="date"),
            Column("due_at", mark("Due"), kind="date", priority=2),
            Column("done_at", mark("Answered"), kind="date", shown=False, priority=2),
            Column("status", mark("State"), phone="mark", words=STATUSES),
        ),
        filters=(Choice("kind", mark("Request"), tuple(KINDS.items())),),
        ready=(
            Ready(STATUSES["open"], {"status": "open"}),
            Ready(STATUSES["done"], {"status": "done"}),
        ),
    )
)
