"""Shapes of the app proxy and of the widget's configuration. Texts are in the language that was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from app.domains.tiers.schemas import Level, Metric

Locale = Literal["en", "es", "fr", "ar", "he"]
State = Literal["guest", "preparing", "member", "blocked", "closed"]


@dataclass(frozen=True)
class Offer:
    """The shop's active program as the storefront needs it; amounts are in the shop's currency.

    `ladder` is the main one, whose thresholds are in the unit of `metric`. `counts` says that a rule counts over several
    orders; `rules` are the earning rules beside purchases and joining, as they are kept.
    """

    currency: str
    timezone: str
    program_id: UUID
    program_name: str
    points_per_unit: Decimal
    signup_bonus: int
    minimum_redemption: int
    ladder: tuple[Level, ...]
    metric: Metric = "points"
    names: dict[str, str] = field(default_factory=dict)
    type: str = "points"
    step: Decimal | None = None
    counts: bool = False
    rules: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Holder:
    """A member and their points. `seq` counts the ledger's entries; `expiring` points end at `expires_at`.

    `claims_guest` says that somebody ordered as a guest with the member's proven e-mail. `tier_id` is where the member
    stands until `tier_ends_at`, `tier_value` what counts for it now; None for a member who was never placed.
    """

    id: UUID
    status: str
    available: int
    pending: int
    debt: int
    qualifying: int
    seq: int
    expiring: int
    expires_at: datetime | None
    claims_guest: bool = False
    tier_id: UUID | None = None
    tier_value: int | None = None
    tier_ends_at: datetime | None = None
    tier_locked_until: datetime | None = None


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
    descriptions: dict[str, str] = field(default_factory=dict)
    conditions: dict[str, str] = field(default_factory=dict)
    image_url: str = ""
    tiers: Sequence[UUID] = ()
    kind: str = "amount_off"
    value_minor: int | None = None
    least_points: int | None = None
    most_points: int | None = None
    for_other_tiers: bool = False
    sold_out: bool = False


@dataclass(frozen=True)
class Owned:
    """A redemption of the member; `code` is in clear once it works, else None.

    `returning` says that it is being given back, `returnable` that it could be.
    """

    id: UUID
    status: str
    names: dict[str, str]
    name: str
    code: str | None
    expires_at: datetime | None
    points: int = 0
    returning: bool = False
    returnable: bool = False


@dataclass(frozen=True)
class View:
    """Everything a summary is made of. Without `offer` no program runs; without `holder` nobody is known.

    `pause_notes` is what the merchant says, by language, while the program is paused.
    """

    offer: Offer | None
    holder: Holder | None
    rewards: list[Offered]
    owned: list[Owned]
    entries: list[dict[str, Any]]
    pause_notes: dict[str, str] = field(default_factory=dict)


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
    """The shopper's tier and the way to the next one; `progress_percent` is 100 at the top.

    `needed` is in the unit of the shop's main ladder: points, minor units of money, orders or a score. `keeps_text` says
    until when the tier stands, `perks_text` what it gives.
    """

    name: str
    color: str
    next_name: str | None
    needed: int | None
    progress_percent: int
    progress_text: str
    keeps_text: str | None
    perks_text: str | None


class WidgetCard(BaseModel):
    """A punch card or a spending goal: `filled` of `size` stamps, or minor units of the shop's money as `unit` says.

    `missing` leads to the next `points`; it is 0 for a goal that was reached. Texts are null when there is nothing to say.
    """

    name: str | None
    unit: Literal["stamp", "money"]
    filled: int
    size: int
    missing: int
    points: int
    progress_percent: int
    progress_text: str
    missing_text: str | None
    period_text: str | None


class WidgetSlider(BaseModel):
    """How many points may be given: from `least` to `most` in steps, each worth `step_amount` of the currency."""

    least: int
    most: int
    step: int
    step_amount: float
    currency: str


class WidgetReward(BaseModel):
    """A reward, `missing` points short.

    `note` says why it cannot be redeemed, or from which order on it works; `terms` are the merchant's own.
    """

    id: UUID
    name: str
    description: str
    points: int
    missing: int
    redeemable: bool
    price_text: str
    confirm_text: str
    note: str | None
    terms: str | None
    image_url: str | None
    slider: WidgetSlider | None


class WidgetCode(BaseModel):
    """A code the shopper owns; `code` is null while it is being made or given back.

    `return_text` is the question before giving it back for its points; null when it cannot be given back.
    """

    id: UUID
    name: str
    status: Literal["reserved", "issued", "returning"]
    code: str | None
    note: str
    return_text: str | None


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
    """All that the panel shows. `version` changes when anything of it does.

    `notice` is what the merchant says while no program runs, null when they say nothing.
    """

    version: str
    state: State
    language: Locale
    program: str | None
    notice: str | None
    balance: WidgetBalance | None
    tier: WidgetTier | None
    cards: list[WidgetCard]
    rewards: list[WidgetReward]
    codes: list[WidgetCode]
    earning: list[WidgetEarning]
    activity: list[WidgetEntry]


class WidgetFriend(BaseModel):
    """A friend whom the shopper invited; who it is stays out of it."""

    status: Literal["recorded", "qualified", "rewarded", "rejected", "reversed"]
    status_text: str
    date_text: str
    points_text: str | None


class ReferralOut(BaseModel):
    """Inviting friends: `offer` is what a friend gets, the rest is for a member who invites. All null while nothing runs.

    The link is the storefront's address with `?ref=` and the code.
    """

    running: bool
    offer: str | None
    promise: str | None
    share_text: str | None
    code: str | None
    channels: list[str]
    friends: list[WidgetFriend]
    earned_text: str | None


class ReferralClaimIn(BaseModel):
    """The code of the friend who invited the shopper."""

    code: str = Field(min_length=4, max_length=32, pattern=r"^[A-Za-z0-9]+$")


class ReferralVisitIn(ReferralClaimIn):
    """A visit by an advocate's link; the cart's token tells visitors apart and is kept as a keyed hash only."""

    cart: str = Field(min_length=8, max_length=200)


class ReferralVisitOut(BaseModel):
    """Whether the visit was new."""

    counted: bool


class ReferralClaimOut(BaseModel):
    """What the invitation came to."""

    status: Literal["recorded", "qualified", "rewarded", "rejected", "reversed"]
    message: str


Hundredths = Annotated[int, Field(ge=0, le=10**11)]
Words = Annotated[list[Annotated[str, Field(max_length=255)]], Field(max_length=250)]


class BasketLine(BaseModel):
    """Goods as a theme knows them. Amounts are hundredths of the shopper's currency, as Liquid and cart.js give them."""

    product_id: int | None = Field(None, gt=0)
    variant_id: int | None = Field(None, gt=0)
    quantity: int = Field(1, ge=1, le=100_000)
    price: Hundredths = Field(description="Of one piece, before discounts")
    discount: Hundredths = Field(0, description="Off the whole line")
    gift_card: bool = False
    vendor: str = Field("", max_length=255)
    type: str = Field("", max_length=255)
    tags: Words = []
    collections: list[int] = Field([], max_length=250)
    on_sale: bool = False


