"""Outside work of rewards: making them in Shopify and taking them back. No transaction is open here.

Shopify offers no idempotency key for discounts, gift cards and store credit. Codes are chosen before the call, so
"taken" on a repeat means that an earlier call worked, which is checked by looking the code up. Of store credit a repeat
looks at the account's history first. Tags can be set twice.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork, unit_of_work
from app.core.errors import Unavailable
from app.core.jobs import job
from app.core.outbox import OutboxMessage, Settle, delivers
from app.domains.members import service as members
from app.domains.rewards import queries, rules, service
from app.domains.rewards.errors import DiscountRefused
from app.domains.rewards.schemas import Redemption
from app.domains.shops import service as shops
from app.shopify.admin import AdminClient
from app.shopify.errors import AccessDenied, GraphQLFailed, ShopUnavailable, TokenRejected, UserErrors

# Three calls in a row stay below the outbox's lease of a minute.
_PATIENCE_SECONDS = 10.0
_SLICE = 200


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
    repeated = message.attempts > 1 or "round" in message.payload
    customer_id = member.customer_id if member else None
    if redemption.kind == "gift_card":
        gid = _gift_card(client, redemption, customer_id)
    elif redemption.kind == "store_credit":
        gid = _store_credit(client, message.shop_id, redemption, customer_id, look_first=repeated)
    elif redemption.kind == "exclusive_access":
        gid = _open_door(client, redemption, customer_id)
    else:
        gid = _discount(client, redemption, customer_id, repeated=repeated)
    return lambda settling: service.settle_issued(settling, redemption.id, gid)


def _discount(client: AdminClient, redemption: Redemption, customer_id: int | None, *, repeated: bool) -> str:
    try:
        return _create(client, redemption, customer_id)
    except DiscountRefused:
        # A crash or a lost answer may have left a code behind, so a repeat gives up only after having looked.
        found = _own_code(client, redemption) if repeated else None
        if found is None:
            raise
        return found


def _run(client: AdminClient, name: str, variables: dict[str, Any]) -> dict[str, Any]:
    """One mutation: Raises DiscountRefused when Shopify will never do it, or something retryable."""
    try:
        return client.run(name, variables)
    except UserErrors as error:
        if "INTERNAL_ERROR" in error.codes:
            raise DiscountUnsure() from error
        raise DiscountRefused(reason=_reason(error)) from error
    except (GraphQLFailed, AccessDenied, ShopUnavailable, TokenRejected) as error:
        if error.retryable:
            raise
        raise DiscountRefused(reason=error.code) from error


def _gift_card(client: AdminClient, redemption: Redemption, customer_id: int | None) -> str:
    """The gid of the card, made now or by an earlier attempt."""
    if customer_id is None:
        raise DiscountRefused(reason="customer_gone")
    wanted = rules.gift_card(
        redemption.terms,
        redemption_id=redemption.id,
        card_code=redemption.code,
        customer_id=customer_id,
        expires_at=redemption.expires_at,
    )
    try:
        made = _run(client, "GiftCardCreate", {"input": wanted})["giftCardCreate"]["giftCard"]
    except DiscountRefused as refused:
        found = _own_card(client, redemption)
        if found is None:
            raise refused
        return found
    if made is None:
        raise DiscountUnsure()
    return str(made["id"])


def _own_card(client: AdminClient, redemption: Redemption) -> str | None:
    note = rules.gift_card_note(redemption.id)
    cards = _run(client, "GiftCardsByEnding", {"query": redemption.code[-4:].lower()})["giftCards"]["nodes"]
    return next((str(card["id"]) for card in cards if card["note"] == note), None)


def _store_credit(
    client: AdminClient,
    shop_id: UUID,
    redemption: Redemption,
    customer_id: int | None,
    *,
    look_first: bool,
) -> str:
    """The gid of the transaction, made now or, as the account's history tells, by an earlier attempt."""
    if customer_id is None:
        raise DiscountRefused(reason="customer_gone")
    owner = f"gid://shopify/Customer/{customer_id}"
    found = _own_credit(client, shop_id, redemption, owner) if look_first else None
    if found is not None:
        return found
    credit = rules.store_credit(redemption.terms, redemption.expires_at)
    data = _run(client, "StoreCreditCredit", {"id": owner, "creditInput": credit})
    made = data["storeCreditAccountCredit"]["storeCreditAccountTransaction"]
    if made is None:
        raise DiscountUnsure()
    return str(made["id"])


