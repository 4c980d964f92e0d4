"""Shapes of referral campaigns."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

# What an update does not name; null is refused by the field's type.
_ABSENT: Any = None

Name = Annotated[str, Field(min_length=1, max_length=80)]
Description = Annotated[str, Field(max_length=500)]
Points = Annotated[int, Field(ge=0, le=10_000_000)]
Minor = Annotated[int, Field(ge=0, le=10**12, description="Minor units of the shop's currency")]
Most = Annotated[int, Field(ge=1, le=100_000)]
Channel = Literal["copy_link", "email", "sms", "whatsapp", "facebook", "x"]
Channels = Annotated[list[Channel], Field(max_length=6)]
Status = Literal["draft", "active", "paused", "completed"]


class CampaignCreate(BaseModel):
    """A new referral campaign; it starts as a draft unless it is said to be active."""

    name: Name
    description: Description = ""
    status: Literal["draft", "active"] = "draft"
    advocate_points: Points = 0
    friend_points: Points = 0
    minimum_purchase_minor: Minor = 0
    maximum_per_advocate: Most | None = None
    sharing_channels: Channels = ["copy_link"]


class CampaignUpdate(BaseModel):
    """Changes to a campaign; what is absent stays, null is only allowed for `maximum_per_advocate` (no limit)."""

    version: int = Field(ge=1)
    name: Name = Field(default=_ABSENT)
    description: Description = Field(default=_ABSENT)
    status: Status = Field(default=_ABSENT)
    advocate_points: Points = Field(default=_ABSENT)
    friend_points: Points = Field(default=_ABSENT)
    minimum_purchase_minor: Minor = Field(default=_ABSENT)
    maximum_per_advocate: Most | None = None
    sharing_channels: Channels = Field(default=_ABSENT)


class CampaignOut(BaseModel):
    """A referral campaign with how many friends it brought."""

    id: UUID
    name: str
    description: str
    status: str
    advocate_points: int
    friend_points: int
    minimum_purchase_minor: int
    currency: str
    maximum_per_advocate: int | None
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
