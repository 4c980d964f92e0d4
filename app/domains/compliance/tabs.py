"""The compliance tab: privacy requests and, for those who may, the data to hand on."""

from typing import Any
from uuid import UUID

import orjson

from app.core.i18n import mark
from app.core.permissions import Permission
from app.domains.compliance import service
from app.domains.compliance.lists import REQUESTS
from app.domains.compliance.schemas import ExportView, RequestsQuery
from app.web.context import Context
from app.web.lists import show_list
from app.web.tabs import tab, tab_page


@tab(
    "compliance",
    title=mark("Compliance"),
    group="settings",
    icon="shield-check",
    permission=Permission.AUDIT_READ,
    query=RequestsQuery,
)
def compliance(ctx: Context, query: RequestsQuery) -> dict[str, Any]:
    """Privacy requests, newest first."""
    return {"list": show_list(ctx, REQUESTS, query), "may_open": ctx.can(Permission.MEMBERS_ERASE)}


@tab_page(
    "compliance",
    "/<uuid:id>",
    "privacy-request.html",
    title=mark("Privacy request"),
    permission=Permission.MEMBERS_ERASE,
)
def privacy_request(ctx: Context, id: UUID) -> ExportView:
    """One request; an export shows the person's data."""
    document = service.open_export(ctx.uow, id)
    text = orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() if document is not None else None
    request = service.get_request(ctx.uow, id)
    return ExportView(request, text, request.outcome != service.NOTHING_HELD)
