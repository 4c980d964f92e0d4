"""Shapes of referral campaigns."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from app.core.calendar import Moment

# What an update does not name; null is refused by the field's type.
_ABSENT: Any = None

Name = Annotated[str, Field(min_length=1, max_length=80)]
Description = Annotated[str, Field(max_length=500)]
Points = Annotated[int, Field(ge=0, le=10_000_000)]
Minor = Annotated[int, Field(ge=0, le=10**12, description="Minor units of the shop's currency")]
Most = Annotated[int, Field(ge=1, le=100_000)]
Channel = Literal["copy_link", "email", "sms", "whatsapp", "facebook", "x"]
Channels = Annotated[list[Channel], Field(min_length=1, max_length=6)]
ReferralStatus = Literal["recorded", "qualified", "rewarded", "rejected", "reversed"]
RewardOn = Annotated[
    Literal["first_order", "account"],
    Field(
        description="When both are rewarded: at the friend's first qualifying paid order, or when they come"
    ),
]
ShareText = Annotated[str, Field(max_length=280)]
Status = Literal["draft", "active", "paused", "completed"]


class ShareTexts(BaseModel):
    """What members send, by language."""

    en: ShareText | None = None
    es: ShareText | None = None
    fr: ShareText | None = None
    ar: ShareText | None = None
    he: ShareText | None = None


@dataclass(frozen=True)
class Terms:
    """What a campaign promises: points and coupons for both, and what the friend has to do for them. Minor units of the
    shop's currency."""

    advocate_points: int
    friend_points: int
    minimum_purchase_minor: int
    maximum_per_advocate: int | None
    reward_on: str
    advocate_reward_id: UUID | None = None
    friend_reward_id: UUID | None = None


@dataclass(frozen=True)
class Referral:
    """That an advocate brought a friend. `terms` is what the campaign promised then; `…_given` stands in the ledger now.

    `friend_id` is who came, `member_id` who stands for them now, another one after a merge.
    """

    id: UUID
    campaign_id: UUID
    advocate_id: UUID
    friend_id: UUID
    order_id: UUID | None
    status: ReferralStatus
    reason: str
    terms: dict[str, Any]
    recorded_at: datetime
    due_at: datetime | None
    rewarded_at: datetime | None
    advocate_given: int
    friend_given: int
    postings: int
    advocate_redemption_id: UUID | None
    friend_redemption_id: UUID | None
    coupons: int
    member_id: UUID


class CampaignCreate(BaseModel):
    """A new referral campaign; it starts as a draft unless it is said to be active."""

    name: Name
    description: Description = ""
    status: Literal["draft", "active"] = "draft"
    advocate_points: Points = 0
    friend_points: Points = 0
    advocate_reward_id: UUID | None = None
    friend_reward_id: UUID | None = None
    minimum_purchase_minor: Minor = 0
    maximum_per_advocate: Most | None = None
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    reward_on: RewardOn = "first_order"
    share_texts: ShareTexts = ShareTexts()
    sharing_channels: Channels = ["copy_link"]


class CampaignUpdate(BaseModel):
    """Changes to a campaign; what is absent stays, null is only allowed for limits (no limit) and coupons (none)."""

    version: int = Field(ge=1)
    name: Name = Field(default=_ABSENT)
    description: Description = Field(default=_ABSENT)
    status: Status = Field(default=_ABSENT)
    advocate_points: Points = Field(default=_ABSENT)
    friend_points: Points = Field(default=_ABSENT)
    advocate_reward_id: UUID | None = None
    friend_reward_id: UUID | None = None
    minimum_purchase_minor: Minor = Field(default=_ABSENT)
    maximum_per_advocate: Most | None = None
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    reward_on: RewardOn = Field(default=_ABSENT)
    share_texts: ShareTexts = Field(default=_ABSENT)
    sharing_channels: Channels = Field(default=_ABSENT)


class CampaignForm(BaseModel):
    """The editor's form; everything is sent, money in major units."""

    version: int = Field(0, ge=0)
    name: Name
    description: Description = ""
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    advocate_points: Points = 0
    friend_points: Points = 0
    advocate_reward_id: UUID | None = None
    friend_reward_id: UUID | None = None
    reward_on: RewardOn = "first_order"
    minimum_purchase: Annotated[Decimal, Field(ge=0, le=10_000_000, decimal_places=3)] = Decimal(0)
    maximum_per_advocate: Most | None = None
    sharing_channels: Channels = ["copy_link"]
    share_texts: ShareTexts = ShareTexts()


class PreviewForm(BaseModel):
    """What has been typed so far; a half-typed field is refused and the preview stays as it is."""

    version: int | None = None
    name: str = ""
    description: str = ""
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    maximum_per_advocate: Most | None = None
    sharing_channels: list[str] = Field(default_factory=list, max_length=6)
    advocate_points: Points = 0
    friend_points: Points = 0
    advocate_reward_id: UUID | None = None
    friend_reward_id: UUID | None = None
    reward_on: RewardOn = "first_order"
    minimum_purchase: Annotated[Decimal, Field(ge=0, le=10_000_000, decimal_places=3)] = Decimal(0)
    share_texts: ShareTexts = ShareTexts()


class StatusForm(BaseModel):
    """A step of a campaign's life."""

    version: int = Field(ge=1)
    status: Literal["active", "paused", "completed"]


class FriendsQuery(BaseModel):
    """Which of a campaign's friends are shown."""

    status: ReferralStatus | None = None
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=200)
    open: UUID | None = None


class CampaignOut(BaseModel):
    """A referral campaign with how many friends it brought."""

    id: UUID
    name: str
    description: str
    status: str
    advocate_points: int
    friend_points: int
    advocate_reward_id: UUID | None
    friend_reward_id: UUID | None
    minimum_purchase_minor: int
    currency: str
    maximum_per_advocate: int | None
    starts_at: datetime | None
    ends_at: datetime | None
    reward_on: str
    share_texts: dict[str, str]
    sharing_channels: list[str]
    referrals_pending: int
    referrals_rewarded: int
    version: int
    created_at: datetime
    updated_at: datetime


class CampaignsQuery(BaseModel):
    """Which page of campaigns."""

    status: Status | None = None
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=200)
