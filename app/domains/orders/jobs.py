"""Work of orders outside the webhook: reading an order again, and finding what no webhook told us."""

import logging
from datetime import timedelta
from uuid import UUID

from app.core import clock
from app.core.db import UnitOfWork, unit_of_work
from app.core.errors import LoyalNestError
from app.core.jobs import job
from app.core.outbox import OutboxMessage, Settle, delivers
from app.domains.members.schemas import Person
from app.domains.orders import rules, service
from app.domains.orders.rules import OrderFacts
from app.domains.shops import service as shops
from app.shopify import orders as platform
from app.shopify import search
from app.shopify.admin import AdminClient

log = logging.getLogger(__name__)
_OVERLAP = timedelta(minutes=10)


@delivers("orders.reread")
def reread(message: OutboxMessage) -> Settle | None:
    """Read one order from Shopify and merge it; the way edits arrive."""
    order_id = int(message.payload["order_id"])
    snapshot = platform.read_order(AdminClient(message.shop_id), f"gid://shopify/Order/{order_id}")
    if snapshot is None:
        return None
    payload = rules.payload_from_snapshot(snapshot)

    def settle(uow: UnitOfWork) -> None:
        def apply(facts: OrderFacts) -> None:
            rules.merge_order(facts, rules.read_order(payload, "orders/updated", uow.now))

        customer = payload.customer
        persons = (
            {customer.id: Person(customer.id, customer.email, customer.first_name, customer.last_name)}
            if customer
            else {}
        )
        locales = {customer.id: payload.customer_locale} if customer and payload.customer_locale else {}
        service.change(uow, {order_id: [apply]}, persons, locales)

    return settle


@job("orders.reconcile", queue="slow", timeout_seconds=600)
def reconcile() -> None:
    """Ask Shopify of every shop which orders changed since the last look (with an overlap) and read those again.

    Deliveries may be lost; this finds what they would have told.
    """
    for shop_id in shops.installed():
        try:
            reconcile_shop(shop_id)
        except LoyalNestError as error:
            log.warning("orders of shop %s were not reconciled: %s", shop_id, error.code)


def reconcile_shop(shop: UUID) -> None:
    """The same for one shop; the watermark moves only when all of it was seen."""
    started = clock.now()
    with unit_of_work(shop) as uow:
        since = (shops.orders_watermark(uow) or started - timedelta(days=1)) - _OVERLAP
    client = AdminClient(shop, reserve_share=0.5)
    after: str | None = None
    while True:
        found = client.run("OrdersUpdatedSince", {"query": search.updated_since(since), "after": after})[
            "orders"
        ]
        with unit_of_work(shop) as uow:
            for node in found["nodes"]:
                order_id = node["id"].rsplit("/", 1)[1]
                uow.outbox(
                    "orders.reread", {"order_id": int(order_id)}, key=f"{order_id}:{node['updatedAt']}"
                )
        if not found["pageInfo"]["hasNextPage"]:
            break
        after = found["pageInfo"]["endCursor"]
    with unit_of_work(shop) as uow:
        shops.set_orders_watermark(uow, started)
