"""Faces of shops towards Shopify and the web ring: the webhook intake, the classic OAuth fallback, and who an ID
token or an API key is.

Webhooks are the app's busiest path and have no principal, so they are answered in front of Flask: read, verify, one
durable insert, answer. Shopify repeats whatever is not answered with 2xx, so a refusal for good is a 4xx it may repeat
in vain, and anything that may pass later is a 503.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl, quote
from uuid import uuid4

import orjson
import psycopg
from werkzeug.http import dump_cookie, parse_cookie

from app.core import inbox
from app.core.errors import Invalid, LoyalNestError, NotFound, TooLarge, Unavailable
from app.core.i18n import mark
from app.core.permissions import ROLES
from app.core.settings import get_settings
from app.domains.shops import service
from app.domains.shops.schemas import Shop
from app.shopify import id_tokens, oauth, webhooks
from app.shopify.errors import (
    AppRejected,
    ConsentDenied,
    ForgedRequest,
    MalformedDelivery,
    StateUnknown,
    TokenRejected,
)
from app.shopify.errors import InvalidIdToken as TokenNotExchanged
from app.shopify.shop_domain import InvalidShop, handle
from app.web import principals
from app.web.endpoints import RawRequest, Reply, endpoint
from app.web.preferences import register_preference_saver
from app.web.principals import IdToken, InvalidIdToken, Principal, ShopInfo

log = logging.getLogger(__name__)

WEBHOOK_PATH = "/v1/api/shopify/webhook"
MAX_WEBHOOK_BYTES = 2 * 1024 * 1024
STATE_COOKIE = "loyalnest_oauth_state"
_HEADERS = tuple(
    (name, "HTTP_" + name.upper().replace("-", "_"))
    for name in (
        "x-shopify-hmac-sha256",
        "x-shopify-topic",
        "x-shopify-shop-domain",
        "x-shopify-webhook-id",
        "x-shopify-event-id",
        "x-shopify-triggered-at",
        "x-shopify-api-version",
    )
)
# A shop that never was here has nothing to ask about or to erase.
_MEANINGLESS_WITHOUT_SHOP = frozenset(
    {"app/uninstalled", "customers/data_request", "customers/redact", "shop/redact"}
)
_DONE = b'{"status":"success","error":null}'

WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class NotJsonDelivery(Invalid):
    """A signed delivery whose body is not a JSON object."""

    code = "not_json"
    default_message = mark("The body is not a JSON object.")


class UnknownShop(NotFound):
    """A signed delivery of a shop that has not installed the app; it may do so before Shopify tries again."""

    code = "unknown_shop"
    default_message = mark("This shop has not installed the app.")


@endpoint(
    "POST",
    WEBHOOK_PATH,
    public=True,
    out=None,
    tag="Shopify",
    errors=(ForgedRequest, MalformedDelivery, NotJsonDelivery, UnknownShop),
    max_body_bytes=MAX_WEBHOOK_BYTES,
)
def receive_webhook() -> None:
    """Receive a webhook of Shopify.

    For Shopify alone: every topic arrives here, signed over its raw body in `X-Shopify-Hmac-Sha256`. A delivery is
    stored before it is answered and handled afterwards; a repeated one (`X-Shopify-Webhook-Id`) is stored once.
    """
    raise RuntimeError("WebhookIntake has to stand in front of the application")


class WebhookIntake:
    """WSGI middleware that answers the webhook path itself and hands every other request on."""

    def __init__(self, application: WsgiApplication) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        if environ.get("PATH_INFO") != WEBHOOK_PATH:
            return self._application(environ, start_response)
        status, body, extra = _answer(environ)
        start_response(
            status,
            [
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(body))),
                ("X-Content-Type-Options", "nosniff"),
                *extra,
            ],
        )
        return [body]


def _answer(environ: dict[str, Any]) -> tuple[str, bytes, list[tuple[str, str]]]:
    if environ["REQUEST_METHOD"] != "POST":
        body = _error("method_not_allowed", "This address does not answer to this method.")
        return "405 Method Not Allowed", body, [("Allow", "POST")]
    try:
        _receive(environ)
    except (LoyalNestError, psycopg.OperationalError) as error:
        refused = error if isinstance(error, LoyalNestError) else Unavailable()
        log.warning(
            "webhook refused: %s", refused.code, extra={"topic": environ.get("HTTP_X_SHOPIFY_TOPIC", "")[:64]}
        )
        wait = [("Retry-After", "2")] if refused.status == 503 else []
        return f"{refused.status} Refused", _error(refused.code, refused.sentence()), wait
    except Exception:
        log.exception("webhook intake failed")
        return "503 Refused", _error(Unavailable.code, Unavailable.default_message), [("Retry-After", "2")]
    return "200 OK", _DONE, []


def _receive(environ: dict[str, Any]) -> None:
    body = _read(environ)
    delivery = webhooks.verify({name: environ.get(key, "") for name, key in _HEADERS}, body)
    if not _is_json_object(body):
        raise NotJsonDelivery()
    if delivery.topic not in inbox.registered_topics():
        log.warning("nobody handles the topic %s; the delivery is dropped", delivery.topic)
        return
    entry = service.look_up(delivery.shop_domain)
    if entry is None:
        if delivery.topic in _MEANINGLESS_WITHOUT_SHOP:
            return
        raise UnknownShop()
    if entry.status == "erased":
        log.warning("a delivery of %s came for an erased shop and is dropped", delivery.topic)
        return
    inbox.put(
        entry.shop_id,
        delivery.topic,
        delivery.webhook_id,
        delivery.event_id,
        delivery.triggered_at,
        delivery.body,
    )


def _read(environ: dict[str, Any]) -> bytes:
    """The raw body, never more than the limit. Without a length only a server that ends the stream can be read."""
    length = environ.get("CONTENT_LENGTH") or ""
    if not length:
        if "HTTP_TRANSFER_ENCODING" not in environ and not environ.get("wsgi.input_terminated"):
            return b""
        wanted = MAX_WEBHOOK_BYTES + 1
    else:
        wanted = int(length) if length.isascii() and length.isdigit() else 0
    if wanted > MAX_WEBHOOK_BYTES and length:
        raise TooLarge(limit=MAX_WEBHOOK_BYTES)
    body: bytes = environ["wsgi.input"].read(wanted)
    if len(body) > MAX_WEBHOOK_BYTES:
        raise TooLarge(limit=MAX_WEBHOOK_BYTES)
    return body


def _is_json_object(body: bytes) -> bool:
    try:
        return isinstance(orjson.loads(body), dict)
    except orjson.JSONDecodeError:
        return False


def _error(code: str, message: str) -> bytes:
    return orjson.dumps(
        {
            "status": "error",
            "error": {"code": code, "message": message, "fields": {}, "request_id": uuid4().hex},
        }
    )


@endpoint(
    "GET",
    "/auth/begin",
    public=True,
    raw=True,
    hidden=True,
    out=Reply,
    status=302,
    tag="Shopify",
    errors=(InvalidShop,),
    produces="text/html",
)
def begin_oauth(raw: RawRequest) -> Reply:
    """Send a browser to the page of its shop that grants the app access, when the admin did not install it itself.

    The access asked for is what the app's configuration at Shopify declares.
    """
    query = dict(parse_qsl(raw.query_string.decode("latin-1")))
    start = oauth.begin(query.get("shop", ""), scopes=())
    return _redirect(start.location, start.state, oauth.STATE_SECONDS)


@endpoint(
    "GET",
    oauth.CALLBACK_PATH,
    public=True,
    raw=True,
    hidden=True,
    out=Reply,
    status=302,
    tag="Shopify",
    errors=(ConsentDenied, ForgedRequest, StateUnknown, TokenRejected, AppRejected),
    produces="text/html",
)
def finish_oauth(raw: RawRequest) -> Reply:
    """Take a browser back from its shop: install the shop and open the app inside of its admin."""
    state = parse_cookie(raw.headers.get("Cookie")).get(STATE_COOKIE)
    domain, token = oauth.complete(raw.query_string.decode("latin-1"), state)
    service.connect(domain, token)
    settings = get_settings()
    app = f"/store/{handle(domain)}/apps/{quote(settings.shopify_api_key, safe='')}"
    return _redirect(settings.shopify_admin_origin + app, state="", seconds=0)


def _redirect(location: str, state: str, seconds: int) -> Reply:
    """To another place, keeping the state in this browser for so long; for no time at all forgets it."""
    cookie = dump_cookie(
        STATE_COOKIE,
        state,
        max_age=seconds,
        path=oauth.CALLBACK_PATH,
        secure=get_settings().environment == "production",
        httponly=True,
        samesite="Lax",
    )
    return Reply(status=302, headers={"Location": location, "Set-Cookie": cookie})


def resolve_staff(token: IdToken) -> Principal:
    """The staff principal behind verified claims; installs the shop at its first visit. Raises InvalidIdToken."""
    try:
        visitor = service.visit(
            id_tokens.IdToken(token.shop_domain, token.user_id, token.session_id, 0, token.raw)
        )
    except TokenNotExchanged as error:
        raise InvalidIdToken() from error
    staff = visitor.staff
    return Principal(
        kind="staff",
        id=str(staff.id),
        shop_id=visitor.shop.id,
        label=staff.role,
        permissions=ROLES.get(staff.role, frozenset()),
        locale=staff.locale,
        theme=staff.theme,
        shop=_info(visitor.shop),
    )


def resolve_api_key(digest: bytes) -> Principal | None:
    """The principal of a valid API key, by the SHA-256 digest of its text."""
    holder = service.api_key_holder(digest)
    if holder is None:
        return None
    return Principal(
        kind="api_key",
        id=str(holder.key.id),
        shop_id=holder.shop.id,
        label=holder.key.label,
        permissions=frozenset(holder.key.scopes),
        shop=_info(holder.shop),
    )


def _info(shop: Shop) -> ShopInfo:
    return ShopInfo(shop.domain, shop.name, shop.currency, shop.timezone, shop.locale)


principals.register_staff_resolver(resolve_staff)
principals.register_api_key_resolver(resolve_api_key)
register_preference_saver(service.save_preferences)
