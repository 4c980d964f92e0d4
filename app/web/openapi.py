"""The OpenAPI 3.1 document, made from the endpoint registry alone."""

from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

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
from app.web.endpoints import WRITES, Download, Endpoint, EndpointRegistry, Reply
from app.web.idempotency import (
    HEADER,
    REPLAYED,
    BadIdempotencyKey,
    IdempotencyMismatch,
    StillInProgress,
)
from app.web.json_input import NotJson, UnsupportedMedia
from app.web.openapi_examples import example_of

VERSION = "1.0.0"
_REF = "#/components/schemas/{model}"
_REQUEST_ID = "01980d2f6c5b7f0c9a41c2d3e4f50617"
_COMMON_HEADERS = ("X-Request-Id", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
_DESCRIPTION = """Loyalty and referral programs for Shopify shops.

Send an API key made in the admin as `Authorization: Bearer lnk_...`; its scopes decide what it may do. JSON is UTF-8 and
snake_case, unknown fields are refused, points and money are integers (money in minor units of its currency), instants are UTC.
Every write takes an `Idempotency-Key`: the same key with the same request returns the first answer, with another request it is
refused with 409. Lists are paged with `limit` and `cursor`. Answers name what is left of the rate limit."""

_HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": {"description": "Quote this to support.", "schema": {"type": "string"}},
    "RateLimit-Limit": {"description": "Calls a full bucket holds.", "schema": {"type": "integer"}},
    "RateLimit-Remaining": {"description": "Calls left now.", "schema": {"type": "integer"}},
    "RateLimit-Reset": {"description": "Seconds until the bucket is full.", "schema": {"type": "integer"}},
    "Retry-After": {"description": "Seconds to wait before calling again.", "schema": {"type": "integer"}},
    REPLAYED: {
        "description": "`true` when this is the stored answer of a key.",
        "schema": {"type": "string"},
    },
}
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


