"""Shapes of programs."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from app.core.calendar import Day, Instant, ZoneName
from app.core.countries import Country
from app.core.i18n import mark

# What an update does not name; null is refused by the field's type.
_ABSENT: Any = None

Name = Annotated[str, Field(min_length=1, max_length=80)]
Description = Annotated[str, Field(max_length=500)]
Rate = Annotated[
    Decimal,
    Field(
        ge=0,
        le=100_000,
        max_digits=9,
        decimal_places=4,
        description="Points per major unit of the shop's currency",
    ),
]
Bonus = Annotated[int, Field(ge=0, le=10_000_000)]
HoldingDays = Annotated[int, Field(ge=0, le=365, description="Days before earned points can be spent")]
ExpiryMonths = Annotated[int, Field(ge=1, le=120, description="Months after earning when points expire")]
Trigger = Literal["created", "paid", "fulfilled"]
Rounding = Literal["down", "nearest", "half_even", "up"]
Type = Literal["points", "tiered", "punch_card", "spend_based"]
DebtPolicy = Literal["pending_only", "to_zero", "negative"]
MultiplierMode = Literal["multiply", "add", "highest", "first"]
Zone = Annotated[
    ZoneName, Field(max_length=64, description="IANA name; empty means the shop's own time zone")
]
Status = Literal["draft", "scheduled", "active", "paused", "archived"]
AfterEnd = Literal["paused", "archived"]


# The two rules that every program has; their figures stand in columns of the program.
PURCHASE, SIGNUP = "purchase", "signup"

RuleKind = Literal[
    "purchase",
    "signup",
    "birthday",
    "newsletter",
    "review",
    "social_follow",
    "social_share",
    "goal_spend",
    "first_purchase",
    "custom_event",
    "store_visit",
    "referral",
]
Per = Literal["unit", "item", "order", "spend_step", "stamp_order", "stamp_item"]
Stacking = Literal["add", "best", "exclusive"]
Period = Literal["week", "month", "quarter", "year"]
Word = Annotated[str, Field(min_length=1, max_length=255)]
Key = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,64}$")]
PlatformId = Annotated[int, Field(gt=0, lt=2**63)]
Some = Annotated[int, Field(gt=0, le=10_000_000)]
Budget = Annotated[int, Field(gt=0, le=10**15)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_serialization_defaults_required=True)


class Names(_Part):
    """What members read, by language; the plain name where a language is missing."""

    es: str | None = Field(None, max_length=80)
    fr: str | None = Field(None, max_length=80)
    ar: str | None = Field(None, max_length=80)
    he: str | None = Field(None, max_length=80)


class Translations(_Part):
    """A text that members read, in each language; English where one is missing."""

    en: str = Field("", max_length=300)
    es: str = Field("", max_length=300)
    fr: str = Field("", max_length=300)
    ar: str = Field("", max_length=300)
    he: str = Field("", max_length=300)


class When(_Part):
    """Conditions on the order and the member that rules and multipliers share. An empty list asks for nothing.

    Days are local to the program; `ends_on` is the last day. Weekdays count from Monday, 1, to Sunday, 7.
    """

    channels: list[Word] = Field(
        [], max_length=50, description="Sales channels as Shopify names them: web, pos"
    )
    countries: list[Country] = Field([], max_length=250)
    currencies: list[Annotated[str, Field(pattern="^[A-Z]{3}$")]] = Field(
        [], max_length=200, description="Currencies that the shopper paid in"
    )
    customer_tags: list[Word] = Field([], max_length=100)
    segments: list[Word] = Field([], max_length=100)
    tiers: list[UUID] = Field([], max_length=100)
    weekdays: list[Annotated[int, Field(ge=1, le=7)]] = Field([], max_length=7)
    starts_on: Day | None = None
    ends_on: Day | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise ValueError(mark("The last day comes before the first."))
        return self

    @cached_property
    def asks(self) -> bool:
        """Whether anything is asked of the order or the member."""
        return any(getattr(self, name) for name in When.model_fields)


class Goods(When):
    """Conditions that may also name goods; nothing named means all of them."""

    products: list[PlatformId] = Field([], max_length=1000)
    variants: list[PlatformId] = Field([], max_length=1000)
    collections: list[PlatformId] = Field([], max_length=250)
    tags: list[Word] = Field([], max_length=250, description="Product tags")
    vendors: list[Word] = Field([], max_length=250)
    types: list[Word] = Field([], max_length=250, description="Product types")

    @cached_property
    def names_goods(self) -> bool:
        """Whether only some goods are meant."""
        return bool(
            self.products or self.variants or self.collections or self.tags or self.vendors or self.types
        )


class Conditions(Goods):
    """When a rule applies, and to which lines of an order."""

    minimum_subtotal: Annotated[Decimal, Field(gt=0, le=10_000_000, decimal_places=4)] | None = None
    first_order: bool = False


class Eligibility(_Part):
    """Who earns in a program at all; what is empty asks for nothing.

    Of what a member does without an order only segments and the age of the account are asked.
    """

    customer_tags: list[Word] = Field([], max_length=100, description="Only customers with one of these")
    excluded_customer_tags: list[Word] = Field([], max_length=100)
    segments: list[Word] = Field([], max_length=100, description="Only members of one of these")
    excluded_segments: list[Word] = Field([], max_length=100)
    countries: list[Country] = Field([], max_length=250, description="Only orders to these")
    excluded_countries: list[Country] = Field([], max_length=250)
    companies: bool = Field(True, description="Whether orders of companies (B2B) earn")
    staff: bool = Field(True, description="Whether customers tagged staff or employee earn")
    account_days: int = Field(0, ge=0, le=3650, description="Days since enrolling before anything is earned")

    @cached_property
    def asks(self) -> bool:
        """Whether anybody is left out."""
        return self != Eligibility()

    @property
    def asks_segments(self) -> bool:
        """Whether segments matter."""
        return bool(self.segments or self.excluded_segments)

    @property
    def asks_tags(self) -> bool:
        """Whether the customer's tags matter."""
        return bool(self.customer_tags or self.excluded_customer_tags or not self.staff)


