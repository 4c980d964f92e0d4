"""The script that cuts Shopify's schema down to what our operations need."""

import gzip
import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest
from graphql import build_schema, introspection_from_schema, parse

ROOT = Path(__file__).resolve().parents[2]
FULL = '''
"""Root"""
type Query { node(id: ID!): Node thing(filter: Filter!, unused: Unused): Thing other: Other }
"""Everything has an id"""
interface Node { id: ID! }
type Thing implements Node {
  id: ID!
  name: String @deprecated(reason: "Use the long explanation instead")
  kind: Kind
  price(in: Currency): Int
  owner: Owner
  pick: Pick
  many: [Other!]!
}
type Owner { id: ID! name: String far: Far }
type Other implements Node { id: ID! far: Far }
type Far { id: ID! }
type Left { l: Int } type Right { r: Int }
union Pick = Left | Right
enum Kind { A B @deprecated }
enum Currency { X }
input Filter @oneOf { deep: Deep kind: Kind }
input Deep { back: Filter, at: Date }
input Unused { x: Int }
scalar Date
'''


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("prune_schema", ROOT / "scripts" / "prune_schema.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pruned(script: ModuleType, query: str) -> str:
    text: str = script.prune(build_schema(FULL), [parse(query)])
    return text


QUERY = "query Q($f: Filter!) { thing(filter: $f) { pick { ... on Left { l } } owner { id } } }"


def test_only_what_is_reachable_stays(script: ModuleType) -> None:
    text = pruned(script, QUERY)
    kept = build_schema(text)
    assert {"Thing", "Owner", "Left", "Right", "Filter", "Deep", "Kind", "Date"} <= set(kept.type_map)
    assert not {"Other", "Far", "Node"} & set(kept.type_map)
    fields = {
        name: sorted(getattr(kept.type_map[name], "fields", {})) for name in ("Query", "Thing", "Owner")
    }
    assert fields == {
        "Query": ["thing"],
        "Thing": ["id", "kind", "name", "owner", "pick"],
        "Owner": ["id", "name"],
    }


def test_one_of_inputs_and_deprecations_survive(script: ModuleType) -> None:
    text = pruned(script, QUERY)
    assert "input Filter @oneOf" in text
    assert "name: String @deprecated" in text


def test_interfaces_keep_their_implementers_and_fields(script: ModuleType) -> None:
    text = pruned(script, 'query Q { node(id: "1") { id } }')
    assert "type Thing implements Node" in text and "type Other implements Node" in text


def test_an_invalid_operation_stops_it(script: ModuleType) -> None:
    with pytest.raises(SystemExit, match="gone"):
        pruned(script, "query Q { gone }")


def test_it_reads_a_dump_and_writes_silent_sdl(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump = tmp_path / "admin_2026-10.json.gz"
    dump.write_bytes(
        gzip.compress(json.dumps({"data": introspection_from_schema(build_schema(FULL))}).encode())
    )
    monkeypatch.setattr(script, "TARGET", tmp_path / "made" / "schema.graphql")
    monkeypatch.setattr(script, "operations", lambda: [parse(QUERY)])
    script.main([str(dump), "--source", "@somebody/else 9.9"])
    text = (tmp_path / "made" / "schema.graphql").read_text()
    assert text.startswith(
        "# Made by scripts/prune_schema.py from admin_2026-10.json.gz of @somebody/else 9.9."
    )
    assert '"""' not in text and "explanation" not in text and "@deprecated" in text
