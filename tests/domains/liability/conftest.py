"""The whole application, and callers of the shop."""

from collections.abc import Iterator

import pytest
from flask import Flask

from app.admin_menu import GROUPS
from app.core.settings import get_settings
from app.factory import load_domains
from app.web import endpoints, tabs
from app.web.application import make_application
from tests.domains.liability.history import History
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, Door, api_key, open_door, staff


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


@pytest.fixture
def history(shop: TestShop) -> History:
    """The shop's ledger, written day by day."""
    return History(shop)
