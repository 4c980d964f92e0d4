"""Settings with realistic secrets, a server that plays the shop, and makers of signed requests."""

import base64
import os
from collections.abc import Iterator
from typing import Any

import pytest

from app.core import http
from app.core.settings import get_settings
from app.shopify import admin
from app.shopify.throttle import Throttle
from tests.shopify.signing import KEY, OLD_SECRET, SECRET
from tests.shopify.wire import Wire, serving


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    elsewhere = {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "MASTER_KEY": base64.b64encode(b"m" * 32).decode(),
    }
    ours = {
        "APP_URL": "https://app.example",
        "SHOPIFY_API_KEY": KEY,
        "SHOPIFY_API_SECRET": SECRET,
        "SHOPIFY_API_SECRET_OLD": OLD_SECRET,
        "SHOPIFY_API_VERSION": "2026-10",
        "SHOPIFY_ADMIN_ORIGIN": "https://admin.shopify.com",
        "SHOPIFY_APP_BRIDGE_URL": "https://cdn.shopify.com/shopifycloud/app-bridge.js",
    }
    for name, value in elsewhere.items():
        monkeypatch.setenv(name, os.environ.get(name) or value)
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("SHOPIFY_CONNECT_TO", raising=False)
    get_settings.cache_clear()
    yield monkeypatch
    get_settings.cache_clear()


@pytest.fixture
def secrets_hush(environment: pytest.MonkeyPatch) -> None:
    """The published vectors are signed with "hush"."""
    environment.setenv("SHOPIFY_API_SECRET", "hush")
    environment.delenv("SHOPIFY_API_SECRET_OLD")
    get_settings.cache_clear()


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def shopify(environment: pytest.MonkeyPatch, waits: list[float]) -> Iterator[Wire]:
    """The server that answers for every shop; waiting is recorded instead of done."""
    with serving() as wire:
        environment.setenv("SHOPIFY_CONNECT_TO", wire.origin)
        get_settings.cache_clear()
        client = http.OutboundClient(sleep=waits.append)
        environment.setattr(http, "_shared", client)
        environment.setattr(admin, "_throttle", Throttle())
        environment.setattr(admin, "_sleep", waits.append)
        yield wire
        client.close()


def cost(requested: float, available: float, *, maximum: float = 2000, rate: float = 100) -> dict[str, Any]:
    """The `extensions` of an answer."""
    status = {"maximumAvailable": maximum, "currentlyAvailable": available, "restoreRate": rate}
    return {"cost": {"requestedQueryCost": requested, "actualQueryCost": requested, "throttleStatus": status}}