class Exclusions(_Part):
    """What earns nothing under a rule."""

    gift_cards: bool = True
    tax: bool = False
    shipping: bool = True
    tips: bool = True
    discounted: bool = Field(False, description="Lines that a discount made cheaper")
    sale: bool = Field(False, description="Items sold under their compare-at price")
    staff: bool = Field(False, description="Orders of customers tagged staff or employee")
    b2b: bool = Field(False, description="Orders of companies")
    test_orders: bool = True
    tags: list[Word] = Field([], max_length=250, description="Product tags")
    customer_tags: list[Word] = Field([], max_length=100)


class Caps(_Part):
    """The most points that may be given. `budget` holds for all members together."""

    per_order: Some | None = None
    per_day: Some | None = Field(None, description="Per member and day")
    per_period: Some | None = Field(None, description="Per member and `period`")
    period: Period = "month"
    per_member: Some | None = Field(None, description="Per member, ever")
    budget: Budget | None = None

    @property
    def of_member(self) -> bool:
        """Whether what a member got before matters."""
        return self.per_day is not None or self.per_period is not None or self.per_member is not None


class Expiry(_Part):
    """How points end. Without `expiry_months` those that count months never do; a rule's own months go before all of it.

    earned: so many months after earning. yearly: on one day of each year, but what was earned in the last `spare_months`
    before it lives on to the next. idle: everything, so many months after the member last earned or spent.
    """

    mode: Literal["earned", "yearly", "idle"] = "earned"
    end_of_month: bool = Field(False, description="earned: at the end of that month instead of that day")
    month: int = Field(12, ge=1, le=12)
    day: int = Field(31, ge=1, le=31, description="A day that the month lacks is its last")
    spare_months: int = Field(0, ge=0, le=11)


class EarningRule(_Part):
    """How members earn.

    `points` are per unit of the shop's currency, per piece or per order, for each full `step` of money spent or stamps
    collected, or at once for what a member does.
    """

    id: Key
    kind: RuleKind
    enabled: bool = True
    name: str = Field("", max_length=80)
    names: Names = Names()
    points: Annotated[Decimal, Field(ge=0, le=10_000_000, decimal_places=4)] = Decimal(0)
    per: Per = "unit"
    step: Annotated[Decimal, Field(gt=0, le=10_000_000, decimal_places=4)] | None = Field(
        None, description="Money for spend_step and goal_spend, stamps for a punch card"
    )
    goal_period: Period | None = Field(
        None, description="A spending goal starts again with each; null: never"
    )
    within_hours: int = Field(24, ge=1, le=8760, description="first_purchase: hours after enrolling")
    event: Key | None = Field(None, description="custom_event: the event's name")
    priority: int = Field(0, ge=-1000, le=1000)
    stacking: Stacking = "add"
    multiplied: bool = Field(True, description="Whether tier and campaigns multiply it")
    conditions: Conditions = Conditions()
    exclusions: Exclusions = Exclusions()
    caps: Caps = Caps()
    expiry_months: ExpiryMonths | None = Field(None, description="Instead of the program's")
    holding_days: HoldingDays | None = Field(None, description="Instead of the program's")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "custom_event" and not self.event:
            raise ValueError(mark("Name the event."))
        if self.counts and self.step is None:
            raise ValueError(mark("Say how much completes it."))
        return self

    @property
    def on_orders(self) -> bool:
        """Whether orders earn by it."""
        return self.kind in ("purchase", "goal_spend", "first_purchase")

    @property
    def counts(self) -> bool:
        """Whether it gives points when a count over several orders is full."""
        return (
            self.stamps or self.kind == "goal_spend" or (self.kind == "purchase" and self.per == "spend_step")
        )

    @property
    def stamps(self) -> bool:
        """Whether it counts stamps of a punch card; other counts are of money."""
        return self.kind == "purchase" and self.per in ("stamp_order", "stamp_item")

    def localized(self, locale: str) -> str:
        """Its name in a language."""
        return getattr(self.names, locale, None) or self.name


