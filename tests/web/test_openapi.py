"""The API document and the permission page: complete, consistent and always the same bytes."""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.web.endpoints import WRITES
from app.web.openapi import openapi_document, write_openapi
from app.web.openapi_examples import example_of
from app.web.permission_matrix import permission_matrix, write_permission_matrix
from tests.fixtures.openapi import problems_of
from tests.fixtures.web import Caller
from tests.web.sample import ENDPOINTS, TABS, THINGS, ThingIn

DOCUMENT = openapi_document(ENDPOINTS)


def operation(method: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][path][method]
    return found


def failure(operation: dict[str, Any], status: str) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["components"]["responses"][
        operation["responses"][status]["$ref"].rsplit("/", 1)[1]
    ]
    return found


def test_the_document_is_consistent() -> None:
    assert problems_of(DOCUMENT) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda document: document["paths"][THINGS]["get"].pop("operationId"),
        lambda document: document["paths"][THINGS]["get"]["responses"].pop("401"),
        lambda document: document["paths"][THINGS]["get"]["responses"].pop("200"),
        lambda document: document["paths"][THINGS + "/{id}"]["get"]["parameters"].clear(),
        lambda document: document["components"]["schemas"].pop("Error"),
        lambda document: document["paths"][THINGS]["post"].pop("security"),
    ],
)
def test_the_check_notices_damage(damage: Any) -> None:
    document = openapi_document(ENDPOINTS)
    damage(document)
    assert problems_of(document)


def test_every_endpoint_but_the_hidden_is_described() -> None:
    described = {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item}
    assert described == {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS if not endpoint.hidden}


def test_an_operation_says_everything() -> None:
    post = operation("post", THINGS)
    assert (post["summary"], post["description"]) == ("Add a thing", "Names need not be unique, except one.")
    assert post["x-permission"] == "programs:write"
    assert post["security"] == [{"apiKey": ["programs:write"]}, {"idToken": ["programs:write"]}]
    assert {"201", "400", "401", "403", "404", "409", "413", "415", "422", "429", "500", "503"} == set(
        post["responses"]
    )
    assert "taken" in failure(post, "409")["content"]["application/json"]["examples"]
    assert "Retry-After" in failure(post, "429")["headers"]
    assert {"$ref": "#/components/parameters/IdempotencyKey"} in post["parameters"]
    assert {"$ref": "#/components/parameters/IdempotencyKey"} not in operation("get", THINGS)["parameters"]


def test_answers_have_the_shape_of_their_face() -> None:
    listed = operation("get", THINGS)["responses"]["200"]["content"]["application/json"]["schema"]
    assert listed["required"] == ["status", "things", "next_cursor", "previous_cursor", "error"]
    assert operation("get", "/api/other/open")["responses"]["200"]["content"]["application/json"][
        "schema"
    ] == {"$ref": "#/components/schemas/Sum"}
    assert "text/csv" in operation("get", "/v1/api/things/export")["responses"]["200"]["content"]


def test_query_parameters_are_spelled_out() -> None:
    parameters = {found["name"]: found for found in operation("get", THINGS)["parameters"]}
    assert parameters["limit"]["schema"]["maximum"] == 200
    assert parameters["limit"]["description"] == "How many at most"
    assert "Filter" not in DOCUMENT["components"]["schemas"]


def test_equal_failures_are_described_once() -> None:
    assert len(DOCUMENT["components"]["responses"]) < sum(
        len(found["responses"]) for item in DOCUMENT["paths"].values() for found in item.values()
    )
    assert operation("get", THINGS)["responses"]["401"] == operation("post", THINGS)["responses"]["401"]


def test_no_schema_has_a_default_its_type_forbids() -> None:
    assert '"default":null' not in orjson.dumps(DOCUMENT).decode()


def test_examples_are_accepted(key: Caller) -> None:
    example = operation("post", THINGS)["requestBody"]["content"]["application/json"]["example"]
    assert ThingIn.model_validate(example, strict=True)
    assert key.post(THINGS, json=example).status_code == 201


@pytest.mark.parametrize(
    ("schema", "example"),
    [
        ({"type": "integer", "exclusiveMinimum": 0, "maximum": 5}, 5),
        ({"type": "string", "format": "uuid"}, "01980d2f-6c5b-7f0c-9a41-c2d3e4f50617"),
        ({"type": "string", "maxLength": 2}, "te"),
        ({"type": "string", "minLength": 6}, "textxx"),
        ({"type": "string", "pattern": "^#[0-9a-f]{6}$"}, "#3355ff"),
        ({"anyOf": [{"type": "boolean"}, {"type": "null"}]}, True),
        ({"type": ["string", "null"]}, None),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {"name": 100}),
        ({"enum": ["a", "b"]}, "a"),
    ],
)
def test_plain_examples(schema: dict[str, Any], example: Any) -> None:
    assert example_of(schema, {}) == example


def test_it_is_served_and_written_alike(stranger: Caller, tmp_path: Path) -> None:
    write_openapi(tmp_path / "one.json", ENDPOINTS)
    write_openapi(tmp_path / "deep" / "two.json", ENDPOINTS)
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "deep" / "two.json").read_bytes()
    assert stranger.get("/openapi.json").json == DOCUMENT


def test_the_permission_page_lists_everything(tmp_path: Path) -> None:
    page = permission_matrix(ENDPOINTS, TABS)
    for endpoint in ENDPOINTS:
        needed = f"`{endpoint.permission}`" if endpoint.permission else "public"
        assert f"| {endpoint.method} | `{endpoint.path}` | {needed} |" in page
    assert "| action | `POST /app/things/<uuid:id>/rename` | `programs:write` |" in page
    assert re.search(r"^\| `points:adjust` \| yes \| yes \| yes \| – \|$", page, re.MULTILINE)
    write_permission_matrix(tmp_path / "api" / "permissions.md", ENDPOINTS, TABS)
    assert (tmp_path / "api" / "permissions.md").read_text() == page


def test_writes_are_replayable_unless_they_say_otherwise() -> None:
    assert all(
        endpoint.idempotent for endpoint in ENDPOINTS if endpoint.method in WRITES and not endpoint.public
    )
