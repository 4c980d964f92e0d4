"""Shapes of tiers: ladders as the rules see them, where members stand, forms, and what the API gives."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from app.core.calendar import Day

Metric = Literal["points", "spend", "orders", "rfm"]
Period = Literal["lifetime", "rolling", "calendar", "anniversary"]
Downgrade = Literal["to_earned", "one_level", "none"]
Every = Literal["month", "quarter", "year"]
Reason = Literal["earned", "lapsed", "refund", "by_hand", "ladder"]
Outcome = Literal["up", "down", "later"]
BASIS_POINTS = 10_000
# How many rewards a choice lists; those further down the catalog are found by moving them up.
MOST_REWARDS = 500


@dataclass(frozen=True)
class Level:
    """A tier as the rules see it. `names` holds its name by locale where the merchant gave one.

    `threshold` is in the unit of its ladder: points, minor units of the shop's currency, orders, or an RFM score.
    """

    id: UUID
    name: str
    names: dict[str, str]
    threshold: int
    multiplier_bp: int
    color: str
    entry_points: int | None = None
    entry_reward_id: UUID | None = None
    gift_reward_id: UUID | None = None
    gift_every: Every = "month"
    early_days: int = 0

    def localized(self, locale: str) -> str:
        """The name in a locale."""
        return self.names.get(locale) or self.name


@dataclass(frozen=True)
class Ladder:
    """A ladder with its levels, lowest first. The main one's multiplier enters the price of orders."""

    id: UUID
    program_id: UUID
    name: str
    metric: Metric
    period: Period
    months: int
    grace_days: int
    downgrade: Downgrade
    take_back: bool
    notice_days: int | None
    main: bool
    active: bool
    version: int
    levels: tuple[Level, ...] = ()

    def rank(self, tier_id: UUID | None) -> int | None:
        """The place of a tier, lowest 0; None for a tier that is not on the ladder."""
        return next((rank for rank, level in enumerate(self.levels) if level.id == tier_id), None)


@dataclass(frozen=True)
class Window:
    """The time in which things count: from `starts`, and before it from `previous`, whose tier is kept until `ends`.

    `follows` is when a tier earned now ends at the earliest. A window that slides or never starts again has no ends.
    """

    starts: datetime
    previous: datetime
    ends: datetime | None = None
    follows: datetime | None = None


@dataclass(frozen=True)
class Value:
    """What a member has of the ladder's metric: in the window, and in the one before it."""

    now: int = 0
    before: int = 0

    @property
    def counted(self) -> int:
        """What the tier is decided by."""
        return max(self.now, self.before)


@dataclass(frozen=True)
class Held:
    """Where a member stands on a ladder as it was noted last."""

    tier_id: UUID | None
    since: datetime
    value: int = 0
    base: int = 0
    grace_until: datetime | None = None
    ends_at: datetime | None = None
    locked_until: datetime | None = None


@dataclass(frozen=True)
class Gift:
    """A reward that a tier gave at an instant: its name, where more is known of it, and its code."""

    at: datetime
    name: str
    url: str
    code: str


@dataclass(frozen=True)
class Verdict:
    """Where a member belongs. `rank` is None below the lowest tier; `grace_until` is set while a tier is kept by grace."""

    rank: int | None
    grace_until: datetime | None = None
    lapsed: bool = False


