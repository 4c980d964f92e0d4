"""Every operation against Shopify's own schema, with its sample variables, and without anything deprecated."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    parse,
    specified_rules,
    validate,
)
from graphql.execution.values import get_variable_values
from graphql.validation import NoDeprecatedCustomRule

from app.shopify import operations, orders
from app.shopify.operations import OPERATIONS

FILES = sorted(operations.FOLDER.glob("*.graphql"))
SCHEMA = operations.FOLDER.parent / "graphql" / "schema.graphql"


@cache
def schema() -> GraphQLSchema:
    return build_schema(SCHEMA.read_text(encoding="utf-8"))


def problems(document: DocumentNode) -> list[str]:
    return [
        error.message for error in validate(schema(), document, [*specified_rules, NoDeprecatedCustomRule])
    ]


def coerced(operation: OperationDefinitionNode, variables: dict[str, Any]) -> list[GraphQLError]:
    values = get_variable_values(schema(), operation.variable_definitions or (), variables)
    return values if isinstance(values, list) else []


def head(document: DocumentNode) -> OperationDefinitionNode:
    return next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_operation_is_valid_and_its_samples_fit(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    document = parse(source)
    assert problems(document) == []
    samples = re.findall(r"^# vars: (.*)$", source, re.MULTILINE)
    assert samples, "an operation shows its variables"
    for sample in samples:
        assert coerced(head(document), json.loads(sample)) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file_and_operation_have_one_name(path: Path) -> None:
    name = "".join(word.title() for word in path.stem.split("_"))
    assert OPERATIONS[name].name == name
    node = head(parse(OPERATIONS[name].text))
    assert node.name is not None and node.name.value == name
    assert node.operation.value == OPERATIONS[name].kind


def test_every_mutation_asks_for_its_user_errors() -> None:
    for operation in OPERATIONS.values():
        assert ("userErrors" in operation.text) is (operation.kind == "mutation"), operation.name


def test_every_connection_of_unknown_length_tells_whether_there_is_more() -> None:
    assert OPERATIONS["OrderSnapshot"].text.count("hasNextPage") == 3
    assert f"refunds(first: {orders._REFUNDS_IN_SNAPSHOT})" in OPERATIONS["OrderSnapshot"].text
    for name in (
        "OrderLines",
        "ProductCollections",
        "RefundSnapshot",
        "OrdersUpdatedSince",
        "CustomersUpdatedSince",
        "ProductSearch",
    ):
        assert "hasNextPage" in OPERATIONS[name].text and "$after" in OPERATIONS[name].text


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ('{ order(id: "1") { id nonsense } }', "nonsense"),
        ('{ customer(id: "1") { email } }', "deprecated"),
        ('{ order(id: "1") { subtotalPrice } }', "deprecated"),
        ("{ order { id } }", "id"),
        ('mutation { discountCodeDelete(id: "1") { gone } }', "gone"),
    ],
)
def test_the_check_notices_mistakes(query: str, complaint: str) -> None:
    assert any(complaint in problem for problem in problems(parse(query)))


@pytest.mark.parametrize(
    "context",
    [{}, {"all": "ALL", "customers": {"add": []}}, {"all": None}, {"all": "NONE"}, {"tags": {"add": []}}],
)
def test_the_samples_are_really_coerced(context: dict[str, Any]) -> None:
    """`context` is a one-of input: exactly one kind of buyer."""
    node = head(parse(OPERATIONS["DiscountCodeBasicCreate"].text))
    assert coerced(node, {"discount": {"context": {"all": "ALL"}}}) == []
    assert coerced(node, {"discount": {"context": context}}) != []
    assert coerced(node, {"discount": {"unknown": 1}}) != []
    assert coerced(node, {}) != []


def test_the_schema_is_a_bare_copy_that_names_its_source() -> None:
    text = SCHEMA.read_text(encoding="utf-8")
    first, rest = text.split("\n", 1)
    assert re.fullmatch(
        r"# Made by scripts/prune_schema\.py from admin_2026-10\S* of @shopify/dev-mcp \d\S+\. .*", first
    )
    assert (
        '"""' not in rest and "#" not in rest and "http" not in re.sub(r"@specifiedBy\(url: .*?\)", "", rest)
    )
    assert len(text) < 100_000


def test_files_with_two_operations_or_none_are_refused(tmp_path: Path) -> None:
    for text in ("query A { a }\nquery B { b }", "{ a }", "fragment F on T { a }"):
        (tmp_path / "x.graphql").write_text(text)
        with pytest.raises(ValueError, match="one named operation"):
            operations._read(tmp_path / "x.graphql")
