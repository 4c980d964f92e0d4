"""Reactions of orders to Shopify's topics. Whole batches are merged, so an order told five times is written once."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from app.core.db import UnitOfWork
from app.core.errors import Invalid
from app.core.i18n import mark
from app.core.inbox import Delivery, on_topic
from app.domains.compliance import service as compliance
from app.domains.members.schemas import Person
from app.domains.orders import queries, rules, service
from app.domains.orders.rules import OrderFacts
from app.domains.orders.schemas import OrderEdited, OrderPayload, OrderReference, RefundPayload
from app.domains.shops import service as shops
from app.domains.shops.schemas import HomeFigure, HomeStep

_ORDER = TypeAdapter(OrderPayload)
_REFUND = TypeAdapter(RefundPayload)


@dataclass
class _Batch:
    """What a batch of deliveries says, by order."""

    changes: dict[int, list[service.Change]] = field(default_factory=lambda: defaultdict(list))
    persons: dict[int, Person] = field(default_factory=dict)
    locales: dict[int, str] = field(default_factory=dict)
    reread: set[int] = field(default_factory=set)


@on_topic(
    "orders/create",
    "orders/paid",
    "orders/updated",
    "orders/cancelled",
    "orders/fulfilled",
    "orders/delete",
    "orders/edited",
    "refunds/create",
)
def orders_told(uow: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
    """Merge everything that Shopify says about orders and refunds."""
    batch = _Batch()
    for delivery in deliveries:
        told_at = delivery.triggered_at or delivery.received_at
        reader = _READERS.get(delivery.topic, _read_order)
        try:
            reader(uow, batch, delivery, told_at)
        except (ValidationError, ValueError, Invalid):
            delivery.ignore("not the documented shape")
    if batch.changes:
        service.change(uow, batch.changes, batch.persons, batch.locales)
    for order_id in sorted(batch.reread):
        uow.outbox("orders.reread", {"order_id": order_id}, key=f"{order_id}:{uow.now.timestamp()}")


def _read_order(_: UnitOfWork, batch: _Batch, delivery: Delivery, told_at: datetime) -> None:
    payload = _ORDER.validate_python(delivery.json())
    news = rules.read_order(payload, delivery.topic, told_at)
    batch.changes[payload.id].append(lambda facts: rules.merge_order(facts, news))
    if payload.customer is not None:
        person = payload.customer
        batch.persons[person.id] = Person(
            person.id,
            person.email,
            person.first_name,
            person.last_name,
            person.phone,
            payload.customer_locale,
        )
        if payload.customer_locale:
            batch.locales[person.id] = payload.customer_locale


def _read_refund(uow: UnitOfWork, batch: _Batch, delivery: Delivery, _: datetime) -> None:
    payload = _REFUND.validate_python(delivery.json())
    named = rules.refund_currency(payload)
    currency = named or shops.get(uow).currency
    refund = rules.read_refund(payload, currency)

    def apply(facts: OrderFacts) -> None:
        facts.refunds[str(payload.id)] = refund

    batch.changes[payload.order_id].append(apply)


def _read_delete(_: UnitOfWork, batch: _Batch, delivery: Delivery, told_at: datetime) -> None:
    order_id = OrderReference.model_validate(delivery.json()).id

    def apply(facts: OrderFacts) -> None:
        facts.deleted_at = facts.deleted_at or told_at

    batch.changes[order_id].append(apply)


def _read_edit(_: UnitOfWork, batch: _Batch, delivery: Delivery, __: datetime) -> None:
    """An edit names lines and differences only, so the order is read again from Shopify."""
    batch.reread.add(OrderEdited.model_validate(delivery.json()).order_edit.order_id)


_READERS: dict[str, Callable[[UnitOfWork, _Batch, Delivery, datetime], None]] = {
    "refunds/create": _read_refund,
    "orders/delete": _read_delete,
    "orders/edited": _read_edit,
}


def _export(uow: UnitOfWork, member_id: UUID | None, customer_id: int | None) -> list[dict[str, Any]]:
    return queries.of_person(uow, member_id, customer_id)


def _erase(uow: UnitOfWork, member_id: UUID | None, customer_id: int | None) -> None:
    service.forget_person(uow, member_id, customer_id)


def _home(uow: UnitOfWork, _: datetime) -> list[HomeStep | HomeFigure]:
    delay = queries.award_delay(uow)
    return [
        HomeStep(
            "first-order",
            mark("See the first order earn points"),
            mark(
                "Place a test order, or wait for the next one. It appears in the ledger within a second of its payment."
            ),
            done=delay["orders"] > 0,
            url="/app/points-ledger",
            position=50,
        ),
        HomeFigure(
            "award-delay",
            mark("From paid to points"),
            delay["p50"],
            "milliseconds",
            position=40,
            detail=mark("95th percentile"),
            detail_value=delay["p95"],
        ),
    ]


compliance.register_person_data("orders", _export, tables=("orders",))
compliance.register_person_eraser("orders", _erase, tables=("orders",))
shops.register_home_facts("orders", _home)
