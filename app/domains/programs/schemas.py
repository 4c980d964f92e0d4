"""Shapes of programs."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

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
Rounding = Literal["down", "nearest", "up"]
Type = Literal["points", "tiered"]
Status = Literal["draft", "active", "paused", "archived"]


@dataclass(frozen=True)
class ProgramTerms:
    """The terms of one program version, as an award sees them."""

    version_id: UUID
    program_id: UUID
    points_per_unit: Decimal
    signup_bonus: int
    earn_trigger: str
    holding_days: int
    expiry_months: int | None
    rounding: str
    earn_on_tax: bool
    minimum_redemption: int


class ProgramCreate(BaseModel):
    """A new program; it starts as a draft unless it is said to be active."""

    name: Name
    description: Description = ""
    type: Type = "tiered"
    status: Literal["draft", "active"] = "draft"
    points_per_unit: Rate = Decimal(10)
    signup_bonus: Bonus = 0
    earn_trigger: Trigger = "paid"
    holding_days: HoldingDays = 0
    expiry_months: ExpiryMonths | None = None
    rounding: Rounding = "down"
    earn_on_tax: bool = True
    minimum_redemption: Bonus = 0


class ProgramUpdate(BaseModel):
    """Changes to a program; what is absent stays, null is only allowed for `expiry_months` (never).

    `version` is the one that was read.
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
    rounding: Rounding = Field(default=_ABSENT)
    earn_on_tax: bool = Field(default=_ABSENT)
    minimum_redemption: Bonus = Field(default=_ABSENT)


class ProgramForm(BaseModel):
    """The editor's form; everything is sent."""

    version: int = Field(0, ge=0)
    name: Name
    description: Description = ""
    type: Type = "tiered"
    points_per_unit: Rate
    signup_bonus: Bonus = 0
    earn_trigger: Trigger = "paid"
    holding_days: HoldingDays = 0
    expiry_months: ExpiryMonths | None = None
    rounding: Rounding = "down"
    earn_on_tax: bool = False
    minimum_redemption: Bonus = 0


class StatusForm(BaseModel):
    """A step of a program's life."""

    version: int = Field(ge=1)
    status: Status


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
    rounding: str
    earn_on_tax: bool
    minimum_redemption: int
    version: int
    created_at: datetime
    updated_at: datetime


class ProgramsQuery(BaseModel):
    """Which page of programs."""

    status: Status | None = None
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=200)


class ProgramsFilter(BaseModel):
    """The programs tab's filter."""

    status: Status | None = None
