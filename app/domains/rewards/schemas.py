"""Shapes of rewards and redemptions: forms, API bodies and the values other domains get."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["amount_off", "percentage_off", "free_shipping", "free_product"]
Status = Literal["draft", "active", "retired"]
DiscountClass = Literal["order", "product", "shipping"]
RedemptionStatus = Literal["reserved", "issued", "used", "cancelled", "failed"]
Channel = Literal["widget", "api", "admin"]
CANCELLING = "cancelling"
CANCEL_FAILED = "cancel_failed"
Name = Annotated[str, Field(min_length=1, max_length=80)]
Money = Annotated[Decimal, Field(gt=0, le=10_000_000, decimal_places=3)]


class Names(BaseModel):
    """The reward's name in the five languages; the shop's own is required and shown where another is missing."""

    en: Name | None = None
    es: Name | None = None
    fr: Name | None = None
    ar: Name | None = None
    he: Name | None = None


class RewardForm(BaseModel):
    """A reward as staff type it. Money is in major units of the shop's currency, the percentage in percent."""

    version: int = Field(0, ge=0)
    names: Names = Names()
    description: str = Field("", max_length=500)
    kind: Kind
    points_cost: int = Field(gt=0, le=100_000_000)
    amount: Money | None = None
    percent: Decimal | None = Field(None, gt=0, le=100, decimal_places=2)
    variant: str | None = Field(None, max_length=80)
    minimum_subtotal: Money | None = None
    valid_days: int | None = Field(None, ge=1, le=3650)
    per_member_limit: int | None = Field(None, ge=1, le=1_000_000)
    combines_with: list[DiscountClass] = Field(default_factory=list, max_length=3)
    code_prefix: str = Field("LN", pattern=r"^[A-Za-z0-9]{2,10}$")
    status: Literal["draft", "active"] = "active"
    position: int = Field(0, ge=0, le=10_000)


class PreviewForm(BaseModel):
    """What has been typed so far; half-typed fields are refused and the preview stays as it is."""

    version: int | None = None
    names: Names = Names()
    description: str | None = Field(None, max_length=500)
    kind: Kind = "amount_off"
    points_cost: int | None = Field(None, gt=0, le=100_000_000)
    amount: Money | None = None
    percent: Decimal | None = Field(None, gt=0, le=100, decimal_places=2)
    variant: str | None = None
    minimum_subtotal: Money | None = None
    valid_days: int | None = Field(None, ge=1, le=3650)
    per_member_limit: int | None = Field(None, ge=1, le=1_000_000)
    combines_with: list[DiscountClass] = Field(default_factory=list)
    code_prefix: str | None = None
    status: str | None = None
    position: int | None = None


class RewardsFilter(BaseModel):
    """The catalog tab's filter."""

    status: Status | None = None


class RedemptionsFilter(BaseModel):
    """The redemption list's filters."""

    status: RedemptionStatus | None = None
    reward: UUID | None = None
    member: UUID | None = None
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=200)


class Terms(BaseModel):
    """A reward as it was when it was redeemed; the code is made from this, whatever becomes of the reward."""

    model_config = ConfigDict(frozen=True)

    name: str
    names: dict[str, str] = Field(default_factory=dict)
    kind: Kind
    currency: str
    value_minor: int | None = None
    percent_bp: int | None = None
    variant_gid: str | None = None
    minimum_subtotal_minor: int | None = None
    combines_with: tuple[DiscountClass, ...] = ()


@dataclass(frozen=True)
class CatalogItem:
    """A reward as a member sees it. `missing` is how many points are short; 0 when it can be afforded."""

    id: UUID
    name: str
    description: str
    kind: str
    points_cost: int
    value_minor: int | None
    percent_bp: int | None
    minimum_subtotal_minor: int | None
    valid_days: int | None
    currency: str
    missing: int
    limit_reached: bool
    redeemable: bool


@dataclass(frozen=True)
class Redemption:
    """A member's use of a reward. `code` is in clear and personal: show it to the member and to staff only."""

    id: UUID
    member_id: UUID
    reward_id: UUID
    points: int
    code: str
    status: RedemptionStatus
    failure: str | None
    hold_entry_id: UUID
    terms: Terms
    discount_gid: str | None
    used_order_id: int | None
    channel: str
    created_at: datetime
    issued_at: datetime | None
    used_at: datetime | None
    expires_at: datetime | None

    @property
    def usable_code(self) -> str | None:
        """The code once it works; before that, and when it never will, None."""
        return self.code if self.status in ("issued", "used") else None

    @property
    def cancelling(self) -> bool:
        """Whether staff asked to take the code back and Shopify has not confirmed it yet."""
        return self.status == "issued" and self.failure == CANCELLING


class RedeemIn(BaseModel):
    """Redeem a reward for a member."""

    customer_id: str = Field(
        min_length=1, max_length=80, description="Member id, Shopify customer id or its gid"
    )
    reward_id: UUID


class RedeemV1In(RedeemIn):
    """The same with the language of the error sentences."""

    locale: Literal["en", "es", "fr", "ar", "he"] | None = None


class RedeemV1Out(BaseModel):
    """What became of it. `discount_code` is null until `state` is "issued"."""

    redemption_id: UUID
    discount_code: str | None
    state: RedemptionStatus


class RedemptionOut(BaseModel):
    """A redemption. `discount_code` is null unless the code works."""

    redemption_id: UUID
    member_id: UUID
    reward_id: UUID
    reward_name: str
    points: int
    state: RedemptionStatus
    discount_code: str | None
    failure: str | None
    used_order_id: int | None
    created_at: datetime
    issued_at: datetime | None
    used_at: datetime | None
    expires_at: datetime | None


class RewardsQuery(BaseModel):
    """Which rewards."""

    status: Status | None = None
    locale: Literal["en", "es", "fr", "ar", "he"] | None = Field(None, description="Language of the names")
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=200)


class RewardOut(BaseModel):
    """A reward of the catalog. Amounts are minor units of `currency`; the percentage is in basis points."""

    id: UUID
    name: str
    description: str
    kind: Kind
    points_cost: int
    value_minor: int | None
    percent_bp: int | None
    variant_gid: str | None
    minimum_subtotal_minor: int | None
    currency: str
    valid_days: int | None
    per_member_limit: int | None
    combines_with: list[DiscountClass]
    status: Status
    version: int
