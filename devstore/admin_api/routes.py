"""POST /admin/api/{version}/graphql.json on a shop's domain."""

import json
import re
import uuid
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, request
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    build_schema,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)

from devstore import budget, shops, tokens
from devstore.admin_api import cost
from devstore.admin_api.call import Call
from devstore.admin_api.mutations import Mutations
from devstore.admin_api.queries import Queries
from devstore.current import dev_store, shop_of_host
from devstore.faults import Fault
from devstore.runtime import DevStore
from devstore.settings import API_VERSION
from devstore.strikes import strike_http

admin_api = Blueprint("admin_api", __name__)

_VERSION = re.compile(r"\d{4}-\d{2}|unstable")


@cache
def read_schema(path: Path) -> GraphQLSchema:
    """Shopify's schema from SDL text. Raises OSError."""
    return build_schema(path.read_text(encoding="utf-8"), assume_valid=True)


@admin_api.post("/admin/api/<version>/graphql.json")
def graphql(version: str) -> Response:
    """Validate, charge and execute one operation."""
    store, domain = dev_store(), shop_of_host()
    access = tokens.check(store, domain, request.headers.get("X-Shopify-Access-Token", ""))
    shop = shops.get(store, domain)
    if not _VERSION.fullmatch(version):
        return _json({"errors": "Not Found"}, 404)
    if access is None or not shop["installed_at"]:
        return _json(
            {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}, 401
        )
    given = request.get_json(silent=True)
    if not isinstance(given, dict) or not isinstance(given.get("query"), str):
        return _json({"errors": {"query": "Required parameter missing or invalid"}}, 400)
    variables = given.get("variables") or {}
    try:
        document = parse(given["query"])
        operation = get_operation_ast(document, given.get("operationName"))
    except GraphQLError as error:
        return _errors([error])
    if operation is None:
        return _errors([GraphQLError("Must provide an operation.")])
    name = operation.name.value if operation.name else None
    fault = store.faults.strike("graphql", domain, name, *_kinds(operation))
    if fault is not None:
        answer = _struck(store, domain, fault)
        if answer is not None:
            return answer
    call = Call(store, shop, access, refuse=fault is not None and fault.kind == "user_errors")
    answer = _run(call, document, operation, variables)
    if fault is not None and fault.kind == "reset_after_send":
        strike_http(fault, after=True)
    return answer


def _kinds(operation: OperationDefinitionNode) -> tuple[str, ...]:
    kinds = ("429", "throttled", "5xx", "slow", "hang", "reset", "reset_after_send", "401")
    return (*kinds, "user_errors") if operation.operation == OperationType.MUTATION else kinds


def _struck(store: DevStore, domain: str, fault: Fault) -> Response | None:
    if fault.kind == "401":
        return _json(
            {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}, 401
        )
    if fault.kind == "throttled":
        store.buckets.empty(domain)
        return _throttled(*shops.BUCKETS[shops.get(store, domain)["plan"]], 0.0, 10)
    return strike_http(fault)


def _run(
    call: Call, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> Response:
    try:
        schema = read_schema(call.store.settings.schema)
    except OSError:
        text = f"The dev store has no schema to validate against ({call.store.settings.schema})"
        return _errors([GraphQLError(text, extensions={"code": "INTERNAL_SERVER_ERROR"})])
    problems = validate(schema, document)
    if problems:
        return _errors(problems)
    fragments = {
        each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
    }
    announced = cost.requested(schema, operation, fragments, variables)
    mutation = operation.operation == OperationType.MUTATION
    root = (Mutations(call) if mutation else Queries(call)).look_up()
    missing = _not_played(operation, root)
    if missing:
        return _errors(
            [GraphQLError(f"The dev store does not play {missing}", extensions={"code": "NOT_IMPLEMENTED"})]
        )
    size, rate = shops.BUCKETS[call.shop["plan"]]
    if announced > budget.MAX_QUERY_COST:
        return _too_dear(announced)
    taken, left = call.store.buckets.take(call.domain, announced, size, rate)
    if not taken:
        return _throttled(size, rate, left, announced)
    result = execute_sync(
        schema, document, root, call, dict(variables), operation.name.value if operation.name else None
    )
    used = announced if mutation else cost.actual(result.data, announced)
    left = call.store.buckets.give_back(call.domain, announced - used, size)
    body: dict[str, Any] = {} if result.data is None and result.errors else {"data": result.data}
    if result.errors:
        body["errors"] = [_shown(error) for error in result.errors]
    body["extensions"] = {"cost": _cost(announced, used, size, rate, left)}
    return _json(body)


def _not_played(operation: OperationDefinitionNode, root: Mapping[str, Any]) -> str | None:
    """A root field that nothing here answers; a null would look like Shopify's answer."""
    for each in operation.selection_set.selections:
        if (
            isinstance(each, FieldNode)
            and each.name.value not in root
            and not each.name.value.startswith("__")
        ):
            return each.name.value
    return None


def _cost(announced: int, used: int | None, size: float, rate: float, left: float) -> dict[str, Any]:
    status = {"maximumAvailable": size, "currentlyAvailable": round(left), "restoreRate": rate}
    return {"requestedQueryCost": announced, "actualQueryCost": used, "throttleStatus": status}


def _throttled(size: float, rate: float, left: float, announced: int) -> Response:
    error = {
        "message": "Throttled",
        "extensions": {"code": "THROTTLED", "documentation": "https://shopify.dev/api/usage/rate-limits"},
    }
    return _json({"errors": [error], "extensions": {"cost": _cost(announced, None, size, rate, left)}})


def _too_dear(announced: int) -> Response:
    error = {
        "message": f"Query cost is {announced}, which exceeds the single query max cost limit "
        f"({budget.MAX_QUERY_COST}).",
        "extensions": {
            "code": "MAX_COST_EXCEEDED",
            "cost": announced,
            "maxCost": budget.MAX_QUERY_COST,
            "documentation": "https://shopify.dev/api/usage/rate-limits",
        },
    }
    return _json({"errors": [error]})


def _shown(error: GraphQLError) -> dict[str, Any]:
    shown: dict[str, Any] = dict(error.formatted)
    if error.original_error is not None and not isinstance(error.original_error, GraphQLError):
        shown["extensions"] = {"code": "INTERNAL_SERVER_ERROR", "requestId": str(uuid.uuid4())}
    return shown


def _errors(errors: list[GraphQLError]) -> Response:
    return _json({"errors": [_shown(error) for error in errors]})


def _json(body: Any, status: int = 200) -> Response:
    answer = Response(json.dumps(body), status=status, content_type="application/json; charset=utf-8")
    answer.headers["X-Shopify-API-Version"] = API_VERSION
    answer.headers["X-Request-Id"] = str(uuid.uuid4())
    return answer
