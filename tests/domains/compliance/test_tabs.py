"""The compliance tab: who may see requests, who may open a person's data, in every language."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from flask import Flask

from app import factory
from app.core import ids
from app.core.permissions import ALL, Permission
from app.domains.compliance import service
from app.web.principals import ShopInfo
from tests.domains.compliance.conftest import CUSTOMER, EMAIL
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, Door, open_door, staff


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application as it is wired."""
    monkeypatch.setattr(factory, "configure_logging", lambda level: None)
    made = factory.create_app()
    made.testing = True
    made.config["PROPAGATE_EXCEPTIONS"] = False
    return made


@pytest.fixture
def door(app: Flask) -> Iterator[Door]:
    """Issues credentials."""
    with open_door() as opened:
        yield opened


def visit(
    shop: TestShop, app: Flask, door: Door, permissions: frozenset[Permission] = ALL, locale: str = "en"
) -> Caller:
    info = ShopInfo(shop.domain, "Shop", "USD", "UTC")
    return Caller(app, door.token(staff(shop.id, permissions, locale=locale, shop=info)))


def asked(shop: TestShop) -> UUID:
    with shop.work() as uow:
        found = service.request_export(uow, external_id="1", customer_id=CUSTOMER)
    assert found is not None
    return found


def test_without_requests_it_says_what_will_be_here(shop: TestShop, app: Flask, door: Door) -> None:
    page = visit(shop, app, door).get("/app/compliance")
    assert page.status_code == 200 and "No privacy requests yet" in page.text


@pytest.mark.parametrize("locale", ["en", "es", "fr", "ar", "he"])
def test_the_owner_opens_the_data(shop: TestShop, app: Flask, door: Door, locale: str) -> None:
    request_id = asked(shop)
    caller = visit(shop, app, door, locale=locale)
    assert f"/app/compliance/{request_id}" in caller.get("/app/compliance").text
    page, fragment = (
        caller.get(f"/app/compliance/{request_id}"),
        caller.fragment(f"/app/compliance/{request_id}"),
    )
    assert page.status_code == fragment.status_code == 200
    assert EMAIL in page.text and EMAIL in fragment.text
    assert page.headers["Cache-Control"] == "no-store"


def test_who_may_read_the_trail_sees_requests_and_no_data(shop: TestShop, app: Flask, door: Door) -> None:
    request_id = asked(shop)
    caller = visit(shop, app, door, frozenset({Permission.AUDIT_READ}))
    listed = caller.get("/app/compliance")
    assert listed.status_code == 200 and f"/app/compliance/{request_id}" not in listed.text
    assert caller.get(f"/app/compliance/{request_id}").status_code == 403
    assert (
        visit(shop, app, door, frozenset({Permission.MEMBERS_READ})).get("/app/compliance").status_code == 403
    )


def test_another_shops_request_is_not_there(
    shop: TestShop, other_shop: TestShop, app: Flask, door: Door
) -> None:
    request_id = asked(shop)
    caller = visit(other_shop, app, door)
    assert caller.get(f"/app/compliance/{request_id}").status_code == 404
    assert caller.get(f"/app/compliance/{ids.new_id()}").status_code == 404
    assert str(request_id) not in caller.get("/app/compliance").text


def test_an_erased_copy_says_so(shop: TestShop, app: Flask, door: Door) -> None:
    request_id = asked(shop)
    with shop.work() as uow:
        service.request_erasure(uow, external_id="2", customer_id=CUSTOMER)
    page = visit(shop, app, door).get(f"/app/compliance/{request_id}")
    assert page.status_code == 200 and "There is no data here" in page.text and EMAIL not in page.text


def test_nothing_held_is_said(shop: TestShop, app: Flask, door: Door) -> None:
    with shop.work() as uow:
        found = service.request_export(uow, external_id="3", customer_id=1)
    page = visit(shop, app, door).get(f"/app/compliance/{found}")
    assert "holds nothing about this customer" in page.text
