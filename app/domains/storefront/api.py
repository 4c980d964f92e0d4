"""The storefront's JSON: the app proxy, whose caller Shopify names in a signature, and the widget's texts."""

from typing import Literal
from uuid import UUID

from flask import Request, Response, after_this_request, request

from app.core.permissions import Permission
from app.domains.points import errors as point_errors
from app.domains.referrals import errors as referral_errors
from app.domains.rewards import errors as reward_errors
from app.domains.shops import service as shops
from app.domains.storefront import errors, schemas, service
from app.shopify import proxy
from app.web.endpoints import Context, Rate, endpoint
from app.web.principals import Principal, register_principal_source

_TAG = "Storefront"


def visitor(incoming: Request) -> Principal:
    """Who Shopify says is visiting: a logged-in customer, or the public of one shop.

    Raises ForgedRequest, ShopNotServed.
    """
    asked = proxy.verify(incoming.query_string)
    shop = shops.look_up(asked.shop_domain)
    if shop is None or shop.status != "installed":
        raise errors.ShopNotServed()
    kind: Literal["public", "member"] = "public" if asked.customer_id is None else "member"
    allowed = frozenset({Permission.WIDGET_READ})
    return Principal(kind, asked.customer_id or "storefront", shop.shop_id, "", allowed, asked.locale)


register_principal_source("/proxy", visitor)


def _customer(ctx: Context) -> int | None:
    return int(ctx.principal.id) if ctx.principal.kind == "member" else None


def _known_customer(ctx: Context) -> int:
    customer_id = _customer(ctx)
    if customer_id is None:
        raise errors.SignInFirst()
    return customer_id


@endpoint(
    "GET",
    "/proxy/summary",
    permission=Permission.WIDGET_READ,
    tag=_TAG,
    query=schemas.ProxyQuery,
    out=schemas.SummaryOut,
    rate=Rate(2, 30, "storefront"),
    errors=(errors.ShopNotServed,),
)
def summary(ctx: Context, query: schemas.ProxyQuery) -> schemas.SummaryOut:
    """Get what the storefront's panel shows.

    For a logged-in customer: points, tier, rewards, codes and recent entries; for a guest what can be earned
    and got. The entity tag follows the ledger, so a client may ask with If-None-Match.
    """
    found = service.summary(ctx.uow, _customer(ctx), ctx.locale)

    @after_this_request
    def tag(response: Response) -> Response:
        response.set_etag(found.version)
        response.make_conditional(request)
        return response

    return found


@endpoint(
    "POST",
    "/proxy/earn",
    permission=Permission.WIDGET_READ,
    tag=_TAG,
    query=schemas.ProxyQuery,
    body=schemas.BasketIn,
    out=schemas.PromiseOut,
    idempotent=False,
    max_body_bytes=131_072,
    rate=Rate(2, 40, "storefront-earn"),
    errors=(errors.ShopNotServed,),
)
def earn(ctx: Context, query: schemas.ProxyQuery, body: schemas.BasketIn) -> schemas.PromiseOut:
    """Get what a product or a cart would earn for whoever is logged in, or for somebody new.

    It is the arithmetic of the award; nothing is given. Shopify does not sign the body: false goods only mislead who
    says them.
    """
    return service.promise(ctx.uow, _customer(ctx), body, ctx.locale)


@endpoint(
    "POST",
    "/proxy/redeem",
    permission=Permission.WIDGET_READ,
    tag=_TAG,
    query=schemas.ProxyQuery,
    body=schemas.WidgetRedeemIn,
    out=schemas.WidgetRedemption,
    idempotent=False,
    max_body_bytes=4096,
    rate=Rate(0.5, 12, "storefront-redeem"),
    errors=(
        errors.SignInFirst,
        errors.MemberBeingPrepared,
        reward_errors.RewardNotFound,
        reward_errors.RewardRetired,
        reward_errors.RewardNotYet,
        reward_errors.RewardOver,
        reward_errors.OutOfStock,
        reward_errors.TierTooLow,
        reward_errors.NotInSegment,
        reward_errors.InvalidAmount,
        reward_errors.LimitReachedForMember,
        reward_errors.BelowMinimumRedemption,
        reward_errors.MemberCannotRedeem,
        reward_errors.RedemptionKeyReused,
        point_errors.InsufficientPoints,
    ),
)
def redeem(ctx: Context, query: schemas.ProxyQuery, body: schemas.WidgetRedeemIn) -> schemas.WidgetRedemption:
    """Redeem a reward for the logged-in customer.

    Shopify signs the query but not the body, so the body names only the reward and a key made by the client;
    the same key is answered with the same redemption and never spends points twice. The code follows: poll.
    """
    return service.redeem(
        ctx.uow,
        _known_customer(ctx),
        body.reward_id,
        body.idempotency_key,
        ctx.locale,
        body.points,
    )


@endpoint(
    "GET",
    "/proxy/redemptions/{redemption_id}",
    permission=Permission.WIDGET_READ,
    tag=_TAG,
    query=schemas.ProxyQuery,
    out=schemas.WidgetRedemption,
    rate=Rate(3, 60, "storefront-poll"),
    errors=(errors.SignInFirst, errors.RedemptionUnknown),
)
def redemption(ctx: Context, query: schemas.ProxyQuery, redemption_id: UUID) -> schemas.WidgetRedemption:
    """Get one of the logged-in customer's redemptions, with its code once that works."""
    return service.redemption(ctx.uow, _known_customer(ctx), redemption_id, ctx.locale)


