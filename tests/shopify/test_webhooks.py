"""Webhook verification on raw bytes."""

import json
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shopify_app.types import RequestInput
from shopify_app.verify.webhook import verify_webhook_req

from app.core.settings import get_settings
from app.shopify import webhooks
from app.shopify.credentials import app_config
from app.shopify.errors import ForgedRequest, MalformedDelivery
from tests.shopify.signing import OLD_SECRET, OTHER_SECRET, SHOP, webhook_headers

BODY = json.dumps({"id": 1, "name": "#1001", "note": "naïve \u2603"}, ensure_ascii=False).encode()


def test_the_published_vector(secrets_hush: None) -> None:
    body = b'{"id":1,"email":"ann@example.com"}'
    signature = "3ta5vuwBxRCQUOzM2SPfebOdjr449x/XW4p1BPjp/XA="
    assert webhooks.is_signed(signature, body)
    headers = {**webhook_headers(body), "X-Shopify-Hmac-Sha256": signature}
    assert webhooks.verify(headers, body).body is body
    request = RequestInput(method="POST", headers=headers, url="https://app.example/", body=body.decode())
    assert verify_webhook_req(request, app_config()).ok


def test_a_delivery_is_read_from_its_headers() -> None:
    incoming = webhooks.verify(webhook_headers(BODY), BODY)
    assert incoming.shop_domain == SHOP
    assert incoming.topic == "orders/paid"
    assert incoming.webhook_id == "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043"
    assert incoming.event_id == "98880550-7158-44d4-b7cd-2c97c8a091b5"
    assert incoming.triggered_at == datetime(2026, 11, 21, 3, 4, 5, 123456, UTC)
    assert incoming.api_version == "2026-10"
    assert incoming.body == BODY


def test_header_names_in_any_case() -> None:
    assert (
        webhooks.verify({k.upper(): v for k, v in webhook_headers(BODY).items()}, BODY).topic == "orders/paid"
    )


def test_the_old_secret_still_signs_during_a_rotation() -> None:
    assert webhooks.verify(webhook_headers(BODY, OLD_SECRET), BODY).shop_domain == SHOP


@pytest.mark.parametrize("signature", ["", "garbage", "é", "=" * 44, "A" * 43 + "="])
def test_missing_and_wrong_signatures_are_401(signature: str) -> None:
    headers = webhook_headers(BODY)
    headers["X-Shopify-Hmac-Sha256"] = signature
    with pytest.raises(ForgedRequest) as caught:
        webhooks.verify(headers, BODY)
    assert caught.value.status == 401
    del headers["X-Shopify-Hmac-Sha256"]
    with pytest.raises(ForgedRequest):
        webhooks.verify(headers, BODY)


def test_another_secret_is_a_forgery() -> None:
    with pytest.raises(ForgedRequest):
        webhooks.verify(webhook_headers(BODY, OTHER_SECRET), BODY)


def test_an_empty_secret_signs_nothing(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SHOPIFY_API_SECRET_OLD", "")
    get_settings.cache_clear()
    with pytest.raises(ForgedRequest):
        webhooks.verify(webhook_headers(BODY, ""), BODY)


@pytest.mark.parametrize("body", [BODY[:-1], BODY + b" ", b"", json.dumps(json.loads(BODY)).encode()])
def test_a_truncated_or_rewritten_body_is_a_forgery(body: bytes) -> None:
    with pytest.raises(ForgedRequest):
        webhooks.verify(webhook_headers(BODY), body)


@given(st.binary(max_size=200), st.integers(0, 199), st.integers(1, 255))
@settings(max_examples=200)
def test_any_changed_byte_is_noticed(body: bytes, position: int, change: int) -> None:
    headers = webhook_headers(body)
    assert webhooks.is_signed(headers["X-Shopify-Hmac-Sha256"], body)
    if position < len(body):
        changed = bytearray(body)
        changed[position] ^= change
        assert not webhooks.is_signed(headers["X-Shopify-Hmac-Sha256"], bytes(changed))


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"Topic": ""}, "X-Shopify-Topic"),
        ({"Topic": "orders"}, "X-Shopify-Topic"),
        ({"Topic": "orders/paid\n"}, "X-Shopify-Topic"),
        ({"Shop_Domain": ""}, "X-Shopify-Shop-Domain"),
        ({"Shop_Domain": "evil.example"}, "X-Shopify-Shop-Domain"),
        ({"Webhook_Id": ""}, "X-Shopify-Webhook-Id"),
        ({"Webhook_Id": "x" * 300}, "X-Shopify-Webhook-Id"),
    ],
)
def test_a_signed_delivery_without_its_facts_is_malformed(changes: dict[str, str], missing: str) -> None:
    with pytest.raises(MalformedDelivery) as caught:
        webhooks.verify(webhook_headers(BODY, **changes), BODY)
    assert caught.value.status == 422
    assert missing in caught.value.sentence()


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-21T03:04:05", "9999-12-31T23:59:59-23:00"])
def test_an_unreadable_time_is_unknown(text: str) -> None:
    assert webhooks.verify(webhook_headers(BODY, Triggered_At=text), BODY).triggered_at is None


@pytest.mark.parametrize("topic", ["customers/data_request", "customer.tags_added", "app/uninstalled"])
def test_every_form_of_topic_is_accepted(topic: str) -> None:
    assert webhooks.verify(webhook_headers(BODY, Topic=topic), BODY).topic == topic


def test_it_costs_less_than_fifty_microseconds_for_three_kilobytes() -> None:
    body = b"x" * 3000
    headers = webhook_headers(body)
    webhooks.verify(headers, body)
    rounds = []
    for _ in range(15):
        started = time.perf_counter()
        for _ in range(100):
            webhooks.verify(headers, body)
        rounds.append((time.perf_counter() - started) / 100)
    assert min(rounds) < 50e-6
