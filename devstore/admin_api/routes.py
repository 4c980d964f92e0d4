"""POST /admin/api/{version}/graphql.json on a shop's domain: who calls, which fault strikes, and the answer."""

import json
import re
import uuid
from typing import Any

from flask import Blueprint, Response, request
from graphql import GraphQLError, OperationDefinitionNode, OperationType

from devstore import shops, tokens
from devstore.admin_api.call import Call
from devstore.admin_api.execution import Prepared, prepare, run, throttled
from devstore.current import dev_store, shop_of_host
from devstore.faults import Fault
from devstore.runtime import DevStore
from devstore.settings import API_VERSION
from devstore.strikes import strike_http
from devstore.tokens import Access

admin_api = Blueprint("admin_api", __name__)

_VERSION = re.compile(r"\d{4}-\d{2}|unstable")
_WRONG_TOKEN = {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}
_ANYTIME = ("429", "throttled", "5xx", "slow", "hang", "reset", "reset_after_send", "401")


@admin_api.post("/admin/api/<version>/graphql.json")
def graphql(version: str) -> Response:
    """One operation."""
    store, domain = dev_store(), shop_of_host()
    if not _VERSION.fullmatch(version):
        return _json({"errors": "Not Found"}, 404)
    access = tokens.check(store, domain, request.headers.get("X-Shopify-Access-Token", ""))
    if access is None or not shops.get(store, domain)["installed_at"]:
        return _json(_WRONG_TOKEN, 401)
    given = request.get_json(silent=True)
    if not isinstance(given, dict) or not isinstance(given.get("query"), str):
        return _json({"errors": {"query": "Required parameter missing or invalid"}}, 400)
    try:
        prepared = prepare(store.settings.schema, given["query"], given.get("operationName"))
    except GraphQLError as error:
        return _json({"errors": [error.formatted]})
    return _answer(store, domain, access, prepared, given.get("variables") or {})


def _answer(
    store: DevStore, domain: str, access: Access, prepared: Prepared, variables: dict[str, Any]
) -> Response:
    fault = store.faults.strike("graphql", domain, prepared.name, *_kinds(prepared.operation))
    struck = _strike(store, domain, fault) if fault is not None else None
    if struck is not None:
        return struck
    refuse = fault is not None and fault.kind == "user_errors"
    body = run(Call(store, shops.get(store, domain), access, refuse), prepared, variables)
    if fault is not None and fault.kind == "reset_after_send":
        strike_http(fault, after=True)
    return _json(body)


def _kinds(operation: OperationDefinitionNode) -> tuple[str, ...]:
    return (*_ANYTIME, "user_errors") if operation.operation == OperationType.MUTATION else _ANYTIME


def _strike(store: DevStore, domain: str, fault: Fault) -> Response | None:
    if fault.kind == "401":
        return _json(_WRONG_TOKEN, 401)
    if fault.kind == "throttled":
        store.buckets.empty(domain)
        return _json(throttled(*shops.BUCKETS[shops.get(store, domain)["plan"]], 0.0, 10))
    return strike_http(fault)


def _json(body: Any, status: int = 200) -> Response:
    answer = Response(json.dumps(body), status=status, content_type="application/json; charset=utf-8")
    answer.headers["X-Shopify-API-Version"] = API_VERSION
    answer.headers["X-Request-Id"] = str(uuid.uuid4())
    return answer
