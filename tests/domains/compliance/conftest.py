"""A mail server, a shop with a person in every domain."""

import pytest

from tests.domains.notifications.conftest import postbox
from tests.factories import payloads
from tests.fixtures.shop import TestShop

__all__ = ["postbox"]

CUSTOMER = 7_700_000_077
EMAIL = f"shopper{CUSTOMER}@example.com"
ORDER = 5_500_000_005


@pytest.fixture
def shop(shop: TestShop) -> TestShop:
    """A shop whose customer registered, bought and was told about it."""
    buys(shop, CUSTOMER, ORDER)
    return shop


def buys(shop: TestShop, customer_id: int, order_id: int) -> None:
    """A customer registers and pays an order."""
    person = payloads.customer(customer_id)
    shop.tell("customers/create", person)
    shop.tell("orders/paid", payloads.order(order_id, customer=person))
    shop.drain()
    assert shop.undone() == []
