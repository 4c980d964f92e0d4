"""Make app/shopify/graphql/schema.graphql: the part of Shopify's Admin schema that our operations touch, as plain SDL.

    python scripts/prune_schema.py DUMP [--source "PACKAGE VERSION"]

DUMP is a gzip JSON introspection result such as `dist/data/admin_2026-10.json.gz` inside the npm package
`@shopify/dev-mcp`. Of an object type we keep the fields that an operation selects plus its argument-free scalar
fields (deprecated ones stay marked, so that the test suite refuses them by name); input types are kept whole.
Descriptions and the wording of deprecations are dropped.
"""

import argparse
import gzip
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from graphql import (
    DEFAULT_DEPRECATION_REASON,
    DefinitionNode,
    DirectiveDefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    FieldNode,
    GraphQLInterfaceType,
    GraphQLSchema,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    SchemaDefinitionNode,
    TypeDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    TypeNode,
    UnionTypeDefinitionNode,
    Visitor,
    build_client_schema,
    build_schema,
    parse,
    print_ast,
    print_schema,
    specified_rules,
    validate,
    visit,
)

ROOT = Path(__file__).resolve().parent.parent
OPERATIONS = ROOT / "app" / "shopify" / "operations"
TARGET = ROOT / "app" / "shopify" / "graphql" / "schema.graphql"
BUILT_IN = {"Int", "Float", "String", "Boolean", "ID"}
# An interface such as Node has hundreds of implementers; only those that are used anyway are worth keeping.
MAX_IMPLEMENTERS = 10

Composite = ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode


