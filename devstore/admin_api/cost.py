"""What an operation costs. A scalar is free, an object one point, a mutation ten; a connection two and its nodes.

Shopify does not charge every node of a long page: the one published figure (250 nodes charged as eleven) is what twice
the natural logarithm gives, and that is what is used here.
"""

import math
from collections.abc import Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_leaf_type,
)

_WRAPPERS = frozenset({"nodes", "edges", "node", "pageInfo"})
_MUTATION = 10


def requested(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Mapping[str, Any],
) -> int:
    """The cost an operation is announced with."""
    mutation = operation.operation == OperationType.MUTATION
    root = schema.mutation_type if mutation else schema.query_type
    defaults = {
        each.variable.name.value: int(each.default_value.value)
        for each in operation.variable_definitions or ()
        if isinstance(each.default_value, IntValueNode)
    }
    walk = _Walk(schema, fragments, {**defaults, **variables})
    if mutation:
        fields = sum(isinstance(each, FieldNode) for each in operation.selection_set.selections)
        return _MUTATION * fields
    return walk.selections(operation.selection_set, root)


def actual(data: Any, announced: int) -> int:
    """The cost of what was really found: never more than announced."""
    return min(announced, _objects(data))


def charged(nodes: int) -> int:
    """How many of a page's nodes are charged."""
    return max(1, min(nodes, math.floor(2 * math.log(nodes)))) if nodes > 0 else 0


class _Walk:
    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables

    def selections(self, chosen: SelectionSetNode | None, parent: Any) -> int:
        total = 0
        for each in chosen.selections if chosen else ():
            if isinstance(each, FieldNode):
                total += self._field(each, parent)
            elif isinstance(each, FragmentSpreadNode):
                fragment = self._fragments[each.name.value]
                total += self.selections(
                    fragment.selection_set, self._type(fragment.type_condition.name.value)
                )
            elif isinstance(each, InlineFragmentNode):
                condition = each.type_condition
                total += self.selections(
                    each.selection_set, self._type(condition.name.value) if condition else parent
                )
        return total

    def _type(self, name: str) -> Any:
        return self._schema.get_type(name)

    def _field(self, node: FieldNode, parent: Any) -> int:
        known = parent.fields if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else {}
        field = known.get(node.name.value)
        if field is None or is_leaf_type(get_named_type(field.type)):
            return 0
        kind = get_named_type(field.type)
        inner = self.selections(node.selection_set, kind)
        if node.name.value in _WRAPPERS:
            return inner + (1 if node.name.value in {"nodes", "node"} else 0)
        if kind.name.endswith("Connection"):
            return 2 + charged(self._size(node)) * inner
        return 1 + (charged(self._size(node)) if self._sized(node) else 1) * inner

    def _sized(self, node: FieldNode) -> bool:
        return any(argument.name.value in {"first", "last"} for argument in node.arguments or ())

    def _size(self, node: FieldNode) -> int:
        for argument in node.arguments or ():
            if argument.name.value in {"first", "last"}:
                if isinstance(argument.value, IntValueNode):
                    return int(argument.value.value)
                if isinstance(argument.value, VariableNode):
                    return int(self._variables.get(argument.value.name.value) or 0)
        return 0


def _objects(data: Any) -> int:
    if isinstance(data, list):
        return sum(map(_objects, data))
    if isinstance(data, dict):
        return sum(
            (1 if isinstance(value, dict) and key not in _WRAPPERS else 0) + _objects(value)
            for key, value in data.items()
        )
    return 0
