"""Shapes of rewards and redemptions: forms, API bodies and the values other domains get."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.core.calendar import Day
from app.core.i18n import mark

Kind = Literal[
    "amount_off",
    "percentage_off",
    "free_shipping",
    "free_product",
    "any_amount",
    "gift_card",
    "store_credit",
    "custom",
    "exclusive_access",
]
Status = Literal["draft", "active", "retired"]
DiscountClass = Literal["order", "product", "shipping"]
RedemptionStatus = Literal["reserved", "issued", "used", "cancelled", "failed", "expired"]
Ending = Literal["staff", "member", "expired", "order_canceled"]
HoldStatus = Literal["held", "captured", "released", "expired", "returned"]
Channel = Literal["widget", "api", "admin", "referral", "tier"]
# Where a member gets a code that nobody has shown to them, so it is sent. A referral's own message tells its code.
UNASKED: Final = frozenset[Channel]({"admin", "tier"})
# Kinds that Shopify keeps as a discount with a code, and kinds that give the member something to type.
DISCOUNTS = ("amount_off", "percentage_off", "free_shipping", "free_product", "any_amount")
CODE_KINDS = (*DISCOUNTS, "gift_card")
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


def _address(text: str) -> str:
    if text and not re.fullmatch(r"https://[^\s\"'<>]+", text):
        raise ValueError(mark("Enter an address that begins with https://."))
    return text


def _prefix(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]{2,10}", text):
        raise ValueError(mark("Use 2 to 10 letters and digits, without spaces."))
    return text


PictureAddress = Annotated[str, Field(max_length=500), AfterValidator(_address)]
CodePrefix = Annotated[str, AfterValidator(_prefix)]
Sentence = Annotated[str, Field(max_length=500)]
Paragraph = Annotated[str, Field(max_length=2000)]
PointsPrice = Annotated[int, Field(gt=0, le=100_000_000)]


class Descriptions(BaseModel):
    """What the reward is about, in the five languages."""

    en: Sentence | None = None
    es: Sentence | None = None
    fr: Sentence | None = None
    ar: Sentence | None = None
    he: Sentence | None = None


class Conditions(BaseModel):
    """The reward's terms in the five languages."""

    en: Paragraph | None = None
    es: Paragraph | None = None
    fr: Paragraph | None = None
    ar: Paragraph | None = None
    he: Paragraph | None = None


class RewardForm(BaseModel):
    """A reward as staff type it. Money is in major units of the shop's currency, the percentage in percent.

    `points_cost` is the price; for "any_amount" the price of one step, which is worth `amount`.
    """

    version: int = Field(0, ge=0)
    names: Names = Names()
    descriptions: Descriptions = Descriptions()
    conditions: Conditions = Conditions()
    image_url: PictureAddress = ""
    kind: Kind
    points_cost: PointsPrice
    amount: Money | None = None
    percent: Decimal | None = Field(None, gt=0, le=100, decimal_places=2)
    variant: str | None = Field(None, max_length=80)
    least_points: PointsPrice | None = None
    most_points: PointsPrice | None = None
    access_tag: str = Field("", max_length=40, pattern=r"^[^,]*$")
    minimum_subtotal: Money | None = None
    valid_days: int | None = Field(None, ge=1, le=3650)
    per_member_limit: int | None = Field(None, ge=1, le=1_000_000)
    limit_days: int | None = Field(None, ge=1, le=3650)
    stock: int | None = Field(None, ge=0, le=100_000_000)
    tiers: list[UUID] = Field(default_factory=list, max_length=50)
    segments: list[UUID] = Field(default_factory=list, max_length=50)
    starts_on: Day | None = None
    ends_on: Day | None = None
    cost: Annotated[Decimal, Field(ge=0, le=10_000_000, decimal_places=3)] | None = None
    # An unchecked box is not posted at all.
    returns_expired: bool = False
    returns_canceled: bool = False
    combines_with: list[DiscountClass] = Field(default_factory=list, max_length=3)
    code_prefix: CodePrefix = "LN"
    status: Literal["draft", "active"] = "active"
    position: int = Field(0, ge=0, le=10_000)


class NewReward(BaseModel):
    """The program that a new reward is for; the active one when absent."""

    program: UUID | None = None


class NewRewardForm(RewardForm, NewReward):
    """A new reward and its program."""


