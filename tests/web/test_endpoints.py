"""The endpoint registry and its dispatch: who, what, one transaction, one shape of answer."""

from typing import Any

import pytest
from flask import Flask
from pydantic import BaseModel

from app.core.permissions import Permission
from app.web.endpoints import EndpointRegistry, endpoint, use_registry
from tests.fixtures.web import Caller, Door, api_key, staff
from tests.web.conftest import without
from tests.web.sample import READ, THINGS, WRITE

THING = {"name": "cup", "amount": 3}


def test_a_write_answers_the_declared_status_and_shape(key: Caller) -> None:
    answer = key.post(THINGS, json=THING)
    assert answer.status_code == 201
    assert set(answer.json) == {"status", "thing", "error"}
    assert (answer.json["status"], answer.json["error"], answer.json["thing"]["name"]) == (
        "success",
        None,
        "cup",
    )
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_model_without_a_key_goes_to_the_top_level(key: Caller) -> None:
    key.post(THINGS, json=THING)
    assert key.get(THINGS + "/sum").json == {"status": "success", "total": 1, "error": None}


def test_a_list_is_bounded_and_paged(key: Caller) -> None:
    for _ in range(3):
        key.post(THINGS, json=THING)
    answer = key.get(THINGS + "?limit=2").json
    assert len(answer["things"]) == 2
    assert answer["next_cursor"]
    assert answer["previous_cursor"] is None


def test_other_faces_have_no_envelope(stranger: Caller) -> None:
    assert stranger.get("/api/other/open").json == {"total": 1}
    assert set(stranger.get("/api/other/open?x=1").json) == {"error"}


def test_nobody_without_credentials(stranger: Caller) -> None:
    answer = stranger.get(THINGS)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json["error"]["code"] == "unauthorized"
    assert answer.json["error"]["request_id"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic abc", "Bearer lnk_unknown", "Bearer nonsense"]
)
def test_a_wrong_credential_is_nobody(stranger: Caller, header: str) -> None:
    assert stranger.get(THINGS, headers={"Authorization": header}).status_code == 401


def test_an_expired_id_token_asks_for_a_fresh_one(stranger: Caller) -> None:
    answer = stranger.get(THINGS, headers={"Authorization": "Bearer expired"})
    assert answer.headers["X-Shopify-Retry-Invalid-Session-Request"] == "1"


def test_a_missing_permission_is_named(app: Flask, door: Door) -> None:
    answer = Caller(app, door.api_key(api_key(permissions=without(WRITE)))).post(THINGS, json=THING)
    assert answer.status_code == 403
    assert str(WRITE) in answer.json["error"]["message"]


def test_staff_may_use_the_api_with_their_id_token(app: Flask, door: Door) -> None:
    assert Caller(app, door.token(staff())).get(THINGS).status_code == 200


def test_another_shops_thing_does_not_exist(app: Flask, door: Door, key: Caller) -> None:
    thing_id = key.post(THINGS, json=THING).json["thing"]["id"]
    other = Caller(app, door.api_key(api_key()))
    assert key.get(f"{THINGS}/{thing_id}").status_code == 200
    assert other.get(f"{THINGS}/{thing_id}").status_code == 404
    assert other.open("DELETE", f"{THINGS}/{thing_id}").status_code == 404
    assert key.get(f"{THINGS}/{thing_id}").status_code == 200


@pytest.mark.parametrize(
    "thing_id",
    [
        "1",
        "x",
        "%00",
        "null",
        "6f1c2f0e8f5b4a0c9d3e7a1b2c3d4e5f",
        "{6f1c2f0e-8f5b-4a0c-9d3e-7a1b2c3d4e5f}",
        "a" * 300,
    ],
)
def test_a_malformed_id_names_nothing(key: Caller, thing_id: str) -> None:
    assert key.get(f"{THINGS}/{thing_id}").status_code == 404


def test_a_text_parameter_is_bounded(key: Caller) -> None:
    assert key.get("/v1/api/things/by-name/caf%C3%A9").json["total"] == 0
    assert key.get("/v1/api/things/by-name/a%00b").status_code == 404
    assert key.get("/v1/api/things/by-name/" + "a" * 256).status_code == 404


def test_a_delete_answers_the_bare_envelope(key: Caller) -> None:
    thing_id = key.post(THINGS, json=THING).json["thing"]["id"]
    assert key.open("DELETE", f"{THINGS}/{thing_id}").json == {"status": "success", "error": None}


def test_a_failure_is_not_half_applied_and_says_nothing_of_itself(
    key: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    answer = key.post("/v1/api/things/fail")
    assert answer.status_code == 500
    assert answer.json["error"]["code"] == "internal_error"
    assert "eyJ" not in answer.text
    assert key.get(THINGS + "/sum").json["total"] == 0
    assert any(record.message == "unforeseen error" for record in caplog.records)


def test_what_the_database_refuses_is_the_callers_value(key: Caller) -> None:
    assert key.post("/v1/api/things/overflow").status_code == 400


def test_a_download(key: Caller) -> None:
    key.post(THINGS, json=THING)
    answer = key.get("/v1/api/things/export")
    assert (answer.text, answer.content_type) == ("cup", "text/csv; charset=utf-8")
    assert "attachment" in answer.headers["Content-Disposition"]


def test_a_raw_request_reaches_its_handler_as_it_came(stranger: Caller) -> None:
    answer = stranger.post("/v1/api/things/hook?a=%2F", data=b"\x00abc")
    assert (answer.status_code, answer.data, answer.headers["X-Query"]) == (202, b"cba\x00", "a=%2F")


def test_unknown_addresses_and_methods_have_the_same_shape(key: Caller) -> None:
    missing, wrong = key.get("/v1/api/nothing"), key.open("PATCH", THINGS)
    assert (missing.status_code, missing.json["status"], missing.json["error"]["code"]) == (
        404,
        "error",
        "not_found",
    )
    assert (wrong.status_code, wrong.json["error"]["code"]) == (405, "method_not_allowed")
    assert wrong.headers["Allow"] == "GET, HEAD, POST"


class Answer(BaseModel):
    """An answer whose field collides with the envelope."""

    status: str


def _declare(**changes: Any) -> None:
    given: dict[str, Any] = {"permission": READ, "out": None, "tag": "T"}

    def handler(ctx: Any) -> None:
        """Do nothing."""

    with use_registry(EndpointRegistry()):
        endpoint("GET", changes.pop("path", "/v1/api/x"), **{**given, **changes})(
            changes.get("handler", handler)
        )


@pytest.mark.parametrize(
    "wrong",
    [
        {"permission": None},
        {"public": True},
        {"out": Answer},
        {"path": "relative"},
        {"path": "/v1/api/x/{id}"},
        {"query": Answer},
        {"idempotent": True},
        {"body": Answer},
    ],
)
def test_a_wrong_declaration_fails_at_import(wrong: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        _declare(**wrong)


def test_a_handler_needs_a_docstring_and_a_place_of_its_own() -> None:
    def undocumented(ctx: Any) -> None: ...

    def documented(ctx: Any) -> None:
        """Do nothing."""

    with use_registry(EndpointRegistry()):
        with pytest.raises(TypeError, match="docstring"):
            endpoint("GET", "/v1/api/x", permission=Permission.AUDIT_READ, out=None, tag="T")(undocumented)
        endpoint("GET", "/v1/api/x", permission=Permission.AUDIT_READ, out=None, tag="T")(documented)
        with pytest.raises(ValueError, match="twice"):
            endpoint("GET", "/v1/api/x", permission=Permission.AUDIT_READ, out=None, tag="T")(documented)