class Multiplier(_Part):
    """What makes orders earn more under conditions: a campaign, a market or a segment. The tiers have their own."""

    id: Key
    enabled: bool = True
    name: str = Field(min_length=1, max_length=80)
    names: Names = Names()
    factor: Annotated[Decimal, Field(ge=0, le=100, decimal_places=4)]
    priority: int = Field(0, ge=-1000, le=1000)
    conditions: Goods = Goods()
    budget: Budget | None = Field(None, description="Most points that it may add, for all members together")

    @property
    def budget_key(self) -> str:
        """What its budget is kept under; no rule's id has a colon."""
        return f"campaign:{self.id}"

    @property
    def basis_points(self) -> int:
        """The factor in ten-thousandths."""
        return int(self.factor * 10_000)

    def localized(self, locale: str) -> str:
        """Its name in a language."""
        return getattr(self.names, locale, None) or self.name


@dataclass(frozen=True)
class ProgramTerms:
    """The terms of one program version, as an award sees them. `rules` and `multipliers` stand by priority."""

    version_id: UUID
    program_id: UUID
    type: str
    zone: str
    earn_trigger: str
    holding_days: int
    expiry_months: int | None
    expiry: Expiry
    rounding: str
    minimum_redemption: int
    debt_policy: DebtPolicy
    multiplier_mode: str
    rules: tuple[EarningRule, ...]
    multipliers: tuple[Multiplier, ...]
    caps: Caps
    eligibility: Eligibility

    @cached_property
    def on_orders(self) -> tuple[EarningRule, ...]:
        """The enabled rules by which orders earn."""
        return tuple(rule for rule in self.rules if rule.enabled and rule.on_orders)

    @cached_property
    def times(self) -> tuple[Multiplier, ...]:
        """The enabled multipliers."""
        return tuple(one for one in self.multipliers if one.enabled)

    @cached_property
    def never_earning(self) -> tuple[bool, bool]:
        """Whether no rule gives anything for shipping, and none for tips."""
        excluded = [rule.exclusions for rule in self.on_orders]
        return all(one.shipping for one in excluded), all(one.tips for one in excluded)

    def of_kind(self, kind: str) -> list[EarningRule]:
        """The enabled rules of a kind."""
        return [rule for rule in self.rules if rule.enabled and rule.kind == kind]

    def rule(self, rule_id: str) -> EarningRule | None:
        """A rule by its id."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)


@dataclass(frozen=True)
class RewardIdea:
    """A reward that suits a program: its kind, its price in points, and an amount or a percentage."""

    kind: str
    points_cost: int
    amount: Decimal | None = None
    percent: Decimal | None = None


def _different(parts: list[Any]) -> list[Any]:
    if len({part.id for part in parts}) < len(parts):
        raise ValueError(mark("Two of these have the same id."))
    return parts


Step = Annotated[
    Decimal,
    Field(
        gt=0,
        le=10_000_000,
        decimal_places=4,
        description="Money that earns the points once (spend_based), or stamps on a card (punch_card)",
    ),
]
Rules = Annotated[
    list[EarningRule],
    Field(
        max_length=200,
        description='Rules besides the two that every program has; one with the id "purchase" or "signup" refines'
        " those, and takes its points from `points_per_unit` and `signup_bonus`",
    ),
    AfterValidator(_different),
]
Multipliers = Annotated[list[Multiplier], Field(max_length=100), AfterValidator(_different)]


class _Settings(BaseModel):
    """What a new program and the editor's form have alike."""

    name: Name
    description: Description = ""
    type: Type = "tiered"
    signup_bonus: Bonus = 0
    earn_trigger: Trigger = "paid"
    holding_days: HoldingDays = 0
    expiry_months: ExpiryMonths | None = None
    expiry: Expiry = Expiry()
    rounding: Rounding = "down"
    minimum_redemption: Bonus = 0
    step: Step | None = None
    zone: Zone = ""
    debt_policy: DebtPolicy = "negative"
    multiplier_mode: MultiplierMode = "multiply"
    caps: Caps = Caps()
    eligibility: Eligibility = Eligibility()
    pause_notes: Translations = Translations()


