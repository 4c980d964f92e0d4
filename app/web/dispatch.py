"""Serving declared endpoints: who, how often, may they, what exactly, then one transaction and one answer."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from flask import Flask, Response, g, request
from pydantic import BaseModel

from app.core import db
from app.core.errors import Forbidden, LoyalNestError, NotFound
from app.web import current, ratelimit
from app.web.context import Context
from app.web.endpoints import WRITES, Download, Endpoint, EndpointRegistry, RawRequest, Reply
from app.web.envelope import json_response, success_text
from app.web.idempotency import HEADER, Once, once
from app.web.json_input import FORBIDDEN, parse_json, read_body
from app.web.principals import PUBLIC, Principal, principal_from_bearer, source_for
from app.web.query_input import parse_query

_LONGEST_TEXT_PARAMETER = 255


class NoBody(BaseModel):
    """The body of a write that takes none: absent, or an empty object."""


def add_endpoints(app: Flask, endpoints: EndpointRegistry) -> None:
    """Make a Flask route of every declared endpoint."""
    for endpoint in endpoints:
        app.add_url_rule(
            endpoint.path.replace("{", "<").replace("}", ">"),
            endpoint=f"api.{endpoint.name}",
            view_func=_view(endpoint),
            methods=[endpoint.method],
            provide_automatic_options=False,
        )


def _view(endpoint: Endpoint) -> Callable[..., Response]:
    def view(**texts: str) -> Response:
        g.json_face = endpoint.produces != "text/html"
        return _serve(endpoint, texts)

    return view


def _serve(endpoint: Endpoint, texts: dict[str, str]) -> Response:
    principal = _identified(endpoint)
    if endpoint.permission is not None and endpoint.permission not in principal.permissions:
        raise Forbidden(permission=str(endpoint.permission))
    arguments: dict[str, Any] = {
        name: _parameter(kind, texts[name]) for name, kind in endpoint.parameters.items()
    }
    if endpoint.body is not None:
        arguments["body"] = parse_json(request, endpoint.body, endpoint.max_body_bytes)
    elif endpoint.raw:
        arguments["raw"] = _raw(endpoint)
    elif endpoint.method in WRITES and read_body(request, endpoint.max_body_bytes):
        parse_json(request, NoBody, endpoint.max_body_bytes)
    if endpoint.query is not None:
        arguments["query"] = parse_query(request.args, endpoint.query)
    elif not endpoint.raw:
        parse_query(request.args, None)
    keyed = _keyed(endpoint, principal)
    with _unit(endpoint, principal) as uow:
        ctx = Context(principal, current.locale(), current.request_id(), uow)
        if "ctx" in endpoint.arguments:
            arguments["ctx"] = ctx

        def work() -> Response:
            return _answer(endpoint, endpoint.handler(**arguments))

        return keyed.run(uow, work) if keyed and uow else work()


def _identified(endpoint: Endpoint) -> Principal:
    """The caller, who pays a token whether known or not; a refused caller pays from the address's bucket."""
    if endpoint.public:
        ratelimit.enforce(None, endpoint.rate)
        return PUBLIC
    try:
        source = source_for(endpoint.path)
        found = source(request) if source else None
        if found is None:
            found = principal_from_bearer(request.headers.get("Authorization"))
    except LoyalNestError:
        ratelimit.enforce(None, ratelimit.UNKNOWN_CALLER)
        raise
    current.identify(found)
    ratelimit.enforce(found, endpoint.rate)
    return found


def _parameter(kind: type, text: str) -> UUID | str | int:
    """A path parameter in its type; what cannot be one names nothing."""
    if kind is str:
        if FORBIDDEN.search(text) or len(text) > _LONGEST_TEXT_PARAMETER:
            raise NotFound()
        return text
    if kind is int:
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise NotFound()
        return int(text)
    try:
        return UUID(text) if len(text) == 36 else _not_found()
    except ValueError:
        raise NotFound() from None


def _not_found() -> UUID:
    raise NotFound()


def _keyed(endpoint: Endpoint, principal: Principal) -> Once | None:
    if not endpoint.idempotent:
        return None
    where = (request.method.encode(), request.path.encode(), request.query_string)
    return once(request.headers.get(HEADER), principal, *where, read_body(request, endpoint.max_body_bytes))


@contextlib.contextmanager
def _unit(endpoint: Endpoint, principal: Principal) -> Iterator[db.UnitOfWork | None]:
    if endpoint.cross_shop is not None:
        with db.cross_shop(endpoint.cross_shop, actor=principal.actor) as uow:
            yield uow
    elif principal.shop_id is not None:
        with db.unit_of_work(principal.shop_id, actor=principal.actor) as uow:
            yield uow
    else:
        yield None


def _raw(endpoint: Endpoint) -> RawRequest:
    body = read_body(request, endpoint.max_body_bytes)
    return RawRequest(request.method, request.path, request.query_string, dict(request.headers), body)


def _answer(endpoint: Endpoint, result: Any) -> Response:
    if isinstance(result, Reply):
        reply = Response(result.content, status=result.status, headers=dict(result.headers))
        reply.headers.setdefault("Cache-Control", "no-store")
        return reply
    if endpoint.out is not Download:
        return json_response(success_text(endpoint, result), endpoint.status)
    response = Response(result.content, status=endpoint.status, content_type=result.media_type)
    response.headers["Cache-Control"] = "no-store"
    if result.filename:
        response.headers.set("Content-Disposition", "attachment", filename=result.filename)
    return response
