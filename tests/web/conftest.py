"""An application with the sample domain, on the real database and cache."""

from pathlib import Path

import pytest
from flask import Flask

from app.core.permissions import ALL, Permission
from app.core.settings import get_settings
from app.web.application import make_application
from app.web.menu import MenuGroup
from tests.fixtures.web import Caller, Door
from tests.fixtures.web import api_key as key_principal
from tests.fixtures.web import staff as staff_principal
from tests.web.sample import ENDPOINTS, TABS

GROUPS = (MenuGroup("manage", "Manage", "layers", ("things",)),)


@pytest.fixture(scope="session")
def app() -> Flask:
    """The sample application."""
    found = make_application(
        get_settings(), ENDPOINTS, TABS, GROUPS, templates=Path(__file__).parent / "templates"
    )
    found.testing = True
    found.config["PROPAGATE_EXCEPTIONS"] = False
    return found


@pytest.fixture
def merchant(app: Flask, door: Door) -> Caller:
    """A staff member of a shop of its own."""
    return Caller(app, door.token(staff_principal()))


@pytest.fixture
def key(app: Flask, door: Door) -> Caller:
    """An API key of a shop of its own, with every scope."""
    return Caller(app, door.api_key(key_principal()))


@pytest.fixture
def stranger(app: Flask, door: Door) -> Caller:
    """Nobody."""
    return Caller(app)


def without(permission: Permission) -> frozenset[Permission]:
    """Every permission but one."""
    return ALL - {permission}
