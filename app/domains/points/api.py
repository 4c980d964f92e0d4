"""The ledger on the REST API."""

from app.core import ids
from app.core.paging import Page
from app.core.permissions import Permission
from app.domains.members import errors as member_errors
from app.domains.members import service as members
from app.domains.orders import errors as order_errors
from app.domains.points import errors, queries, schemas, service
from app.domains.points.schemas import Entry
from app.web.endpoints import Context, endpoint

_PATH = "/api/loyalty-referral/points"
_TAG = "Points"


def _key(ctx: Context) -> str:
    """One posting per request: a repeated request never gets here, the web ring answers it from its first answer."""
    return f"api:{ctx.principal.id}:{ids.new_id()}"


def _out(ctx: Context, entry: Entry) -> schemas.EntryOut:
    row = queries.entry(ctx.uow, entry.id)
    assert row is not None
    return schemas.EntryOut.model_validate(row | {"why": service.explain(row, ctx.locale)})


def _by_hand(ctx: Context, body: schemas.AwardIn, sign: int) -> schemas.EntryOut:
    member = members.resolve(ctx.uow, body.customer_id)
    if not member.active:
        raise errors.MemberCannotEarn()
    return _out(
        ctx, service.adjust(ctx.uow, member.id, sign * body.points, key=_key(ctx), reason=body.reason)
    )


@endpoint(
    "POST",
    _PATH + "/award",
    permission=Permission.POINTS_ADJUST,
    tag=_TAG,
    body=schemas.AwardIn,
    out=schemas.EntryOut,
    key="entry",
    status=201,
    errors=(member_errors.MemberNotFound, errors.MemberCannotEarn),
)
def award_points(ctx: Context, body: schemas.AwardIn) -> schemas.EntryOut:
    """Award points to a member by hand.

    The points are available at once, never expire, and do not count for tiers.
    """
    return _by_hand(ctx, body, 1)


@endpoint(
    "POST",
    _PATH + "/deduct",
    permission=Permission.POINTS_ADJUST,
    tag=_TAG,
    body=schemas.DeductIn,
    out=schemas.EntryOut,
    key="entry",
    status=201,
    errors=(member_errors.MemberNotFound, errors.MemberCannotEarn, errors.InsufficientPoints),
)
def deduct_points(ctx: Context, body: schemas.DeductIn) -> schemas.EntryOut:
    """Deduct available points from a member by hand, those that expire first before others."""
    return _by_hand(ctx, body, -1)


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
    """Earn points for an order or for signing up.

    An order earns once, under the program's own rules, however often this is called; `order_id` is needed for it.
    """
    member = members.resolve(ctx.uow, body.customer_id)
    entry = service.earn(ctx.uow, member, body.action_type, body.order_id)
    return schemas.EarnOut(transaction_id=entry.id, points=entry.points)
