"""A shop that Shopify answers for, a member with points, and looks at what became of a redemption."""

from collections.abc import Iterator

import pytest
from flask import Flask

from app.admin_menu import GROUPS
from app.core import http
from app.core.settings import get_settings
from app.factory import load_domains
from app.shopify import admin as admin_client
from app.shopify.throttle import Throttle
from app.web import endpoints, tabs
from app.web.application import make_application
from tests.domains.rewards.counter import Counter, connect, enroll
from tests.domains.rewards.shopify_admin import ShopifyAdmin, serving
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, Door, api_key, open_door, staff


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> Iterator[ShopifyAdmin]:
    """The server that answers for every shop; no circuit or budget is left from another test."""
    with serving() as (server, origin):
        monkeypatch.setenv("SHOPIFY_CONNECT_TO", origin)
        get_settings.cache_clear()
        monkeypatch.setattr(http, "_shared", http.OutboundClient(sleep=lambda _: None))
        monkeypatch.setattr(admin_client, "_throttle", Throttle())
        yield server
        http.outbound().close()
    get_settings.cache_clear()


@pytest.fixture
def counter(shop: TestShop, admin: ShopifyAdmin) -> Counter:
    """A connected shop and a member with 1,000 points."""
    connect(shop)
    return Counter(shop, admin, enroll(shop))


@pytest.fixture(scope="session")
def app() -> Flask:
    """The application with every domain."""
    load_domains()
    made = make_application(get_settings(), endpoints.registry(), tabs.registry(), GROUPS)
    made.testing = True
    made.config["PROPAGATE_EXCEPTIONS"] = False
    return made


@pytest.fixture
def door() -> Iterator[Door]:
    """Issues credentials for this test."""
    with open_door() as opened:
        yield opened


@pytest.fixture
def merchant(app: Flask, door: Door, shop: TestShop) -> Caller:
    """A staff member of the shop with every permission."""
    return Caller(app, door.token(staff(shop.id)))


@pytest.fixture
def key(app: Flask, door: Door, shop: TestShop) -> Caller:
    """An API key of the shop with every scope."""
    return Caller(app, door.api_key(api_key(shop.id)))
