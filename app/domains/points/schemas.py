"""What the ledger's faces take and give, and the values its verbs exchange with other domains."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

MAX_POINTS = 100_000_000


@dataclass(frozen=True)
class Credit:
    """Points to give to a member. `key` makes the posting happen once per shop."""

    member_id: UUID
    points: int
    key: str
    reason: str
    kind: Literal["award", "adjust"] = "award"
    order_id: UUID | None = None
    program_version_id: UUID | None = None
    trace: dict[str, Any] = field(default_factory=dict)
    activates_at: datetime | None = None
    expires_at: datetime | None = None
    qualifies: bool = True


@dataclass(frozen=True)
class Band:
    """Qualifying points from `start` up to, but without, `end`, and the multiplier of purchases in it (basis points)."""

    start: int
    end: int
    multiplier_bp: int


@dataclass(frozen=True)
class Entry:
    """A ledger line as it was written. `replayed` says that the key had been posted before."""

    id: UUID
    member_id: UUID
    seq: int
    kind: str
    points: int
    available: int
    key: str
    reason: str
    order_id: UUID | None
    created_at: datetime
    replayed: bool


@dataclass(frozen=True)
class Balance:
    """A member's points by status, all non-negative. `total` may be negative when there is a debt."""

    available: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0
    qualifying: int = 0
    multiplier_bp: int = 10_000

    @property
    def total(self) -> int:
        """Available + pending + held − debt, which is the sum of all entries."""
        return self.available + self.pending + self.held - self.debt


class AwardIn(BaseModel):
    """Award points by hand."""

    customer_id: str = Field(
        min_length=1, max_length=80, description="Member id, Shopify customer id or its gid"
    )
    points: int = Field(gt=0, le=MAX_POINTS)
    reason: str = Field(min_length=1, max_length=200, description="Shown to staff and to the member")


class DeductIn(AwardIn):
    """Deduct available points by hand."""


class EarnIn(BaseModel):
    """Earn points for an order that the shop knows, or for a sign-up."""

    customer_id: str = Field(min_length=1, max_length=80)
    order_id: str | None = Field(
        None, max_length=80, description="Shopify order id or gid; needed for purchase"
    )
    action_type: Literal["purchase", "signup"]
    locale: Literal["en", "es", "fr", "ar", "he"] | None = None


class EarnOut(BaseModel):
    """The entry that the earn led to."""

    transaction_id: UUID
    points: int


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


class LedgerFilter(HistoryQuery):
    """The ledger tab's filters."""

    kind: (
        Literal["award", "adjust", "reverse", "hold", "release", "spend", "restore", "activate", "expire"]
        | None
    ) = None
    member: str | None = Field(None, max_length=254, description="E-mail, Shopify customer id or member id")
    open: UUID | None = None


class AdjustForm(BaseModel):
    """The adjust form of the ledger tab: a positive number gives, a negative one takes."""

    member: str = Field(min_length=1, max_length=254)
    direction: Literal["add", "deduct"]
    points: int = Field(gt=0, le=MAX_POINTS)
    reason: str = Field(min_length=1, max_length=200)