class ProgramCreate(_Settings):
    """A new program; it starts as a draft unless it is said to be active."""

    status: Literal["draft", "active"] = "draft"
    points_per_unit: Rate = Decimal(10)
    earn_on_tax: bool = True
    rules: Rules = []
    multipliers: Multipliers = []


class ProgramUpdate(BaseModel):
    """Changes to a program; what is absent stays, null is allowed for `expiry_months` (never) and both instants.

    `version` is the one that was read. `status` "scheduled" needs `starts_at`: then the program becomes active by itself,
    and with `rewards_at_start` offers what are its draft rewards by then.
    """

    version: int = Field(ge=1)
    name: Name = Field(default=_ABSENT)
    description: Description = Field(default=_ABSENT)
    type: Type = Field(default=_ABSENT)
    status: Status = Field(default=_ABSENT)
    points_per_unit: Rate = Field(default=_ABSENT)
    signup_bonus: Bonus = Field(default=_ABSENT)
    earn_trigger: Trigger = Field(default=_ABSENT)
    holding_days: HoldingDays = Field(default=_ABSENT)
    expiry_months: ExpiryMonths | None = None
    expiry: Expiry = Field(default=_ABSENT)
    rounding: Rounding = Field(default=_ABSENT)
    earn_on_tax: bool = Field(default=_ABSENT)
    minimum_redemption: Bonus = Field(default=_ABSENT)
    step: Step | None = None
    zone: Zone = Field(default=_ABSENT)
    debt_policy: DebtPolicy = Field(default=_ABSENT)
    multiplier_mode: MultiplierMode = Field(default=_ABSENT)
    rules: Rules = Field(default=_ABSENT)
    multipliers: Multipliers = Field(default=_ABSENT)
    caps: Caps = Field(default=_ABSENT)
    eligibility: Eligibility = Field(default=_ABSENT)
    pause_notes: Translations = Field(default=_ABSENT)
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    after_end: AfterEnd = Field(default=_ABSENT)
    hands_back: bool = Field(default=_ABSENT)
    rewards_at_start: bool = Field(default=_ABSENT)


Then = Annotated[
    Literal["save", "rehearse"],
    Field(description="Whether to save, or to replay the last months under the changed terms first"),
]


class ProgramForm(_Settings):
    """The editor's form; everything is sent."""

    version: int = Field(0, ge=0)
    points_per_unit: Rate
    earn_on_tax: bool = False
    then: Then = "save"


class ApplyForm(BaseModel):
    """A change of a program that was read at a version."""

    version: int = Field(ge=1)


class RuleForm(ApplyForm):
    """The drawer of one earning rule; everything is sent."""

    rule: EarningRule
    then: Then = "save"


class PartForm(ApplyForm):
    """A rule to take out of the terms."""

    rule: Key


class CampaignForm(ApplyForm):
    """The drawer of one campaign; everything is sent."""

    campaign: Multiplier
    then: Then = "save"


class CampaignPart(ApplyForm):
    """A campaign to take out of the terms."""

    campaign: Key


class RollbackForm(ApplyForm):
    """An older version whose terms are to hold again."""

    number: int = Field(ge=1)


class NewRule(BaseModel):
    """What kind of rule a new one is."""

    kind: RuleKind = "purchase"


class StatusForm(ApplyForm):
    """A step of a program's life."""

    status: Status


class TemplateForm(BaseModel):
    """A template to start from, and whether its rewards come along as drafts."""

    template: Key
    rewards: bool = False


class ShopperForm(BaseModel):
    """As whom to look at a program, and in which language. A tier stands for somebody who just reached it."""

    locale: Literal["en", "es", "fr", "ar", "he"] = "en"
    who: Literal["guest", "new", "tier", "member"] = "guest"
    tier: UUID | None = None
    email: str = Field("", max_length=254)


class LookForm(ProgramForm):
    """The editor as it is typed, and as whom to look at what it would mean."""

    shopper: ShopperForm = ShopperForm()


class ProgramOut(BaseModel):
    """A program."""

    id: UUID
    name: str
    description: str
    type: str
    status: str
    points_per_unit: Decimal
    signup_bonus: int
    earn_trigger: str
    holding_days: int
    expiry_months: int | None
    expiry: Expiry
    rounding: str
    earn_on_tax: bool
    minimum_redemption: int
    step: Decimal | None
    zone: str
    debt_policy: str
    multiplier_mode: str
    rules: list[EarningRule]
    multipliers: list[Multiplier]
    caps: Caps
    eligibility: Eligibility
    pause_notes: Translations
    starts_at: datetime | None
    ends_at: datetime | None
    after_end: AfterEnd
    hands_back: bool
    rewards_at_start: bool
    version: int
    created_at: datetime
    updated_at: datetime


class ProgramsQuery(BaseModel):
    """Which page of programs."""

    status: Status | None = None
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=200)
