"""Who calls from inside the admin: ID tokens of document and fetch requests, and what to answer when there is none.

The official package checks signature, times and audience; we add what it leaves open: issuer and destination must be
the same shop, the shop must be a myshopify.com domain, and the subject must be a staff member, so that a buyer's
token from a checkout or customer-account extension (same secret, same audience) is nobody here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlsplit

from shopify_app.types import RequestInput, ResultWithExchangeableIdToken
from shopify_app.verify.app_home_req import verify_app_home_req

from app.shopify import bearer, shop_domain
from app.shopify.credentials import app_config

BOUNCE_PATH = "/app/session-token-bounce"
RETRY_HEADER = {"X-Shopify-Retry-Invalid-Session-Request": "1"}


@dataclass(frozen=True)
class IdToken:
    """A verified staff member of a shop. `raw` is the token itself, to be exchanged; never store or log it."""

    shop_domain: str
    user_id: str
    session_id: str
    expires_at: int
    raw: str


@dataclass(frozen=True)
class Verified:
    """Go on. `document` tells a page load from a fetch."""

    token: IdToken
    document: bool


@dataclass(frozen=True)
class Bounce:
    """Answer 302 to this root-relative address; the bounce page gets a token and asks again."""

    location: str


@dataclass(frozen=True)
class Retry401:
    """Answer 401 with RETRY_HEADER; the page's fetch gets a new token and asks again once."""


@dataclass(frozen=True)
class Rejected:
    """Answer 401 and nothing else: a new token would not help. `reason` is for the log."""

    reason: str


Outcome = Verified | Bounce | Retry401 | Rejected


def verify(method: str, url: str, headers: Mapping[str, str], *, bounce_path: str = BOUNCE_PATH) -> Outcome:
    """Decide about one request of the embedded app. `url` is absolute with its query; header names in any case.

    A request is a fetch when it says so (Authorization, HX-Request or Sec-Fetch-Dest: empty) or is not a GET or HEAD:
    a bounce would lose its method.
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    document = _is_document(method, lowered)
    found = _query_token(url) if document else bearer.from_header(lowered.get("authorization", ""))
    result = _official(found) if found else None
    if result is not None and result.ok:
        token = _staff_token(result)
        return Verified(token, document) if token else Rejected("not a staff token of one shop")
    if result is not None and result.log.code == "invalid_aud" and document:
        return Rejected("token of another app")
    return Bounce(bounce_location(url, bounce_path)) if document else Retry401()


def _query_token(url: str) -> str | None:
    query = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    return bearer.shaped(next((value for name, value in query if name == "id_token"), ""))


def _official(token: str) -> ResultWithExchangeableIdToken | None:
    """The package's verdict. It is asked as for a fetch: what to answer is decided here."""
    request = RequestInput(
        method="GET", headers={"authorization": f"Bearer {token}"}, url="https://app/", body=""
    )
    try:
        return verify_app_home_req(request, app_config(), BOUNCE_PATH)
    except RecursionError:  # JSON nested a thousand deep, which the library lets through
        return None


def bounce_location(url: str, bounce_path: str = BOUNCE_PATH) -> str:
    """Where to send a document request for a new token: the bounce page with the wanted address as `shopify-reload`."""
    parts = urlsplit(url)
    pieces = [piece for piece in parts.query.split("&") if piece and piece.split("=")[0] not in _NOT_CARRIED]
    query = "&".join(pieces)
    wanted = quote(f"{parts.path}?{query}" if query else parts.path, safe="")
    return (
        f"{bounce_path}?{query}&shopify-reload={wanted}"
        if query
        else f"{bounce_path}?shopify-reload={wanted}"
    )


_NOT_CARRIED = frozenset({"id_token", "shopify-reload"})


def _is_document(method: str, headers: Mapping[str, str]) -> bool:
    if method not in {"GET", "HEAD"} or headers.get("authorization"):
        return False
    return headers.get("hx-request") != "true" and headers.get("sec-fetch-dest") != "empty"


def _staff_token(result: ResultWithExchangeableIdToken) -> IdToken | None:
    assert result.id_token is not None
    claims = result.id_token.claims
    domain = shop_domain.from_origin(claims.get("dest"))
    if domain is None or claims.get("iss") != f"https://{domain}/admin":
        return None
    user_id, expires_at = str(claims.get("sub", "")), claims.get("exp")
    if not (user_id.isascii() and user_id.isdigit()) or not isinstance(expires_at, int):
        return None
    return IdToken(domain, user_id, str(claims.get("sid", "")), expires_at, result.id_token.token)
