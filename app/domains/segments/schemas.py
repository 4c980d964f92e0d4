"""Shapes of segments: conditions as they are stored, sent and typed, and what lists show."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.core.rfm import Fifths
from app.domains.members.schemas import PeopleFilter

Kind = Literal["rules", "manual"]
Match = Literal["all", "any"]
NumberFact = Literal["available", "earned", "lifetime", "orders", "redemptions", "referrals"]
MoneyFact = Literal["spent"]
AgeFact = Literal["last_order", "last_earned", "last_redeemed", "enrolled"]
AheadFact = Literal["next_expiry"]
ChoiceFact = Literal["tier", "status", "language", "country", "birthday", "consent", "rfm"]
TagFact = Literal["tags"]
Fact = Literal[
    "available",
    "earned",
    "lifetime",
    "orders",
    "spent",
    "redemptions",
    "referrals",
    "last_order",
    "last_earned",
    "last_redeemed",
    "enrolled",
    "next_expiry",
    "tier",
    "status",
    "language",
    "country",
    "birthday",
    "consent",
    "rfm",
    "tags",
]
Op = Literal["at_least", "at_most", "within", "before", "never", "is", "is_not"]
RfmClass = Literal["champions", "loyal", "promising", "new", "at_risk", "inactive"]

NUMBERS: tuple[str, ...] = get_args(NumberFact)
MONEY: tuple[str, ...] = get_args(MoneyFact)
AGES: tuple[str, ...] = get_args(AgeFact)
AHEAD: tuple[str, ...] = get_args(AheadFact)
CHOICES: tuple[str, ...] = get_args(ChoiceFact)
TAGS: tuple[str, ...] = get_args(TagFact)
RFM: tuple[str, ...] = get_args(RfmClass)
STATUSES = ("active", "blocked", "guest")
CONSENTS = ("subscribed", "not_subscribed")
MOST_CONDITIONS = 20
MOST_GROUPS = 5
MOST_SEGMENTS = 200
MOST = 10**15


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_serialization_defaults_required=True)


class Condition(_Part):
    """One question about a member.

    at_least, at_most: `number` of points, of times, or of minor units of the shop's currency for spent. within: at most
    `number` days ago (next_expiry: ahead); before: more days ago; never: it did not happen. is, is_not: one, or none, of
    `values`: tier ids, statuses, languages, countries, months 1 to 12 or "this", rfm classes, tags.
    """

    fact: Fact
    op: Op
    number: int | None = Field(None, ge=0, le=MOST)
    values: tuple[Annotated[str, Field(min_length=1, max_length=255)], ...] = Field((), max_length=100)


class Group(_Part):
    """Conditions of which all, or any one, must hold."""

    match: Match = "all"
    conditions: tuple[Condition, ...] = Field(min_length=1, max_length=MOST_CONDITIONS)


class Rules(_Part):
    """A segment's conditions: single ones and groups, of which all, or any one, must hold. Without any nobody is in it."""

    match: Match = "all"
    conditions: tuple[Condition, ...] = Field((), max_length=MOST_CONDITIONS)
    groups: tuple[Group, ...] = Field((), max_length=MOST_GROUPS)

    @property
    def every(self) -> list[tuple[str, Condition]]:
        """Each condition with its place, such as groups.0.conditions.1."""
        found = [(f"conditions.{number}", one) for number, one in enumerate(self.conditions)]
        for place, group in enumerate(self.groups):
            found += [
                (f"groups.{place}.conditions.{number}", one) for number, one in enumerate(group.conditions)
            ]
        return found

    def asks(self, fact: str) -> bool:
        """Whether any condition asks for a fact."""
        return any(one.fact == fact for _, one in self.every)


@dataclass(frozen=True)
class Segment:
    """A segment. `size` holds as of `counted_at`; None while its members are looked for the first time."""

    id: UUID
    name: str
    description: str
    kind: Kind
    rules: Rules
    size: int
    counted_at: datetime | None
    version: int
    updated_at: datetime


@dataclass(frozen=True)
class Option:
    """A segment to choose from."""

    id: UUID
    name: str
    size: int


@dataclass(frozen=True)
class MemberFacts:
    """What conditions can ask about one member; times are instants, `spent_minor` is in the shop's currency."""

    status: str = "active"
    language: str = "en"
    consent: str | None = None
    birthday_month: int | None = None
    enrolled_at: datetime | None = None
    available: int = 0
    earned: int = 0
    lifetime: int = 0
    tiers: frozenset[UUID] = frozenset()
    orders: int = 0
    spent_minor: int = 0
    redemptions: int = 0
    referrals: int = 0
    last_order_at: datetime | None = None
    last_earned_at: datetime | None = None
    last_redeemed_at: datetime | None = None
    next_expiry_at: datetime | None = None
    country: str = ""
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Moment:
    """When conditions are asked: the instant, the month in the shop's zone, and the RFM scores of the shop's buyers."""

    now: datetime
    month: int
    fifths: Fifths = field(default_factory=Fifths)


@dataclass(frozen=True)
class Preview:
    """Whom conditions lead to now: how many, and the first few."""

    count: int
    of: int
    sample: list[UUID]


@dataclass(frozen=True)
class Use:
    """Where a segment is named: a program or a reward, with the address of its page."""

    kind: Literal["program", "reward"]
    name: str
    url: str


@dataclass(frozen=True)
class Import:
    """What became of a list of e-mail addresses. `unknown` are those of nobody, as they were written, at most a hundred."""

    added: int
    known: int
    missing: int
    unknown: list[str] = field(default_factory=list)


