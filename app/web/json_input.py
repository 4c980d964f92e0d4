"""Reading JSON from strangers: bounded, unambiguous and free of what a database or a log cannot hold."""

import json
import re
from typing import Any, TypeVar

from flask import Request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from app.core.errors import Invalid, LoyalNestError, MalformedPayload, TooLarge
from app.core.i18n import mark
from app.web.field_errors import malformed

Model = TypeVar("Model", bound=BaseModel)
MAX_DEPTH = 24
MAX_INTEGER = 2**63 - 1
# C0 except tab, line feed and carriage return; DEL and C1; surrogates that stand alone.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_CONTROL = mark("Remove the control characters from this text.")
_TOO_LARGE_NUMBER = mark("This number is too large.")


class NotJson(Invalid):
    """The body is not JSON that can be read in one way only."""

    code = "not_json"
    default_message = mark("The body is not readable as JSON: {reason}.")


class UnsupportedMedia(LoyalNestError):
    """The body is of a kind this address does not read."""

    code = "unsupported_media_type"
    status = 415
    default_message = mark("Send the body as {expected}.")


def read_body(request: Request, limit: int) -> bytes:
    """The raw body. Raises TooLarge beyond `limit` bytes."""
    request.max_content_length = limit
    try:
        return request.get_data(cache=True)
    except RequestEntityTooLarge:
        raise TooLarge(limit=limit) from None


def parse_json(request: Request, schema: type[Model], limit: int) -> Model:
    """The body as `schema`, strictly. Raises UnsupportedMedia, TooLarge, NotJson (400) or MalformedPayload (422)."""
    if not request.is_json:
        raise UnsupportedMedia(expected="application/json")
    raw = read_body(request, limit)
    data = read_document(raw)
    try:
        return schema.model_validate_json(raw, strict=True, extra="forbid")
    except ValidationError as error:
        raise malformed(error, data) from None


def read_document(raw: bytes) -> Any:
    """The parsed document, checked for depth, duplicate names, control characters and oversized integers."""
    try:
        data = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise NotJson(reason="it is not UTF-8") from None
    except RecursionError:
        raise NotJson(reason="it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise NotJson(reason=f"line {error.lineno}, column {error.colno}") from None
    except ValueError:
        raise NotJson(reason="a number is too long") from None
    refused: dict[str, str] = {}
    _inspect(data, "", 1, refused)
    if refused:
        raise MalformedPayload(fields=refused)
    return data


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotJson(reason="a name occurs twice in one object")
    return found


def _no_constant(name: str) -> Any:
    raise NotJson(reason=f"{name[:10]} is not a number")


def _inspect(value: Any, path: str, depth: int, refused: dict[str, str]) -> None:
    if depth > MAX_DEPTH:
        raise NotJson(reason="it is nested too deeply")
    if isinstance(value, str):
        if FORBIDDEN.search(value):
            refused.setdefault(path, _CONTROL)
    elif isinstance(value, dict):
        for name, child in value.items():
            if FORBIDDEN.search(name):
                raise NotJson(reason="a name holds control characters")
            _inspect(child, f"{path}.{name}" if path else name, depth + 1, refused)
    elif isinstance(value, list):
        for position, child in enumerate(value):
            _inspect(child, f"{path}.{position}" if path else str(position), depth + 1, refused)
    elif isinstance(value, int) and abs(value) > MAX_INTEGER:
        refused.setdefault(path, _TOO_LARGE_NUMBER)
