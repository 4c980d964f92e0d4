"""The points ledger in the admin: entries, the reasons behind them, and adjusting by hand."""

from typing import Any
from uuid import UUID

from app.core import ids
from app.core.errors import NotFound
from app.core.i18n import mark
from app.core.permissions import Permission
from app.domains.members import service as members
from app.domains.members.errors import MemberNotFound
from app.domains.orders import service as orders
from app.domains.points import queries, service
from app.domains.points.errors import MemberCannotEarn
from app.domains.points.schemas import AdjustForm, LedgerFilter
from app.web.context import Context
from app.web.tabs import Done, action, tab, tab_page

_KEY = "points-ledger"


@tab(
    _KEY,
    title=mark("Points ledger"),
    group="manage",
    icon="list",
    permission=Permission.POINTS_READ,
    query=LedgerFilter,
)
def points_ledger(ctx: Context, query: LedgerFilter) -> dict[str, Any]:
    """The newest entries of the shop, and what all members have together."""
    only = [member.id for member in members.search(ctx.uow, query.member)] if query.member else None
    page = queries.page(ctx.uow, query, only)
    people = members.profiles(ctx.uow, {row["member_id"] for row in page.items})
    for row in page.items:
        row["name"] = _name(people, row["member_id"])
        row["why"] = service.explain(row, ctx.locale)
    return {
        "page": page,
        "totals": queries.shop_totals(ctx.uow),
        "delay": orders.award_delay(ctx.uow),
        "can_adjust": ctx.can(Permission.POINTS_ADJUST),
    }


def _name(people: dict[UUID, Any], member_id: UUID) -> str:
    profile = people.get(member_id)
    return (profile.name or profile.email or "") if profile else ""


@tab_page(_KEY, "/<uuid:id>", "entry.html", title=mark("Points entry"), permission=Permission.POINTS_READ)
def entry(ctx: Context, id: UUID) -> dict[str, Any]:
    """One entry: why it was written, which lots it touched, and what the member had after it."""
    row = queries.entry(ctx.uow, id)
    if row is None:
        raise NotFound()
    return {
        "entry": row,
        "why": service.explain(row, ctx.locale),
        "name": _name(members.profiles(ctx.uow, [row["member_id"]]), row["member_id"]),
        "lots": queries.moves(ctx.uow, id),
    }


@action(_KEY, "adjust", permission=Permission.POINTS_ADJUST, form=AdjustForm)
def adjust(ctx: Context, form: AdjustForm) -> Done:
    """Give or take points by hand."""
    found = members.search(ctx.uow, form.member)
    if len(found) != 1:
        raise MemberNotFound(
            fields={"member": mark("No member, or more than one, matches. Enter the member id.")}
        )
    if not found[0].active:
        raise MemberCannotEarn()
    points = form.points if form.direction == "add" else -form.points
    service.adjust(ctx.uow, found[0].id, points, key=f"staff:{ids.new_id()}", reason=form.reason)
    return Done(
        mark("{points} points were added.") if points > 0 else mark("{points} points were deducted."),
        {"points": form.points},
    )


def _panel(ctx: Context, member_id: UUID) -> dict[str, Any]:
    history = queries.history(ctx.uow, member_id, 25, None)
    return {
        "wide": True,
        "member_id": member_id,
        "balance": service.balance(ctx.uow, member_id),
        "entries": service.explained([row for row in history.items if row["points"]], ctx.locale),
        "more": history.next_cursor is not None,
        "lots": queries.lots(ctx.uow, member_id, 20),
        "can_adjust": ctx.can(Permission.POINTS_ADJUST),
    }


members.register_panel("points", 10, "admin/points/_panel.html", _panel)
