"""The intake: every way a delivery can arrive, its answer, and what is stored of it."""

import io
import os
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from flask import Flask

from app.core import db, inbox
from app.core.db import cross_shop
from app.core.settings import get_settings
from app.domains.shops import api, service
from app.domains.shops.api import MAX_WEBHOOK_BYTES, WebhookIntake
from tests.domains.shops.shopify import DOMAIN, HOOK, Sender, signature
from tests.fixtures.shop import TestShop, make_shop

UPDATE = {"name": "Renamed", "email": "new@demo.example", "currency": "JPY", "iana_timezone": "Asia/Tokyo"}


@pytest.fixture
def shop(clean_database: None) -> TestShop:
    """An installed shop."""
    return make_shop(DOMAIN, "JPY")


def stored() -> list[dict[str, Any]]:
    with cross_shop("test") as uow:
        return uow.all(
            "SELECT shop_id, topic, webhook_id, event_id, triggered_at, state FROM inbox ORDER BY id"
        )


def test_a_delivery_is_stored_and_answered(shop: TestShop, sender: Sender) -> None:
    answer = sender.send("shop/update", UPDATE, webhook_id="w-1")
    assert (answer.status_code, answer.json) == (200, {"status": "success", "error": None})
    (row,) = stored()
    assert (row["shop_id"], row["topic"], row["webhook_id"], row["event_id"]) == (
        shop.id,
        "shop/update",
        "w-1",
        "event-1",
    )
    assert row["triggered_at"].isoformat() == "2026-11-21T05:00:00.123456+00:00"
    assert shop.drain() == 1 and not shop.undone()
    with shop.work() as uow:
        assert service.get(uow).name == "Renamed"


def test_the_body_is_sealed_while_it_waits_and_gone_afterwards(shop: TestShop, sender: Sender) -> None:
    sender.send("shop/update", UPDATE)
    with shop.work() as uow:
        assert b"demo.example" not in bytes(uow.scalar("SELECT payload FROM inbox"))
    shop.drain()
    with shop.work() as uow:
        assert uow.one("SELECT payload, state FROM inbox") == {"payload": None, "state": inbox.DONE}


def test_a_repeated_delivery_is_stored_once(shop: TestShop, sender: Sender) -> None:
    for _ in range(3):
        assert sender.send("shop/update", UPDATE, webhook_id="same").status_code == 200
    shop.drain()
    assert sender.send("shop/update", UPDATE, webhook_id="same").status_code == 200
    assert len(stored()) == 1


@pytest.mark.parametrize(
    ("topic", "body", "headers", "status", "code"),
    [
        ("shop/update", UPDATE, {"Hmac_Sha256": None}, 401, "forged_request"),
        ("shop/update", UPDATE, {"Hmac_Sha256": ""}, 401, "forged_request"),
        ("shop/update", UPDATE, {"Hmac_Sha256": "x"}, 401, "forged_request"),
        (
            "shop/update",
            UPDATE,
            {"Hmac_Sha256": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
            401,
            "forged_request",
        ),
        ("customers/redact", {}, {"Hmac_Sha256": "x"}, 401, "forged_request"),
        ("shop/update", UPDATE, {"Topic": None}, 422, "malformed_delivery"),
        ("../../etc", UPDATE, {}, 422, "malformed_delivery"),
        ("shop/update", UPDATE, {"Shop_Domain": "evil.example"}, 422, "malformed_delivery"),
        ("shop/update", UPDATE, {"Webhook_Id": None}, 422, "malformed_delivery"),
        ("shop/update", UPDATE, {"Webhook_Id": "x" * 201}, 422, "malformed_delivery"),
        ("shop/update", UPDATE, {"Shop_Domain": "other.myshopify.com"}, 404, "unknown_shop"),
        ("shop/update", b"", {}, 400, "not_json"),
        ("shop/update", b"{", {}, 400, "not_json"),
        ("shop/update", b"garbage", {}, 400, "not_json"),
        ("shop/update", b"[1]", {}, 400, "not_json"),
        ("shop/update", b'"text"', {}, 400, "not_json"),
        ("shop/update", b"\xff\xfe", {}, 400, "not_json"),
        ("shop/update", b'{"a":' * 5000, {}, 400, "not_json"),
    ],
)
def test_what_is_refused_is_not_stored(
    shop: TestShop,
    sender: Sender,
    topic: str,
    body: Any,
    headers: dict[str, str | None],
    status: int,
    code: str,
) -> None:
    answer = sender.send(topic, body, **headers)
    assert answer.status_code == status
    assert answer.json is not None and answer.json["error"]["code"] == code
    assert set(answer.json["error"]) == {"code", "message", "fields", "request_id"}
    assert stored() == []


def test_a_body_over_the_limit_is_refused_unread(shop: TestShop, app: Flask, sender: Sender) -> None:
    big = b'{"a":"' + b"x" * MAX_WEBHOOK_BYTES + b'"}'
    assert sender.send("shop/update", big).status_code == 413
    exact = b'{"a":"' + b"x" * (MAX_WEBHOOK_BYTES - 8) + b'"}'
    assert len(exact) == MAX_WEBHOOK_BYTES and sender.send("shop/update", exact).status_code == 200
    assert len(stored()) == 1


class Unreadable(io.RawIOBase):
    def read(self, *_: Any) -> bytes:
        raise AssertionError("the body was read")


def raw_call(environ: dict[str, Any]) -> str:
    """One WSGI call past every client that tidies requests up."""
    told: list[str] = []
    intake = WebhookIntake(lambda *_: [b""])
    list(
        intake(
            {"PATH_INFO": HOOK, "REQUEST_METHOD": "POST", **environ}, lambda status, _: told.append(status)
        )
    )
    return told[0]


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        ({"CONTENT_LENGTH": str(MAX_WEBHOOK_BYTES + 1), "wsgi.input": Unreadable()}, "413"),
        ({"wsgi.input": Unreadable()}, "401"),
        ({"CONTENT_LENGTH": "-5", "wsgi.input": io.BytesIO(b"{}")}, "401"),
        ({"CONTENT_LENGTH": "²", "wsgi.input": io.BytesIO(b"{}")}, "401"),
        (
            {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": io.BytesIO(b"x" * (MAX_WEBHOOK_BYTES + 1))},
            "413",
        ),
        ({"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": io.BytesIO(b"{}")}, "401"),
    ],
)
def test_odd_requests(environ: dict[str, Any], status: str) -> None:
    assert raw_call(environ).startswith(status)


