"""What every answer carries, and what is said when something fails."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from flask import Flask, Response
from sqlalchemy.exc import OperationalError

from app.core import db, migrations
from app.core.errors import Forbidden, LimitReached, Unavailable
from app.core.settings import Settings, get_settings
from app.web import preferences, rendering
from app.web.application import make_application
from app.web.endpoints import EndpointRegistry
from app.web.errors import problem_of
from app.web.logging import JsonLines, redact
from app.web.tabs import TabRegistry
from tests.fixtures.web import Caller, Door, staff
from tests.web.sample import THINGS


def test_security_headers(merchant: Caller, stranger: Caller) -> None:
    for answer in (
        merchant.get("/app"),
        stranger.get(THINGS),
        stranger.get("/nowhere"),
        stranger.get("/healthz"),
    ):
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self' https://" in policy
        assert "'unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert "X-Frame-Options" not in answer.headers
        assert "Strict-Transport-Security" not in answer.headers
    assert "frame-ancestors 'none'" in stranger.get("/nowhere").headers["Content-Security-Policy"]


def test_production_insists_on_https() -> None:
    settings = Settings.model_validate({**get_settings().model_dump(), "environment": "production"})
    client = make_application(settings, EndpointRegistry(), TabRegistry()).test_client()
    assert "max-age=" in client.get("/healthz").headers["Strict-Transport-Security"]


@pytest.mark.parametrize(
    ("offered", "kept"), [("abc-12345", True), ("short", False), ("a" * 65, False), ("a\tb c d e f", False)]
)
def test_request_ids(stranger: Caller, offered: str, kept: bool) -> None:
    found = stranger.get("/healthz", headers={"X-Request-Id": offered}).headers["X-Request-Id"]
    assert (found == offered) is kept
    assert len(found) >= 8


def test_a_log_line_has_no_query_body_or_token(
    app: Flask, door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    token = door.token(staff())
    with caplog.at_level(logging.INFO):
        Caller(app).get(f"/app/things?id_token={token}&hmac=abc&email=ada@example.com")
    record = next(record for record in caplog.records if record.name == "app.web.request")
    line = JsonLines().format(record)
    found = json.loads(line)
    assert (found["route"], found["status"], found["method"]) == ("/app/things", 200, "GET")
    assert token not in line
    assert "ada@" not in line
    assert found["principal"].startswith("staff:")


def test_a_logged_exception_names_places_and_no_values() -> None:
    try:
        raise ValueError("ada@example.com owes 5")
    except ValueError as error:
        record = logging.LogRecord(
            "x", logging.ERROR, "f", 1, "failed for %s", ("ada@example.com",), (ValueError, error, None)
        )
    line = JsonLines().format(record)
    assert "ada@" not in line
    assert "ValueError at" in line


@pytest.mark.parametrize(
    "secret",
    [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_1",
        "lnk_0123456789abcdef",
        "shpat_0123456789",
        "ada@example.com",
        "id_token=abc.def",
    ],
)
def test_redaction(secret: str) -> None:
    assert secret not in redact(f"before {secret} after")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (psycopg.errors.SerializationFailure("x"), 409, "busy"),
        (psycopg.errors.DeadlockDetected("x"), 409, "busy"),
        (psycopg.errors.LockNotAvailable("x"), 503, "unavailable"),
        (psycopg.OperationalError("x"), 503, "unavailable"),
        (OperationalError("s", {}, psycopg.errors.DeadlockDetected("x")), 409, "busy"),
        (psycopg.errors.NumericValueOutOfRange("x"), 400, "invalid"),
        (psycopg.errors.UniqueViolation("x"), 500, "internal_error"),
        (KeyError("x"), 500, "internal_error"),
        (Unavailable(), 503, "unavailable"),
    ],
)
def test_everything_has_a_status_and_a_code(app: Flask, error: Exception, status: int, code: str) -> None:
    with app.test_request_context():
        problem = problem_of(error)
    assert (problem.status, problem.code) == (status, code)
    assert problem.message


def test_waiting_times_and_permissions_are_passed_on(app: Flask) -> None:
    with app.test_request_context():
        assert problem_of(LimitReached(retry_after=7)).headers["Retry-After"] == "7"
        assert problem_of(Unavailable()).headers["Retry-After"] == "2"
        assert problem_of(Forbidden(permission="points:adjust")).permission == "points:adjust"


def test_pages_outside_the_admin_fail_plainly(stranger: Caller) -> None:
    page = stranger.get("/nowhere", headers={"Accept": "text/html"})
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert "<nav>" not in page.text
    data = stranger.get("/nowhere", headers={"Accept": "application/json"})
    assert data.json["error"]["code"] == "not_found"


def test_an_error_page_that_fails_still_says_something(
    merchant: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(rendering, "SHELL", "layouts/gone.html")
    monkeypatch.setattr("app.web.failures.SHELL", "layouts/gone.html")
    answer = merchant.get("/app/nowhere")
    assert answer.status_code == 404
    assert "<h1>" in answer.text
    assert "could not be rendered" in caplog.text


def test_health(stranger: Caller) -> None:
    assert stranger.get("/healthz").json == {"status": "ok"}
    ready = stranger.get("/readyz")
    assert (ready.status_code, ready.json["failing"]) == (200, [])


def test_readiness_names_what_is_missing(stranger: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "applied", lambda uow: "0000")
    answer = stranger.get("/readyz")
    assert (answer.status_code, answer.json["failing"]) == (503, ["migrations"])

    def refuse(reason: str) -> Any:
        raise Unavailable()

    monkeypatch.setattr(db, "cross_shop", refuse)
    assert stranger.get("/readyz").json["failing"] == ["database", "migrations"]


def test_readiness_notices_a_dead_queue() -> None:
    settings = Settings.model_validate({**get_settings().model_dump(), "redis_url": "redis://127.0.0.1:1/0"})
    client = make_application(settings, EndpointRegistry(), TabRegistry()).test_client()
    assert client.get("/readyz").json["failing"] == ["queue"]


@pytest.fixture
def saved() -> Iterator[list[tuple[str, str | None, str | None]]]:
    found: list[tuple[str, str | None, str | None]] = []
    before = list(preferences._savers)
    preferences.register_preference_saver(
        lambda uow, staff_id, theme=None, locale=None: found.append((staff_id, theme, locale))
    )
    yield found
    preferences._savers[:] = before


def test_preferences(app: Flask, door: Door, saved: list[Any]) -> None:
    person = staff()
    caller = Caller(app, door.token(person))
    answers: list[Response] = [
        caller.submit("/app/preferences", {"theme": "dark"}),
        caller.post("/app/preferences", json={"locale": "ar"}),
    ]
    assert [answer.status_code for answer in answers] == [204, 204]
    assert saved == [(person.id, "dark", None), (person.id, None, "ar")]
    assert answers[1].headers["HX-Refresh"] == "true"
    assert caller.submit("/app/preferences", {"theme": "pink"}).status_code == 422
    assert Caller(app).submit("/app/preferences", {"theme": "dark"}).status_code == 401


def test_the_style_guide_is_for_development(app: Flask) -> None:
    assert any(rule.rule == "/app/styleguide" for rule in app.url_map.iter_rules())
    settings = Settings.model_validate({**get_settings().model_dump(), "environment": "production"})
    production = make_application(settings, EndpointRegistry(), TabRegistry())
    assert not any(rule.rule == "/app/styleguide" for rule in production.url_map.iter_rules())
