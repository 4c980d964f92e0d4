"""Failures in the API document: what each endpoint may answer, described once for all that answer it."""

from typing import Any

from app.core.errors import (
    Conflict,
    Forbidden,
    Invalid,
    LimitReached,
    LoyalNestError,
    MalformedPayload,
    NotFound,
    TooLarge,
    Unauthorized,
    Unavailable,
)
from app.web.endpoints import WRITES, Endpoint
from app.web.idempotency import BadIdempotencyKey, IdempotencyMismatch, StillInProgress
from app.web.json_input import NotJson, UnsupportedMedia

COMMON_HEADERS = ("X-Request-Id", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
_REQUEST_ID = "01980d2f6c5b7f0c9a41c2d3e4f50617"
_ERROR_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "What went wrong. `fields` maps input names to sentences.",
    "required": ["code", "message", "fields", "request_id"],
    "properties": {
        "code": {"type": "string", "description": "Stable, for programs."},
        "message": {"type": "string", "description": "For people, in the language of the request."},
        "fields": {"type": "object", "additionalProperties": {"type": "string"}},
        "request_id": {"type": "string"},
    },
}


def failures(endpoint: Endpoint, shared: dict[str, Any]) -> dict[str, Any]:
    """References to the failures of an endpoint by status; equal ones are described once, in `shared`."""
    by_status: dict[int, dict[str, str]] = {}
    for kind in (*_implied_errors(endpoint), *endpoint.errors):
        code = "internal_error" if kind is LoyalNestError else kind.code
        by_status.setdefault(kind.status, {})[code] = kind.default_message
    found = {}
    for status, sentences in sorted(by_status.items()):
        name = ".".join(["Enveloped" if endpoint.enveloped else "Plain", str(status), *sentences])
        shared.setdefault(name, _failure(endpoint.enveloped, status, sentences))
        found[str(status)] = {"$ref": f"#/components/responses/{name}"}
    return found


def _failure(enveloped: bool, status: int, sentences: dict[str, str]) -> dict[str, Any]:
    examples = {}
    for code, sentence in sentences.items():
        error = {"code": code, "message": sentence, "fields": {}, "request_id": _REQUEST_ID}
        examples[code] = {"value": {"status": "error", "error": error} if enveloped else {"error": error}}
    codes = ", ".join(f"`{code}`" for code in sentences)
    shape = "FailedEnvelope" if enveloped else "Failed"
    return {
        "description": f"Codes: {codes}.",
        "headers": header_refs([*COMMON_HEADERS, *(["Retry-After"] if status in (429, 503) else [])]),
        "content": {
            "application/json": {"schema": {"$ref": f"#/components/schemas/{shape}"}, "examples": examples}
        },
    }


def _implied_errors(endpoint: Endpoint) -> list[type[LoyalNestError]]:
    found: list[type[LoyalNestError]] = [Invalid, MalformedPayload]
    if not endpoint.public:
        found += [Unauthorized, Forbidden]
    if endpoint.parameters or not endpoint.public:
        found.append(NotFound)
    if endpoint.method in WRITES:
        found += [TooLarge, UnsupportedMedia, NotJson, Conflict]
    if endpoint.idempotent:
        found += [BadIdempotencyKey, IdempotencyMismatch, StillInProgress]
    return [*found, LimitReached, LoyalNestError, Unavailable]


def error_schemas() -> dict[str, Any]:
    """The schemas of error answers."""
    error = {"$ref": "#/components/schemas/Error"}
    plain = {"type": "object", "required": ["error"], "properties": {"error": error}}
    status = {"type": "string", "const": "error"}
    enveloped = {
        "type": "object",
        "required": ["status", "error"],
        "properties": {"status": status, "error": error},
    }
    return {"Error": _ERROR_SCHEMA, "Failed": plain, "FailedEnvelope": enveloped}


def header_refs(names: list[str]) -> dict[str, Any]:
    """References to described headers."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