Typed = Annotated[str, Field(max_length=255)]


class ConditionForm(BaseModel):
    """A condition while it is typed: any part may still be missing. `amount` is money in major units."""

    fact: Fact = "orders"
    op: Op | None = None
    number: int | None = Field(None, ge=0, le=MOST)
    amount: Decimal | None = Field(None, ge=0, le=10**10, decimal_places=3)
    values: list[Typed] = Field([], max_length=100)


class GroupForm(BaseModel):
    """A group while it is typed."""

    match: Match = "all"
    conditions: list[ConditionForm] = Field([], max_length=MOST_CONDITIONS)


class SegmentForm(BaseModel):
    """The editor of a segment with conditions."""

    name: str = Field(min_length=1, max_length=80)
    description: str = Field("", max_length=300)
    version: int = Field(0, ge=0)
    match: Match = "all"
    conditions: list[ConditionForm] = Field([], max_length=MOST_CONDITIONS)
    groups: list[GroupForm] = Field([], max_length=MOST_GROUPS)


class TypedForm(SegmentForm):
    """The same while it is typed, for the preview: it has no name yet."""

    name: str = Field("", max_length=80)


class ShapeCondition(BaseModel):
    """A condition as text, so that what is half typed stays when the form changes its shape."""

    fact: Fact = "orders"
    op: Typed = ""
    number: Typed = ""
    amount: Typed = ""
    values: list[Typed] = Field([], max_length=100)


class ShapeGroup(BaseModel):
    """A group as text."""

    match: Match = "all"
    conditions: list[ShapeCondition] = Field([], max_length=MOST_CONDITIONS)


class ShapeForm(BaseModel):
    """The editor as text and the button that changes its shape: "" after a choice, add, group, add:<group>,
    drop:<place of a condition or group>."""

    name: Typed = ""
    description: str = Field("", max_length=1000)
    version: Typed = ""
    match: Match = "all"
    conditions: list[ShapeCondition] = Field([], max_length=MOST_CONDITIONS)
    groups: list[ShapeGroup] = Field([], max_length=MOST_GROUPS)
    then: str = Field("", pattern=r"^(|add|group|add:\d|drop:\d{1,2}|drop:\d:\d{1,2}|drop-group:\d)$")


class ManualForm(BaseModel):
    """The editor of a segment by hand; `copy_of` is the one whose members a new one gets."""

    name: str = Field(min_length=1, max_length=80)
    description: str = Field("", max_length=300)
    version: int = Field(0, ge=0)
    copy_of: UUID | None = None


class SegmentsQuery(BaseModel):
    """The list of segments."""

    search: str | None = Field(None, max_length=80)


class SegmentsFilter(SegmentsQuery):
    """The same in the admin, with order and page."""

    kind: Kind | None = None
    sort: Literal["name", "size", "changed"] = "name"
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=600)


class NewQuery(BaseModel):
    """What a new segment starts from: a template's key, or another segment."""

    template: str | None = Field(None, max_length=40)
    copy_of: UUID | None = None
    kind: Kind = "rules"


class PageQuery(BaseModel):
    """A page of a segment's members."""

    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=200)


class MembersQuery(PeopleFilter):
    """Which members of a segment are shown."""


class AddQuery(BaseModel):
    """Whom somebody looks for to put them into a segment by hand."""

    search: str | None = Field(None, max_length=254)


class MemberForm(BaseModel):
    """Put a member into a segment by hand, or take them out."""

    segment: UUID


class PersonForm(BaseModel):
    """A member of a segment by hand."""

    member: UUID


class EmailsForm(BaseModel):
    """A list of e-mail addresses beside its file."""


class SegmentIn(BaseModel):
    """A new segment; `rules` is for kind "rules" only."""

    name: str = Field(min_length=1, max_length=80)
    description: str = Field("", max_length=300)
    kind: Kind = "rules"
    rules: Rules = Rules()


class SegmentUpdate(BaseModel):
    """Changes of a segment; what is left out stays. `version` is the one that was read."""

    version: int = Field(ge=0)
    name: str | None = Field(None, min_length=1, max_length=80)
    description: str | None = Field(None, max_length=300)
    rules: Rules | None = None


class PreviewIn(BaseModel):
    """Conditions to try."""

    rules: Rules


class MembersIn(BaseModel):
    """Members to put into a segment by hand, or to take out: member ids, Shopify customer ids or gids, or e-mails."""

    members: list[Annotated[str, Field(min_length=1, max_length=254)]] = Field(min_length=1, max_length=1000)


class SegmentOut(BaseModel):
    """A segment. `counted_at` is null while its members are looked for the first time."""

    id: UUID
    name: str
    description: str
    kind: Kind
    rules: Rules
    size: int
    counted_at: datetime | None
    version: int
    updated_at: datetime


class SegmentsOut(BaseModel):
    """Every segment of the shop, by name."""

    segments: list[SegmentOut]


class SegmentMemberOut(BaseModel):
    """A member of a segment."""

    member_id: UUID
    customer_id: int | None
    status: str
    since: datetime


class PreviewOut(BaseModel):
    """How many of the shop's members conditions lead to now, and the first few."""

    count: int
    of: int
    sample: list[UUID]


class MembersChangedOut(BaseModel):
    """What became of a list: newly in it (or out of it), already so, and not found."""

    changed: int
    unchanged: int
    unknown: list[str]
