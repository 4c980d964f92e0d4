"""What is done by hand: adjustments, transfers and changed dates, their settings and lists."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, ValidationInfo, field_validator
from pydantic_core import PydanticKnownError

from app.core.i18n import mark
from app.domains.points.schemas.ledger import HistoryQuery
from app.domains.points.schemas.values import MAX_POINTS

Verb = Literal["award", "deduct", "set", "expire", "transfer"]
Reason = Literal["goodwill", "correction", "promotion", "missing_points", "misuse", "migration", "other"]
Note = Annotated[str, Field(max_length=200)]
HOW_MANY = mark("Enter how many points.")


@dataclass(frozen=True)
class Wish:
    """An adjustment that somebody asks for; `key` makes it happen once per shop.

    `points` is what "award", "deduct" and "transfer" move, and what "set" leads to; "expire" takes all when it is None.
    `reason` is one of Reason, or free text.
    """

    member_id: UUID
    verb: Verb
    points: int | None
    key: str
    reason: str
    note: str = ""
    to_member_id: UUID | None = None


@dataclass(frozen=True)
class Adjustment:
    """What became of a wish. `moved` is signed: what the member has more or less; `entries` are the ledger's lines."""

    id: UUID
    member_id: UUID
    to_member_id: UUID | None
    verb: Verb
    points: int
    moved: int
    reason: str
    note: str
    status: Literal["done", "waiting", "rejected", "undone"]
    entries: list[UUID]
    actor_kind: str
    actor_id: str
    actor_label: str
    decided_by: str | None
    decided_at: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class AdjustPreview:
    """What an adjustment would lead to; `available_after` below zero means that there are too few points."""

    available: int
    available_after: int
    debt: int
    debt_after: int
    needs_approval: bool


@dataclass(frozen=True)
class PointsSettings:
    """What the shop says about adjusting by hand. None is no limit, and no approval."""

    approval_above: int | None = None
    daily_limit: int | None = None
    alert_per_hour: int = 100
    version: int = 0


@dataclass(frozen=True)
class AlertNews:
    """What the letter about unusually many adjustments says."""

    shop: str
    more_than: int
    link: str


class SettingsForm(BaseModel):
    """The shop's rules for adjusting by hand."""

    approval_above: int | None = Field(None, ge=0, le=MAX_POINTS)
    daily_limit: int | None = Field(None, gt=0, le=10 * MAX_POINTS)
    alert_per_hour: int = Field(100, gt=0, le=100_000)
    version: int = 0


class AdjustForm(BaseModel):
    """The adjust form: what to do with whose points, how many, and why."""

    member: str = Field(min_length=1, max_length=254)
    verb: Verb = "award"
    points: int | None = Field(None, ge=0, le=MAX_POINTS, validate_default=True)
    to_member: str | None = Field(None, max_length=254, validate_default=True)
    reason: Reason
    note: Note = ""
    back: Literal["member"] | None = None

    @field_validator("points", "to_member")
    @classmethod
    def _asked_for(cls, given: int | str | None, info: ValidationInfo) -> int | str | None:
        """Told beside what else is missing, and not after it was filled in."""
        verb = info.data.get("verb")
        if info.field_name == "points" and given is None and verb not in (None, "expire"):
            raise ValueError(HOW_MANY)
        if info.field_name == "to_member" and not given and verb == "transfer":
            raise PydanticKnownError("missing")
        return given


class AdjustPreviewForm(BaseModel):
    """The adjust form while it is filled in."""

    member: str = Field("", max_length=254)
    verb: Verb = "award"
    points: int | None = Field(None, ge=0, le=MAX_POINTS)
    to_member: str | None = None
    reason: str | None = None
    note: str | None = None
    back: str | None = None


class DecideForm(BaseModel):
    """An adjustment that waits, or that is to be undone; `member` is whose page is shown afterwards."""

    adjustment: UUID
    member: UUID | None = None


class TransferIn(BaseModel):
    """Move available points from one member to another."""

    from_customer_id: str = Field(
        min_length=1, max_length=80, description="Member id, Shopify customer id or its gid"
    )
    to_customer_id: str = Field(min_length=1, max_length=80, description="The same of who gets them")
    points: int = Field(gt=0, le=MAX_POINTS)
    reason: str = Field(min_length=1, max_length=200, description="Shown to staff and to both members")


class AdminAdjustIn(BaseModel):
    """Adjust a customer's points: a positive number gives, a negative one takes."""

    merchant_id: str = Field(min_length=1, max_length=80, description="The shop's id or its domain")
    customer_id: str = Field(
        min_length=1, max_length=80, description="Member id, Shopify customer id or its gid"
    )
    points: int = Field(ge=-MAX_POINTS, le=MAX_POINTS)
    reason: str = Field("correction", min_length=1, max_length=200)


class AdjustmentOut(BaseModel):
    """An adjustment by hand and what became of it."""

    id: UUID
    member_id: UUID
    to_member_id: UUID | None
    verb: Verb
    points: int
    moved: int = Field(description="Signed: what the member has more or less")
    reason: str
    note: str
    status: Literal["done", "waiting", "rejected", "undone"]
    entries: list[UUID]
    decided_at: datetime | None
    created_at: datetime


class AdminAdjustOut(BaseModel):
    """The entry in the ledger."""

    transaction_id: UUID


class AdjustmentsQuery(HistoryQuery):
    """Which adjustments."""

    status: Literal["done", "waiting", "rejected", "undone"] | None = None


class RedatingForm(BaseModel):
    """How a program's present terms of expiry are to hold for points that were earned before."""

    shortens: bool = Field(
        False, description="Points may end sooner than now, after the notice; otherwise none does"
    )
    notice_days: int = Field(
        90,
        ge=30,
        le=365,
        description="No point ends sooner than so many days from now, unless it would anyway",
    )


RedatingStatus = Literal["counting", "counted", "applying", "applied", "undoing", "undone"]


class RedatingsQuery(BaseModel):
    """Which redatings."""

    status: RedatingStatus | None = None
    limit: int = Field(25, ge=1, le=200)
    cursor: str | None = Field(None, max_length=200)


class RedatingOut(BaseModel):
    """A redating: how far it is, and what it does.

    `result.months` says by month how many points end in it before and after; "" are those that never end.
    """

    id: UUID
    program_id: UUID
    version_id: UUID
    shortens: bool
    notice_days: int
    status: RedatingStatus
    members: int
    members_done: int
    result: dict[str, Any]
    created_at: datetime
    applied_at: datetime | None
    undone_at: datetime | None
