"""Facts about shops."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.events import Event


@dataclass(frozen=True)
class ShopInstalled(Event):
    """A shop has the app and a token; `again` when its data from an earlier installation is still there."""

    shop_id: UUID
    domain: str
    currency: str
    again: bool


@dataclass(frozen=True)
class ShopUninstalled(Event):
    """A shop removed the app. Its data stays until Shopify asks to erase it."""

    shop_id: UUID
    domain: str
    uninstalled_at: datetime


@dataclass(frozen=True)
class ShopErased(Event):
    """Everything of a shop is gone."""

    shop_id: UUID
    domain: str


@dataclass(frozen=True)
class StaffJoined(Event):
    """A staff member opened the app for the first time."""

    staff_id: UUID
    role: str


@dataclass(frozen=True)
class WidgetSwitched(Event):
    """Our app embed was switched on or off in the live theme since we last looked."""

    shop_id: UUID
    on: bool


@dataclass(frozen=True)
class GuideHidden(Event):
    """Staff put the finished set-up guide away, or have it shown again."""

    shop_id: UUID
    hidden: bool


@dataclass(frozen=True)
class ApiKeyCreated(Event):
    """An API key was made."""

    api_key_id: UUID
    label: str
    last_four: str
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class ApiKeyRevoked(Event):
    """An API key stopped working."""

    api_key_id: UUID
    label: str
    last_four: str


@dataclass(frozen=True)
class BrandChanged(Event):
    """How the shop looks to members changed; both sides as JSON values."""

    shop_id: UUID
    before: dict[str, Any]
    after: dict[str, Any]
