"""The storefront's JSON: the app proxy, whose caller Shopify names in a signature, and the widget's texts."""

from typing import Literal
from uuid import UUID

from flask import Request, Response, after_this_request, request

from app.core.permissions import Permission
from app.domains.points import errors as point_errors
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
