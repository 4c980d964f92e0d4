"""What is known about the request being served: its id, its caller and the language of the answer."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from uuid import uuid4
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import flask_babel
from flask import g, has_request_context, request

from app.core.i18n import supported
from app.web.principals import Principal

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def begin() -> None:
    """Give the request an id (a plausible one of the proxy is kept) and the time it started."""
    offered = request.headers.get("X-Request-Id", "")
    g.request_id = offered if _REQUEST_ID.fullmatch(offered) else uuid4().hex
    g.started = time.perf_counter()


def request_id() -> str:
    """The id of this request; "-" outside of one."""
    return g.get("request_id", "-") if has_request_context() else "-"


def seconds() -> float:
    """How long this request has been served."""
    started: float = g.get("started") or time.perf_counter()
    return time.perf_counter() - started


def principal() -> Principal | None:
    """Who is asking, once that is known."""
    found: Principal | None = g.get("principal")
    return found


def identify(found: Principal) -> None:
    """Remember who is asking; the language and zone of the answer follow."""
    g.principal = found
    g.pop("locale", None)
    flask_babel.refresh()


@contextmanager
def remembered() -> Iterator[None]:
    """Look up language and zone once for what is written inside: a page asks for them hundreds of times."""
    before = _remembered.set((locale(), timezone()))
    try:
        yield
    finally:
        _remembered.reset(before)


_remembered: ContextVar[tuple[str, str] | None] = ContextVar("remembered", default=None)


def locale() -> str:
    """One of the five locales: the caller's own, then the page's, then the shop's, then the browser's."""
    known = _remembered.get()
    if known is not None:
        return known[0]
    if not has_request_context():
        return "en"
    chosen: str | None = g.get("locale")
    if chosen is None:
        chosen = g.locale = _choose()
    return chosen


def timezone() -> str:
    """The shop's IANA zone; UTC when unknown."""
    known = _remembered.get()
    if known is not None:
        return known[1]
    found = principal() if has_request_context() else None
    return _known_zone(found.shop.timezone) if found and found.shop else "UTC"


@lru_cache(maxsize=1024)
def _known_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"


def _choose() -> str:
    """An admin page is opened with `locale`; its later fetches repeat it in X-Locale, as the iframe has no cookies."""
    found = principal()
    if found and found.locale:
        return supported(found.locale)
    for offered in (request.headers.get("X-Locale"), request.args.get("locale") if _embedded() else None):
        if offered and len(offered) <= 35:
            return supported(offered)
    if found and found.shop and found.kind != "api_key":
        return supported(found.shop.locale)
    spoken = (tag for tag, quality in request.accept_languages if quality > 0 and _catalog(tag) is not None)
    return _catalog(next(spoken, "")) or "en"


def _catalog(tag: str) -> str | None:
    """The locale that serves a language tag; None when none does."""
    language = supported(tag)
    return language if language != "en" or tag.lower().startswith("en") else None


def _embedded() -> bool:
    return request.path == "/app" or request.path.startswith("/app/")