def test_a_signature_belongs_to_one_body(shop: TestShop, sender: Sender) -> None:
    other = signature(b'{"name":"other"}')
    assert sender.send("shop/update", UPDATE, Hmac_Sha256=other).status_code == 401
    assert stored() == []


def test_a_cut_body_is_not_what_was_signed() -> None:
    cut = {"CONTENT_LENGTH": "9", "wsgi.input": io.BytesIO(b'{"a"')}
    assert raw_call({**cut, "HTTP_X_SHOPIFY_HMAC_SHA256": signature(b'{"a":1}')}).startswith("401")


def test_a_chunked_delivery_is_read_to_its_end(shop: TestShop) -> None:
    body = b'{"name":"x"}'
    environ = {
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input": io.BytesIO(body),
        "HTTP_X_SHOPIFY_HMAC_SHA256": signature(body),
        "HTTP_X_SHOPIFY_TOPIC": "shop/update",
        "HTTP_X_SHOPIFY_SHOP_DOMAIN": DOMAIN,
        "HTTP_X_SHOPIFY_WEBHOOK_ID": "chunked",
    }
    assert raw_call(environ) == "200 OK"
    assert len(stored()) == 1


def test_only_post_is_answered(shop: TestShop, app: Flask) -> None:
    for method in ("GET", "PUT", "DELETE", "HEAD"):
        answer = app.test_client().open(HOOK, method=method)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_a_topic_nobody_handles_is_answered_and_dropped(
    shop: TestShop, sender: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    assert sender.send("themes/publish", {}).status_code == 200
    assert stored() == [] and "themes/publish" in caplog.text


@pytest.mark.parametrize(
    "topic", ["customers/data_request", "customers/redact", "shop/redact", "app/uninstalled"]
)
def test_privacy_topics_of_a_shop_that_never_was_here_are_answered(
    clean_database: None, sender: Sender, topic: str
) -> None:
    assert sender.send(topic, {}).status_code == 200
    assert stored() == []


def test_an_uninstalled_shop_may_still_tell_us_things(shop: TestShop, sender: Sender) -> None:
    with shop.work() as uow:
        service.uninstall(uow, None)
    assert sender.send("customers/redact", {"customer": {"id": 1}}).status_code == 200
    assert len(stored()) == 1


def test_deliveries_of_an_erased_shop_are_dropped(
    shop: TestShop, sender: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    with shop.work() as uow:
        service.uninstall(uow, None)
        service.mark_erased(uow)
    service.erase(shop.id)
    assert sender.send("shop/update", UPDATE).status_code == 200
    assert stored() == [] and "erased shop" in caplog.text


def test_the_directory_is_asked_once_in_ten_seconds(
    shop: TestShop, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    found = service.directory.find
    monkeypatch.setattr(service.directory, "find", lambda domain: asked.append(domain) or found(domain))
    for number in range(5):
        sender.send("shop/update", UPDATE, webhook_id=str(number))
    assert asked == [DOMAIN]
    moment = service.directory.time.monotonic() + service.directory.REMEMBER_SECONDS + 1
    monkeypatch.setattr(service.directory.time, "monotonic", lambda: moment)
    sender.send("shop/update", UPDATE)
    assert asked == [DOMAIN, DOMAIN]


def test_the_database_away_means_try_again(
    shop: TestShop, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sender.send("shop/update", UPDATE).status_code == 200
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    get_settings.cache_clear()
    db.dispose_engine()
    try:
        answer = sender.send("shop/update", UPDATE)
    finally:
        monkeypatch.undo()
        get_settings.cache_clear()
        db.dispose_engine()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert answer.json is not None and answer.json["error"]["code"] == "unavailable"
    assert len(stored()) == 1


def test_connections_that_died_in_the_pool_lose_nothing(shop: TestShop, sender: Sender) -> None:
    sender.send("shop/update", UPDATE)
    with psycopg.connect(os.environ["TEST_DATABASE_ADMIN_URL"], autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'loyalnest' AND datname = %s",
            (urlsplit(get_settings().database_url).path.lstrip("/"),),
        )
    assert sender.send("shop/update", UPDATE).status_code == 200
    assert len(stored()) == 2


def test_an_unforeseen_failure_means_try_again(
    shop: TestShop, sender: Sender, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(api.inbox, "put", lambda *_: 1 / 0)
    assert sender.send("shop/update", UPDATE).status_code == 503
    assert "intake failed" in caplog.text


def test_the_intake_stands_in_the_api_document(app: Flask) -> None:
    document = app.test_client().get("/openapi.json").json
    assert document is not None
    assert {"200", "400", "401", "404", "413", "422", "503"} <= set(
        document["paths"][HOOK]["post"]["responses"]
    )


def test_without_the_intake_in_front_nobody_is_told_that_all_is_well(
    shop: TestShop, app: Flask, sender: Sender
) -> None:
    app.wsgi_app = app.wsgi_app._application  # type: ignore[attr-defined,method-assign]
    assert sender.send("shop/update", {}).status_code >= 400
