"""The ledger on the REST API."""

from typing import Any
from uuid import UUID

from app.core import ids
from app.core.paging import Page
from app.core.permissions import Permission
from app.domains.members import errors as member_errors
from app.domains.members import service as members
from app.domains.orders import errors as order_errors
from app.domains.points import errors, queries, schemas, service
from app.domains.points.lists import ADJUSTMENTS, ENTRIES, LOTS, REDATINGS
from app.domains.shops import service as shops
from app.web.endpoints import Context, Download, endpoint
from app.web.list_export import download, export_query

_PATH = "/api/loyalty-referral/points"
_TAG = "Points"


def _key(ctx: Context) -> str:
    """One posting per request: a repeated request never gets here, the web ring answers it from its first answer."""
    return f"api:{ctx.principal.id}:{ids.new_id()}"


def _by_hand(ctx: Context, body: schemas.AwardIn, verb: schemas.Verb) -> schemas.EntryOut:
    member = members.resolve(ctx.uow, body.customer_id)
    done = _adjusted(ctx, schemas.Wish(member.id, verb, body.points, _key(ctx), body.reason))
    row = queries.entry(ctx.uow, done.entries[0])
    assert row is not None
    return schemas.EntryOut.model_validate(row | {"why": service.explain(row, ctx.locale)})


def _adjusted(ctx: Context, wish: schemas.Wish) -> schemas.Adjustment:
    """An adjustment that was posted. A person's own session above the shop's limit is refused here, not kept waiting."""
    done = service.adjust_by_hand(ctx.uow, [wish])[0]
    if done.status == "waiting":
        raise errors.ApproverNeeded()
    return done


@endpoint(
    "POST",
    _PATH + "/award",
    permission=Permission.POINTS_ADJUST,
    tag=_TAG,
    body=schemas.AwardIn,
    out=schemas.EntryOut,
    key="entry",
    status=201,
    errors=(
        member_errors.MemberNotFound,
        errors.MemberCannotEarn,
        errors.DailyLimitReached,
        errors.ApproverNeeded,
    ),
)
def award_points(ctx: Context, body: schemas.AwardIn) -> schemas.EntryOut:
    """Award points to a member by hand.

    The points are available at once, never expire, and do not count for tiers.
    """
    return _by_hand(ctx, body, "award")


@endpoint(
    "POST",
    _PATH + "/deduct",
    permission=Permission.POINTS_ADJUST,
    tag=_TAG,
    body=schemas.DeductIn,
    out=schemas.EntryOut,
    key="entry",
    status=201,
    errors=(
        member_errors.MemberNotFound,
        errors.MemberCannotEarn,
        errors.InsufficientPoints,
        errors.DailyLimitReached,
        errors.ApproverNeeded,
    ),
)
def deduct_points(ctx: Context, body: schemas.DeductIn) -> schemas.EntryOut:
    """Deduct available points from a member by hand, those that expire first before others."""
    return _by_hand(ctx, body, "deduct")


_ADJUSTING = (
    member_errors.MemberNotFound,
    errors.MemberCannotEarn,
    errors.InsufficientPoints,
    errors.NothingToAdjust,
    errors.DailyLimitReached,
    errors.ApproverNeeded,
)


@endpoint(
    "POST",
    _PATH + "/transfer",
    permission=Permission.POINTS_ADJUST,
    tag=_TAG,
    body=schemas.TransferIn,
    out=schemas.AdjustmentOut,
    key="adjustment",
    status=201,
    errors=(*_ADJUSTING, errors.SameMember),
)
def transfer_points(ctx: Context, body: schemas.TransferIn) -> schemas.Adjustment:
    """Move available points from one member to another.

    The points keep the days on which they expire; a debt of the receiving member is paid first.
    """
    source = members.resolve(ctx.uow, body.from_customer_id)
    target = members.resolve(ctx.uow, body.to_customer_id)
    return _adjusted(
        ctx,
        schemas.Wish(source.id, "transfer", body.points, _key(ctx), body.reason, to_member_id=target.id),
    )


