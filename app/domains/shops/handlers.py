"""Reactions of shops to what Shopify says about the app and the shop itself."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from app.core.db import UnitOfWork
from app.core.inbox import Delivery, on_topic
from app.domains.shops import service
from app.domains.shops.schemas import ScopesPayload, ShopContext, ShopPayload

T = TypeVar("T", bound=BaseModel)
_NO_TIME = datetime.min.replace(tzinfo=UTC)


@on_topic("app/uninstalled")
def uninstalled(uow: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
    """The merchant removed the app."""
    for delivery in deliveries:
        if not service.uninstall(uow, delivery.triggered_at):
            delivery.ignore("not the present installation")


@on_topic("app/scopes_update")
def scopes_updated(uow: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
    """The merchant granted or withdrew scopes."""
    newest = _newest(deliveries, ScopesPayload)
    if newest is not None:
        service.change_scopes(uow, newest.current)


@on_topic("shop/update")
def shop_updated(uow: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
    """The shop's name, address, currency or zone changed."""
    newest = _newest(deliveries, ShopPayload)
    if newest is not None:
        service.update(
            uow,
            ShopContext(
                newest.name, newest.email, newest.currency, newest.iana_timezone, newest.primary_locale
            ),
        )


@on_topic("shop/redact")
def shop_redacted(uow: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
    """Shopify asks to erase the shop, two days after it removed the app."""
    if not service.mark_erased(uow):
        for delivery in deliveries:
            delivery.ignore("the shop has the app installed")


def _newest(deliveries: Sequence[Delivery], shape: type[T]) -> T | None:
    """The body of the delivery that was triggered last; the others, and what is not of the shape, are ignored."""
    chosen: T | None = None
    for delivery in sorted(deliveries, key=lambda one: one.triggered_at or _NO_TIME):
        try:
            chosen = shape.model_validate(delivery.json())
        except (ValidationError, ValueError):
            delivery.ignore("not the documented shape")
    return chosen
