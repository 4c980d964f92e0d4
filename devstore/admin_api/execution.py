"""Reading, charging and executing one operation."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

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

from devstore import budget, shops
from devstore.admin_api import cost
from devstore.admin_api.call import Call
from devstore.admin_api.mutations import Mutations
from devstore.admin_api.queries import Queries

Body = dict[str, Any]

_DOCUMENTATION = "https://shopify.dev/api/usage/rate-limits"


@dataclass(frozen=True)
class Prepared:
    """A parsed operation and what the schema says against it."""

    schema: GraphQLSchema
    document: DocumentNode
    operation: OperationDefinitionNode
    problems: tuple[GraphQLError, ...]

    @property
    def name(self) -> str | None:
        """The operation's name."""
        return self.operation.name.value if self.operation.name else None

    @property
    def mutation(self) -> bool:
        """Whether it changes something."""
        return self.operation.operation == OperationType.MUTATION


@cache
def read_schema(path: Path) -> GraphQLSchema:
    """Shopify's schema from SDL text. Raises GraphQLError when the file is missing."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        missing = f"The dev store has no schema to validate against ({path})"
        raise GraphQLError(missing, extensions={"code": "INTERNAL_SERVER_ERROR"}) from error
    return build_schema(text, assume_valid=True)


@lru_cache(maxsize=500)
def prepare(schema: Path, query: str, name: str | None) -> Prepared:
    """Parse and validate an operation; the same text is read once. Raises GraphQLError."""
    found = read_schema(schema)
    document = parse(query)
    operation = get_operation_ast(document, name)
    if operation is None:
        raise GraphQLError("Must provide an operation.")
    return Prepared(found, document, operation, tuple(validate(found, document)))


def run(call: Call, prepared: Prepared, variables: Mapping[str, Any]) -> Body:
    """The answer to an operation, charged to the shop's budget."""
    if prepared.problems:
        return {"errors": [_shown(error) for error in prepared.problems]}
    root = (Mutations(call) if prepared.mutation else Queries(call)).look_up()
    missing = _not_played(prepared.operation, root)
    if missing:
        error = GraphQLError(f"The dev store does not play {missing}", extensions={"code": "NOT_IMPLEMENTED"})
        return {"errors": [_shown(error)]}
    announced = _announced(prepared, variables)
    if announced > budget.MAX_QUERY_COST:
        return _too_dear(announced)
    size, rate = shops.BUCKETS[call.shop["plan"]]
    taken, left = call.store.buckets.take(call.domain, announced, size, rate)
    if not taken:
        return throttled(size, rate, left, announced)
    result = execute_sync(prepared.schema, prepared.document, root, call, dict(variables), prepared.name)
    used = announced if prepared.mutation else cost.actual(result.data, announced)
    left = call.store.buckets.give_back(call.domain, announced - used, size)
    body: Body = {} if result.data is None and result.errors else {"data": result.data}
    if result.errors:
        body["errors"] = [_shown(error) for error in result.errors]
    return {**body, "extensions": {"cost": _cost(announced, used, size, rate, left)}}


def throttled(size: float, rate: float, left: float, announced: int) -> Body:
    """The answer when the budget does not cover the operation; its HTTP status is 200."""
    extensions = {"code": "THROTTLED", "documentation": _DOCUMENTATION}
    return {
        "errors": [{"message": "Throttled", "extensions": extensions}],
        "extensions": {"cost": _cost(announced, None, size, rate, left)},
    }


def _announced(prepared: Prepared, variables: Mapping[str, Any]) -> int:
    definitions = prepared.document.definitions
    fragments = {each.name.value: each for each in definitions if isinstance(each, FragmentDefinitionNode)}
    return cost.requested(prepared.schema, prepared.operation, fragments, variables)


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


def _cost(announced: int, used: int | None, size: float, rate: float, left: float) -> Body:
    status = {"maximumAvailable": size, "currentlyAvailable": round(left), "restoreRate": rate}
    return {"requestedQueryCost": announced, "actualQueryCost": used, "throttleStatus": status}


def _too_dear(announced: int) -> Body:
    most = budget.MAX_QUERY_COST
    text = f"Query cost is {announced}, which exceeds the single query max cost limit ({most})."
    extensions = {
        "code": "MAX_COST_EXCEEDED",
        "cost": announced,
        "maxCost": most,
        "documentation": _DOCUMENTATION,
    }
    return {"errors": [{"message": text, "extensions": extensions}]}


def _shown(error: GraphQLError) -> Body:
    shown: Body = dict(error.formatted)
    if error.original_error is not None and not isinstance(error.original_error, GraphQLError):
        shown["extensions"] = {"code": "INTERNAL_SERVER_ERROR", "requestId": str(uuid.uuid4())}
    return shown
