"""A Shopify to install from and the application as it is wired, with a secret of realistic length."""

from collections.abc import Iterator

import pytest
from flask import Flask

from app import factory
from app.core import http
from app.core.settings import get_settings
from app.shopify import admin
from app.shopify.throttle import Throttle
from tests.domains.shops.shopify import Sender, Shopify


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SHOPIFY_API_SECRET", "shpss_" + "5" * 32)
    get_settings.cache_clear()
    yield
    monkeypatch.undo()
    get_settings.cache_clear()


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