class PreviewForm(BaseModel):
    """What has been typed so far; half-typed fields are refused and the preview stays as it is."""

    names: Names = Names()
    descriptions: Descriptions = Descriptions()
    conditions: Conditions = Conditions()
    image_url: PictureAddress = ""
    kind: Kind = "amount_off"
    points_cost: PointsPrice | None = None
    amount: Money | None = None
    percent: Decimal | None = Field(None, gt=0, le=100, decimal_places=2)
    least_points: PointsPrice | None = None
    most_points: PointsPrice | None = None
    minimum_subtotal: Money | None = None
    valid_days: int | None = Field(None, ge=1, le=3650)
    per_member_limit: int | None = Field(None, ge=1, le=1_000_000)
    limit_days: int | None = Field(None, ge=1, le=3650)
    ends_on: Day | None = None
    # What the card does not show is posted with the rest of the editor.
    program: str | None = None
    version: int | None = None
    variant: str | None = None
    access_tag: str | None = None
    stock: str | None = None
    tiers: list[str] = Field(default_factory=list)
    segments: list[str] = Field(default_factory=list)
    starts_on: Day | None = None
    cost: str | None = None
    returns_expired: bool = False
    returns_canceled: bool = False
    combines_with: list[DiscountClass] = Field(default_factory=list)
    code_prefix: str | None = None
    status: str | None = None
    position: str | None = None


class CatalogQuery(BaseModel):
    """Which rewards the catalog shows."""

    status: Status | None = None
    program: UUID | None = None
    limit: int = Field(200, ge=1, le=200)
    cursor: str | None = Field(None, max_length=200)


class RedemptionsFilter(BaseModel):
    """The redemption list's filters; "owed" are those that staff have to hand over."""

    search: str | None = Field(None, max_length=254)
    status: RedemptionStatus | Literal["owed"] | None = None
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
    access_tag: str = ""
    returns_expired: bool = True
    returns_canceled: bool = True


@dataclass(frozen=True)
class CatalogItem:
    """A reward as a member sees it. `missing` is how many points are short; 0 when it can be afforded.

    `refusal` is the code of what else stands against it; a slider has `least_points`, `most_points` and the step
    `points_cost`, which is worth `value_minor`.
    """

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
    conditions: str = ""
    image_url: str = ""
    left: int | None = None
    least_points: int | None = None
    most_points: int | None = None
    refusal: str | None = None


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
    hold_entry_id: UUID | None
    terms: Terms
    discount_gid: str | None
    used_order_id: int | None
    channel: str
    created_at: datetime
    issued_at: datetime | None
    used_at: datetime | None
    expires_at: datetime | None
    ending: Ending | None = None
    stocked: bool = False
    cost_minor: int = 0

    @property
    def kind(self) -> str:
        """What kind of reward it was."""
        return self.terms.kind

    @property
    def usable_code(self) -> str | None:
        """The code once it works; before that, and when it never will, None."""
        works = self.status in ("issued", "used") and self.terms.kind in CODE_KINDS
        return self.code if works else None

    @property
    def cancelling(self) -> bool:
        """Whether the code is being taken back and Shopify has not confirmed it yet."""
        return self.status in ("issued", "used") and self.failure == CANCELLING


class RedeemIn(BaseModel):
    """Redeem a reward for a member."""

    customer_id: str = Field(
        min_length=1, max_length=80, description="Member id, Shopify customer id or its gid"
    )
    reward_id: UUID
    points: PointsPrice | None = Field(
        None, description="How many points, for a reward whose amount the member chooses"
    )


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
    ending: Ending | None
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
    limit_days: int | None
    stock: int | None
    stock_taken: int
    tiers: list[UUID]
    segments: list[UUID]
    starts_at: datetime | None
    ends_at: datetime | None
    least_points: int | None
    most_points: int | None
    access_tag: str
    image_url: str
    conditions: str
    returns_expired: bool
    returns_canceled: bool
    combines_with: list[DiscountClass]
    status: Status
    version: int


class HoldIn(BaseModel):
    """Hold points while a checkout is open."""

    customer_id: str = Field(
        min_length=1, max_length=80, description="Member id, Shopify customer id or its gid"
    )
    points: PointsPrice
    minutes: int = Field(30, ge=1, le=1440, description="After these the points are free again by themselves")
    reference: str = Field("", max_length=200, description="Your name for the checkout")


class CaptureIn(BaseModel):
    """Spend held points."""

    order_id: int | None = Field(None, gt=0, lt=2**63, description="Shopify's id of the order")


@dataclass(frozen=True)
class CheckoutHold:
    """Points held at a checkout. `hold_entry_id` is the ledger's."""

    id: UUID
    member_id: UUID
    points: int
    key: str
    reference: str
    status: HoldStatus
    hold_entry_id: UUID
    order_id: int | None
    expires_at: datetime
    created_at: datetime


class HoldOut(BaseModel):
    """Points held at a checkout. Put `hold_id` into the cart attribute `_loyalnest_hold`: the order captures it."""

    hold_id: UUID
    member_id: UUID
    points: int
    reference: str
    state: HoldStatus
    order_id: int | None
    expires_at: datetime
    created_at: datetime
