"""Living inside the admin's frame: who may frame a page, the bounce page, redirects inside and out of the frame."""

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from app.core.errors import Invalid
from app.core.i18n import mark
from app.core.settings import get_settings
from app.shopify import shop_domain

REAUTHORIZE_HEADER = "X-Shopify-API-Request-Failure-Reauthorize-Url"
_SAFE_PATH = re.compile(r"/(?!/)[^\x00-\x20\x7f\\]*")
# The admin adds these to every address it frames; they mean nothing, or leak, on Shopify's own pages.
_FRAME_PARAMETERS = frozenset(
    [
        "appLoadId",
        "embedded",
        "hmac",
        "host",
        "id_token",
        "locale",
        "protocol",
        "session",
        "shop",
        "timestamp",
    ]
)


class UnsafeRedirect(Invalid):
    """A redirect would leave the places a shop's staff may be sent to."""

    code = "unsafe_redirect"
    default_message = mark("This address cannot be opened from here.")


@dataclass(frozen=True)
class Reply:
    """A complete small answer."""

    status: int
    headers: Mapping[str, str]
    body: str = ""


@dataclass(frozen=True)
class BouncePage:
    """What the bounce page may use: the checked shop (None when the query names none) and a safe address."""

    shop_domain: str | None
    reload_path: str
    frame_ancestors: str


def frame_ancestors(domain: str | None) -> str:
    """The value after `frame-ancestors`: that shop and the admin, or the admin alone while no shop is known.

    `domain` must come from a verified token or from `shop_domain.parse`; anything else raises InvalidShop.
    """
    admin = get_settings().shopify_admin_origin
    return admin if domain is None else f"https://{shop_domain.require(domain)} {admin}"


def safe_path(text: str | None) -> str | None:
    """`text` when it is a path on this origin, else None: browsers read two slashes of either kind as a host."""
    return text if text and _SAFE_PATH.fullmatch(text) else None


def bounce_page(query: Mapping[str, str], *, home: str = "/app") -> BouncePage:
    """Read the bounce page's query, which anyone can write: nothing of it is used unchecked."""
    domain = shop_domain.parse(query.get("shop"))
    wanted = query.get("shopify-reload", "").removeprefix(get_settings().app_url)
    return BouncePage(domain, safe_path(wanted) or home, frame_ancestors(domain))


def in_app_redirect(url: str, headers: Mapping[str, str], path: str, *, nonce: str = "") -> Reply:
    """Send the person to another page of the app, keeping the frame's parameters of the request's `url`.

    When App Bridge repeats a bounced document as a fetch, a 302 would be followed invisibly, so a page that navigates
    is returned. Raises UnsafeRedirect.
    """
    if safe_path(path) is None:
        raise UnsafeRedirect
    wanted = urlsplit(path)
    query = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True)) | dict(
        parse_qsl(wanted.query, keep_blank_values=True)
    )
    query.pop("id_token", None)
    location = urlunsplit(("", "", wanted.path, urlencode(query), wanted.fragment))
    lowered = {name.lower() for name in headers}
    if {"authorization", "x-shopify-bounce"} <= lowered:
        return Reply(200, {"Content-Type": "text/html; charset=utf-8"}, _opener(location, "_self", nonce))
    return Reply(302, {"Location": location})


def exit_iframe(headers: Mapping[str, str], url: str, *, nonce: str = "") -> Reply:
    """Open `url` in the whole window. A fetch gets the header that makes App Bridge do it. Raises UnsafeRedirect."""
    parts = urlsplit(url)
    if not _is_known_place(parts.scheme, parts.netloc) or not re.fullmatch(r"[\x21-\x7e]+", url):
        raise UnsafeRedirect
    if parts.netloc != urlsplit(get_settings().app_url).netloc:
        kept = [
            pair
            for pair in parse_qsl(parts.query, keep_blank_values=True)
            if pair[0] not in _FRAME_PARAMETERS
        ]
        url = urlunsplit(parts._replace(query=urlencode(kept)))
    if "authorization" in {name.lower() for name in headers}:
        return Reply(401, {REAUTHORIZE_HEADER: url})
    return Reply(200, {"Content-Type": "text/html; charset=utf-8"}, _opener(url, "_top", nonce))


def _is_known_place(scheme: str, netloc: str) -> bool:
    settings = get_settings()
    origins = {urlsplit(origin)[:2] for origin in (settings.shopify_admin_origin, settings.app_url)}
    return (scheme, netloc) in origins or (scheme == "https" and shop_domain.parse(netloc) is not None)


def _opener(url: str, target: str, nonce: str) -> str:
    settings = get_settings()
    arguments = ", ".join(
        json.dumps(text).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
        for text in (url, target)
    )
    attribute = f' nonce="{html.escape(nonce)}"' if nonce else ""
    key, bridge = html.escape(settings.shopify_api_key), html.escape(settings.shopify_app_bridge_url)
    return (
        f'<!doctype html><meta name="shopify-api-key" content="{key}"><script src="{bridge}"></script>'
        f"<script{attribute}>window.open({arguments})</script>"
    )
