"""Facts about shops."""

from dataclasses import dataclass
from datetime import datetime
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
class SetupStepFinished(Event):
    """A staff member said that a step was done which the server cannot see."""

    shop_id: UUID
    step: str


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
