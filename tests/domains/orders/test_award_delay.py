"""How long it took from Shopify's "paid" to the ledger."""

from app.domains.orders import service
from tests.factories import payloads
from tests.fixtures.shop import TestShop


def test_an_order_that_is_told_of_before_it_is_paid_has_no_delay_yet(shop: TestShop) -> None:
    shop.tell("orders/create", payloads.order(financial_status="pending"))
    shop.drain()
    with shop.work() as uow:
        assert service.award_delay(uow)["orders"] == 0
    shop.tell("orders/paid", payloads.order(updated_at=payloads.at(1)))
    shop.drain()
    with shop.work() as uow:
        delay = service.award_delay(uow)
    assert delay["orders"] == 1
    assert delay["p95"] < 60_000