@endpoint(
    "GET",
    _PATH + "/adjustments",
    permission=Permission.POINTS_READ,
    tag=_TAG,
    query=schemas.AdjustmentsQuery,
    out=Page[schemas.AdjustmentOut],
    key="adjustments",
)
def list_adjustments(ctx: Context, query: schemas.AdjustmentsQuery) -> Page[schemas.AdjustmentOut]:
    """List what was adjusted by hand, newest first."""
    page = queries.adjustments(ctx.uow, query.limit, query.cursor, query.status)
    return Page([schemas.AdjustmentOut.model_validate(row) for row in page.items], page.next_cursor)


@endpoint(
    "POST",
    _PATH + "/adjustments/{adjustment_id}/undo",
    permission=Permission.POINTS_ADJUST,
    tag=_TAG,
    out=schemas.AdjustmentOut,
    key="adjustment",
    errors=(errors.AdjustmentNotFound, errors.AdjustmentClosed, errors.UndoRefused),
)
def undo_adjustment(ctx: Context, adjustment_id: UUID) -> schemas.Adjustment:
    """Undo an adjustment with entries of its own, once and exactly.

    It is refused when some of the points were used or moved since.
    """
    return service.undo(ctx.uow, adjustment_id)


_REDATINGS = _PATH + "/redatings"


@endpoint(
    "POST",
    _REDATINGS,
    permission=Permission.PROGRAMS_WRITE,
    tag=_TAG,
    body=schemas.RedatingForm,
    out=schemas.RedatingOut,
    key="redating",
    status=202,
    errors=(errors.NoProgramActive,),
)
def count_redating(ctx: Context, body: schemas.RedatingForm) -> schemas.RedatingOut:
    """Count what the program's present terms of expiry would do to points that were earned before.

    Nothing is changed. Read the redating until it is "counted", then apply it.
    """
    return _redating(service.redating(ctx.uow, service.start_redating(ctx.uow, body)))


def _redating(row: dict[str, Any]) -> schemas.RedatingOut:
    return schemas.RedatingOut.model_validate(row)


@endpoint(
    "GET",
    _REDATINGS,
    permission=Permission.POINTS_READ,
    tag=_TAG,
    query=schemas.RedatingsQuery,
    out=Page[schemas.RedatingOut],
    key="redatings",
)
def list_redatings(ctx: Context, query: schemas.RedatingsQuery) -> Page[schemas.RedatingOut]:
    """List redatings, newest first."""
    page = queries.redatings(ctx.uow, query).page
    return Page([_redating(row) for row in page.items], page.next_cursor)


@endpoint(
    "GET",
    _REDATINGS + ".csv",
    permission=Permission.POINTS_READ,
    tag=_TAG,
    query=export_query(schemas.RedatingsQuery),
    out=Download,
    produces="text/csv",
)
def points_redatings_csv(ctx: Context, query: Any) -> Download:
    """Download redatings as CSV, newest first: the filters and columns of the list in the admin."""
    return download(ctx, REDATINGS, query)


@endpoint(
    "GET",
    _REDATINGS + "/{redating}",
    permission=Permission.POINTS_READ,
    tag=_TAG,
    out=schemas.RedatingOut,
    key="redating",
    errors=(errors.RedatingNotFound,),
)
def get_redating(ctx: Context, redating: UUID) -> schemas.RedatingOut:
    """Get a redating with its progress and result."""
    return _redating(service.redating(ctx.uow, redating))


@endpoint(
    "POST",
    _REDATINGS + "/{redating}/apply",
    permission=Permission.PROGRAMS_WRITE,
    tag=_TAG,
    out=schemas.RedatingOut,
    key="redating",
    errors=(errors.RedatingNotFound, errors.RedatingClosed, errors.RedatingOutdated, errors.RedatingRunning),
)
def apply_redating(ctx: Context, redating: UUID) -> schemas.RedatingOut:
    """Give points that were earned before the dates that were counted.

    Each member's ledger gets an entry that names the lots with their dates before and after.
    """
    return _redating(service.apply_redating(ctx.uow, redating))


