"""Every declared endpoint keeps the promises that the registry makes for it."""

import re
from typing import Any
from uuid import UUID

import orjson
import pytest
from flask import Flask
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app.core import ids
from app.core.permissions import ALL
from app.web.endpoints import MAX_JSON_BYTES, WRITES, Endpoint
from app.web.openapi_examples import example_of
from tests.contract.conftest import ENDPOINTS, Callers
from tests.contract.specimens import fingerprint
from tests.fixtures.web import Caller

JSON = {"Content-Type": "application/json"}
SIGNED = "/proxy"

GUARDED = [endpoint for endpoint in ENDPOINTS if not endpoint.public and not endpoint.path.startswith(SIGNED)]
WITH_BODY = [endpoint for endpoint in GUARDED if endpoint.body is not None]
WITH_IDS = [endpoint for endpoint in GUARDED if endpoint.parameters]
READING = [endpoint for endpoint in GUARDED if endpoint.method == "GET"]
EVERY = pytest.mark.parametrize("endpoint", GUARDED, ids=lambda endpoint: endpoint.name)


def address(endpoint: Endpoint, **values: Any) -> str:
    """The endpoint's address with ids that name nothing, unless given, and its required query."""
    path = re.sub(r"{(\w+)}", lambda found: str(values.get(found[1], ids.new_id())), endpoint.path)
    wanted = endpoint.query.model_json_schema() if endpoint.query else {}
    parts = [
        f"{name}={example_of(wanted['properties'][name], wanted.get('$defs', {}))}"
        for name in wanted.get("required", [])
    ]
    return path + ("?" + "&".join(parts) if parts else "")


def example(model: type[BaseModel]) -> dict[str, Any]:
    """A body the schema accepts."""
    refs, document = models_json_schema([(model, "validation")], ref_template="#/$defs/{model}")
    found: dict[str, Any] = example_of(refs[(model, "validation")], document.get("$defs", {}))
    return found


def send(caller: Caller, endpoint: Endpoint, body: bytes | None = None) -> Any:
    """Call an endpoint, with its example when no body is given."""
    if body is None and endpoint.body is not None:
        body = orjson.dumps(example(endpoint.body))
    headers = JSON if body is not None else {}
    return caller.open(endpoint.method, address(endpoint), data=body, headers=headers)


@EVERY
@pytest.mark.usefixtures("unlimited")
def test_nobody_gets_in(app: Flask, endpoint: Endpoint) -> None:
    answer = send(Caller(app), endpoint)
    assert (answer.status_code, answer.json["error"]["code"]) == (401, "unauthorized")
    assert "RateLimit-Limit" in answer.headers


@EVERY
def test_the_permission_is_needed(as_key: Callers, shop_id: UUID, endpoint: Endpoint) -> None:
    assert endpoint.permission is not None
    before = fingerprint(shop_id)
    answer = send(as_key(ALL - {endpoint.permission}), endpoint)
    assert (answer.status_code, answer.json["error"]["code"]) == (403, "forbidden")
    assert fingerprint(shop_id) == before


