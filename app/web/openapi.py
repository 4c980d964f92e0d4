"""The OpenAPI 3.1 document, made from the endpoint registry alone."""

from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app.web.endpoints import Download, Endpoint, EndpointRegistry, Reply
from app.web.idempotency import HEADER, REPLAYED
from app.web.openapi_examples import example_of
from app.web.openapi_failures import COMMON_HEADERS, error_schemas, failures, header_refs

VERSION = "1.0.0"
_REF = "#/components/schemas/{model}"
_DESCRIPTION = """Loyalty and referral programs for Shopify shops.

Send an API key made in the admin as `Authorization: Bearer lnk_...`; its scopes decide what it may do. JSON is
UTF-8 and snake_case, unknown fields are refused, points and money are integers (money in minor units of its
currency), instants are UTC. Every write takes an `Idempotency-Key`: the same key with the same request returns the
first answer, with another request it is refused with 409. Lists are paged with `limit` and `cursor`. Answers name
what is left of the rate limit."""

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


def openapi_document(endpoints: EndpointRegistry) -> dict[str, Any]:
    """The whole document as JSON values."""
    declared = [endpoint for endpoint in endpoints if not endpoint.hidden]
    refs, schemas = _schemas(declared)
    paths: dict[str, dict[str, Any]] = {}
    described: dict[str, Any] = {}
    for endpoint in declared:
        operation = _operation(endpoint, refs, schemas)
        operation["responses"] |= failures(endpoint, described)
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    document = {
        "openapi": "3.1.0",
        "info": {"title": "LoyalNest API", "version": VERSION, "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in sorted({endpoint.tag for endpoint in declared})],
        "paths": paths,
        "components": {
            "schemas": {**error_schemas(), **schemas},
            "responses": described,
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
    return refs, _without_null_defaults(document.get("$defs", {}))


def _without_null_defaults(node: Any) -> Any:
    """The schemas without `default: null`: update schemas mean "absent" by it, and their types may forbid it."""
    if isinstance(node, dict):
        return {
            name: _without_null_defaults(value)
            for name, value in node.items()
            if name != "default" or value is not None
        }
    return [_without_null_defaults(value) for value in node] if isinstance(node, list) else node


def _operation(endpoint: Endpoint, refs: dict[Any, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    summary, _, rest = endpoint.text.partition("\n")
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "tags": [endpoint.tag],
        "summary": summary.strip().rstrip("."),
        "description": rest.strip() or summary.strip(),
        "parameters": _parameters(endpoint, schemas, refs),
        "responses": _success(endpoint, refs, schemas),
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


def _success(endpoint: Endpoint, refs: dict[Any, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    headers = [*COMMON_HEADERS, *([REPLAYED] if endpoint.idempotent else [])]
    success: dict[str, Any] = {"description": "Done.", "headers": header_refs(headers)}
    if endpoint.out in (Download, Reply):
        success["content"] = {endpoint.produces: {"schema": {"type": "string", "format": "binary"}}}
    else:
        schema = _success_schema(endpoint, refs)
        success["content"] = {"application/json": {"schema": schema, "example": example_of(schema, schemas)}}
    return {str(endpoint.status): success}


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


def _idempotency_parameter() -> dict[str, Any]:
    return {
        "name": HEADER,
        "in": "header",
        "required": False,
        "description": "Makes the write repeatable for 48 hours. Printable characters, new for each intended change.",
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
