"""A Shopify to install from, the application as it is wired, and no memory of other tests."""

from collections.abc import Iterator

import pytest
from flask import Flask

from app import factory
from app.core import http
from app.core.settings import get_settings
from app.domains.shops import service
from app.shopify import admin
from app.shopify.throttle import Throttle
from tests.domains.shops.shopify import Sender, Shopify


@pytest.fixture(autouse=True)
def _forgetful() -> Iterator[None]:
    service.forget_directory()
    yield
    service.forget_directory()


@pytest.fixture
def shopify(clean_database: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shopify]:
    """The server that answers for every shop; repeats do not wait."""
    wire = Shopify()
    monkeypatch.setenv("SHOPIFY_CONNECT_TO", wire.origin)
    get_settings.cache_clear()
    client = http.OutboundClient(sleep=lambda _: None)
    monkeypatch.setattr(http, "_shared", client)
    monkeypatch.setattr(admin, "_throttle", Throttle())
    factory.load_domains()
    yield wire
    client.close()
    wire.close()
    get_settings.cache_clear()


@pytest.fixture
def app(clean_database: None, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application with everything in front of it."""
    monkeypatch.setattr(factory, "configure_logging", lambda level: None)
    made = factory.create_app()
    made.testing = True
    made.config["PROPAGATE_EXCEPTIONS"] = False
    return made


@pytest.fixture
def sender(app: Flask) -> Sender:
    """Sends webhooks."""
    return Sender(app)
