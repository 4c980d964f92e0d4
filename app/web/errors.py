"""One mapping of everything that can go wrong to a status, a stable code and a translated sentence."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from app.core.errors import Conflict, Forbidden, LimitReached, LoyalNestError, NotFound, TooLarge, Unavailable
from app.core.i18n import mark
from app.web.json_input import UnsupportedMedia
from app.web.locale import translated
from app.web.principals import InvalidIdToken

log = logging.getLogger("app.web.errors")
RETRY_HEADER = "X-Shopify-Retry-Invalid-Session-Request"
_METHOD = mark("This address does not answer to {method}.")
_BAD_REQUEST = mark("The request cannot be read.")
_UNKNOWN_PAGE = mark("There is nothing at this address.")


class Busy(Conflict):
    """Two changes met; the same call may succeed now."""

    code = "busy"
    retryable = True
    default_message = mark("Somebody changed this at the same moment. Try again.")


class Unstorable(LoyalNestError):
    """A value passed every check and the database still refused it."""

    code = "invalid"
    status = 400
    default_message = mark("Some values cannot be accepted.")


@dataclass(frozen=True, slots=True)
class Problem:
    """What the caller is told. `message` and `fields` are in the request's language."""

    status: int
    code: str
    message: str
    fields: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    permission: str | None = None

    def body(self, request_id: str) -> dict[str, Any]:
        """The `error` object of a JSON answer."""
        return {"code": self.code, "message": self.message, "fields": self.fields, "request_id": request_id}


def problem_of(error: BaseException) -> Problem:
    """The problem an exception stands for; an unforeseen one is logged and becomes a plain 500."""
    typed = _typed(error)
    if isinstance(typed, LoyalNestError):
        return Problem(
            status=typed.status,
            code=typed.code,
            message=translated(typed.message, typed.data),
            fields={name: translated(text, typed.data) for name, text in typed.fields.items()},
            headers=_headers(typed),
            permission=str(typed.data.get("permission", "")) or None
            if isinstance(typed, Forbidden)
            else None,
        )
    if isinstance(error, HTTPException) and error.code is not None and 400 <= error.code < 500:
        return _http(error)
    log.error("unforeseen error", exc_info=error)
    return Problem(500, "internal_error", translated(LoyalNestError.default_message))


def _typed(error: BaseException) -> BaseException:
    """Database refusals and Werkzeug's own exceptions as the product's types, where there is one."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected)):
        return Busy()
    if isinstance(cause, (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled)):
        return Unavailable()
    if isinstance(cause, psycopg.DataError):
        log.warning("a value reached the database unchecked: %s", type(cause).__name__, exc_info=error)
        return Unstorable()
    if isinstance(cause, psycopg.OperationalError):
        return Unavailable()
    if isinstance(error, HTTPException):
        code = error.code
        if code == 404:
            return NotFound(_UNKNOWN_PAGE)
        if code == 413:
            return TooLarge(mark("The request is too large."))
        if code == 415:
            return UnsupportedMedia(expected="application/json")
    return error


def _http(error: HTTPException) -> Problem:
    from flask import request

    if error.code == 405:
        allowed = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
        message = translated(_METHOD, {"method": request.method})
        return Problem(405, "method_not_allowed", message, headers={"Allow": allowed} if allowed else {})
    return Problem(error.code or 400, "bad_request", translated(_BAD_REQUEST))


def _headers(error: LoyalNestError) -> dict[str, str]:
    headers: dict[str, str] = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, InvalidIdToken):
        headers[RETRY_HEADER] = "1"
    if isinstance(error, LimitReached):
        headers["Retry-After"] = str(_whole(error.data))
    elif error.status == 503:
        headers["Retry-After"] = str(_whole(error.data, 2))
    return headers


def _whole(data: Mapping[str, Any], otherwise: int = 1) -> int:
    try:
        return max(1, int(data.get("retry_after", otherwise)))
    except (TypeError, ValueError):
        return otherwise