class Usage(Visitor):
    """Collects (type, field) pairs and type names that a document mentions."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self.info = info
        self.fields: dict[str, set[str]] = defaultdict(set)
        self.types: set[str] = set()

    def enter_field(self, node: FieldNode, *_: object) -> None:
        """Record a selected field under the type it is selected on."""
        parent = self.info.get_parent_type()
        if parent is not None and not node.name.value.startswith("__"):
            self.fields[parent.name].add(node.name.value)

    def enter_named_type(self, node: NamedTypeNode, *_: object) -> None:
        """Record types of variables and fragment conditions."""
        self.types.add(node.name.value)


def usage(schema: GraphQLSchema, documents: Iterable[DocumentNode]) -> Usage:
    """What the operations select. Raises SystemExit when one of them is not valid."""
    info = TypeInfo(schema)
    found = Usage(info)
    for document in documents:
        if problems := validate(schema, document, specified_rules):
            raise SystemExit("\n".join(str(problem) for problem in problems))
        visit(document, TypeInfoVisitor(info, found))
    return found


def type_name(node: TypeNode) -> str:
    """The name inside any list and non-null wrappers."""
    while isinstance(node, ListTypeNode | NonNullTypeNode):
        node = node.type
    assert isinstance(node, NamedTypeNode)
    return node.name.value


class Pruner:
    """Walks from the used fields to every type they need."""

    def __init__(self, schema: GraphQLSchema, found: Usage) -> None:
        document = parse(print_schema(schema), no_location=True)
        self.schema = schema
        self.definitions = document.definitions
        self.by_name = {
            node.name.value: node for node in document.definitions if isinstance(node, TypeDefinitionNode)
        }
        self.used = found
        self.kept: set[str] = set()
        self.fields: dict[str, set[str]] = defaultdict(set)
        self.roots = {t.name for t in (schema.query_type, schema.mutation_type) if t}

    def run(self) -> list[DefinitionNode]:
        """The kept definitions in the order of the schema."""
        for name in sorted({*self.used.types, *self.used.fields}):
            self.keep(name)
        self._share_interface_fields()
        return [kept for node in self.definitions if (kept := self._cut(node)) is not None]

    def keep(self, name: str) -> None:
        """Keep a type with everything its kept fields need."""
        if name in self.kept or name in BUILT_IN:
            return
        self.kept.add(name)
        node = self.by_name[name]
        if isinstance(node, InputObjectTypeDefinitionNode):
            for value in node.fields or ():
                self.keep(type_name(value.type))
        elif isinstance(node, Composite):
            for field in node.fields or ():
                if self._wanted(name, field):
                    self._keep_field(name, field)
        for member in self._members(node):
            self.keep(member)

    def _members(self, node: TypeDefinitionNode) -> list[str]:
        if isinstance(node, UnionTypeDefinitionNode):
            return [type_name(member) for member in node.types or ()]
        if isinstance(node, InterfaceTypeDefinitionNode):
            interface = self.schema.type_map[node.name.value]
            assert isinstance(interface, GraphQLInterfaceType)
            members = self.schema.get_implementations(interface).objects
            return [member.name for member in members] if len(members) <= MAX_IMPLEMENTERS else []
        return []

    def _wanted(self, owner: str, field: FieldDefinitionNode) -> bool:
        if field.name.value in self.used.fields.get(owner, ()):
            return True
        named = self.by_name.get(type_name(field.type))
        is_leaf = named is None or isinstance(named, ScalarTypeDefinitionNode | EnumTypeDefinitionNode)
        return is_leaf and not field.arguments and owner not in self.roots

    def _keep_field(self, owner: str, field: FieldDefinitionNode) -> None:
        self.fields[owner].add(field.name.value)
        self.keep(type_name(field.type))
        for argument in field.arguments or ():
            self.keep(type_name(argument.type))

    def _share_interface_fields(self) -> None:
        """An implementer must have every kept field of its kept interfaces."""
        for name in sorted(self.kept):
            node = self.by_name[name]
            if not isinstance(node, Composite):
                continue
            inherited = {field for i in self._interfaces(node) for field in self.fields[type_name(i)]}
            for field in node.fields or ():
                if field.name.value in inherited:
                    self._keep_field(name, field)

    def _interfaces(self, node: Composite) -> list[NamedTypeNode]:
        return [interface for interface in node.interfaces or () if type_name(interface) in self.kept]

    def _cut(self, node: DefinitionNode) -> DefinitionNode | None:
        if isinstance(node, SchemaDefinitionNode):
            return node
        if isinstance(node, DirectiveDefinitionNode):
            return None if node.name.value == "oneOf" else node
        if not isinstance(node, TypeDefinitionNode) or node.name.value not in self.kept:
            return None
        if not isinstance(node, Composite):
            return node
        return type(node)(
            name=node.name,
            directives=node.directives,
            interfaces=tuple(self._interfaces(node)),
            fields=tuple(f for f in node.fields or () if f.name.value in self.fields[node.name.value]),
        )


def quiet(value: Any) -> Any:
    """The introspection result without descriptions and without the wording of deprecations."""
    if isinstance(value, list):
        return [quiet(item) for item in value]
    if not isinstance(value, dict):
        return value
    silent = {
        "description": None,
        "deprecationReason": DEFAULT_DEPRECATION_REASON if value.get("isDeprecated") else None,
    }
    return {key: silent[key] if key in silent else quiet(item) for key, item in value.items()}


def operations() -> Iterator[DocumentNode]:
    """Every operation of the repository."""
    for path in sorted(OPERATIONS.glob("*.graphql")):
        yield parse(path.read_text(encoding="utf-8"))


def prune(schema: GraphQLSchema, documents: list[DocumentNode]) -> str:
    """SDL of the part of `schema` that the documents need; the documents are still valid against it."""
    found = usage(schema, documents)
    text = "\n\n".join(print_ast(node) for node in Pruner(schema, found).run()) + "\n"
    usage(build_schema(text), documents)
    return text


def main(arguments: list[str]) -> None:
    """Write the pruned schema."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dump", type=Path)
    parser.add_argument(
        "--source",
        default="@shopify/dev-mcp 1.16.0",
        help="package and version of the dump",
    )
    chosen = parser.parse_args(arguments)
    introspection = json.loads(gzip.decompress(chosen.dump.read_bytes()))
    schema = build_client_schema(quiet(introspection["data"]), assume_valid=True)
    text = prune(schema, list(operations()))
    TARGET.parent.mkdir(exist_ok=True)
    header = f"# Made by scripts/prune_schema.py from {chosen.dump.name} of {chosen.source}. Do not edit.\n\n"
    TARGET.write_text(header + text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
