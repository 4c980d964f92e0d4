"""Tier management in the admin: the active program's ladder and the editor of a tier."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from app.core.i18n import mark
from app.core.permissions import Permission
from app.domains.members import service as members
from app.domains.programs import service as programs
from app.domains.tiers import queries, service
from app.domains.tiers.errors import TierNotFound
from app.domains.tiers.schemas import TierForm
from app.web.context import Context
from app.web.tabs import Done, action, tab, tab_page

_KEY = "tier-management"


@tab(_KEY, title=mark("Tier management"), group="manage", icon="trophy", permission=Permission.TIERS_READ)
def tier_management(ctx: Context) -> dict[str, Any]:
    """The ladder with how many members stand on each tier."""
    program = programs.active(ctx.uow)
    counts = queries.counts(ctx.uow)
    tiers = queries.of_program(ctx.uow, program.id) if program else []
    return {
        "program": program,
        "tiers": [
            {
                "id": tier.id,
                "name": tier.localized(ctx.locale),
                "rank": rank,
                "threshold_points": tier.threshold_points,
                "multiplier": Decimal(tier.multiplier_bp) / 10_000,
                "members": counts.get(tier.id, 0),
            }
            for rank, tier in enumerate(tiers, start=1)
        ],
        "can_write": ctx.can(Permission.TIERS_WRITE),
    }


@tab_page(_KEY, "/new", "tier.html", title=mark("New tier"), permission=Permission.TIERS_WRITE)
def new_tier(ctx: Context) -> dict[str, Any]:
    """The empty editor."""
    return {
        "tier": None,
        "initial": TierForm(name="?", threshold_points=0).model_dump(mode="json") | {"name": ""},
    }


@tab_page(_KEY, "/<uuid:id>", "tier.html", title=mark("Tier"), permission=Permission.TIERS_READ)
def tier(ctx: Context, id: UUID) -> dict[str, Any]:
    """The editor of one tier."""
    found = queries.get(ctx.uow, id)
    if found is None:
        raise TierNotFound()
    return {
        "tier": found,
        "initial": service.snapshot(found),
        "members": queries.counts(ctx.uow).get(found.id, 0),
        "can_write": ctx.can(Permission.TIERS_WRITE),
    }


def _program_id(ctx: Context) -> UUID:
    program = programs.active(ctx.uow)
    if program is None:
        raise TierNotFound()
    return program.id


@action(_KEY, "create", permission=Permission.TIERS_WRITE, form=TierForm, prepare=new_tier)
def create(ctx: Context, form: TierForm) -> Done:
    """Add a tier to the ladder."""
    made = service.save(ctx.uow, _program_id(ctx), None, form)
    return Done(
        mark("{name} was added. Members are placed anew."), {"name": made.name}, location=f"/app/{_KEY}"
    )


@action(_KEY, "save", page="tier", permission=Permission.TIERS_WRITE, form=TierForm)
def save(ctx: Context, id: UUID, form: TierForm) -> Done:
    """Save the editor."""
    found = queries.get(ctx.uow, id)
    if found is None:
        raise TierNotFound()
    service.save(ctx.uow, found.program_id, id, form)
    return Done(mark("The tier was saved. Members are placed anew."))


@action(_KEY, "remove", page="tier", permission=Permission.TIERS_WRITE)
def remove(ctx: Context, id: UUID) -> Done:
    """Take a tier off the ladder."""
    service.remove(ctx.uow, id)
    return Done(mark("The tier was removed. Members are placed anew."), location=f"/app/{_KEY}")


def _panel(ctx: Context, member_id: UUID) -> dict[str, Any]:
    return {
        "standing": service.standing(ctx.uow, member_id),
        "changes": queries.changes(ctx.uow, member_id),
        "locale": ctx.locale,
    }


members.register_panel("tier", 20, "admin/tiers/_panel.html", _panel)
