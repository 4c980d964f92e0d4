"""The shapes of JSON answers: the payload with its envelope, and errors."""

from typing import Any

import orjson
from flask import Response, request
from pydantic import BaseModel

from app.core.paging import Page
from app.web import current
from app.web.endpoints import Endpoint, is_enveloped
from app.web.errors import Problem


def payload_of(endpoint: Endpoint, result: Any) -> dict[str, Any]:
    """The handler's result, checked against the declared output, as JSON values."""
    if endpoint.item_type is not None:
        if not isinstance(result, Page):
            raise TypeError(f"{endpoint.name} declares a list and must return a Page")
        return {
            endpoint.key or "items": [_dump(endpoint.item_type, item) for item in result.items],
            "next_cursor": result.next_cursor,
            "previous_cursor": result.previous_cursor,
        }
    if endpoint.out is None:
        return {}
    dumped = _dump(endpoint.out, result)
    return {endpoint.key: dumped} if endpoint.key else dumped


def _dump(model: type[BaseModel], value: Any) -> Any:
    checked = value if isinstance(value, model) else model.model_validate(value, from_attributes=True)
    return checked.model_dump(mode="json", by_alias=True)


def success_text(endpoint: Endpoint, result: Any) -> bytes:
    """The body of a successful answer."""
    payload = payload_of(endpoint, result)
    if endpoint.enveloped:
        payload = {"status": "success", **payload, "error": None}
    return orjson.dumps(payload)


def json_response(body: bytes, status: int = 200) -> Response:
    """A JSON response that nobody caches."""
    response = Response(body, status=status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def error_response(problem: Problem) -> Response:
    """A problem as JSON in the face's shape."""
    error = problem.body(current.request_id())
    body = {"status": "error", "error": error} if is_enveloped(request.path) else {"error": error}
    response = json_response(orjson.dumps(body), problem.status)
    response.headers.update(problem.headers)
    return response
