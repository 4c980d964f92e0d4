"""Where members stand: who loses a tier, past moves, and moves by hand."""

from typing import Any
from uuid import UUID

from app.core.i18n import mark
from app.core.permissions import Permission
from app.domains.members import service as members
from app.domains.shops import service as shops
from app.domains.tiers import queries, service
from app.domains.tiers.lists import ENDINGS, MOVES, called, ladder_options, tier_options
from app.domains.tiers.schemas import EndingsQuery, MoveForm, MovesQuery
from app.domains.tiers.tabs.ladders import KEY
from app.web.context import Context
from app.web.date_range import today
from app.web.lists import show_list
from app.web.tabs import Done, action, tab_page


@tab_page(
    KEY,
    "/endings",
    "endings.html",
    title=mark("Members who lose a tier"),
    permission=Permission.TIERS_READ,
    query=EndingsQuery,
)
def endings(ctx: Context, query: EndingsQuery) -> dict[str, Any]:
    """Whose tier ends soon unless they earn more."""
    options = {"tier": tier_options(ctx), "ladder": ladder_options(ctx)}
    return {"list": show_list(ctx, ENDINGS, query, options=options), "currency": shops.get(ctx.uow).currency}


@tab_page(
    KEY,
    "/moves",
    "moves.html",
    title=mark("Moves between tiers"),
    permission=Permission.TIERS_READ,
    query=MovesQuery,
)
def moves(ctx: Context, query: MovesQuery) -> dict[str, Any]:
    """Who rose and fell, when and why."""
    found = show_list(ctx, MOVES, query, options={"ladder": ladder_options(ctx)})
    return {"list": found, "today": today()}


@tab_page(
    KEY,
    "/members/<uuid:member>",
    "move.html",
    title=mark("Move to a tier"),
    permission=Permission.TIERS_WRITE,
)
def move_member(ctx: Context, member: UUID) -> dict[str, Any]:
    """The drawer in which staff give a member a tier."""
    standings = service.standings(ctx.uow, member)
    return {
        "member": members.profile(ctx.uow, member),
        "tiers": [(str(tier_id), name) for tier_id, name in service.options(ctx.uow, ctx.locale)],
        "initial": {
            "tier": str(standings[0].tier.id) if standings and standings[0].tier else "",
            "locked_until": "",
            "reason": "",
        },
    }


@action(KEY, "move", page="move_member", permission=Permission.TIERS_WRITE, form=MoveForm)
def move(ctx: Context, member: UUID, form: MoveForm) -> Done:
    """Give a member a tier, kept until the last day."""
    service.assign(
        ctx.uow,
        {member: form.tier},
        reason=form.reason,
        lock_until=service.end_of_day(ctx.uow, form.locked_until) if form.locked_until else None,
    )
    return Done(mark("The member was moved."), location=f"/app/members/{member}")


@action(KEY, "release", page="move_member", permission=Permission.TIERS_WRITE)
def release(ctx: Context, member: UUID) -> Done:
    """End a member's locks before their day."""
    members.profile(ctx.uow, member)
    for one in service.ladders(ctx.uow):
        service.release(ctx.uow, member, one.id)
    return Done(mark("The ladder decides the tier again."), location=f"/app/members/{member}")


def _panel(ctx: Context, member_id: UUID) -> dict[str, Any]:
    names = called(ctx)
    return {
        "standings": service.standings(ctx.uow, member_id),
        "changes": [
            (
                names.get(one["from_name"], one["from_name"]),
                names.get(one["to_name"], one["to_name"]),
                one["created_at"],
            )
            for one in queries.changes(ctx.uow, member_id, 5)
        ],
        "member_id": member_id,
        "now": ctx.uow.now,
        "locale": ctx.locale,
        "currency": shops.get(ctx.uow).currency,
        "can_write": ctx.can(Permission.TIERS_WRITE),
    }


members.register_panel("tier", 20, "admin/tiers/_panel.html", _panel)
