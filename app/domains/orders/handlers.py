"""Reactions of orders to Shopify's topics. Whole batches are merged, so an order told five times is written once."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from app.core.db import UnitOfWork
from app.core.errors import Invalid
from app.core.i18n import mark
from app.core.inbox import Delivery, on_topic
from app.core.permissions import Permission
from app.domains.compliance import service as compliance
from app.domains.members import service as members
from app.domains.members.schemas import Guest, Happening, Person, TimelineKind, TimelineSlice
from app.domains.orders import queries, rules, service
from app.domains.orders.rules import OrderFacts
from app.domains.orders.schemas import OrderEdited, OrderPayload, OrderReference, RefundPayload
from app.domains.shops import service as shops
from app.domains.shops.schemas import HomeFigure, HomeStep

# Shopify writes numbers as numbers and amounts as text; not strict, so that a quantity written as text is read, too.
_ORDER = msgspec.json.Decoder(OrderPayload, strict=False)
_REFUND = msgspec.json.Decoder(RefundPayload, strict=False)
_REFERENCE = msgspec.json.Decoder(OrderReference, strict=False)
_EDITED = msgspec.json.Decoder(OrderEdited, strict=False)


@dataclass
class _Batch:
    """What a batch of deliveries says, by order."""

    changes: dict[int, list[service.Change]] = field(default_factory=lambda: defaultdict(list))
    persons: dict[int, Person] = field(default_factory=dict)
    locales: dict[int, str] = field(default_factory=dict)
    guests: dict[int, Guest] = field(default_factory=dict)
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
        except (msgspec.DecodeError, ValueError, Invalid):
            delivery.ignore("not the documented shape")
    if batch.changes:
        service.change(uow, batch.changes, batch.persons, batch.locales, batch.guests)
    for order_id in sorted(batch.reread):
        uow.outbox("orders.reread", {"order_id": order_id}, key=f"{order_id}:{uow.now.timestamp()}")


def _read_order(_: UnitOfWork, batch: _Batch, delivery: Delivery, told_at: datetime) -> None:
    payload = _ORDER.decode(delivery.body)
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
    elif payload.email or payload.phone:
        batch.guests[payload.id] = Guest(payload.email, payload.phone, payload.customer_locale)


def _read_refund(uow: UnitOfWork, batch: _Batch, delivery: Delivery, _: datetime) -> None:
    payload = _REFUND.decode(delivery.body)
    named = rules.refund_currency(payload)
    currency = named or shops.get(uow).currency
    refund = rules.read_refund(payload, currency)

    def apply(facts: OrderFacts) -> None:
        rules.merge_refund(facts, str(payload.id), refund)

    batch.changes[payload.order_id].append(apply)


def _read_delete(_: UnitOfWork, batch: _Batch, delivery: Delivery, told_at: datetime) -> None:
    order_id = _REFERENCE.decode(delivery.body).id

    def apply(facts: OrderFacts) -> None:
        facts.deleted_at = facts.deleted_at or told_at

    batch.changes[order_id].append(apply)


def _read_edit(_: UnitOfWork, batch: _Batch, delivery: Delivery, __: datetime) -> None:
    """An edit names lines and differences only, so the order is read again from Shopify."""
    batch.reread.add(_EDITED.decode(delivery.body).order_edit.order_id)


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
_PLACED = {
    "test": mark("Placed order {order}, a test"),
    "canceled": mark("Placed order {order}, which was canceled"),
    "": mark("Placed order {order}"),
}


def _timeline(uow: UnitOfWork, part: TimelineSlice, locale: str) -> list[Happening]:
    return [
        Happening(
            row["at"],
            row["id"],
            _PLACED["canceled" if row["cancelled_at"] else "test" if row["test"] else ""],
            {"order": row["name"] or f"#{row['order_id']}"},
        )
        for row in queries.happened(uow, part)
    ]


members.register_timeline(
    TimelineKind("orders", 10, mark("Orders"), "receipt", Permission.MEMBERS_READ), _timeline
)
members.register_finder(queries.owners_by_name)
members.follow_merges("orders")
shops.register_home_facts("orders", _home)