def openapi_document(endpoints: EndpointRegistry) -> dict[str, Any]:
    """The whole document as JSON values."""
    declared = [endpoint for endpoint in endpoints if not endpoint.hidden]
    refs, schemas = _schemas(declared)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in declared:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, refs, schemas)
    document = {
        "openapi": "3.1.0",
        "info": {"title": "LoyalNest API", "version": VERSION, "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in sorted({endpoint.tag for endpoint in declared})],
        "paths": paths,
        "components": {
            "schemas": {"Error": _ERROR_SCHEMA, **_error_shapes(), **schemas},
            "headers": _HEADERS,
            "parameters": {"IdempotencyKey": _idempotency_parameter()},
            "securitySchemes": _security_schemes(),
        },
    }
    return _without_unused(document)


def write_openapi(path: Path, endpoints: EndpointRegistry) -> None:
    """Write the document where the repository keeps it; the same registry always gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(openapi_document(endpoints), option=orjson.OPT_INDENT_2) + b"\n")


def _schemas(declared: list[Endpoint]) -> tuple[dict[Any, Any], dict[str, Any]]:
    wanted: dict[tuple[type[BaseModel], Any], None] = {}
    for endpoint in declared:
        for model in (endpoint.body, endpoint.query):
            if model is not None:
                wanted[(model, "validation")] = None
        output = endpoint.item_type or endpoint.out
        if isinstance(output, type) and issubclass(output, BaseModel):
            wanted[(output, "serialization")] = None
    refs, document = models_json_schema(list(wanted), by_alias=True, ref_template=_REF)
    return refs, document.get("$defs", {})


def _operation(endpoint: Endpoint, refs: dict[Any, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    summary, _, rest = endpoint.text.partition("\n")
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "tags": [endpoint.tag],
        "summary": summary.strip().rstrip("."),
        "description": rest.strip() or summary.strip(),
        "parameters": _parameters(endpoint, schemas, refs),
        "responses": _responses(endpoint, refs, schemas),
        "security": _security(endpoint),
    }
    if endpoint.permission:
        operation["x-permission"] = str(endpoint.permission)
    if endpoint.body is not None:
        schema = refs[(endpoint.body, "validation")]
        content = {"schema": schema, "example": example_of(schema, schemas)}
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    return operation


def _parameters(endpoint: Endpoint, schemas: dict[str, Any], refs: dict[Any, Any]) -> list[dict[str, Any]]:
    kinds: dict[str, dict[str, Any]] = {
        "UUID": {"type": "string", "format": "uuid"},
        "str": {"type": "string", "maxLength": 255},
        "int": {"type": "integer", "minimum": 0},
    }
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": kinds[kind.__name__]}
        for name, kind in endpoint.parameters.items()
    ]
    if endpoint.query is not None:
        schema = schemas[refs[(endpoint.query, "validation")]["$ref"].rsplit("/", 1)[1]]
        for name, field in schema.get("properties", {}).items():
            parameter = {
                "name": name,
                "in": "query",
                "required": name in schema.get("required", []),
                "schema": field,
            }
            if "description" in field:
                parameter["description"] = field["description"]
            if field.get("type") == "array":
                parameter |= {"style": "form", "explode": False}
            found.append(parameter)
    if endpoint.idempotent:
        found.append({"$ref": "#/components/parameters/IdempotencyKey"})
    return found


def _responses(endpoint: Endpoint, refs: dict[Any, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    headers = [*_COMMON_HEADERS, *([REPLAYED] if endpoint.idempotent else [])]
    success: dict[str, Any] = {"description": "Done.", "headers": _header_refs(headers)}
    if endpoint.out in (Download, Reply):
        success["content"] = {endpoint.produces: {"schema": {"type": "string", "format": "binary"}}}
    else:
        schema = _success_schema(endpoint, refs)
        success["content"] = {"application/json": {"schema": schema, "example": example_of(schema, schemas)}}
    by_status: dict[int, list[type[LoyalNestError]]] = {}
    for kind in (*_implied_errors(endpoint), *endpoint.errors):
        known = by_status.setdefault(kind.status, [])
        if kind not in known:
            known.append(kind)
    answers = {str(endpoint.status): success}
    for status in sorted(by_status):
        answers[str(status)] = _error_answer(endpoint, status, by_status[status])
    return answers


def _success_schema(endpoint: Endpoint, refs: dict[Any, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    rest: list[Any] = []
    if endpoint.item_type is not None:
        cursor = {"type": ["string", "null"]}
        items = {"type": "array", "items": refs[(endpoint.item_type, "serialization")]}
        properties = {endpoint.key or "items": items, "next_cursor": cursor, "previous_cursor": cursor}
    elif endpoint.out is not None and endpoint.key:
        properties = {endpoint.key: refs[(endpoint.out, "serialization")]}
    elif endpoint.out is not None:
        rest = [refs[(endpoint.out, "serialization")]]
    if endpoint.enveloped:
        properties = {
            "status": {"type": "string", "const": "success"},
            **properties,
            "error": {"type": "null"},
        }
    if rest and not properties:
        found: dict[str, Any] = rest[0]
        return found
    shape = {"type": "object", "required": list(properties), "properties": properties}
    return {"allOf": [*rest, shape]} if rest else shape


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


def _error_answer(endpoint: Endpoint, status: int, kinds: list[type[LoyalNestError]]) -> dict[str, Any]:
    waits = status in (429, 503)
    examples = {}
    for kind in kinds:
        code = "internal_error" if kind is LoyalNestError else kind.code
        error = {"code": code, "message": kind.default_message, "fields": {}, "request_id": _REQUEST_ID}
        value = {"status": "error", "error": error} if endpoint.enveloped else {"error": error}
        examples[code] = {"value": value}
    codes = ", ".join(f"`{code}`" for code in examples)
    shape = "FailedEnvelope" if endpoint.enveloped else "Failed"
    return {
        "description": f"Codes: {codes}.",
        "headers": _header_refs([*_COMMON_HEADERS, *(["Retry-After"] if waits else [])]),
        "content": {
            "application/json": {"schema": {"$ref": f"#/components/schemas/{shape}"}, "examples": examples}
        },
    }


def _error_shapes() -> dict[str, Any]:
    error = {"$ref": "#/components/schemas/Error"}
    plain = {"type": "object", "required": ["error"], "properties": {"error": error}}
    status = {"type": "string", "const": "error"}
    enveloped = {
        "type": "object",
        "required": ["status", "error"],
        "properties": {"status": status, "error": error},
    }
    return {"Failed": plain, "FailedEnvelope": enveloped}


def _header_refs(names: list[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _idempotency_parameter() -> dict[str, Any]:
    return {
        "name": HEADER,
        "in": "header",
        "required": False,
        "description": "Makes the write repeatable for 48 hours: up to 255 printable characters, new for each intended change.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
        "example": "order-1042-award",
    }


def _security(endpoint: Endpoint) -> list[dict[str, list[str]]]:
    if endpoint.public:
        return []
    if endpoint.path.startswith("/proxy"):
        return [{"appProxySignature": []}]
    scopes = [str(endpoint.permission)]
    return [{"apiKey": scopes}, {"idToken": scopes}]


def _security_schemes() -> dict[str, Any]:
    return {
        "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key of the shop, `lnk_...`."},
        "idToken": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The ID token that App Bridge gives the embedded admin.",
        },
        "appProxySignature": {
            "type": "apiKey",
            "in": "query",
            "name": "signature",
            "description": "Added by Shopify's app proxy.",
        },
    }


def _without_unused(document: dict[str, Any]) -> dict[str, Any]:
    """Drop schemas nothing refers to: query models became parameters."""
    schemas: dict[str, Any] = document["components"]["schemas"]
    while True:
        text = orjson.dumps(document).decode()
        unused = [name for name in schemas if f'"#/components/schemas/{name}"' not in text]
        if not unused:
            return document
        for name in unused:
            del schemas[name]
