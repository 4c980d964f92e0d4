"""Shapes of members at the faces, of customers in webhooks, and the values other domains get."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.core.calendar import Day
from app.core.i18n import mark
from app.core.paging import Stretch
from app.core.permissions import Permission
from app.core.values import value

# How members came.
SOURCES = {
    "shopify": mark("Customer account"),
    "guest": mark("Guest order"),
    "enrolled": mark("Enrolled by the shop"),
}
Tag = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^,\x00-\x1f]+$")]


@value
class Member:
    """A member without personal data."""

    id: UUID
    customer_id: int | None
    status: str
    locale: str
    enrolled_at: datetime
    merged_into: UUID | None = None

    @property
    def active(self) -> bool:
        """Whether the member may earn and spend."""
        return self.status == "active"


@dataclass(frozen=True)
class Profile:
    """A member's personal data in clear; never logged, never stored elsewhere."""

    member_id: UUID
    first_name: str | None
    last_name: str | None
    email: str | None
    phone: str | None
    locale: str
    status: str

    @property
    def name(self) -> str:
        """First and last name, or an empty text."""
        return " ".join(part for part in (self.first_name, self.last_name) if part)


@dataclass(frozen=True)
class Merge:
    """That two members became one. `followed` holds, by table, the ids of the rows that went with it."""

    id: UUID
    kept_id: UUID
    removed_id: UUID
    origin: str
    removed_status: str
    kept_status: str
    followed: dict[str, list[str]]
    undone_at: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class Guest:
    """Somebody who ordered without a customer account, known by what they typed at the checkout."""

    email: str | None
    phone: str | None
    locale: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Newcomer:
    """Somebody whom the shop wants to enroll, as it knows them; None is unknown."""

    email: str
    first_name: str | None = None
    last_name: str | None = None
    locale: str | None = None
    birthday: date | None = None

    @property
    def name(self) -> str:
        """First and last name, or an empty text."""
        return " ".join(part for part in (self.first_name, self.last_name) if part)


@dataclass(frozen=True)
class Duplicate:
    """Two members who may be one person; `why` is "email", "phone" or "person" (name and birthday)."""

    why: str
    one: UUID
    other: UUID


@dataclass(frozen=True)
class Note:
    """What a staff member wrote about a member."""

    id: UUID
    member_id: UUID
    text: str
    actor_label: str
    created_at: datetime


@dataclass(frozen=True)
class MergeFact:
    """A line of a merge's preview: a marked label, and points or counts of the two and of the one afterwards."""

    label: str
    kept: int
    removed: int
    after: int


@dataclass(frozen=True)
class Panel:
    """A section of the member page that another domain contributes."""

    key: str
    position: int
    template: str
    provider: Callable[[Any, UUID], dict[str, Any]]


@dataclass(frozen=True)
class Act:
    """A button at the head of the member page that opens a drawer; `refused` is a marked sentence that says why it does
    nothing now."""

    label: str
    url: str
    refused: str | None = None


@dataclass(frozen=True)
class TimelineKind:
    """A kind of what happens to members: its marked name, its icon, and what one must be allowed to read it.

    What the team changed is left to this kind where the audit entry's `after` has a value of the name `tells`.
    """

    key: str
    position: int
    label: str
    icon: str
    permission: Permission
    tells: str = ""


@dataclass(frozen=True, kw_only=True)
class TimelineSlice(Stretch):
    """What is asked of a source: happenings of these members as (at, id), those nearest to a place first.

    `kinds` are the keys of all that is shown beside it, so that a source can leave to another what that one tells, and
    `told` the names in audit entries with which these say so.
    """

    member_ids: list[UUID]
    kinds: frozenset[str] = frozenset()
    told: tuple[str, ...] = ()

    def rows(self, columns: str, table: str, at: str, where: str = "") -> str:
        """A statement for the rows of a table that has an index by member; `columns` give the instant as "at"."""
        return (
            f"SELECT x.* FROM unnest(%(members)s::uuid[]) AS m (id) CROSS JOIN LATERAL (SELECT {columns} FROM {table}"
            f" WHERE shop_id = %(shop)s AND member_id = m.id{where}{self.within(at)} ORDER BY {self.by(at)}"
            f" LIMIT %(limit)s) x ORDER BY {self.by()} LIMIT %(limit)s"
        )

    def values(self, shop: UUID) -> dict[str, Any]:
        """The values of a statement, named shop and members, and those of `within`."""
        return super().values(shop) | {"members": self.member_ids}


@dataclass(frozen=True)
class Happening:
    """A line of a member's timeline: a sentence in the reader's language, or a marked one with data to fill it, and the
    code that came of it."""

    at: datetime
    id: UUID
    sentence: str
    data: dict[str, Any] = field(default_factory=dict)
    told: bool = False
    points: int = 0
    actor: str = ""
    url: str | None = None
    code: str = ""


@value
class Person:
    """What a webhook says about a customer. `locale` and `proven` (the e-mail) None mean that it does not say."""

    customer_id: int
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    locale: str | None = None
    updated_at: datetime | None = None
    proven: bool | None = None


CONSENTS = ("subscribed", "not_subscribed", "pending", "unsubscribed", "redacted", "invalid")


class Consent(BaseModel):
    """What a customer agreed to."""

    model_config = ConfigDict(extra="ignore")

    state: str | None = Field(None, max_length=32)