@endpoint(
    "POST",
    "/proxy/redemptions/{redemption_id}/return",
    permission=Permission.WIDGET_READ,
    tag=_TAG,
    query=schemas.ProxyQuery,
    out=schemas.WidgetRedemption,
    status=202,
    idempotent=False,
    max_body_bytes=1024,
    rate=Rate(0.2, 6, "storefront-codes"),
    errors=(
        errors.SignInFirst,
        errors.RedemptionUnknown,
        errors.RewardAlreadyUsed,
        errors.RewardNotReturnable,
        reward_errors.RedemptionNotCancellable,
    ),
)
def give_back(ctx: Context, query: schemas.ProxyQuery, redemption_id: UUID) -> schemas.WidgetRedemption:
    """Give one of the logged-in customer's unused rewards back for its points.

    The code is switched off in Shopify first; when an order used it meanwhile, it stays used. Asking again changes
    nothing. Poll the redemption until its status is no longer "returning".
    """
    return service.give_back(ctx.uow, _known_customer(ctx), redemption_id, ctx.locale)


@endpoint(
    "POST",
    "/proxy/redemptions/{redemption_id}/resend",
    permission=Permission.WIDGET_READ,
    tag=_TAG,
    query=schemas.ProxyQuery,
    out=schemas.WidgetRedemption,
    status=202,
    idempotent=False,
    max_body_bytes=1024,
    rate=Rate(0.1, 4, "storefront-resend"),
    errors=(
        errors.SignInFirst,
        errors.RedemptionUnknown,
        reward_errors.CodeNotUsable,
        reward_errors.MemberWithoutEmail,
    ),
)
def resend(ctx: Context, query: schemas.ProxyQuery, redemption_id: UUID) -> schemas.WidgetRedemption:
    """Send one of the logged-in customer's codes to their e-mail address again, once in five minutes."""
    return service.resend(ctx.uow, _known_customer(ctx), redemption_id, ctx.locale)


@endpoint(
    "GET",
    "/proxy/endings",
    permission=Permission.WIDGET_READ,
    tag=_TAG,
    query=schemas.ProxyQuery,
    out=schemas.EndingsOut,
    rate=Rate(1, 20, "storefront"),
    errors=(errors.SignInFirst,),
)
def endings(ctx: Context, query: schemas.ProxyQuery) -> schemas.EndingsOut:
    """List which of the logged-in customer's points end when."""
    return service.endings(ctx.uow, _known_customer(ctx), ctx.locale)


@endpoint(
    "GET",
    "/proxy/referral",
    permission=Permission.WIDGET_READ,
    tag=_TAG,
    query=schemas.ProxyQuery,
    out=schemas.ReferralOut,
    rate=Rate(1, 20, "storefront"),
    errors=(errors.ShopNotServed,),
)
def referral(ctx: Context, query: schemas.ProxyQuery) -> schemas.ReferralOut:
    """Get what inviting friends brings.

    For a logged-in customer their code, the text to share and how their invitations stand, without saying who the
    friends are; for a guest what an invited friend gets.
    """
    return service.referral(ctx.uow, _customer(ctx), ctx.locale)


@endpoint(
    "POST",
    "/proxy/referral",
    permission=Permission.WIDGET_READ,
    tag=_TAG,
    query=schemas.ProxyQuery,
    body=schemas.ReferralClaimIn,
    out=schemas.ReferralClaimOut,
    idempotent=False,
    max_body_bytes=1024,
    rate=Rate(0.2, 6, "storefront-referral"),
    errors=(
        errors.SignInFirst,
        errors.MemberBeingPrepared,
        referral_errors.ReferralsNotRunning,
        referral_errors.ReferralCodeUnknown,
    ),
)
def claim_referral(
    ctx: Context, query: schemas.ProxyQuery, body: schemas.ReferralClaimIn
) -> schemas.ReferralClaimOut:
    """Say whose code brought the logged-in customer.

    The first advocate counts; saying it again changes nothing. Who ordered before is no new customer.
    """
    return service.claim_referral(ctx.uow, _known_customer(ctx), body.code, ctx.locale)


@endpoint(
    "POST",
    "/proxy/referral/visits",
    permission=Permission.WIDGET_READ,
    tag=_TAG,
    query=schemas.ProxyQuery,
    body=schemas.ReferralVisitIn,
    out=schemas.ReferralVisitOut,
    idempotent=False,
    max_body_bytes=1024,
    rate=Rate(5, 60, "storefront-visits"),
    errors=(errors.ShopNotServed,),
)
def visit_referral(
    ctx: Context, query: schemas.ProxyQuery, body: schemas.ReferralVisitIn
) -> schemas.ReferralVisitOut:
    """Count that a shopper came by somebody's link.

    A cart counts once for a link; an unknown code counts nothing.
    """
    return service.visit_referral(ctx.uow, body.code, body.cart)


@endpoint(
    "GET",
    "/v1/api/widget/config",
    permission=Permission.WIDGET_READ,
    tag=_TAG,
    query=schemas.ConfigQuery,
    out=schemas.WidgetConfig,
)
def widget_config(ctx: Context, query: schemas.ConfigQuery) -> schemas.WidgetConfig:
    """Get the texts and the direction for a widget of one's own.

    `locale` is a language tag; the answer's `language` is the one of the five that serves it.
    """
    return service.widget_config(ctx.uow, query.locale or ctx.locale)