@endpoint(
    "POST",
    _REDATINGS + "/{redating}/undo",
    permission=Permission.PROGRAMS_WRITE,
    tag=_TAG,
    out=schemas.RedatingOut,
    key="redating",
    errors=(errors.RedatingNotFound, errors.RedatingClosed, errors.RedatingRunning),
)
def undo_redating(ctx: Context, redating: UUID) -> schemas.RedatingOut:
    """Give points back the dates that a redating took from them.

    Points that would end within the notice then keep until it is over, or until their present end if that is sooner.
    """
    return _redating(service.undo_redating(ctx.uow, redating))


@endpoint(
    "POST",
    "/admin/points/adjust",
    permission=Permission.POINTS_ADJUST,
    tag=_TAG,
    body=schemas.AdminAdjustIn,
    out=schemas.AdminAdjustOut,
    status=201,
    errors=(*_ADJUSTING, errors.OtherMerchant),
)
def admin_adjust_points(ctx: Context, body: schemas.AdminAdjustIn) -> schemas.AdminAdjustOut:
    """Adjust a customer's points: a positive number gives, a negative one takes.

    `merchant_id` is the shop of the credential; another one is refused.
    """
    shop = shops.get(ctx.uow)
    if body.merchant_id not in (str(ctx.shop_id), shop.domain):
        raise errors.OtherMerchant()
    member = members.resolve(ctx.uow, body.customer_id)
    verb: schemas.Verb = "award" if body.points >= 0 else "deduct"
    done = _adjusted(ctx, schemas.Wish(member.id, verb, abs(body.points), _key(ctx), body.reason))
    return schemas.AdminAdjustOut(transaction_id=done.entries[0])


@endpoint(
    "GET",
    _PATH + "/{customer_id}",
    permission=Permission.POINTS_READ,
    tag=_TAG,
    out=schemas.BalanceOut,
    key="balance",
    errors=(member_errors.MemberNotFound,),
)
def points_balance(ctx: Context, customer_id: str) -> schemas.BalanceOut:
    """Get a member's points by status.

    `customer_id` is a member id, a Shopify customer id or its gid. `qualifying` is what counts for tiers.
    """
    member = members.resolve(ctx.uow, customer_id)
    balance = service.balance(ctx.uow, member.id)
    return schemas.BalanceOut(
        member_id=member.id,
        available=balance.available,
        pending=balance.pending,
        held=balance.held,
        debt=balance.debt,
        total=balance.total,
        qualifying=balance.qualifying,
    )


@endpoint(
    "GET",
    _PATH + "/history/{customer_id}",
    permission=Permission.POINTS_READ,
    tag=_TAG,
    query=schemas.HistoryQuery,
    out=Page[schemas.EntryOut],
    key="entries",
    errors=(member_errors.MemberNotFound,),
)
def points_history(ctx: Context, customer_id: str, query: schemas.HistoryQuery) -> Page[schemas.EntryOut]:
    """List a member's points entries, newest first, each with the reason in a sentence."""
    member = members.resolve(ctx.uow, customer_id)
    page = queries.history(ctx.uow, member.id, query.limit, query.cursor)
    rows = service.explained(page.items, ctx.locale)
    return Page([schemas.EntryOut.model_validate(row) for row in rows], page.next_cursor)


@endpoint(
    "POST",
    "/v1/api/points/earn",
    permission=Permission.POINTS_ADJUST,
    tag=_TAG,
    body=schemas.EarnIn,
    out=schemas.EarnOut,
    status=201,
    errors=(
        member_errors.MemberNotFound,
        order_errors.OrderNotFound,
        errors.MemberCannotEarn,
        errors.NotAnEarningOrder,
        errors.NothingToEarn,
    ),
)
def earn_points(ctx: Context, body: schemas.EarnIn) -> schemas.EarnOut:
    """Earn points for an order, or for something that a member did.

    An order earns once, under the program's own rules, however often this is called; `order_id` is needed for it. A deed
    (a review, a visit, an event of your own) earns once for each `reference`, as the program's rules for it say.
    """
    member = members.resolve(ctx.uow, body.customer_id)
    entries = service.earn(
        ctx.uow,
        member,
        body.action_type,
        order=body.order_id,
        reference=body.reference,
        event=body.event,
    )
    return schemas.EarnOut(transaction_id=entries[0].id, points=sum(entry.points for entry in entries))


