"""Incoming webhooks: the signature over the raw bytes, and the facts in the headers. The body is not parsed here."""

import base64
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from app.shopify import shop_domain
from app.shopify.credentials import secrets
from app.shopify.errors import ForgedRequest, MalformedDelivery

_TOPIC = re.compile(r"[a-z_]+[/.][a-z_]+")


@dataclass(frozen=True)
class Incoming:
    """One verified delivery. `webhook_id` is the same in every retry; `event_id` is shared by topics of one event."""

    shop_domain: str
    topic: str
    webhook_id: str
    event_id: str
    triggered_at: datetime | None
    api_version: str
    body: bytes


def verify(headers: Mapping[str, str], raw_body: bytes) -> Incoming:
    """Verify a delivery. `raw_body` is exactly what came over the wire; header names in any case.

    Raises ForgedRequest (401) when the signature is missing or wrong, MalformedDelivery (422) when a signed delivery
    lacks its topic, shop or id.
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    if not is_signed(lowered.get("x-shopify-hmac-sha256", ""), raw_body):
        raise ForgedRequest()
    topic, domain = (
        lowered.get("x-shopify-topic", ""),
        shop_domain.parse(lowered.get("x-shopify-shop-domain")),
    )
    webhook_id = lowered.get("x-shopify-webhook-id", "")
    if not _TOPIC.fullmatch(topic):
        raise MalformedDelivery(missing="X-Shopify-Topic")
    if domain is None:
        raise MalformedDelivery(missing="X-Shopify-Shop-Domain")
    if not webhook_id or len(webhook_id) > 200:
        raise MalformedDelivery(missing="X-Shopify-Webhook-Id")
    return Incoming(
        shop_domain=domain,
        topic=topic,
        webhook_id=webhook_id,
        event_id=lowered.get("x-shopify-event-id", "")[:200],
        triggered_at=_instant(lowered.get("x-shopify-triggered-at", "")),
        api_version=lowered.get("x-shopify-api-version", ""),
        body=raw_body,
    )


def is_signed(signature: str, raw_body: bytes) -> bool:
    """Whether base64 `signature` is the HMAC-SHA256 of the bytes under one of our secrets; also for Flow actions."""
    given = signature.encode("latin-1", "replace")
    return any(
        hmac.compare_digest(base64.b64encode(hmac.digest(secret, raw_body, "sha256")), given)
        for secret in secrets()
    )


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None
