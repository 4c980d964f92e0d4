"""Rewards on the REST API. A redemption waits a moment for its code, so that the answer usually carries it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import orjson
from flask import Response, after_this_request, request
from pydantic import BaseModel

from app.core import i18n, ids
from app.core.db import unit_of_work
from app.core.paging import Page
from app.core.permissions import Permission
from app.domains.members import errors as member_errors
from app.domains.members import service as members
from app.domains.points import errors as point_errors
from app.domains.rewards import errors, queries, rules, schemas, service
from app.domains.rewards.lists import REDEMPTIONS, REWARDS
from app.domains.rewards.schemas import Redemption
from app.domains.shops import service as shops
from app.web.endpoints import Context, Download, endpoint
from app.web.envelope import error_response
from app.web.errors import problem_of
from app.web.idempotency import HEADER, REPLAYED, once
from app.web.list_export import download, export_query

_PATH = "/api/loyalty-referral"
_TAG = "Rewards"
_REFUSALS = (
    errors.RewardNotFound,
    member_errors.MemberNotFound,
    point_errors.InsufficientPoints,
    errors.RewardRetired,
    errors.ProgramNotActive,
    errors.MemberCannotRedeem,
    errors.MemberWithoutCustomer,
    errors.BelowMinimumRedemption,
    errors.LimitReachedForMember,
    errors.RewardNotYet,
    errors.RewardOver,
    errors.OutOfStock,
    errors.TierTooLow,
    errors.NotInSegment,
    errors.InvalidAmount,
    errors.RedemptionKeyReused,
    errors.RedemptionFailed,
)


def _out(redemption: Redemption, locale: str) -> schemas.RedemptionOut:
    return schemas.RedemptionOut(
        redemption_id=redemption.id,
        member_id=redemption.member_id,
        reward_id=redemption.reward_id,
        reward_name=rules.localized(redemption.terms.name, redemption.terms.names, locale),
        points=redemption.points,
        state=redemption.status,
        discount_code=redemption.usable_code,
        failure=redemption.failure,
        ending=redemption.ending,
        used_order_id=redemption.used_order_id,
        created_at=redemption.created_at,
        issued_at=redemption.issued_at,
        used_at=redemption.used_at,
        expires_at=redemption.expires_at,
    )


def _v1(redemption: Redemption) -> schemas.RedeemV1Out:
    return schemas.RedeemV1Out(
        redemption_id=redemption.id, discount_code=redemption.usable_code, state=redemption.status
    )


def _redeem(
    ctx: Context, body: schemas.RedeemIn, answer: Callable[[Redemption], dict[str, BaseModel]]
) -> Redemption:
    """Redeem under the caller's key; `answer` makes the payload again once the code is there.

    The redemption itself remembers the key, so that a repeat sees the code that was not yet there the first time.
    """
    keyed = once(request.headers.get(HEADER), ctx.principal, request.path.encode())
    key = f"{ctx.principal.key}:{keyed.key}" if keyed else f"api:{ids.new_id()}"
    member = members.resolve(ctx.uow, body.customer_id)
    redemption = service.redeem(
        ctx.uow, member.id, body.reward_id, key=key, channel="api", chosen=body.points
    )
    if redemption.status == "failed":
        raise errors.RedemptionFailed()
    shop_id, repeated = ctx.shop_id, redemption.created_at < ctx.uow.now

    @after_this_request
    def complete(response: Response) -> Response:
        if response.status_code == 201 and repeated:
            response.headers[REPLAYED] = "true"
        if response.status_code != 201 or redemption.status != "reserved":
            return response
        return _with_code(response, shop_id, redemption.id, answer)

    return redemption


def _with_code(
    response: Response,
    shop_id: UUID,
    redemption_id: UUID,
    answer: Callable[[Redemption], dict[str, BaseModel]],
) -> Response:
    """The transaction is committed: have the code made and put it into the answer, or say that it was refused."""
    service.deliver_now(shop_id, redemption_id)
    with unit_of_work(shop_id) as uow:
        settled = service.get_redemption(uow, redemption_id)
    if settled.status == "failed":
        return error_response(problem_of(errors.RedemptionFailed()))
    payload = orjson.loads(response.get_data())
    for name, model in answer(settled).items():
        payload.update({name: model.model_dump(mode="json")} if name else model.model_dump(mode="json"))
    response.set_data(orjson.dumps(payload))
    return response


@endpoint(
    "POST",
    _PATH + "/points/redeem",
    permission=Permission.POINTS_REDEEM,
    tag=_TAG,
    body=schemas.RedeemIn,
    out=schemas.RedemptionOut,
    key="redemption",
    status=201,
    idempotent=False,
    errors=_REFUSALS,
)
def redeem_points(ctx: Context, body: schemas.RedeemIn) -> schemas.RedemptionOut:
    """Redeem a member's points for a reward.

    The points are held at once and spent when Shopify has created the discount code. The answer waits up to three
    seconds for that; when `discount_code` is null and `state` is "reserved", ask for the redemption again. Send an
    `Idempotency-Key`: the same key never redeems twice and is answered with the redemption as it stands.
    """
    locale = ctx.locale
    return _out(_redeem(ctx, body, lambda settled: {"redemption": _out(settled, locale)}), locale)


@endpoint(
    "POST",
    "/v1/api/rewards/redeem",
    permission=Permission.POINTS_REDEEM,
    tag=_TAG,
    body=schemas.RedeemV1In,
    out=schemas.RedeemV1Out,
    status=201,
    idempotent=False,
    errors=_REFUSALS,
)
def redeem_reward(ctx: Context, body: schemas.RedeemV1In) -> schemas.RedeemV1Out:
    """Redeem a reward for a member; `locale` is remembered as the member's language.

    The same as `POST /api/loyalty-referral/points/redeem` in the shape of the first version.
    """
    redemption = _redeem(ctx, body, lambda settled: {"": _v1(settled)})
    if body.locale:
        members.learn_locales(ctx.uow, {redemption.member_id: body.locale})
    return _v1(redemption)


@endpoint(
    "GET",
    _PATH + "/redemptions/{redemption_id}",
    permission=Permission.POINTS_REDEEM,
    tag=_TAG,
    out=schemas.RedemptionOut,
    key="redemption",
    errors=(errors.RedemptionNotFound,),
)
def get_redemption(ctx: Context, redemption_id: UUID) -> schemas.RedemptionOut:
    """Get a redemption, for example to see whether its code is there."""
    return _out(service.get_redemption(ctx.uow, redemption_id), ctx.locale)


@endpoint(
    "POST",
    _PATH + "/redemptions/{redemption_id}/cancel",
    permission=Permission.POINTS_REDEEM,
    tag=_TAG,
    out=schemas.RedemptionOut,
    key="redemption",
    status=202,
    errors=(errors.RedemptionNotFound, errors.RedemptionNotCancellable),
)
def cancel_redemption(ctx: Context, redemption_id: UUID) -> schemas.RedemptionOut:
    """Take an unused reward back.

    It is switched off in Shopify first; when an order used it meanwhile, it stays used. Only then the points return.
    """
    service.cancel(ctx.uow, redemption_id)
    return _out(service.get_redemption(ctx.uow, redemption_id), ctx.locale)


@endpoint(
    "POST",
    _PATH + "/redemptions/{redemption_id}/resend",
    permission=Permission.POINTS_REDEEM,
    tag=_TAG,
    out=schemas.RedemptionOut,
    key="redemption",
    status=202,
    errors=(errors.RedemptionNotFound, errors.CodeNotUsable, errors.MemberWithoutEmail),
)
def resend_code(ctx: Context, redemption_id: UUID) -> schemas.RedemptionOut:
    """Send a working, unused code to its member again, by e-mail in the member's language.

    Within five minutes one message is sent, however often it is asked for.
    """
    return _out(service.resend(ctx.uow, redemption_id), ctx.locale)


@endpoint(
    "POST",
    "/v1/api/points/holds",
    permission=Permission.POINTS_REDEEM,
    tag=_TAG,
    body=schemas.HoldIn,
    out=schemas.HoldOut,
    key="hold",
    status=201,
    idempotent=False,
    errors=(
        member_errors.MemberNotFound,
        point_errors.InsufficientPoints,
        errors.MemberCannotRedeem,
        errors.RedemptionKeyReused,
    ),
)
def hold_points(ctx: Context, body: schemas.HoldIn) -> schemas.HoldOut:
    """Hold a member's points while a checkout is open, 30 minutes unless told otherwise.

    Capture the hold when the order is placed, or put its id into the cart attribute `_loyalnest_hold`: then the order
    of the same member captures it by itself. A released hold, one whose time ran out, and one whose order is canceled
    give the points back. Send an `Idempotency-Key`: the same key never holds twice.
    """
    keyed = once(request.headers.get(HEADER), ctx.principal, request.path.encode())
    key = f"{ctx.principal.key}:{keyed.key}" if keyed else f"api:{ids.new_id()}"
    member = members.resolve(ctx.uow, body.customer_id)
    made = service.hold_points(
        ctx.uow, member.id, body.points, key=key, minutes=body.minutes, reference=body.reference
    )
    return _hold(made)


@endpoint(
    "GET",
    "/v1/api/points/holds/{hold_id}",
    permission=Permission.POINTS_REDEEM,
    tag=_TAG,
    out=schemas.HoldOut,
    key="hold",
    errors=(errors.HoldNotFound,),
)
def get_hold(ctx: Context, hold_id: UUID) -> schemas.HoldOut:
    """Get a hold, for example to see whether its order captured it."""
    return _hold(service.get_hold(ctx.uow, hold_id))


@endpoint(
    "POST",
    "/v1/api/points/holds/{hold_id}/capture",
    permission=Permission.POINTS_REDEEM,
    tag=_TAG,
    body=schemas.CaptureIn,
    out=schemas.HoldOut,
    key="hold",
    errors=(errors.HoldNotFound, errors.HoldEnded),
)
def capture_hold(ctx: Context, hold_id: UUID, body: schemas.CaptureIn) -> schemas.HoldOut:
    """Spend held points. Repeating it for the same order changes nothing."""
    return _hold(service.capture(ctx.uow, hold_id, order_id=body.order_id))


@endpoint(
    "POST",
    "/v1/api/points/holds/{hold_id}/release",
    permission=Permission.POINTS_REDEEM,
    tag=_TAG,
    out=schemas.HoldOut,
    key="hold",
    errors=(errors.HoldNotFound, errors.HoldEnded),
)
def release_hold(ctx: Context, hold_id: UUID) -> schemas.HoldOut:
    """Give held points back. Repeating it changes nothing."""
    return _hold(service.release(ctx.uow, hold_id))


def _hold(found: schemas.CheckoutHold) -> schemas.HoldOut:
    return schemas.HoldOut(
        hold_id=found.id,
        member_id=found.member_id,
        points=found.points,
        reference=found.reference,
        state=found.status,
        order_id=found.order_id,
        expires_at=found.expires_at,
        created_at=found.created_at,
    )


@endpoint(
    "GET",
    _PATH + "/rewards",
    permission=Permission.REWARDS_READ,
    tag=_TAG,
    query=schemas.RewardsQuery,
    out=Page[schemas.RewardOut],
    key="rewards",
)
def list_rewards(ctx: Context, query: schemas.RewardsQuery) -> Page[schemas.RewardOut]:
    """List the rewards of the catalog, oldest first, with names in the asked language."""
    found = queries.page(ctx.uow, query)
    currency = shops.get(ctx.uow).currency
    locale = query.locale or i18n.supported(ctx.locale)
    names = {reward.id: rules.localized(reward.name, reward.names, locale) for reward in found.items}
    rows = [
        schemas.RewardOut.model_validate(
            service.snapshot(reward)
            | {
                "id": reward.id,
                "version": reward.version,
                "name": names[reward.id],
                "description": rules.localized(reward.description, reward.descriptions, locale),
                "conditions": rules.localized("", reward.conditions, locale),
                "stock_taken": reward.stock_taken,
                "currency": currency,
            }
        )
        for reward in found.items
    ]
    return Page(rows, found.next_cursor)


@endpoint(
    "GET",
    "/v1/api/rewards.csv",
    permission=Permission.REWARDS_READ,
    tag=_TAG,
    query=export_query(schemas.CatalogQuery),
    out=Download,
    produces="text/csv",
)
def rewards_csv(ctx: Context, query: Any) -> Download:
    """Download the catalog's rewards as CSV, in its order."""
    return download(ctx, REWARDS, query)


@endpoint(
    "GET",
    "/v1/api/redemptions.csv",
    permission=Permission.REWARDS_READ,
    tag=_TAG,
    query=export_query(schemas.RedemptionsFilter),
    out=Download,
    produces="text/csv",
)
def redemptions_csv(ctx: Context, query: Any) -> Download:
    """Download what members redeemed as CSV, newest first; names only for callers who may read members."""
    return download(ctx, REDEMPTIONS, query)
