"""What Shopify says about the app and the shop, in whatever order it arrives."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from app.core import clock, ids, inbox
from app.core.crypto import fingerprint
from app.core.db import unit_of_work
from app.domains.shops import service
from app.domains.shops.errors import ShopNotFound
from app.domains.shops.schemas import Shop
from app.shopify.sessions import StoredToken
from app.shopify.tokens import OfflineToken
from tests.fixtures.shop import TestShop

HOUR = timedelta(hours=1)


def tell(shop: TestShop, topic: str, body: Any, at: datetime | None) -> str:
    """Store and handle a delivery triggered at an instant; returns its outcome."""
    webhook_id = ids.new_id().hex
    inbox.put(shop.id, topic, webhook_id, "", at, orjson.dumps(body))
    shop.drain()
    with shop.work() as uow:
        return str(uow.scalar("SELECT outcome FROM inbox WHERE webhook_id = %(id)s", {"id": webhook_id}))


def present(shop: TestShop) -> Shop:
    with shop.work() as uow:
        return service.get(uow)


@pytest.fixture
def shop(shop: TestShop) -> TestShop:
    """The shop of the test, with a token."""
    token = OfflineToken(
        "shpat_x", "read_orders", clock.now() + HOUR, "shprt_x", clock.now() + 90 * 24 * HOUR
    )
    with shop.work() as uow:
        service.tokens.write(uow, StoredToken(shop.domain, token))
    return shop


def test_uninstalling_forgets_the_token_and_keeps_the_data(shop: TestShop) -> None:
    with shop.work() as uow:
        secret = service.create_api_key(uow, "x", ["all"]).secret
    at = clock.now() + HOUR
    assert tell(shop, "app/uninstalled", {}, at) == ""
    found = present(shop)
    assert (found.status, found.uninstalled_at, found.scopes) == ("uninstalled", at, "")
    assert service.tokens.ShopTokens().load(shop.id) is None
    assert service.api_key_holder(fingerprint(secret)) is None
    entry = service.look_up(shop.domain)
    assert entry is not None and entry.status == "uninstalled"
    with shop.work() as uow:
        assert uow.scalar("SELECT count(*) FROM programs") == 1
        assert uow.scalar("SELECT count(*) FROM audit_entries WHERE action = 'shop.uninstalled'") == 1


def test_uninstalling_twice_is_uninstalling_once(shop: TestShop) -> None:
    tell(shop, "app/uninstalled", {}, clock.now() + HOUR)
    assert tell(shop, "app/uninstalled", {}, clock.now() + 2 * HOUR) == "not the present installation"
    with shop.work() as uow:
        assert uow.scalar("SELECT count(*) FROM audit_entries WHERE action = 'shop.uninstalled'") == 1


def test_a_late_word_of_an_earlier_installation_changes_nothing(shop: TestShop) -> None:
    assert (
        tell(shop, "app/uninstalled", {}, present(shop).installed_at - HOUR) == "not the present installation"
    )
    assert present(shop).status == "installed"
    assert service.tokens.ShopTokens().load(shop.id) is not None


def test_without_a_time_uninstalling_counts(shop: TestShop) -> None:
    tell(shop, "app/uninstalled", {}, None)
    assert present(shop).status == "uninstalled"


def test_scopes_follow_the_grant(shop: TestShop) -> None:
    tell(
        shop,
        "app/scopes_update",
        {"previous": [], "current": ["write_discounts", "read_orders"]},
        clock.now(),
    )
    assert present(shop).scopes == "read_orders,write_discounts"


def test_the_shop_is_as_it_was_said_last_whatever_arrives_last(shop: TestShop) -> None:
    def body(name: str) -> dict[str, Any]:
        return {
            "name": name,
            "email": f"{name}@x.example",
            "currency": "EUR",
            "iana_timezone": "Europe/Paris",
        }

    now = datetime.now(UTC)
    for name, at in (("newest", now), ("oldest", now - HOUR), ("middle", now - HOUR / 2)):
        inbox.put(
            shop.id, "shop/update", name, "", at, orjson.dumps({**body(name), "primary_locale": "fr-CA"})
        )
    shop.drain()
    found = present(shop)
    assert (found.name, found.currency, found.timezone, found.locale) == (
        "newest",
        "EUR",
        "Europe/Paris",
        "fr",
    )
    with shop.work() as uow:
        assert service.contact_email(uow) == "newest@x.example"


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("shop/update", {}),
        ("shop/update", {"name": "x", "currency": "dollars", "iana_timezone": "UTC"}),
        ("shop/update", {"name": "x" * 300, "currency": "USD", "iana_timezone": "UTC"}),
        ("app/scopes_update", {"current": "read_orders"}),
        ("app/scopes_update", {}),
    ],
)
def test_what_has_another_shape_is_ignored_and_says_so(shop: TestShop, topic: str, body: Any) -> None:
    before = present(shop)
    assert tell(shop, topic, body, clock.now()) == "not the documented shape"
    assert present(shop) == before


def test_one_shop_never_changes_another(shop: TestShop, other_shop: TestShop) -> None:
    before = present(other_shop)
    tell(shop, "app/uninstalled", {}, clock.now() + HOUR)
    tell(shop, "app/scopes_update", {"current": ["read_orders"]}, clock.now())
    assert present(other_shop) == before


def test_a_shop_that_is_not_there_is_said_to_be_missing(shop: TestShop) -> None:
    with unit_of_work(ids.new_id()) as uow, pytest.raises(ShopNotFound):
        service.get(uow)