class BasketIn(BaseModel):
    """A product or a cart whose points are asked for."""

    lines: list[BasketLine] = Field(max_length=250)
    discount: Hundredths = Field(0, description="Off the whole cart, beside the discounts of lines")
    taxes_included: bool = False
    currency: str | None = Field(
        None, pattern="^[A-Z]{3}$", description="The shopper's; the shop's when absent"
    )
    rate: Decimal = Field(
        Decimal(1),
        ge=Decimal("0.000001"),
        le=10**6,
        description="What one unit of the shop's currency is in the shopper's",
    )
    country: str | None = Field(None, pattern="^[A-Z]{2}$", examples=["FR"])
    customer_tags: Words = []
    company: bool = False


class PromiseOut(BaseModel):
    """What buying would earn, before taxes and shipping that come on top. The texts are null when it is nothing.

    Where prices hold tax that earns nothing it is the most that can be earned, and `text` says so.
    """

    points: int
    text: str | None
    why: str | None
    language: Locale


class WidgetRedeemIn(BaseModel):
    """Redeem a reward for the shopper who is logged in. The same key never spends points twice."""

    reward_id: UUID
    idempotency_key: str = Field(min_length=8, max_length=80, pattern=r"^[A-Za-z0-9_-]+$")
    points: int | None = Field(
        None, gt=0, le=100_000_000, description="How many, for an amount that members choose"
    )


class WidgetRedemption(BaseModel):
    """What became of a redemption: `code` is null until it works, `message` says what there is to know beside it."""

    id: UUID
    status: Literal["reserved", "issued", "returning", "used", "cancelled", "failed", "expired"]
    name: str
    code: str | None
    message: str | None


class WidgetEnding(BaseModel):
    """Points that end together; `last_day` is the last on which they can be spent, in the shop's zone."""

    points: int
    last_day: date
    text: str


class EndingsOut(BaseModel):
    """What of the shopper's points ends when, soonest first, at most twelve; `more` says that there is more."""

    endings: list[WidgetEnding]
    more: bool


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
