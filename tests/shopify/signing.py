"""Requests as Shopify signs them, made independently of the code under test."""

import base64
import hashlib
import hmac
import time
from typing import Any
from urllib.parse import urlencode

import jwt

KEY = "0123456789abcdef0123456789abcdef"
SECRET = "shpss_present_secret_that_is_long_enough"
OLD_SECRET = "shpss_previous_secret_that_is_long_too"
OTHER_SECRET = "shpss_somebody_elses_secret_long_enough"
SHOP = "demo.myshopify.com"


def id_token(secret: str = SECRET, **changes: Any) -> str:
    """A staff member's ID token; a claim set to None is left out."""
    now = int(time.time())
    claims = {
        "iss": f"https://{SHOP}/admin",
        "dest": f"https://{SHOP}",
        "aud": KEY,
        "sub": "42",
        "exp": now + 60,
        "nbf": now - 1,
        "iat": now - 1,
        "jti": "a-token",
        "sid": "a-session",
        **changes,
    }
    return jwt.encode({k: v for k, v in claims.items() if v is not None}, secret, algorithm="HS256")


def webhook_headers(body: bytes, secret: str = SECRET, **changes: str) -> dict[str, str]:
    """Headers of a delivery; a header given as "" is left out."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    headers = {
        "X-Shopify-Hmac-Sha256": base64.b64encode(digest).decode(),
        "X-Shopify-Topic": "orders/paid",
        "X-Shopify-Shop-Domain": SHOP,
        "X-Shopify-Webhook-Id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
        "X-Shopify-Event-Id": "98880550-7158-44d4-b7cd-2c97c8a091b5",
        "X-Shopify-Triggered-At": "2026-11-21T03:04:05.123456789Z",
        "X-Shopify-API-Version": "2026-10",
        "Content-Type": "application/json",
        **{f"X-Shopify-{name.replace('_', '-')}": value for name, value in changes.items()},
    }
    return {name: value for name, value in headers.items() if value}


def proxy_query(
    pairs: list[tuple[str, str]] | None = None,
    *,
    secret: str = SECRET,
    at: float | None = None,
    **changes: str,
) -> str:
    """A signed app proxy query: Shopify's parameters, then the visitor's."""
    own = {
        "shop": SHOP,
        "path_prefix": "/apps/loyalnest",
        "timestamp": str(int(time.time() if at is None else at)),
        "logged_in_customer_id": "",
        **changes,
    }
    return signed_query([*own.items(), *(pairs or [])], secret)


def signed_query(pairs: list[tuple[str, str]], secret: str = SECRET) -> str:
    """Exactly these parameters, with their signature."""
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    text = "".join(sorted(f"{name}={','.join(values)}" for name, values in grouped.items()))
    return urlencode(
        [*pairs, ("signature", hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest())]
    )


def held_token(**changes: Any) -> Any:
    """A stored token in the shape the official package wants it."""
    return {
        "shop": "demo",
        "token": "shpat_old",
        "refresh_token": "shprt_old",
        "access_mode": "offline",
        "expires": "",
        "refresh_token_expires": "",
        "scope": "",
        "user": None,
        **changes,
    }
