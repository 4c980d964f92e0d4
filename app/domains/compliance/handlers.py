"""Shopify's privacy topics, and what the audit trail notes of shops, which lies below and cannot write into it."""

from collections.abc import Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from app.core.db import UnitOfWork
from app.core.events import subscribe
from app.core.inbox import Delivery, on_topic
from app.domains.compliance import service
from app.domains.compliance.schemas import Change, DataRequestPayload, RedactPayload
from app.domains.shops.events import (
    ApiKeyCreated,
    ApiKeyRevoked,
    BrandChanged,
    GuideHidden,
    ShopInstalled,
    ShopUninstalled,
    StaffJoined,
    WidgetSwitched,
)

T = TypeVar("T", bound=BaseModel)


@subscribe(ShopInstalled)
def shop_installed(uow: UnitOfWork, events: Sequence[ShopInstalled]) -> None:
    """A shop installed the app, or did so again."""
    changes = [
        Change("shop", str(fact.shop_id), None, {"domain": fact.domain, "again": fact.again})
        for fact in events
    ]
    service.record_many(uow, "shop.installed", changes)


@subscribe(ShopUninstalled)
def shop_uninstalled(uow: UnitOfWork, events: Sequence[ShopUninstalled]) -> None:
    """A shop removed the app."""
    changes = [
        Change("shop", str(fact.shop_id), None, {"at": fact.uninstalled_at.isoformat()}) for fact in events
    ]
    service.record_many(uow, "shop.uninstalled", changes)


@subscribe(StaffJoined)
def staff_joined(uow: UnitOfWork, events: Sequence[StaffJoined]) -> None:
    """A staff member came for the first time."""
    changes = [Change("staff", str(fact.staff_id), None, {"role": fact.role}) for fact in events]
    service.record_many(uow, "staff.joined", changes)


@subscribe(WidgetSwitched)
def widget_switched(uow: UnitOfWork, events: Sequence[WidgetSwitched]) -> None:
    """The live theme shows our widget, or no longer does."""
    changes = [Change("shop", str(fact.shop_id), {"on": not fact.on}, {"on": fact.on}) for fact in events]
    service.record_many(uow, "widget.switched", changes)


@subscribe(GuideHidden)
def guide_hidden(uow: UnitOfWork, events: Sequence[GuideHidden]) -> None:
    """Home no longer shows the finished set-up guide, or shows it again."""
    changes = [
        Change("shop", str(fact.shop_id), {"hidden": not fact.hidden}, {"hidden": fact.hidden})
        for fact in events
    ]
    service.record_many(uow, "guide.hidden", changes)


@subscribe(BrandChanged)
def brand_changed(uow: UnitOfWork, events: Sequence[BrandChanged]) -> None:
    """Members see another name, color or logo."""
    changes = [Change("shop", str(fact.shop_id), fact.before, fact.after) for fact in events]
    service.record_many(uow, "brand.changed", changes)


@subscribe(ApiKeyCreated)
def api_key_created(uow: UnitOfWork, events: Sequence[ApiKeyCreated]) -> None:
    """An API key was made."""
    changes = [
        Change("api_key", str(fact.api_key_id), None, {"label": fact.label, "scopes": list(fact.scopes)})
        for fact in events
    ]
    service.record_many(uow, "api_key.created", changes)


@subscribe(ApiKeyRevoked)
def api_key_revoked(uow: UnitOfWork, events: Sequence[ApiKeyRevoked]) -> None:
    """An API key was revoked."""
    changes = [
        Change("api_key", str(fact.api_key_id), {"label": fact.label}, {"revoked": True}) for fact in events
    ]
    service.record_many(uow, "api_key.revoked", changes)


@on_topic("customers/data_request")
def data_requested(uow: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
    """A person asked the shop for a copy of their data."""
    for delivery in deliveries:
        asked = _parsed(delivery, DataRequestPayload)
        if asked is None:
            continue
        number = asked.data_request.id if asked.data_request else delivery.webhook_id
        answered = service.request_export(
            uow,
            external_id=str(number),
            customer_id=asked.customer.id,
            email=asked.customer.email,
            requested_at=delivery.triggered_at or delivery.received_at,
        )
        if answered is None:
            delivery.ignore("answered before")


@on_topic("customers/redact")
def person_redacted(uow: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
    """A person asked the shop to be forgotten."""
    for delivery in deliveries:
        asked = _parsed(delivery, RedactPayload)
        if asked is None:
            continue
        answered = service.request_erasure(
            uow,
            external_id=delivery.webhook_id,
            customer_id=asked.customer.id,
            email=asked.customer.email,
            order_ids=tuple(asked.orders_to_redact or ()),
            requested_at=delivery.triggered_at or delivery.received_at,
        )
        if answered is None:
            delivery.ignore("answered before")


def _parsed(delivery: Delivery, shape: type[T]) -> T | None:
    try:
        return shape.model_validate(delivery.json())
    except (ValidationError, ValueError):
        delivery.ignore("not the documented shape")
        return None
