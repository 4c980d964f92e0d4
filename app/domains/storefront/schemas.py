"""Shapes of the app proxy and of the widget's configuration. Texts are in the language that was asked for."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from app.domains.tiers.schemas import Level

Locale = Literal["en", "es", "fr", "ar", "he"]
State = Literal["guest", "preparing", "member", "blocked", "closed"]


@dataclass(frozen=True)
class Offer:
    """The shop's active program as the storefront needs it; amounts are in the shop's currency."""

    currency: str
    timezone: str
    program_id: UUID
    program_name: str
    points_per_unit: Decimal
    signup_bonus: int
    minimum_redemption: int
    ladder: tuple[Level, ...]


@dataclass(frozen=True)
class Holder:
    """A member and their points. `seq` counts the ledger's entries; `expiring` points end at `expires_at`."""

    id: UUID
    status: str
    available: int
    pending: int
    debt: int
    qualifying: int
    seq: int
    expiring: int
    expires_at: datetime | None


@dataclass(frozen=True)
class Offered:
    """A reward of the active program. `uses` is how often the member redeemed it, as its limit counts."""

    id: UUID
    name: str
    names: dict[str, str]
    description: str
    points_cost: int
    minimum_subtotal_minor: int | None
    valid_days: int | None
    per_member_limit: int | None
    uses: int


@dataclass(frozen=True)
class Owned:
    """A redemption of the member; `code` is in clear once it works, else None."""

    id: UUID
    status: str
    names: dict[str, str]
    name: str
    code: str | None
    expires_at: datetime | None


@dataclass(frozen=True)
class View:
    """Everything a summary is made of. Without `offer` no program runs; without `holder` nobody is known."""

    offer: Offer | None
    holder: Holder | None
    rewards: list[Offered]
    owned: list[Owned]
    entries: list[dict[str, Any]]


class ProxyQuery(BaseModel):
    """What Shopify adds to every request of the app proxy, and the storefront's language."""

    shop: str = Field("", max_length=255)
    path_prefix: str = Field("", max_length=255)
    timestamp: str = Field("", max_length=20)
    signature: str = Field("", max_length=64)
    logged_in_customer_id: str = Field("", max_length=20)
    locale: str | None = Field(
        None,
        max_length=35,
        description="Language of the sentences; the shop's own when absent",
    )


class WidgetBalance(BaseModel):
    """The shopper's points. Sentences are null when there is nothing to say."""

    available: int
    pending: int
    debt: int
    available_text: str
    sentence: str
    pending_text: str | None
    debt_text: str | None
    expiring_text: str | None


class WidgetTier(BaseModel):
    """The shopper's tier and the way to the next one; `progress_percent` is 100 at the top."""

    name: str
    color: str
    next_name: str | None
    needed: int | None
    progress_percent: int
    progress_text: str


class WidgetReward(BaseModel):
    """A reward, `missing` points short. `note` says why it cannot be redeemed, or its conditions."""

    id: UUID
    name: str
    description: str
    points: int
    missing: int
    redeemable: bool
    price_text: str
    confirm_text: str
    note: str | None


class WidgetCode(BaseModel):
    """A code the shopper owns; `code` is null while it is being made."""

    id: UUID
    name: str
    status: Literal["reserved", "issued"]
    code: str | None
    note: str


class WidgetEarning(BaseModel):
    """A way to earn."""

    text: str


class WidgetEntry(BaseModel):
    """A line of the shopper's history with the reason in a sentence."""

    id: UUID
    points: int
    points_text: str
    reason: str
    created_at: datetime
    date_text: str


class SummaryOut(BaseModel):
    """All that the panel shows. `version` changes when anything of it does."""

    version: str
    state: State
    language: Locale
    program: str | None
    balance: WidgetBalance | None
    tier: WidgetTier | None
    rewards: list[WidgetReward]
    codes: list[WidgetCode]
    earning: list[WidgetEarning]
    activity: list[WidgetEntry]


class WidgetRedeemIn(BaseModel):
    """Redeem a reward for the shopper who is logged in. The same key never spends points twice."""

    reward_id: UUID
    idempotency_key: str = Field(min_length=8, max_length=80, pattern=r"^[A-Za-z0-9_-]+$")


class WidgetRedemption(BaseModel):
    """What became of a redemption: `code` is null until it works, `message` says why it never will."""

    id: UUID
    status: Literal["reserved", "issued", "used", "cancelled", "failed"]
    name: str
    code: str | None
    message: str | None


class ConfigQuery(BaseModel):
    """Which language."""

    locale: str | None = Field(
        None,
        min_length=2,
        max_length=35,
        description="A language tag; the shop's own when absent",
    )


class WidgetRewardText(BaseModel):
    """A reward's texts."""

    name: str
    description: str
    price: str


class WidgetTranslations(BaseModel):
    """Texts of the merchant's program in one language; `rewards` is keyed by reward id."""

    points_label: str
    rewards_label: str
    program: str | None
    rewards: dict[str, WidgetRewardText]


class WidgetConfig(BaseModel):
    """What a widget of one's own needs: the language it gets, its direction, and the program's texts."""

    language: Locale
    translations: WidgetTranslations
    rtl: bool
