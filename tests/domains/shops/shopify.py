"""Shopify for the tests of installation: exchanges tokens, says who a shop is, fails on demand, signs webhooks."""

import base64
import hmac
import time
from dataclasses import dataclass
from typing import Any

import jwt
import orjson
from flask import Flask
from werkzeug.test import TestResponse

from app.core import ids
from app.core.settings import get_settings
from app.shopify.id_tokens import IdToken
from tests.shopify.wire import Reply, Seen, Wire

DOMAIN = "demo.myshopify.com"
HOOK = "/v1/api/shopify/webhook"
SHOP = {
    "name": "Demo shop",
    "email": "owner@demo.example",
    "contactEmail": "hello@demo.example",
    "currencyCode": "JPY",
    "ianaTimezone": "Asia/Tokyo",
}


class Shopify(Wire):
    """Answers by path. `exchange` and `context` replace the good answers; `tokens` counts exchanges and refreshes."""

    def __init__(self) -> None:
        super().__init__()
        self.exchange: Reply | None = None
        self.context: Reply | None = None
        self.tokens = 0
        self.delay_seconds = 0.0

    def next(self, seen: Seen) -> Reply:
        """The answer to one request."""
        with self._lock:
            self.seen.append(seen)
            if seen.path == "/admin/oauth/access_token":
                return self.exchange or self._token()
        return self.context or Reply(200, {"data": {"shop": SHOP}})

    def _token(self) -> Reply:
        time.sleep(self.delay_seconds)
        self.tokens += 1
        given = {
            "access_token": f"shpat_secret_{self.tokens}",
            "scope": "read_orders,write_discounts",
            "expires_in": 3600 + self.tokens,
            "refresh_token": f"shprt_secret_{self.tokens}",
            "refresh_token_expires_in": 7_776_000,
        }
        return Reply(200, given)

    def exchanges(self) -> list[dict[str, Any]]:
        """The bodies of the requests for tokens."""
        return [seen.json() for seen in self.seen if seen.path == "/admin/oauth/access_token"]


def verified(user_id: str = "1", domain: str = DOMAIN) -> IdToken:
    """A verified ID token."""
    return IdToken(domain, user_id, "session", 0, f"raw-{user_id}")


def signed_id_token(user_id: str = "1", domain: str = DOMAIN) -> str:
    """An ID token as the admin issues it."""
    now = int(time.time())
    claims = {
        "iss": f"https://{domain}/admin",
        "dest": f"https://{domain}",
        "aud": get_settings().shopify_api_key,
        "sub": user_id,
        "exp": now + 60,
        "nbf": now - 5,
        "iat": now - 5,
        "jti": ids.new_id().hex,
        "sid": "5" * 64,
    }
    return jwt.encode(claims, get_settings().shopify_api_secret.get_secret_value(), algorithm="HS256")


def signature(body: bytes) -> str:
    """The value of X-Shopify-Hmac-Sha256."""
    secret = get_settings().shopify_api_secret.get_secret_value().encode()
    return base64.b64encode(hmac.digest(secret, body, "sha256")).decode()


@dataclass
class Sender:
    """Sends webhooks to the application."""

    app: Flask

    def send(
        self, topic: str, body: Any, *, webhook_id: str | None = None, **headers: str | None
    ) -> TestResponse:
        """POST a delivery; a header given as None is left out."""
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        sent = {
            "X-Shopify-Hmac-Sha256": signature(raw),
            "X-Shopify-Topic": topic,
            "X-Shopify-Shop-Domain": DOMAIN,
            "X-Shopify-Webhook-Id": webhook_id or ids.new_id().hex,
            "X-Shopify-Event-Id": "event-1",
            "X-Shopify-Triggered-At": "2026-11-21T05:00:00.123456789Z",
            "X-Shopify-API-Version": "2026-10",
            "Content-Type": "application/json",
        }
        sent |= {f"X-Shopify-{name.replace('_', '-')}": value for name, value in headers.items()}
        kept = {name: value for name, value in sent.items() if value is not None}
        return self.app.test_client().post(HOOK, data=raw, headers=kept)
