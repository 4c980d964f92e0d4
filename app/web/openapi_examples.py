"""Examples for the API document, read off the schemas."""

import re
from typing import Any

_FORMATS = {
    "uuid": "01980d2f-6c5b-7f0c-9a41-c2d3e4f50617",
    "date-time": "2026-11-30T09:41:00Z",
    "date": "2026-11-30",
    "time": "09:41:00",
    "email": "ada@example.com",
    "uri": "https://example.com/",
    "binary": "",
    "duration": "P30D",
}
_CANDIDATES = (
    *_FORMATS.values(),
    "text",
    "TEXT",
    "12345",
    "#3355ff",
    "en",
    "USD",
    "+15550100",
    "demo.myshopify.com",
)
_DEEPEST = 8


def example_of(schema: dict[str, Any], schemas: dict[str, Any], depth: int = 0) -> Any:
    """A value that the schema accepts: its own example where it has one, otherwise the plainest value."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rsplit("/", 1)[1]], schemas, depth + 1)
    for name in ("examples", "enum"):
        if schema.get(name):
            return schema[name][0]
    for name in ("const", "default"):
        if name in schema and schema[name] is not None:
            return schema[name]
    if "allOf" in schema:
        merged: dict[str, Any] = {}
        for part in schema["allOf"]:
            merged |= example_of(part, schemas, depth)
        return merged
    for name in ("anyOf", "oneOf"):
        if schema.get(name):
            return example_of(schema[name][0], schemas, depth + 1)
    kind = schema.get("type")
    if isinstance(kind, list):
        return None if "null" in kind else example_of({**schema, "type": kind[0]}, schemas, depth)
    return _plainest(kind, schema, schemas, depth)


def _plainest(kind: str | None, schema: dict[str, Any], schemas: dict[str, Any], depth: int) -> Any:
    if kind == "object":
        if depth > _DEEPEST:
            return {}
        found = {
            name: example_of(field, schemas, depth + 1)
            for name, field in schema.get("properties", {}).items()
        }
        extra = schema.get("additionalProperties")
        if not found and isinstance(extra, dict):
            return {"name": example_of(extra, schemas, depth + 1)}
        return found
    if kind == "array":
        return [] if depth > _DEEPEST else [example_of(schema.get("items", {}), schemas, depth + 1)]
    if kind in ("integer", "number"):
        least = schema.get(
            "minimum", schema.get("exclusiveMinimum", 0) + (1 if "exclusiveMinimum" in schema else 0)
        )
        return max(least, min(100, schema.get("maximum", 100)))
    if kind == "string":
        return _text(schema)
    return True if kind == "boolean" else None


def _text(schema: dict[str, Any]) -> str:
    if "pattern" in schema:
        return next((text for text in _CANDIDATES if re.search(schema["pattern"], text)), "text")
    text = _FORMATS.get(schema.get("format", ""), "text").ljust(schema.get("minLength", 0), "x")
    return text[: schema["maxLength"]] if "maxLength" in schema else text
