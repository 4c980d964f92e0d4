"""A signed test message that goes the way of Shopify's own: verified, stored, handled, each stage timed."""

import base64
import hmac
from time import perf_counter
from uuid import UUID

import orjson

from app.core import ids, inbox
from app.core.db import UnitOfWork
from app.core.settings import get_settings
from app.domains.quick import queries
from app.domains.shops import service as shops
from app.shopify import webhooks

# What it says is what we know already, so that handling it changes nothing.
_TOPIC = "shop/update"


def test_webhook(uow: UnitOfWork) -> tuple[UUID, float, float]:
    """Send the shop a test message. Returns its id, and the milliseconds that verifying and storing it took.

    It is stored at once, like a message of Shopify's, whatever becomes of the caller's transaction. Raises Unavailable.
    """
    shop = shops.get(uow)
    body = orjson.dumps(
        {
            "name": shop.name,
            "email": shops.contact_email(uow),
            "currency": shop.currency,
            "iana_timezone": shop.timezone,
            "primary_locale": shop.locale,
        }
    )
    delivery_id = ids.new_id()
    secret = get_settings().shopify_api_secret.get_secret_value().encode()
    headers = {
        "x-shopify-hmac-sha256": base64.b64encode(hmac.digest(secret, body, "sha256")).decode(),
        "x-shopify-topic": _TOPIC,
        "x-shopify-shop-domain": shop.domain,
        "x-shopify-webhook-id": str(delivery_id),
        "x-shopify-triggered-at": uow.now.isoformat(),
    }
    began = perf_counter()
    seen = webhooks.verify(headers, body)
    verified = perf_counter()
    inbox.put(uow.shop, seen.topic, seen.webhook_id, seen.event_id, seen.triggered_at, seen.body)
    return delivery_id, (verified - began) * 1000, (perf_counter() - verified) * 1000


def handled(uow: UnitOfWork, delivery_id: UUID) -> tuple[bool, float | None]:
    """Whether the test message is there, and after how many milliseconds it was handled; None while it waits."""
    found = queries.delivery(uow, str(delivery_id))
    if found is None:
        return False, None
    received, done = found
    return True, (done - received).total_seconds() * 1000 if done else None
