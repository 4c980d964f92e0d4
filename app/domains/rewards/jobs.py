"""Outside work of rewards: creating discount codes in Shopify and switching them off. No transaction is open here.

Shopify offers no idempotency key for discounts. The code is chosen before the call, so "taken" on a repeat means that
an earlier call worked, which is checked by looking the code up.
"""

from decimal import Decimal
from typing import Any
from uuid import UUID

from app.core.db import unit_of_work
from app.core.errors import Unavailable
from app.core.outbox import OutboxMessage, Settle, delivers
from app.domains.members import service as members
from app.domains.rewards import queries, rules, service
from app.domains.rewards.errors import DiscountRefused
from app.domains.rewards.schemas import Redemption
from app.shopify.admin import AdminClient
from app.shopify.errors import AccessDenied, GraphQLFailed, ShopUnavailable, TokenRejected, UserErrors

# Three calls in a row stay below the outbox's lease of a minute.
_PATIENCE_SECONDS = 10.0


class DiscountUnsure(Unavailable):
    """We cannot tell yet whether the code exists."""

    code = "discount_unsure"


@delivers(service.CREATE, on_failure=service.creation_failed)
def create_discount(message: OutboxMessage) -> Settle | None:
    """Create the code of a redemption that is still reserved. Raises DiscountRefused only when no code exists."""
    with unit_of_work(message.shop_id) as uow:
        redemption = queries.redemption(uow, UUID(message.payload["redemption_id"]))
        member = members.by_ids(uow, [redemption.member_id]).get(redemption.member_id) if redemption else None
    if redemption is None or redemption.status != "reserved":
        return None
    client = AdminClient(message.shop_id, patience_seconds=_PATIENCE_SECONDS)
    try:
        gid = _create(client, redemption, member.customer_id if member else None)
    except DiscountRefused:
        # A crash or a lost answer may have left a code behind, so a repeat gives up only after having looked.
        repeated = message.attempts > 1 or "round" in message.payload
        found = _own_code(client, redemption) if repeated else None
        if found is None:
            raise
        gid = found
    return lambda settling: service.settle_issued(settling, redemption.id, gid)


def _create(client: AdminClient, redemption: Redemption, customer_id: int | None) -> str:
    """The gid of the code, made now or by an earlier attempt. Raises DiscountRefused, or something retryable."""
    if customer_id is None:
        raise DiscountRefused(reason="customer_gone")
    kind = "FreeShipping" if redemption.terms.kind == "free_shipping" else "Basic"
    try:
        discount = rules.discount(
            redemption.terms,
            discount_code=redemption.code,
            customer_id=customer_id,
            created_at=redemption.created_at,
            expires_at=redemption.expires_at,
            variant_price=_price(client, redemption.terms.variant_gid),
        )
        data = client.run(f"DiscountCode{kind}Create", {"discount": discount})
    except UserErrors as error:
        return _after_refusal(client, redemption, error)
    except GraphQLFailed as error:
        # The mutation may have run although its answer is an error.
        found = None if error.retryable else _own_code(client, redemption)
        if found is None:
            raise error if error.retryable else DiscountRefused(reason=error.code) from error
        return found
    except (AccessDenied, ShopUnavailable, TokenRejected) as error:
        if error.retryable:
            raise
        raise DiscountRefused(reason=error.code) from error
    node = data[f"discountCode{kind}Create"]["codeDiscountNode"]
    if node is None:
        raise DiscountUnsure()
    return str(node["id"])


def _after_refusal(client: AdminClient, redemption: Redemption, error: UserErrors) -> str:
    if "TAKEN" in error.codes:
        found = _look_up(client, redemption)
        if found is None:
            raise DiscountUnsure() from error
        if not rules.is_ours(found["codeDiscount"], redemption.terms, redemption.code):
            raise DiscountRefused(reason="code_taken") from error
        return str(found["id"])
    if "INTERNAL_ERROR" in error.codes:
        raise DiscountUnsure() from error
    # Shopify's sentences may quote the customer, so only codes and field names are kept.
    reason = ",".join(f"{one.code}:{'.'.join(one.field)}" for one in error.errors)
    raise DiscountRefused(reason=reason[:200]) from error


def _price(client: AdminClient, variant_gid: str | None) -> str | None:
    """What one unit of the given product costs now, in shop currency."""
    if variant_gid is None:
        return None
    variant = client.run("VariantPrice", {"id": variant_gid})["productVariant"]
    if variant is None:
        raise DiscountRefused(reason="product_gone")
    if Decimal(variant["price"]) <= 0:
        raise DiscountRefused(reason="product_without_price")
    return str(variant["price"])


def _look_up(client: AdminClient, redemption: Redemption) -> dict[str, Any] | None:
    found: dict[str, Any] | None = client.run("DiscountByCode", {"code": redemption.code})[
        "codeDiscountNodeByCode"
    ]
    return found


def _own_code(client: AdminClient, redemption: Redemption) -> str | None:
    found = _look_up(client, redemption)
    if found is None or not rules.is_ours(found["codeDiscount"], redemption.terms, redemption.code):
        return None
    return str(found["id"])


@delivers(service.DISABLE, on_failure=service.disabling_failed)
def disable_discount(message: OutboxMessage) -> Settle | None:
    """Switch a code off that staff took back, then see whether an order used it before."""
    with unit_of_work(message.shop_id) as uow:
        redemption = queries.redemption(uow, UUID(message.payload["redemption_id"]))
    if redemption is None or not redemption.cancelling or redemption.discount_gid is None:
        return None
    client = AdminClient(message.shop_id, patience_seconds=_PATIENCE_SECONDS)
    refused: UserErrors | None = None
    try:
        client.run("DiscountCodeDeactivate", {"id": redemption.discount_gid})
    except UserErrors as error:
        refused = error
    found = _look_up(client, redemption)
    if refused and found is not None and found["codeDiscount"].get("status") != "EXPIRED":
        raise refused
    used = found is not None and int(found["codeDiscount"].get("asyncUsageCount") or 0) > 0
    redemption_id = redemption.id
    return lambda settling: service.settle_cancelled(settling, redemption_id, was_used=used)
