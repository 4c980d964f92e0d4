"""The token endpoint: ID token, code or old token in, expiring offline token out; and its refresh.

The requests are those of the official package (a test compares them); we send them through our own client, because
the package sleeps on its own, asks the system clock and reads a missing lifetime as "expires now".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.core import clock
from app.core.http import Answer, AnswerUnreadable, OutboundFailed, Timeouts, outbound
from app.core.settings import get_settings
from app.shopify import shop_domain
from app.shopify.errors import (
    AppRejected,
    InvalidIdToken,
    ShopifyUnavailable,
    ShopUnavailable,
    Throttled,
    TokenRejected,
)
from app.shopify.id_tokens import IdToken

_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
_BY_ID = "urn:ietf:params:oauth:token-type:id_token"
_OFFLINE = "urn:shopify:params:oauth:token-type:offline-access-token"
_TIMEOUTS = Timeouts(connect=3, read=10, total=20)


@dataclass(frozen=True)
class OfflineToken:
    """Access to a shop without a person. Times are aware UTC; None means that it does not expire (legacy tokens)."""

    access_token: str
    scope: str
    expires_at: datetime | None
    refresh_token: str | None
    refresh_expires_at: datetime | None

    def __repr__(self) -> str:
        return f"OfflineToken(scope={self.scope!r}, expires_at={self.expires_at})"


def exchange(id_token: IdToken) -> OfflineToken:
    """Exchange a verified ID token for an expiring offline token.

    Raises InvalidIdToken (answer with the bounce or the retry header), AppRejected, Throttled, ShopifyUnavailable.
    """
    return _ask(
        id_token.shop_domain,
        {
            "grant_type": _EXCHANGE,
            "subject_token": id_token.raw,
            "subject_token_type": _BY_ID,
            "requested_token_type": _OFFLINE,
            "expiring": 1,
        },
    )


def refresh(domain: str, refresh_token: str) -> OfflineToken:
    """A new access token and a new refresh token for a refresh token; store both at once.

    The old refresh token stays usable until the new one is used, so a lost answer is repaired by asking again.
    Raises TokenRejected when someone has to open the app first, AppRejected, Throttled, ShopifyUnavailable.
    """
    return _ask(domain, {"grant_type": "refresh_token", "refresh_token": refresh_token}, repeatable=True)


def migrate_legacy(domain: str, access_token: str) -> OfflineToken:
    """Turn an old offline token that never expires into an expiring one. Raises as `refresh`."""
    return _ask(
        domain,
        {
            "grant_type": _EXCHANGE,
            "subject_token": access_token,
            "subject_token_type": _OFFLINE,
            "requested_token_type": _OFFLINE,
            "expiring": 1,
        },
    )


def from_code(domain: str, code: str) -> OfflineToken:
    """An expiring offline token for the code of the classic OAuth callback. Raises as `refresh`."""
    return _ask(domain, {"code": code, "expiring": 1})


def _ask(domain: str, grant: Mapping[str, Any], *, repeatable: bool = False) -> OfflineToken:
    settings = get_settings()
    url = f"https://{shop_domain.require(domain)}/admin/oauth/access_token"
    credentials = {
        "client_id": settings.shopify_api_key,
        "client_secret": settings.shopify_api_secret.get_secret_value(),
    }
    try:
        answer = outbound().request(
            "POST",
            url,
            json={**credentials, **grant},
            headers={"Accept": "application/json"},
            repeatable=repeatable,
            timeouts=_TIMEOUTS,
            max_bytes=100_000,
        )
        if answer.status == 200:
            return _read(answer.json())
        raise _refusal(answer)
    except AnswerUnreadable as error:
        raise ShopifyUnavailable(sent=True) from error
    except OutboundFailed as error:
        raise ShopifyUnavailable(sent=error.sent) from error


def _read(given: Any) -> OfflineToken:
    access_token = given.get("access_token") if isinstance(given, dict) else None
    if not isinstance(access_token, str) or not access_token:
        raise ShopifyUnavailable(sent=True)
    return OfflineToken(
        access_token=access_token,
        scope=str(given.get("scope") or ""),
        expires_at=_after(given.get("expires_in")),
        refresh_token=str(given["refresh_token"]) if given.get("refresh_token") else None,
        refresh_expires_at=_after(given.get("refresh_token_expires_in")),
    )


def _after(seconds: object) -> datetime | None:
    return (
        clock.now() + timedelta(seconds=seconds) if isinstance(seconds, int | float) and seconds > 0 else None
    )


def _refusal(answer: Answer) -> Exception:
    if answer.status == 429:
        return Throttled(retry_after=answer.retry_after or 1.0)
    if answer.status in {402, 404, 423}:
        return ShopUnavailable(http_status=answer.status)
    if answer.status >= 500:
        return ShopifyUnavailable(sent=True)
    try:
        given = answer.json()
    except AnswerUnreadable:
        given = None
    code = given.get("error") if isinstance(given, dict) else None
    if code == "invalid_subject_token":
        return InvalidIdToken()
    return AppRejected() if code == "invalid_client" else TokenRejected()
