"""What the ledger's verbs exchange with other domains."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from app.core.values import value

MAX_POINTS = 100_000_000
DebtPolicy = Literal["pending_only", "to_zero", "negative"]


@value
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
class Reversal:
    """Points to take back from the member whom an order gave them. `key` makes the posting happen once per shop."""

    member_id: UUID
    points: int
    key: str
    reason: str
    order_id: UUID | None = None
    program_version_id: UUID | None = None
    trace: dict[str, Any] = field(default_factory=dict)
    debt: DebtPolicy = "negative"


@value
class Card:
    """Where a member stands on a punch card or a spending goal, in numbers and in sentences.

    `filled`, `size` and `missing` are stamps, or minor units of the shop's currency where `money` says so; `missing` is
    what leads to the next `points`. `note` says when the count starts again, `name` what the rule is called; both may
    be empty.
    """

    name: str
    money: bool
    filled: int
    size: int
    missing: int
    points: int
    text: str
    rest: str
    note: str


@value
class MemberFacts:
    """What domains above know of a member that rules may ask."""

    tier: UUID | None = None
    segments: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Band:
    """Qualifying points from `start` up to, but without, `end`, and the multiplier of purchases in it (basis points)."""

    start: int
    end: int
    multiplier_bp: int


@value
class Entry:
    """A ledger line as it was written. `replayed` says that the key had been posted before.

    `waived` is the part of a reversal that was neither taken back nor owed.
    """

    id: UUID
    member_id: UUID
    seq: int
    kind: str
    points: int
    waived: int
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

    def change_to(self, points: int) -> int:
        """How many points more or less lead the available ones to a number; an open debt is paid first."""
        return points - self.available + self.debt


@dataclass(frozen=True)
class Past:
    """A member's points at an instant; lots as {id, earned_at, expires_at, bucket, amount, …}, one row for each bucket."""

    at: datetime
    balance: Balance
    lots: list[dict[str, Any]]


@dataclass(frozen=True)
class Finding:
    """Where a member's ledger does not add up: at which entry, by which law.

    Laws: "hash", "chain", "buckets", "lot", "date", "account", "sum".
    """

    law: str
    member_id: UUID
    entry_id: UUID | None
    seq: int | None

    @property
    def position(self) -> int:
        """The number of the entry; what concerns no single entry comes last."""
        return self.seq if self.seq is not None else 2**62


@dataclass(frozen=True)
class Idle:
    """Versions of programs under which points end with inactivity, with their months and time zones beside them."""

    versions: tuple[UUID, ...]
    months: tuple[int, ...]
    zones: tuple[str, ...]


@dataclass(frozen=True)
class Ending:
    """Available points of a member that end at an instant; `idle` says that earning or spending moves it."""

    member_id: UUID
    ends_at: datetime
    points: int
    idle: bool
