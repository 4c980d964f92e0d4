"""What the faces of bulk actions take and give, and the values inside."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from app.core.calendar import Day
from app.core.values import value
from app.domains.members.schemas import Tag
from app.domains.notifications.schemas import Bodies, Subjects

MAX_ROWS = 500_000
MAX_POINTS = 100_000_000
Kind = Literal["award", "deduct", "set", "expire", "tag", "untag", "tier", "email", "enroll"]
Status = Literal[
    "checking",
    "ready",
    "waiting",
    "running",
    "paused",
    "done",
    "cancelled",
    "rejected",
    "undoing",
    "undone",
    "failed",
]
# Why a row is not done, or what was done is kept.
Problem = Literal[
    "unreadable",
    "too_many",
    "nobody",
    "unknown",
    "several",
    "cannot_take_part",
    "bad_points",
    "no_points",
    "too_few",
    "nothing",
    "has_it",
    "has_not",
    "no_consent",
    "used",
    "no_tier",
    "gone",
    "bad_email",
    "bad_birthday",
    "member",
    "blocked",
    "twice",
    "active_since",
]
State = Literal["ready", "done", "refused", "failed", "undone", "kept"]
Reason = Literal["goodwill", "correction", "promotion", "missing_points", "misuse", "migration", "other"]


@dataclass(frozen=True)
class Audience:
    """Who is meant: a `file`, the members of a `segment`, those that a `filter` of the members list leaves, or `members`."""

    kind: Literal["file", "segment", "filter", "members"]
    name: str = ""
    segment_id: UUID | None = None
    filter: dict[str, Any] = field(default_factory=dict)
    member_ids: list[UUID] = field(default_factory=list)


@dataclass(frozen=True)
class Wanted:
    """A bulk action as somebody asks for it. `points` is for rows that say none of their own; words are by language."""

    kind: Kind
    reason: str
    note: str = ""
    points: int | None = None
    tags: list[str] = field(default_factory=list)
    tier_id: UUID | None = None
    lock_until: datetime | None = None
    subjects: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """A bulk action and where it stands. Counts are rows; `points` is what the dry run would move, `moved` what was moved.

    `totals` of the dry run: "members", "repeated" (rows that name a member again), "debtors" and "to_debt" (members and
    points that repay a debt), "cost_minor" and "cost_assumed" (the shop did not say what points are worth), "problems"
    (rows by problem).
    """

    id: UUID
    kind: Kind
    status: Status
    audience: dict[str, Any]
    parameters: dict[str, Any]
    reason: str
    note: str
    rows: int
    expected: int | None
    accepted: int
    refused: int
    succeeded: int
    failed: int
    undone: int
    kept: int
    read_to: int
    done_to: int
    undone_to: int
    after_id: UUID | None
    points: int
    moved: int
    totals: dict[str, Any]
    trouble: str
    actor_kind: Literal["system", "staff", "api_key", "member", "operator"]
    actor_id: str
    actor_label: str
    decided_by: str | None
    decided_label: str
    checked_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    touched_at: datetime
    created_at: datetime

    @property
    def moving(self) -> bool:
        """Whether a job works on it."""
        return self.status in ("checking", "running", "undoing")

    @property
    def plan(self) -> str:
        """Names the dry run, so that nobody starts another one than they saw."""
        return f"{self.accepted}:{self.points}:{self.checked_at.timestamp() if self.checked_at else 0}"

    @property
    def progress(self) -> tuple[int, int]:
        """How much of the present phase is done, and of how much."""
        if self.status == "checking":
            return self.rows, max(self.expected or 0, self.rows)
        if self.status in ("undoing", "undone"):
            return self.undone + self.kept, self.succeeded
        return self.succeeded + self.failed, self.accepted


@value
class Row:
    """A row of a run on its way through it; `person` is who is to be enrolled, sealed."""

    n: int
    member_id: UUID | None
    points: int | None
    reason: str | None
    before: Any = None
    person: bytes | None = None


@dataclass
class Outcome:
    """What became of a slice: problems by row, points moved, and what undoing needs to know by row."""

    problems: dict[int, Problem] = field(default_factory=dict)
    moved: int = 0
    before: dict[int, Any] = field(default_factory=dict)


class RunsQuery(BaseModel):
    """Which runs."""

    status: Literal["open", "waiting", "done", "cancelled", "undone"] | None = None
    kind: Kind | None = None
    sort: Literal["newest", "oldest"] = "newest"
    limit: int = Field(25, ge=1, le=200)
    cursor: str | None = Field(None, max_length=200)


class RowsQuery(BaseModel):
    """Which rows of a run."""

    state: State | None = None
    problem: Problem | None = None
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=200)


Who = Literal["file", "segment", "filter", "chosen", "guests"]


class NewQuery(BaseModel):
    """What a new bulk action begins with: what is to happen, and to whom."""

    kind: Kind | None = None
    who: Who | None = None
    segment: UUID | None = None
    selection: UUID | None = Field(None, description="Members chosen in their list")


class WantedForm(BaseModel):
    """What is to happen, and why."""

    kind: Kind
    points: int | None = Field(None, ge=0, le=MAX_POINTS)
    tags: list[Tag] = Field(default_factory=list, max_length=20)
    tier_id: UUID | None = None
    locked_until: Day | None = None
    subjects: Subjects = Subjects()
    texts: Bodies = Bodies()
    reason: Reason = "promotion"
    note: str = Field("", max_length=200)


class UploadForm(WantedForm):
    """A new bulk action for the people of a file."""

    who: Literal["file"] = "file"


class RunForm(WantedForm):
    """A new bulk action for a segment, for whom a filter leaves, or for members chosen in their list."""

    who: Literal["segment", "filter", "chosen", "guests"]
    segment_id: UUID | None = None
    selection: UUID | None = None
    tier: UUID | None = None
    status: Literal["active", "blocked", "guest"] | None = None
    points_from: int | None = Field(None, ge=0, le=10**12)
    points_to: int | None = Field(None, ge=0, le=10**12)
    enrolled_from: Day | None = None
    enrolled_to: Day | None = None


class StartForm(BaseModel):
    """Start what the dry run showed."""

    plan: str = Field(max_length=80)


class RowIn(BaseModel):
    """One member of a list: whom, and what of the action is their own.

    Names, language and birthday are those of somebody who is to be enrolled, by e-mail.
    """

    member: str = Field(
        min_length=1, max_length=254, description="E-mail, member id, Shopify customer id or its gid"
    )
    points: int | None = Field(None, ge=0, le=MAX_POINTS)
    reason: str | None = Field(None, max_length=200)
    first_name: str | None = Field(None, max_length=255)
    last_name: str | None = Field(None, max_length=255)
    locale: str | None = Field(None, max_length=16)
    birthday: date | None = None


class RunIn(BaseModel):
    """A bulk action. Name either `rows` or `segment_id`; to enroll whoever ordered as a guest, neither."""

    kind: Literal["award", "deduct", "set", "expire", "tag", "untag", "tier", "enroll"]
    rows: list[RowIn] | None = Field(None, min_length=1, max_length=10_000)
    segment_id: UUID | None = None
    points: int | None = Field(None, ge=0, le=MAX_POINTS, description="For rows that name none of their own")
    tags: list[Tag] = Field(default_factory=list, max_length=20)
    tier_id: UUID | None = None
    locked_until: Day | None = Field(None, description="Last day on which the tier cannot be lost")
    reason: str = Field(min_length=1, max_length=200)


class StartIn(BaseModel):
    """Start what the dry run showed: its `plan`."""

    plan: str = Field(max_length=80)


class RunOut(BaseModel):
    """A bulk action and where it stands; counts are rows."""

    id: UUID
    kind: Kind
    status: Status
    reason: str
    plan: str = Field(description="Names the dry run; send it to start")
    rows: int
    accepted: int
    refused: int
    succeeded: int
    failed: int
    undone: int
    kept: int = Field(description="Rows that could not be undone")
    points: int = Field(description="Points that the dry run would move")
    moved: int = Field(description="Points that were moved, in either direction")
    totals: dict[str, Any]
    checked_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    created_at: datetime


class RowOut(BaseModel):
    """A row of a bulk action and what became of it; `n` is the line of a file."""

    n: int
    member_id: UUID | None
    points: int | None
    state: State
    problem: Problem | None
