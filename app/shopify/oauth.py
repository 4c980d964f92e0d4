"""The classic authorization-code flow, for the rare visit outside the admin; embedded pages use ID tokens instead."""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from itsdangerous import BadSignature, URLSafeTimedSerializer

from app.core import clock, ids
from app.core.settings import get_settings
from app.shopify import shop_domain, tokens
from app.shopify.credentials import secrets
from app.shopify.errors import ConsentDenied, ForgedRequest, StateUnknown
from app.shopify.tokens import OfflineToken

CALLBACK_PATH = "/auth/callback"
STATE_SECONDS = 600
_WINDOW_SECONDS = 90
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,200}")


@dataclass(frozen=True)
class Start:
    """Redirect the browser to `location` and keep `state` in a short-lived, http-only, first-party cookie."""

    location: str
    state: str


def begin(shop: str, scopes: Sequence[str]) -> Start:
    """The first leg for a shop as a person wrote it. Raises InvalidShop."""
    domain = shop_domain.require(_sanitize(shop))
    settings = get_settings()
    state = _serializer().dumps({"shop": domain, "nonce": ids.new_id().hex})
    session = _keyed_session(secrets()[0], settings.shopify_api_key)(domain, settings.shopify_api_version)
    location = session.create_permission_url(list(scopes), settings.app_url + CALLBACK_PATH, state)
    return Start(_for_browser(str(location), domain), state)


def complete(query_string: str, cookie_state: str | None) -> tuple[str, OfflineToken]:
    """Verify the callback's query and exchange its code: the shop's domain and its token.

    The state must be the one in this browser's cookie, ours, at most ten minutes old and for the same shop.
    Raises ConsentDenied, ForgedRequest, StateUnknown, and what the exchange raises.
    """
    pairs = parse_qsl(query_string, keep_blank_values=True)
    parameters = dict(pairs)
    if "error" in parameters:  # nothing comes of it, so nobody has to have signed it
        raise ConsentDenied()
    domain = shop_domain.parse(parameters.get("shop"))
    if domain is None or len(pairs) != len(parameters):
        raise ForgedRequest()
    _check_age(parameters.get("timestamp", ""))
    _check_hmac(parameters)
    _check_state(parameters.get("state", ""), cookie_state, domain)
    code = parameters.get("code", "")
    if not _CODE.fullmatch(code):
        raise ForgedRequest()
    return domain, tokens.from_code(domain, code)


def is_signed(parameters: dict[str, str]) -> bool:
    """Whether the `hmac` among the parameters of an OAuth or admin request is right under one of our secrets."""
    signed = {name: value for name, value in parameters.items() if name not in {"hmac", "signature"}}
    given = parameters.get("hmac", "").encode("utf-8", "replace")
    sessions = (_keyed_session(secret, get_settings().shopify_api_key) for secret in secrets())
    return any(hmac.compare_digest(session.calculate_hmac(signed).encode(), given) for session in sessions)


def _check_hmac(parameters: dict[str, str]) -> None:
    if not is_signed(parameters):
        raise ForgedRequest()


def _check_age(timestamp: str) -> None:
    if (
        not re.fullmatch(r"[0-9]{1,12}", timestamp)
        or abs(clock.now().timestamp() - int(timestamp)) > _WINDOW_SECONDS
    ):
        raise ForgedRequest()


def _check_state(state: str, cookie_state: str | None, domain: str) -> None:
    if not cookie_state or not hmac.compare_digest(state.encode(), cookie_state.encode()):
        raise StateUnknown()
    try:
        signed = _serializer().loads(state, max_age=STATE_SECONDS)
    except BadSignature as error:
        raise StateUnknown() from error
    if signed["shop"] != domain:
        raise StateUnknown()


def _for_browser(location: str, domain: str) -> str:
    """Where a browser finds a page of the shop: its own domain, or what plays it on a developer's machine."""
    origin = get_settings().shopify_stand_in
    if not origin:
        return location
    page = urlsplit(location)
    return f"{origin}{page.path}?{urlencode({'shop': domain})}&{page.query}"


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(get_settings().master_key_bytes, salt="shopify-oauth-state")


def _sanitize(shop: str) -> str | None:
    # Loaded here: the package imports every REST resource it has, and only this flow needs it.
    sanitize = import_module("shopify.utils.shop_url").sanitize_shop_domain
    try:
        domain: str | None = sanitize(shop)
    except ValueError:  # text that no URL can hold, such as an open bracket
        return None
    return domain


@lru_cache(maxsize=4)
def _keyed_session(secret: bytes, api_key: str) -> Any:
    """The official session class with our key; a subclass, because the package keeps the key on the class itself."""
    session = import_module("shopify.session").Session
    return type("KeyedSession", (session,), {"api_key": api_key, "secret": secret.decode()})
