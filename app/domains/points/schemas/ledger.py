"""Entries, lots and balances as they are read, now and as they were."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from app.core.paging import Page
from app.domains.points.schemas.values import MAX_POINTS


class EntryOut(BaseModel):
    """One ledger line."""

    id: UUID
    member_id: UUID
    kind: str
    points: int
    available_after: int
    pending_after: int
    held_after: int
    debt_after: int
    reason: str
    why: str
    order_id: UUID | None
    created_at: datetime


class LotOut(BaseModel):
    """One credit and what became of it."""

    id: UUID
    points: int
    remaining: int
    held: int
    spent: int
    expired: int
    reversed: int
    pending: bool
    earned_at: datetime
    activates_at: datetime
    expires_at: datetime | None


class BalanceOut(BaseModel):
    """A member's points."""

    member_id: UUID
    available: int
    pending: int
    held: int
    debt: int
    total: int
    qualifying: int


class HistoryQuery(BaseModel):
    """Which page of a member's entries."""

    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=200)


class LotsQuery(HistoryQuery):
    """Which of a member's lots; "use" is the order in which they are used, those without points left behind them."""

    state: Literal["available", "pending", "held", "used"] | None = None
    sort: Literal["use", "newest", "oldest"] = "use"


Kind = Literal[
    "award",
    "adjust",
    "reverse",
    "hold",
    "release",
    "spend",
    "restore",
    "activate",
    "expire",
    "move_out",
    "move_in",
    "undo",
    "redate",
]
Source = Literal["orders", "deeds", "redemptions", "hand", "calendar", "accounts"]
Points = Annotated[int, Field(ge=-MAX_POINTS, le=MAX_POINTS)]


class LedgerFilter(HistoryQuery):
    """The ledger's filters. Days are the shop's, both included; points are signed."""

    kind: Kind | None = None
    reason: str | None = Field(None, max_length=200)
    source: Source | None = None
    member: str | None = Field(
        None,
        max_length=254,
        description="Name, e-mail, order name, reward code, Shopify customer id or member id",
    )
    version: UUID | None = Field(None, description="A version of a program")
    rule: str | None = Field(None, max_length=64, description="An earning rule of the program")
    start: date | None = None
    end: date | None = None
    points_from: Points | None = None
    points_to: Points | None = None
    actor: Literal["system", "staff", "api_key", "member", "operator"] | None = None
    actor_id: str | None = Field(None, max_length=80)
    sort: Literal["newest", "oldest"] = "newest"
    open: UUID | None = None


@dataclass(frozen=True)
class Slice:
    """A page of entries and how many match from the list's beginning: at least `total` when `more`.

    `until` says, on a page that is not full, up to which instant was looked; the next page goes on from there.
    """

    page: Page[dict[str, Any]]
    total: int
    more: bool
    until: datetime | None


class PastQuery(BaseModel):
    """Which instant of a member's past: a day with or without a time, or `step` days after the first entry."""

    day: date | None = None
    clock: time | None = None
    step: int | None = Field(None, ge=0, le=100_000)


class AsOfQuery(BaseModel):
    """A member at an instant; without `at` it is now."""

    member_id: str = Field(
        min_length=1, max_length=80, description="Member id, Shopify customer id or its gid"
    )
    at: AwareDatetime | None = Field(
        None, description="With its offset from UTC, such as 2026-03-03T12:00:00Z"
    )
    without: list[UUID] = Field(
        [], max_length=20, description="Entries that are taken as never written; their lots are still listed"
    )


class PastLot(BaseModel):
    """What was in one bucket of a lot."""

    id: UUID
    points: int
    bucket: Literal["pending", "available", "held", "spent", "expired", "reversed"]
    amount: int
    earned_at: datetime
    activates_at: datetime
    expires_at: datetime | None


class Within(BaseModel):
    """A reward that the available points were enough for, at what it costs today."""

    name: str
    points: int


class PastOut(BaseModel):
    """What a member had at an instant."""

    member_id: UUID
    at: datetime
    available: int
    pending: int
    held: int
    debt: int
    total: int
    qualifying: int
    redeemable: list[Within]
    lots: list[PastLot]
