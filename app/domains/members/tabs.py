"""Members in the admin: the list, and a page about one person to which other domains add their sections."""

from typing import Any
from uuid import UUID

from app.core.i18n import mark
from app.core.paging import COUNT_CAP
from app.core.permissions import Permission
from app.domains.compliance import service as compliance
from app.domains.members import queries, service
from app.domains.members.errors import MemberNotFound
from app.domains.members.schemas import MembersFilter, StatusForm
from app.web.context import Context
from app.web.tabs import Done, action, tab, tab_page

_KEY = "members"


@tab(
    _KEY,
    title=mark("Members"),
    group="manage",
    icon="users",
    permission=Permission.MEMBERS_READ,
    query=MembersFilter,
)
def members(ctx: Context, query: MembersFilter) -> dict[str, Any]:
    """Search and page through the shop's members."""
    only = [member.id for member in service.search(ctx.uow, query.search)] if query.search else None
    page = queries.page(ctx.uow, query, only)
    total = queries.count_capped(ctx.uow)
    return {"page": page, "total": min(total, COUNT_CAP), "more": total > COUNT_CAP}


def _member(ctx: Context, id: UUID) -> dict[str, Any]:
    found = queries.get(ctx.uow, id)
    if found is None:
        raise MemberNotFound()
    return {
        "member": found,
        "profile": service.profile(ctx.uow, id),
        "panels": [
            {"key": panel.key, "template": panel.template, "view": panel.provider(ctx, id)}
            for panel in service.panels()
        ],
        "can_write": ctx.can(Permission.MEMBERS_WRITE),
        "can_erase": ctx.can(Permission.MEMBERS_ERASE),
    }


@tab_page(_KEY, "/<uuid:id>", "member.html", title=mark("Member"), permission=Permission.MEMBERS_READ)
def member(ctx: Context, id: UUID) -> dict[str, Any]:
    """Everything about one member."""
    view = _member(ctx, id)
    if ctx.can(Permission.AUDIT_READ):
        view["audit"] = compliance.list_entries(ctx.uow, ("member", str(id)), limit=20).items
    return view


@tab_page(_KEY, "/<uuid:id>/peek", "peek.html", title=mark("Member"), permission=Permission.MEMBERS_READ)
def peek(ctx: Context, id: UUID) -> dict[str, Any]:
    """The quick view beside the list."""
    return _member(ctx, id)


@action(_KEY, "set-status", page="member", permission=Permission.MEMBERS_WRITE, form=StatusForm)
def set_status(ctx: Context, id: UUID, form: StatusForm) -> Done:
    """Block a member or let them take part again."""
    service.set_status(ctx.uow, id, form.status)
    return Done(
        mark("The member is blocked.")
        if form.status == "blocked"
        else mark("The member can take part again.")
    )


@action(_KEY, "erase", page="member", permission=Permission.MEMBERS_ERASE)
def erase(ctx: Context, id: UUID) -> Done:
    """Erase a person everywhere, as a request of theirs would."""
    found = queries.get(ctx.uow, id)
    if found is None:
        raise MemberNotFound()
    compliance.request_erasure(
        ctx.uow,
        external_id=f"staff:{id}",
        customer_id=found.customer_id,
        member_id=id,
        requested_at=ctx.uow.now,
    )
    return Done(mark("The person was erased. The ledger keeps its numbers."))