@pytest.mark.parametrize("endpoint", WITH_IDS, ids=lambda endpoint: endpoint.name)
def test_what_is_not_there_is_404(as_key: Callers, shop_id: UUID, endpoint: Endpoint) -> None:
    before = fingerprint(shop_id)
    assert send(as_key(), endpoint).status_code == 404
    for wrong in ("1", "null", "%00", "x" * 300, "' OR 1=1 --"):
        path = address(
            endpoint, **{name: wrong for name, kind in endpoint.parameters.items() if kind is UUID}
        )
        body = example(endpoint.body) if endpoint.body else {}
        assert as_key().open(endpoint.method, path, json=body).status_code == 404
    assert fingerprint(shop_id) == before


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=lambda endpoint: endpoint.name)
def test_a_bad_body_is_refused_and_leaves_nothing(as_key: Callers, shop_id: UUID, endpoint: Endpoint) -> None:
    assert endpoint.body is not None
    caller, before = as_key(), fingerprint(shop_id)
    good = example(endpoint.body)
    tried = {
        b"": 400,
        b"{nonsense": 400,
        b'{"a": 1, "a": 2}': 400,
        b"[" * 5000: 400,
        b"[]": 422,
        b'"text"': 422,
        b"null": 422,
        orjson.dumps({**good, "surprise_field": 1}): 422,
        b" " * (MAX_JSON_BYTES * 10): 413,
    }
    for body, status in tried.items():
        answer = send(caller, endpoint, body)
        assert answer.status_code == status, (body[:60], answer.text)
        assert answer.json["error"]["message"]
    assert caller.open(endpoint.method, address(endpoint), data=b"a=1").status_code == 415
    assert fingerprint(shop_id) == before


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=lambda endpoint: endpoint.name)
def test_a_wrong_value_in_any_field_is_refused(as_key: Callers, shop_id: UUID, endpoint: Endpoint) -> None:
    assert endpoint.body is not None
    good, before = example(endpoint.body), fingerprint(shop_id)
    for name in endpoint.body.model_json_schema()["properties"]:
        caller = as_key()
        for wrong in ("a\x00b", "\x1b[31m", {"odd": []}, [[[]]], 2**70, -(2**70)):
            body = (
                orjson.dumps({**good, name: wrong})
                if not isinstance(wrong, int)
                else _with_number(good, name, wrong)
            )
            answer = send(caller, endpoint, body)
            assert answer.status_code == 422, (name, wrong, answer.text)
            assert any(
                field == name or field.startswith(name + ".") for field in answer.json["error"]["fields"]
            )
    assert fingerprint(shop_id) == before


def _with_number(good: dict[str, Any], name: str, number: int) -> bytes:
    return orjson.dumps({**good, name: "@"}).replace(b'"@"', str(number).encode())


@EVERY
def test_an_unknown_query_parameter_is_refused(as_key: Callers, endpoint: Endpoint) -> None:
    path = address(endpoint)
    path += ("&" if "?" in path else "?") + "surprise_parameter=1"
    body = orjson.dumps(example(endpoint.body)) if endpoint.body else None
    answer = as_key().open(endpoint.method, path, data=body, headers=JSON if body else {})
    assert (answer.status_code, list(answer.json["error"]["fields"])) == (422, ["surprise_parameter"])


@pytest.mark.parametrize("endpoint", READING, ids=lambda endpoint: endpoint.name)
def test_reading_an_empty_shop_works(as_key: Callers, shop_id: UUID, endpoint: Endpoint) -> None:
    before = fingerprint(shop_id)
    answer = send(as_key(), endpoint)
    if endpoint.parameters:
        assert answer.status_code == 404
    else:
        assert answer.status_code in (200, 404), answer.text
    after = fingerprint(shop_id)
    if endpoint.path.endswith(".csv"):
        # Who takes a file about persons is noted.
        after.pop("audit_entries", None)
    assert after == before, "a GET wrote something"


@pytest.mark.parametrize(
    "endpoint", [found for found in GUARDED if found.method in WRITES], ids=lambda endpoint: endpoint.name
)
def test_a_write_never_fails_unforeseen(as_key: Callers, endpoint: Endpoint) -> None:
    answer = send(as_key(), endpoint)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        declared = {kind.code for kind in endpoint.errors} | {"not_found"}
        assert answer.json["error"]["code"] in declared, "an error that the declaration does not list"


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_output_fields_are_always_present(endpoint: Endpoint) -> None:
    model = endpoint.item_type or endpoint.out
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return
    schema = model.model_json_schema(mode="serialization")
    for name, shape in {model.__name__: schema, **schema.get("$defs", {})}.items():
        assert set(shape.get("properties", {})) == set(shape.get("required", [])), (
            f"{name} has an optional field"
        )
