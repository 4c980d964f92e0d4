"""The real application with credentials that name a principal outright, and a shop to which nothing belongs yet."""

from collections.abc import Callable
from uuid import UUID

import pytest
import redis
from flask import Flask

from app.core import db, ids
from app.core.permissions import ALL, Permission
from app.core.settings import get_settings
from app.factory import load_domains
from app.web import endpoints, tabs
from app.web.principals import ShopInfo
from tests.fixtures.web import Caller, Door, api_key, staff

load_domains()
ENDPOINTS = list(endpoints.registry())
TABS = tabs.registry()


@pytest.fixture(scope="session")
def app(web_app: Flask) -> Flask:
    """The application with every domain."""
    return web_app


@pytest.fixture
def unlimited(app: Flask) -> None:
    """Callers without a name share one bucket by their address; more endpoints than it holds are tried."""
    with redis.Redis.from_url(get_settings().redis_url) as client:
        client.flushdb()


@pytest.fixture
def shop_id() -> UUID:
    """A shop that was just installed and has nothing."""
    return make_shop()


def make_shop() -> UUID:
    """The bare row of a shop and its entry in the directory."""
    shop_id = ids.new_id()
    domain = f"shop-{shop_id.hex}.myshopify.com"
    with db.cross_shop("test") as uow:
        uow.execute(
            "INSERT INTO shop_directory (domain, shop_id) VALUES (%(domain)s, %(shop)s)",
            {"domain": domain, "shop": shop_id},
        )
    with db.unit_of_work(shop_id) as uow:
        uow.execute(
            "INSERT INTO shops (shop_id, domain, name, installed_at) VALUES (%(shop)s, %(domain)s, 'Contract', now())",
            {"shop": shop_id, "domain": domain},
        )
    return shop_id


Callers = Callable[..., Caller]


@pytest.fixture
def as_key(app: Flask, door: Door, shop_id: UUID) -> Callers:
    """An API key of the shop: as_key() holds every scope, as_key(some permissions) only those."""

    def make(permissions: frozenset[Permission] = ALL) -> Caller:
        return Caller(app, door.api_key(api_key(shop_id, permissions)))

    return make


@pytest.fixture
def as_staff(app: Flask, door: Door, shop_id: UUID) -> Callers:
    """A staff member of the shop, with a locale and permissions."""

    def make(permissions: frozenset[Permission] = ALL, locale: str = "en") -> Caller:
        shop = ShopInfo(f"shop-{shop_id.hex}.myshopify.com", "Contract")
        return Caller(app, door.token(staff(shop_id, permissions, locale=locale, shop=shop)))

    return make
