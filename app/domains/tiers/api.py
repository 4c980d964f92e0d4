"""Tiers on the REST API, by the addresses of the v1 documents."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from app.core import paging
from app.core.paging import Page
from app.core.permissions import Permission
from app.domains.members import errors as member_errors
from app.domains.members import service as members
from app.domains.programs import service as programs
from app.domains.tiers import errors, service
from app.domains.tiers.lists import ENDINGS, MOVES, SIMULATED
from app.domains.tiers.schemas import (
    BASIS_POINTS,
    AssignIn,
    EndingsQuery,
    Level,
    MovesQuery,
    Perks,
    PreviewLine,
    PreviewQuery,
    SimulatedQuery,
    Standing,
    StatusOut,
    StatusQuery,
    TierForm,
    TierIn,
    TierOut,
)
from app.web.endpoints import Context, Download, endpoint
from app.web.list_export import download, export_query

_TAG = "Tiers"
_PATH = "/v1/api/vip-tiers"


@endpoint(
    "GET",
    _PATH + "/status",
    permission=Permission.TIERS_READ,
    tag=_TAG,
    query=StatusQuery,
    out=StatusOut,
    key="tier",
    errors=(member_errors.MemberNotFound,),
)
def tier_status(ctx: Context, query: StatusQuery) -> StatusOut:
    """Where a member stands on the main ladder, what is missing to the next tier, and what the tier gives."""
    member = members.resolve(ctx.uow, query.customer_id)
    return _status(service.standing(ctx.uow, member.id))


def _status(found: Standing) -> StatusOut:
    tier = found.tier
    return StatusOut(
        tier_id=tier.id if tier else None,
        tier_name=tier.name if tier else None,
        next_tier_name=found.next_tier.name if found.next_tier else None,
        progress=found.progress_percent,
        value=found.value,
        needed=found.needed,
        metric=found.metric,
        ends_at=found.ends_at,
        locked_until=found.locked_until,
        perks=_perks(tier) if tier else None,
    )


def _perks(tier: Level) -> Perks:
    return Perks(
        multiplier=Decimal(tier.multiplier_bp) / BASIS_POINTS,
        entry_points=tier.entry_points,
        entry_reward_id=tier.entry_reward_id,
        gift_reward_id=tier.gift_reward_id,
        gift_every=tier.gift_every,
        early_days=tier.early_days,
    )


@endpoint(
    "POST",
    _PATH + "/update",
    permission=Permission.TIERS_WRITE,
    tag=_TAG,
    body=AssignIn,
    out=StatusOut,
    key="tier",
    errors=(member_errors.MemberNotFound, errors.TierNotFound, errors.LockInThePast),
)
def assign_tier(ctx: Context, body: AssignIn) -> StatusOut:
    """Move a member to a tier by hand.

    Until `locked_until` (a day of the shop) the tier cannot be lost; without it the ladder decides again at its next
    daily review. What the tier gives on entering is given.
    """
    member = members.resolve(ctx.uow, body.customer_id)
    until = service.end_of_day(ctx.uow, body.locked_until) if body.locked_until else None
    service.assign(ctx.uow, {member.id: body.vip_tier_id}, reason=body.reason, lock_until=until)
    return _status(service.standing(ctx.uow, member.id))


@endpoint(
    "POST",
    _PATH,
    permission=Permission.TIERS_WRITE,
    tag=_TAG,
    body=TierIn,
    out=TierOut,
    key="tier",
    status=201,
    errors=(
        errors.LadderNotFound,
        errors.ThresholdTaken,
        errors.ThresholdTooHigh,
        errors.FirstTierNeeded,
        errors.RewardNotGivable,
    ),
)
def create_tier(ctx: Context, body: TierIn) -> TierOut:
    """Add a tier to a ladder and place its members anew within minutes.

    The first tier of a ladder starts at 0. Preview a change of a ladder in the admin before you make it.
    """
    ladder_id = body.ladder_id or _main(ctx)
    before = service.get_ladder(ctx.uow, ladder_id)
    form = TierForm(**body.model_dump(exclude={"ladder_id", "threshold"}), threshold=Decimal(body.threshold))
    draft = service.draft_tier(ctx.uow, before, form, None, minor=True)
    known = {level.id for level in before.levels}
    saved = service.save(ctx.uow, draft, version=before.version)
    made = next(level for level in saved.levels if level.id not in known)
    return TierOut(
        id=made.id,
        ladder_id=saved.id,
        name=made.name,
        threshold=made.threshold,
        color=made.color,
        **_perks(made).model_dump(),
    )


def _main(ctx: Context) -> UUID:
    program = programs.active(ctx.uow)
    found = service.program_ladders(ctx.uow, program.id) if program else ()
    if not found:
        raise errors.LadderNotFound()
    return found[0].id


@endpoint(
    "GET",
    _PATH + "/moves.csv",
    permission=Permission.TIERS_READ,
    tag=_TAG,
    query=export_query(MovesQuery),
    out=Download,
    produces="text/csv",
)
def tier_moves_csv(ctx: Context, query: Any) -> Download:
    """Download who rose and fell as CSV: the filters, order and columns of the list in the admin."""
    return download(ctx, MOVES, query)


@endpoint(
    "GET",
    _PATH + "/endings.csv",
    permission=Permission.TIERS_READ,
    tag=_TAG,
    query=export_query(EndingsQuery),
    out=Download,
    produces="text/csv",
)
def tier_endings_csv(ctx: Context, query: Any) -> Download:
    """Download who loses a tier as CSV: the filters, order and columns of the list in the admin."""
    return download(ctx, ENDINGS, query)


@endpoint(
    "GET",
    _PATH + "/previews/{simulation}/members.csv",
    permission=Permission.TIERS_READ,
    tag=_TAG,
    query=export_query(SimulatedQuery),
    out=Download,
    produces="text/csv",
    errors=(errors.SimulationNotFound,),
)
def tier_preview_csv(ctx: Context, simulation: UUID, query: Any) -> Download:
    """Download who moves in a preview of a changed ladder as CSV: the filters and columns of the list in the admin."""
    service.get(ctx.uow, simulation)
    return download(ctx, SIMULATED, query, simulation=simulation)


@endpoint(
    "GET",
    "/v1/api/vip/preview",
    permission=Permission.TIERS_READ,
    tag=_TAG,
    query=PreviewQuery,
    out=Page[PreviewLine],
    key="preview",
    errors=(paging.StaleCursor,),
)
def preview_tiers(ctx: Context, query: PreviewQuery) -> Page[PreviewLine]:
    """Where members belong on the main ladder by what counts now, by member id; nobody is moved."""
    return service.preview(ctx.uow, query)
