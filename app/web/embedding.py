"""Living in the Shopify admin's iframe: who asks comes from the ID token of each request, never from a cookie.

A document carries the token as `id_token`, a fetch as a bearer. A document without a good one is sent to the bounce
page, whose App Bridge gets a fresh token and asks again; a fetch is answered 401 with a header that makes the
client retry once.
"""

import re
from urllib.parse import quote, urlencode

from flask import Flask, Response, redirect, request
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from app.core.errors import Invalid, NotFound
from app.core.i18n import direction, mark
from app.core.settings import Settings
from app.web import current
from app.web.locale import translated
from app.web.principals import InvalidIdToken, Principal, WrongAudience, staff_from_token
from app.web.security_headers import allow_framing, origin_of

BOUNCE_PATH = "/app/session-token-bounce"
RELOAD = "shopify-reload"
BOUNCED_HEADER = "X-Shopify-Bounce"
_SHOP = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9-]{0,59}\.myshopify\.com")
_TARGET = re.compile(r"/app(?:[/?][^\\\x00-\x20\x7f]*)?")
_PAGE = Markup(
    '<!doctype html><html lang="{lang}" dir="{dir}"><head><meta charset="utf-8"><title>LoyalNest</title>'
    '<meta name="shopify-api-key" content="{key}"><script src="{bridge}"></script></head><body>{note}</body></html>'
)
_OPEN_IN_ADMIN = mark("Open LoyalNest from your Shopify admin.")


class NeedsBounce(Exception):
    """This document has no good ID token; `location` is where it gets one."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


class BadReloadTarget(Invalid):
    """The bounce page was asked to lead out of the app."""

    code = "bad_reload_target"
    default_message = mark("This link does not lead into LoyalNest.")


def is_fetch() -> bool:
    """Whether a script asks, rather than a navigation that wants a document."""
    headers = request.headers
    return (
        "Authorization" in headers
        or "HX-Request" in headers
        or "HX-History-Restore-Request" in headers
        or headers.get("Sec-Fetch-Dest") == "empty"
        or request.method != "GET"
    )


def wants_fragment() -> bool:
    """Whether the answer replaces the inside of the main element; history restores and bounces want the whole page."""
    headers = request.headers
    return (
        headers.get("HX-Request") == "true"
        and headers.get("HX-Request-Type") == "partial"
        and BOUNCED_HEADER not in headers
    )


def embedded_staff() -> Principal:
    """The staff member behind this admin request. Raises InvalidIdToken, WrongAudience; NeedsBounce for a document."""
    found = _from_fetch() if is_fetch() else _from_document()
    current.identify(found)
    allow_framing(found.shop.domain if found.shop else "")
    return found


def _from_fetch() -> Principal:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise InvalidIdToken
    return staff_from_token(token.strip())


def _from_document() -> Principal:
    try:
        return staff_from_token(request.args["id_token"])
    except WrongAudience:
        raise
    except (KeyError, InvalidIdToken):
        raise NeedsBounce(bounce_location()) from None


def bounce_location() -> str:
    """The bounce page's URL that leads back to the present one."""
    kept = [
        (name, value) for name, value in request.args.items(multi=True) if name not in ("id_token", RELOAD)
    ]
    query = urlencode(kept)
    here = quote(request.path, safe="/-._~") + (f"?{query}" if query else "")
    return f"{BOUNCE_PATH}?{urlencode([*kept, (RELOAD, here)])}"


def sanitized_shop(domain: str | None) -> str | None:
    """The shop domain if it is one, in lower case; an unverified text must not reach a header."""
    return domain.lower() if domain and _SHOP.fullmatch(domain) else None


def init_embedding(app: Flask, settings: Settings) -> None:
    """Add the bounce page and the redirect to it."""

    @app.get(BOUNCE_PATH, endpoint="embedding.bounce")
    def bounce() -> Response:
        if not _TARGET.fullmatch(request.args.get(RELOAD, "")):
            raise BadReloadTarget()
        shop = sanitized_shop(request.args.get("shop"))
        if shop is None and "shop" in request.args:
            raise NotFound()
        allow_framing(shop or "")
        alone = request.headers.get("Sec-Fetch-Dest") == "document"
        page = _PAGE.format(
            lang=current.locale(),
            dir=direction(current.locale()),
            key=settings.shopify_api_key,
            bridge=settings.shopify_app_bridge_url,
            note=translated(_OPEN_IN_ADMIN) if alone else "",
        )
        response = Response(page, content_type="text/html; charset=utf-8")
        response.headers["Cache-Control"] = "no-store"
        response.headers["Link"] = preload(settings)
        return response

    @app.errorhandler(NeedsBounce)
    def send_to_bounce(error: NeedsBounce) -> BaseResponse:
        response = redirect(error.location, 302)
        response.headers["Cache-Control"] = "no-store"
        return response


def preload(settings: Settings) -> str:
    """A Link header that lets the browser fetch App Bridge early."""
    bridge = settings.shopify_app_bridge_url
    return f"<{origin_of(bridge)}>; rel=preconnect, <{bridge}>; rel=preload; as=script"