@endpoint(
    "POST",
    "/v1/api/points/calculate",
    permission=Permission.POINTS_READ,
    tag=_TAG,
    body=schemas.CalculateIn,
    out=schemas.Calculated,
    idempotent=False,
    errors=(
        member_errors.MemberNotFound,
        order_errors.OrderNotFound,
        errors.MemberCannotEarn,
        errors.NoProgramActive,
    ),
)
def calculate_points(ctx: Context, body: schemas.CalculateIn) -> schemas.Calculated:
    """Calculate what a cart, an order or a deed would earn.

    It is the arithmetic of the award itself: tier, campaigns, exclusions, caps and rounding included. Nothing is given.
    """
    member = members.resolve(ctx.uow, body.customer_id) if body.customer_id else None
    return service.calculate(ctx.uow, member, body, body.locale or ctx.locale)


@endpoint(
    "GET",
    "/v1/api/points/as-of",
    permission=Permission.POINTS_READ,
    tag=_TAG,
    query=schemas.AsOfQuery,
    out=schemas.PastOut,
    key="past",
    errors=(member_errors.MemberNotFound,),
)
def points_as_of(ctx: Context, query: schemas.AsOfQuery) -> schemas.PastOut:
    """Get what a member had at an instant, from which lots, and what it was enough for.

    It equals a replay of the ledger to that instant. `without` says what the member would have had if entries had never
    been written. `redeemable` are rewards of then at what they cost today.
    """
    member = members.resolve(ctx.uow, query.member_id)
    past = service.as_of(ctx.uow, member.id, min(query.at or ctx.uow.now, ctx.uow.now), without=query.without)
    balance = past.balance
    return schemas.PastOut(
        member_id=member.id,
        at=past.at,
        available=balance.available,
        pending=balance.pending,
        held=balance.held,
        debt=balance.debt,
        total=balance.total,
        qualifying=balance.qualifying,
        redeemable=[
            schemas.Within(name=name, points=points)
            for name, points in service.possible_then(ctx.uow, past.at, balance.available, ctx.locale)
        ],
        lots=[schemas.PastLot.model_validate(lot) for lot in past.lots],
    )


@endpoint(
    "GET",
    "/v1/api/points/entries.csv",
    permission=Permission.POINTS_READ,
    tag=_TAG,
    query=export_query(schemas.LedgerFilter),
    out=Download,
    produces="text/csv",
)
def points_entries_csv(ctx: Context, query: Any) -> Download:
    """Download every points entry that the filters leave, as CSV, in the order of `sort`.

    `points` is what the member has more or less. An entry with `balances` left that sum as it was: its `points` went from one
    balance to another (`available_held`, `held_available`, `pending_available`) or got another expiry date (`dates`).
    """
    return download(ctx, ENTRIES, query)


@endpoint(
    "GET",
    "/v1/api/points/adjustments.csv",
    permission=Permission.POINTS_READ,
    tag=_TAG,
    query=export_query(schemas.AdjustmentsQuery),
    out=Download,
    produces="text/csv",
)
def points_adjustments_csv(ctx: Context, query: Any) -> Download:
    """Download what was adjusted by hand as CSV, newest first."""
    return download(ctx, ADJUSTMENTS, query)


@endpoint(
    "GET",
    "/v1/api/members/{member_id}/lots.csv",
    permission=Permission.POINTS_READ,
    tag=_TAG,
    query=export_query(schemas.LotsQuery),
    out=Download,
    produces="text/csv",
    errors=(member_errors.MemberNotFound,),
)
def member_lots_csv(ctx: Context, member_id: UUID, query: Any) -> Download:
    """Download a member's lots as CSV: the filters, order and columns of the list in the admin."""
    members.profile(ctx.uow, member_id)
    return download(ctx, LOTS, query, id=member_id)
