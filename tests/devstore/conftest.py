"""A dev store in a folder of its own, without threads; tests talk to its services and to its web application."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from devstore import installs, runtime, shops
from devstore.app import create_app
from devstore.runtime import DevStore
from devstore.settings import DEMO_SHOP, ROOT, Settings

SECRET = "hush-hush-this-is-the-secret-of-tests"
CONFIG = """
name = "LoyalNest"
handle = "loyalnest"
application_url = "https://example.test/app"
[access_scopes]
scopes = "read_customers,write_customers,read_orders,read_products,read_discounts,write_discounts,write_app_proxy"
optional_scopes = ["read_gift_cards", "write_gift_cards"]
[auth]
redirect_urls = ["https://example.test/auth/callback"]
[app_proxy]
url = "https://example.test/proxy"
prefix = "apps"
subpath = "loyalnest"
[[webhooks.subscriptions]]
topics = [
  "orders/create", "orders/paid", "orders/updated", "orders/edited", "orders/cancelled", "orders/delete",
  "refunds/create", "customers/create", "customers/update", "customers/merge", "discounts/delete",
  "app/uninstalled", "app/scopes_update",
]
uri = "/v1/api/shopify/webhook"
[[webhooks.subscriptions]]
topics = ["customers/delete"]
uri = "/v1/api/shopify/webhook"
include_fields = ["id"]
[[webhooks.subscriptions]]
compliance_topics = ["customers/data_request", "customers/redact", "shop/redact"]
uri = "https://example.test/v1/api/shopify/webhook"
"""


def settings_for(folder: Path, **changes: Any) -> Settings:
    """Settings of a dev store whose data and app configuration live in `folder`."""
    config = folder / "shopify.app.toml"
    config.write_text(CONFIG, encoding="utf-8")
    given: dict[str, Any] = {
        "port": 1,
        "smtp_port": 2,
        "data": folder / "data",
        "app_url": "http://127.0.0.1:9",
        "api_key": "key",
        "api_secret": SECRET,
        "retry_speed": 10_000,
        "app_config": config,
        "schema": ROOT / "app" / "shopify" / "graphql" / "schema.graphql",
    }
    return Settings(**{**given, **changes})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DevStore]:
    """A dev store with the demo shop, in which the app is installed."""
    store = runtime.start(settings_for(tmp_path))
    shops.seed(store)
    installs.install(store, DEMO_SHOP)
    yield store
    store.state.close()


@pytest.fixture
def client(store: DevStore) -> FlaskClient:
    """A client of the dev store's own address."""
    return create_app(store, pages=False).test_client()


@pytest.fixture
def control(client: FlaskClient) -> Callable[..., Any]:
    """`control("POST", "/orders", {...})` -> the parsed answer, which must have the expected status."""

    def call(method: str, path: str, body: Any = None, status: int | None = None) -> Any:
        answer = client.open(f"/_control{path}", method=method, json=body if body is not None else None)
        assert answer.status_code == status if status else answer.status_code < 300, answer.get_data(
            as_text=True
        )
        return answer.get_json()

    return call


@pytest.fixture
def told(store: DevStore) -> Callable[[], list[tuple[str, Any]]]:
    """The webhooks queued since the last call: [(topic, payload)], oldest first."""
    import json

    seen = 0

    def read() -> list[tuple[str, Any]]:
        nonlocal seen
        rows = store.state.run("SELECT id, topic, body FROM deliveries WHERE id > ? ORDER BY id", (seen,))
        seen = rows[-1]["id"] if rows else seen
        return [(row["topic"], json.loads(row["body"])) for row in rows]

    return read
