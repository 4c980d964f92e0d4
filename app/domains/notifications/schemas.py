"""Values of notifications."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

Kind = Literal[
    "points_earned",
    "expiry_warning",
    "last_chance",
    "tier_ending",
    "referral_joined",
    "referral_advocate",
    "referral_friend",
    "reward_code",
    "reward_returned",
    "points_reversed",
    "invitation",
]


@dataclass(frozen=True)
class Earned:
    """Points that an order gave: what a message is about."""

    member_id: UUID
    order_id: UUID
    points: int


@dataclass(frozen=True)
class Wanted:
    """A message to be written: once for its kind and `key`. `payload` is what its letter needs, in JSON values."""

    member_id: UUID
    key: str
    payload: Mapping[str, Any]


@dataclass(frozen=True)
class Reversed:
    """Points that a change of an order took back. `points` is positive, `reason` the ledger's."""

    member_id: UUID
    order_id: UUID
    entry_id: UUID
    points: int
    reason: str


@dataclass(frozen=True)
class Invited:
    """News of a referral for one of its sides. `points` is what the side got or, when the friend only came, will get."""

    member_id: UUID
    referral_id: UUID
    points: int


@dataclass(frozen=True)
class ReferralNews:
    """Everything a message about a referral says; the other side is never named. `code` is None until it works."""

    shop: str
    first_name: str | None
    points: int
    available: int
    pending: int
    coupon: str | None
    code: str | None


@dataclass(frozen=True)
class CodeNews:
    """A code that is sent again. `last_day` is the last on which it works; None when it does not expire."""

    shop: str
    first_name: str | None
    reward: str
    code: str
    last_day: date | None


@dataclass(frozen=True)
class ReturnNews:
    """Points that came back from a reward. `reason`: staff, member, expired, order_canceled, failed."""

    shop: str
    first_name: str | None
    reward: str
    points: int
    reason: str
    available: int


@dataclass(frozen=True)
class ReversalNews:
    """Points that a change of an order took back. `reason`: refund, order_cancelled, order_edited, order_deleted."""

    shop: str
    first_name: str | None
    order: str
    points: int
    reason: str
    available: int
    debt: int


@dataclass(frozen=True)
class InvitationNews:
    """What staff wrote to members; `paragraphs` are plain text."""

    shop: str
    first_name: str | None
    subject: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class PointsNews:
    """Everything the points message says. Amounts are points; `tier` is a name in the member's language."""

    shop: str
    first_name: str | None
    order: str
    points: int
    available: int
    pending: int
    tier: str | None


@dataclass(frozen=True)
class Message:
    """One message in a member's history. `reason` says why it was skipped or failed."""

    id: UUID
    kind: str
    locale: str
    status: Literal["queued", "sent", "failed", "skipped"]
    reason: str
    created_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True)
class Notices:
    """Whether members are told that points end, and how many days ahead: first, and for the last time."""

    enabled: bool = True
    warn_days: int = 30
    last_days: int = 3
    version: int = 0


@dataclass(frozen=True)
class ExpiryNews:
    """Everything a notice of expiry says. `last_day` is the last on which the points can be used; `idle` says that
    earning or spending keeps them."""

    shop: str
    first_name: str | None
    points: int
    last_day: date
    available: int
    idle: bool


@dataclass(frozen=True)
class TierNews:
    """Everything a notice of a tier's end says. `last_day` is the last on which it stands.

    `keeps` more points or orders keep it, `amount` tells it when it is money; neither when that cannot be told.
    """

    shop: str
    first_name: str | None
    tier: str
    last_day: date
    metric: str = "points"
    keeps: int | None = None
    amount: str = ""


@dataclass(frozen=True)
class Choice:
    """An audience to choose from: `key` names it, such as "tier:0190…"; `name` is in the reader's language."""

    key: str
    name: str


@dataclass(frozen=True)
class Reach:
    """How many of an audience's members a message reaches."""

    members: int
    reached: int


Subject = Annotated[str, Field(max_length=120)]
Body = Annotated[str, Field(max_length=2000)]


class _Words(BaseModel):
    @property
    def given(self) -> dict[str, str]:
        """The words that somebody wrote, by language."""
        return {one: words for one, words in self.model_dump(exclude_none=True).items() if words.strip()}


class Subjects(_Words):
    """A subject line by language."""

    en: Subject | None = None
    es: Subject | None = None
    fr: Subject | None = None
    ar: Subject | None = None
    he: Subject | None = None


class Bodies(_Words):
    """A text by language; an empty line begins a paragraph."""

    en: Body | None = None
    es: Body | None = None
    fr: Body | None = None
    ar: Body | None = None
    he: Body | None = None


class InvitationForm(BaseModel):
    """A message to the members of a tier or a segment."""

    audience: str = Field(min_length=1, max_length=80)
    subjects: Subjects = Subjects()
    texts: Bodies = Bodies()


class WriteQuery(BaseModel):
    """What a text for one member begins with."""

    start: str | None = Field(None, max_length=20)


class WriteForm(BaseModel):
    """A text for one member, in their language. `start` is what it began with and means nothing any more."""

    subject: str = Field(min_length=1, max_length=120)
    text: str = Field(min_length=1, max_length=2000)
    start: str | None = Field(None, max_length=20)


class NoticesForm(BaseModel):
    """When members are told that points end. `version` is what the form was filled from."""

    version: int = Field(0, ge=0)
    enabled: bool = False
    warn_days: int = Field(ge=2, le=365)
    last_days: int = Field(ge=1, le=30)


class UpcomingQuery(BaseModel):
    """A page of members whose points end."""

    limit: int = Field(25, ge=1, le=200)
    cursor: str | None = Field(None, max_length=300)


class TestNoticeForm(BaseModel):
    """A notice that is sent to the store's own address, in a language."""

    kind: Literal["expiry_warning", "last_chance"] = "expiry_warning"
    locale: Literal["en", "es", "fr", "ar", "he"] = "en"