def _own_credit(client: AdminClient, shop_id: UUID, redemption: Redemption, owner: str) -> str | None:
    customer = _run(client, "StoreCreditHistory", {"id": owner})["customer"]
    if customer is None:
        return None
    history = [
        one
        for account in customer["storeCreditAccounts"]["nodes"]
        for one in account["transactions"]["nodes"]
    ]
    fitting = rules.own_credits(redemption.terms, redemption.created_at, history)
    with unit_of_work(shop_id) as uow:
        taken = queries.taken_credits(uow, fitting)
    return next((gid for gid in fitting if gid not in taken), None)


def _open_door(client: AdminClient, redemption: Redemption, customer_id: int | None) -> str:
    """The gid of the customer, who has the tag now."""
    if customer_id is None:
        raise DiscountRefused(reason="customer_gone")
    owner = f"gid://shopify/Customer/{customer_id}"
    _run(client, "TagsAdd", {"id": owner, "tags": [redemption.terms.access_tag]})
    return owner


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
    raise DiscountRefused(reason=_reason(error)) from error


def _reason(error: UserErrors) -> str:
    """Shopify's sentences may quote the customer, so only codes and field names are kept."""
    return ",".join(f"{one.code}:{'.'.join(one.field)}" for one in error.errors)[:200]


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
    """Switch off what is taken back, then see whether it was used before."""
    with unit_of_work(message.shop_id) as uow:
        redemption = queries.redemption(uow, UUID(message.payload["redemption_id"]))
        if redemption is None or not redemption.cancelling or redemption.discount_gid is None:
            return None
        still_needed = redemption.kind == "exclusive_access" and queries.tag_needed(uow, redemption)
    client = AdminClient(message.shop_id, patience_seconds=_PATIENCE_SECONDS)
    used = False
    if redemption.kind == "gift_card":
        used = _end_card(client, redemption)
    elif redemption.kind == "exclusive_access":
        if not still_needed:
            client.run("TagsRemove", {"id": redemption.discount_gid, "tags": [redemption.terms.access_tag]})
    else:
        used = _end_discount(client, redemption)
    redemption_id = redemption.id
    return lambda settling: service.settle_cancelled(settling, redemption_id, was_used=used)


def _end_discount(client: AdminClient, redemption: Redemption) -> bool:
    """Switch a code off. Out: whether an order used it."""
    refused: UserErrors | None = None
    try:
        client.run("DiscountCodeDeactivate", {"id": redemption.discount_gid})
    except UserErrors as error:
        refused = error
    found = _look_up(client, redemption)
    if refused and found is not None and found["codeDiscount"].get("status") != "EXPIRED":
        raise refused
    return found is not None and int(found["codeDiscount"].get("asyncUsageCount") or 0) > 0


def _end_card(client: AdminClient, redemption: Redemption) -> bool:
    """Switch a gift card off for good, unless something was paid with it. Out: whether something was."""
    card = client.run("GiftCardById", {"id": redemption.discount_gid})["giftCard"]
    if card is None:
        return False
    if Decimal(card["balance"]["amount"]) < Decimal(card["initialValue"]["amount"]):
        return True
    if card["enabled"]:
        client.run("GiftCardDeactivate", {"id": redemption.discount_gid})
    return False


@job("rewards.return_lapsed", queue="slow", timeout_seconds=1800)
def return_lapsed() -> None:
    """Codes past their date are switched off and their points return, a slice per transaction."""
    _every_shop(service.sweep_lapsed)


@job("rewards.release_holds", timeout_seconds=300)
def release_holds() -> None:
    """Points that checkouts hold for too long are free again, a slice per transaction."""
    _every_shop(service.expire_holds)


def _every_shop(sweep: Callable[[UnitOfWork, int], int]) -> None:
    for shop_id in shops.installed():
        found = _SLICE
        while found == _SLICE:
            with unit_of_work(shop_id) as uow:
                found = sweep(uow, _SLICE)