class BirthdayIn(BaseModel):
    """A member's birthday; null forgets it."""

    birthday: date | None = Field(ge=date(1900, 1, 1))


class CustomerPayload(BaseModel):
    """A customer as Shopify's webhooks and orders carry it."""

    model_config = ConfigDict(extra="ignore")

    id: int = Field(gt=0)
    email: str | None = Field(None, max_length=320)
    first_name: str | None = Field(None, max_length=255)
    last_name: str | None = Field(None, max_length=255)
    phone: str | None = Field(None, max_length=64)
    locale: str | None = Field(None, max_length=16)
    updated_at: datetime | None = None
    verified_email: bool | None = None
    email_marketing_consent: Consent | None = None

    def person(self, locale: str | None = None) -> Person:
        """The same as a plain value."""
        return Person(
            self.id,
            self.email,
            self.first_name,
            self.last_name,
            self.phone,
            locale or self.locale,
            self.updated_at,
            self.verified_email,
        )


class CustomerDeleted(BaseModel):
    """The body of customers/delete."""

    model_config = ConfigDict(extra="ignore")

    id: int = Field(gt=0)


class CustomersMerged(BaseModel):
    """The body of customers/merge."""

    model_config = ConfigDict(extra="ignore")

    admin_graphql_api_customer_kept_id: str = Field(pattern=r"^gid://shopify/Customer/\d{1,18}$")
    admin_graphql_api_customer_deleted_id: str = Field(pattern=r"^gid://shopify/Customer/\d{1,18}$")
    status: str = "completed"


class FoundQuery(BaseModel):
    """What was typed into the command search, or the members with these ids, by comma."""

    q: str = Field(default="", max_length=200)
    ids: str = Field("", max_length=1_000, pattern="^[0-9a-f,-]*$")

    @property
    def members(self) -> list[UUID]:
        """The ids that `ids` names."""
        return [UUID(one) for one in self.ids.split(",") if len(one) == 36 and one.count("-") == 4]


class PeopleFilter(BaseModel):
    """Search, filter, order and page of a list of members."""

    search: str | None = Field(None, max_length=254, description="E-mail, Shopify customer id or member id")
    tier: UUID | None = None
    status: Literal["active", "blocked", "guest", "erased", "merged"] | None = None
    source: Literal["shopify", "guest", "enrolled"] | None = None
    points_from: int | None = Field(None, ge=0, le=10**12, description="Available points at least")
    points_to: int | None = Field(None, ge=0, le=10**12, description="Available points at most")
    enrolled_from: date | None = Field(None, ge=date(1970, 1, 1))
    enrolled_to: date | None = Field(None, le=date(9000, 1, 1))
    sort: Literal["newest", "available", "qualifying"] = "newest"
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=200)
    open: UUID | None = None

    @property
    def by_points(self) -> bool:
        """Whether it asks where members stand."""
        return self.sort != "newest" or self.points_from is not None or self.points_to is not None


class MembersFilter(PeopleFilter):
    """The same for everybody of the shop, or for one segment."""

    segment: UUID | None = None


class DuplicatesQuery(BaseModel):
    """Which possible duplicates are shown."""

    why: Literal["email", "phone", "person"] | None = Field(None, description="What the two have in common")
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=200)


class TimelineQuery(BaseModel):
    """Which part of a member's timeline is shown; days are those of the shop."""

    kind: str | None = Field(None, max_length=20)
    start: Day | None = None
    end: Day | None = None
    sort: Literal["newest", "oldest"] = "newest"
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=200)


class MergeQuery(BaseModel):
    """Who is to be merged into the member: found by `search`, then chosen as `other`."""

    search: str | None = Field(None, max_length=254)
    other: UUID | None = None


class OtherForm(BaseModel):
    """Whom staff mean: an id, or what a search finds."""

    member: str = Field(min_length=1, max_length=254)


class MergeForm(BaseModel):
    """Merge another member into this one."""

    other: UUID


class UnmergeForm(BaseModel):
    """Undo a merge."""

    merge: UUID


class PairForm(BaseModel):
    """Two members who are not the same person."""

    one: UUID
    other: UUID


class EditForm(BaseModel):
    """What the shop itself keeps about a member; everything else is Shopify's."""

    birthday: Day | None = None
    tags: list[Tag] = Field(default_factory=list, max_length=20)


class RemoveNoteForm(BaseModel):
    """Drop a note."""

    note: UUID


class NoteForm(BaseModel):
    """What a staff member wants to remember about a member."""

    text: str = Field(min_length=1, max_length=2000)


class MergeIn(BaseModel):
    """Merge another member into the one of the address."""

    removed: str = Field(min_length=1, max_length=80, description="Member id, Shopify customer id or its gid")


class UnmergeIn(BaseModel):
    """Undo a merge."""

    merge_id: UUID


class MergeOut(BaseModel):
    """That two members are one."""

    id: UUID
    kept_id: UUID
    removed_id: UUID
    origin: Literal["shopify", "staff", "claim"]
    undone_at: datetime | None
    created_at: datetime


class StatusForm(BaseModel):
    """Let a blocked member take part again."""

    status: Literal["active"]


class BlockForm(BaseModel):
    """Block a member, and why."""

    reason: str = Field(min_length=1, max_length=300)


class EnrollForm(BaseModel):
    """Who is to become a member: an e-mail, or the customer's number in Shopify, its gid, or the customer page's address."""

    customer: str = Field(min_length=1, max_length=300)