@dataclass(frozen=True)
class Standing:
    """Where a member is on a ladder. `needed` more leads to `next_tier`; None at the top.

    `ends_at` is when the tier is lost unless more is earned, `keeps` how much more keeps it for another period, and
    `locked_until` until when staff fixed it.
    """

    tier: Level | None
    next_tier: Level | None
    value: int
    needed: int | None
    metric: Metric = "points"
    name: str = ""
    main: bool = True
    since: datetime | None = None
    ends_at: datetime | None = None
    keeps: int | None = None
    locked_until: datetime | None = None
    lock_reason: str = ""
    ladder_id: UUID | None = None
    notice_days: int | None = None

    @property
    def last_at(self) -> datetime | None:
        """The last moment of the last day on which the tier stands."""
        return self.ends_at - timedelta(seconds=1) if self.ends_at else None

    @property
    def last_locked(self) -> datetime | None:
        """The last moment of the last day of the lock."""
        return self.locked_until - timedelta(seconds=1) if self.locked_until else None

    @property
    def progress_percent(self) -> int:
        """How far between this tier and the next, 0 to 100."""
        if self.next_tier is None:
            return 100
        start = self.tier.threshold if self.tier else 0
        span = self.next_tier.threshold - start
        return max(0, min(100, (self.value - start) * 100 // span)) if span > 0 else 0


@dataclass(frozen=True)
class Ending:
    """A member who loses a tier at `ends_at` unless more is earned."""

    member_id: UUID
    ladder_id: UUID
    tier_id: UUID
    ends_at: datetime


Multiplier = Annotated[Decimal, Field(ge=0, le=100, max_digits=6, decimal_places=2)]


class TierNames(BaseModel):
    """A tier's name in the shopper's languages; empty ones fall back to the tier's own."""

    es: str | None = Field(None, max_length=60)
    fr: str | None = Field(None, max_length=60)
    ar: str | None = Field(None, max_length=60)
    he: str | None = Field(None, max_length=60)


class TierForm(BaseModel):
    """A tier in the editor. The threshold is in points, in major units of money, in orders, or an RFM score."""

    version: int = Field(0, ge=0)
    name: str = Field(min_length=1, max_length=60)
    names: TierNames = Field(default_factory=TierNames)
    threshold: Decimal = Field(ge=0, le=1_000_000_000, decimal_places=3)
    multiplier: Multiplier = Decimal(1)
    color: str = Field("#8a8a8a", pattern="^#[0-9a-fA-F]{6}$")
    entry_points: int | None = Field(None, ge=1, le=10_000_000)
    entry_reward_id: UUID | None = None
    gift_reward_id: UUID | None = None
    gift_every: Every = "month"
    early_days: int = Field(0, ge=0, le=90)


class TiersQuery(BaseModel):
    """The program whose ladders are shown; the active one when absent."""

    program: UUID | None = None


class NewTierQuery(BaseModel):
    """The ladder that a new tier is for; the main one when absent."""

    ladder: UUID | None = None


class NewTierForm(TierForm):
    """A new tier and its ladder."""

    ladder: UUID


class LadderForm(BaseModel):
    """A ladder's settings in the editor."""

    version: int = Field(0, ge=0)
    name: str = Field(min_length=1, max_length=60)
    metric: Metric = "points"
    period: Period = "lifetime"
    months: int = Field(12, ge=1, le=60)
    downgrade: Downgrade = "to_earned"
    grace_days: int = Field(0, ge=0, le=365)
    # An unchecked box is not posted at all.
    take_back: bool = False
    notice_days: int | None = Field(None, ge=1, le=90)
    active: bool = False


class NewLadderForm(LadderForm):
    """A new ladder and its program; the active one when absent."""

    program: UUID | None = None


class RemoveForm(BaseModel):
    """The version of the ladder that a tier is taken off."""

    version: int = Field(ge=0)


class MoveForm(BaseModel):
    """A move by hand. Without a last day the tier is decided by the ladder again at the next review."""

    tier: UUID
    locked_until: Day | None = None
    reason: str = Field(min_length=1, max_length=200)


class MovesQuery(BaseModel):
    """Which moves are shown; days are those of the shop."""

    search: str | None = Field(None, max_length=254)
    ladder: UUID | None = None
    direction: Literal["up", "down"] | None = None
    reason: Reason | None = None
    start: Day | None = None
    end: Day | None = None
    sort: Literal["newest", "oldest"] = "newest"
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=200)


class EndingsQuery(BaseModel):
    """Which endings are shown."""

    search: str | None = Field(None, max_length=254)
    days: Literal["7", "30", "90"] | None = Field(None, description="Within so many days")
    tier: UUID | None = None
    ladder: UUID | None = None
    why: Literal["grace", "period"] | None = None
    sort: Literal["soonest"] = "soonest"
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=300)


class SimulatedQuery(BaseModel):
    """Which members of a simulation are shown."""

    outcome: Outcome | None = None
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=200)


class TierOut(BaseModel):
    """A tier. The threshold is in the unit of its ladder; money in minor units."""

    id: UUID
    ladder_id: UUID
    name: str
    threshold: int
    multiplier: Decimal
    color: str
    entry_points: int | None
    entry_reward_id: UUID | None
    gift_reward_id: UUID | None
    gift_every: Every
    early_days: int


class StatusQuery(BaseModel):
    """Whose tier."""

    customer_id: str = Field(
        min_length=1, max_length=80, description="Member id, Shopify customer id or its gid"
    )


class Perks(BaseModel):
    """What a tier gives."""

    multiplier: Decimal
    entry_points: int | None
    entry_reward_id: UUID | None
    gift_reward_id: UUID | None
    gift_every: Every
    early_days: int


class StatusOut(BaseModel):
    """Where a member stands on the main ladder. `progress` is 0 to 100; `needed` and `value` are in the ladder's unit."""

    tier_id: UUID | None
    tier_name: str | None
    next_tier_name: str | None
    progress: int
    value: int
    needed: int | None
    metric: Metric
    ends_at: datetime | None
    locked_until: datetime | None
    perks: Perks | None


class AssignIn(BaseModel):
    """Move a member by hand."""

    customer_id: str = Field(
        min_length=1, max_length=80, description="Member id, Shopify customer id or its gid"
    )
    vip_tier_id: UUID
    locked_until: Day | None = Field(None, description="Last day on which the tier cannot be lost")
    reason: str = Field("Set through the API", min_length=1, max_length=200)


class TierIn(BaseModel):
    """A tier for the main ladder, or for another. The threshold is in the unit of the ladder; money in minor units."""

    name: str = Field(min_length=1, max_length=60)
    threshold: int = Field(ge=0, le=10**12)
    multiplier: Multiplier = Decimal(1)
    color: str = Field("#8a8a8a", pattern="^#[0-9a-fA-F]{6}$")
    ladder_id: UUID | None = None
    names: TierNames = Field(default_factory=TierNames)
    entry_points: int | None = Field(None, ge=1, le=10_000_000)
    entry_reward_id: UUID | None = None
    gift_reward_id: UUID | None = None
    gift_every: Every = "month"
    early_days: int = Field(0, ge=0, le=90)


class PreviewQuery(BaseModel):
    """How many members, and from where on."""

    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=200)


class PreviewLine(BaseModel):
    """Where a member belongs by what counts now."""

    customer_id: str | None = Field(description="The Shopify customer's id")
    member_id: UUID
    tier_id: UUID | None
    tier_name: str | None
    value: int
