"""Shapes of shops at the faces and in webhooks, and the values other domains get."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.core.db import UnitOfWork
from app.core.i18n import mark
from app.core.permissions import Permission

Status = Literal["installed", "uninstalled"]


@dataclass(frozen=True)
class Shop:
    """A shop as other domains see it: currency is ISO 4217, timezone an IANA name, locale the shop's own language."""

    id: UUID
    domain: str
    name: str
    currency: str
    timezone: str
    locale: str
    status: Status
    installed_at: datetime
    uninstalled_at: datetime | None
    needs_reopening: bool
    scopes: str


@dataclass(frozen=True)
class DirectoryEntry:
    """Where a domain leads: the shop's id, and whether it is installed, uninstalled or erased."""

    shop_id: UUID
    status: str


@dataclass(frozen=True)
class ShopContext:
    """What Shopify says about a shop at installation."""

    name: str
    email: str | None
    currency: str
    timezone: str
    locale: str | None = None


@dataclass(frozen=True)
class StaffMember:
    """A merchant's user. `user_id` is Shopify's; `role` is a key of app.core.permissions.ROLES."""

    id: UUID
    user_id: str
    role: str
    theme: Literal["auto", "light", "dark"]
    locale: str | None


@dataclass(frozen=True)
class Visitor:
    """A staff member and the shop they work in."""

    shop: Shop
    staff: StaffMember


@dataclass(frozen=True)
class ApiKey:
    """An API key without its secret."""

    id: UUID
    label: str
    last_four: str
    scopes: tuple[Permission, ...]
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None
    created_at: datetime

    @property
    def revoked(self) -> bool:
        """Whether the key was revoked."""
        return self.revoked_at is not None


@dataclass(frozen=True)
class NewApiKey:
    """A key just made; `secret` is shown once and kept nowhere."""

    key: ApiKey
    secret: str

    def __repr__(self) -> str:
        return f"NewApiKey({self.key!r})"


@dataclass(frozen=True)
class KeyHolder:
    """A valid API key and its shop."""

    shop: Shop
    key: ApiKey


class ShopPayload(BaseModel):
    """What we read of the body of shop/update."""

    model_config = ConfigDict(extra="ignore")

    name: str = Field(max_length=255)
    email: str | None = Field(None, max_length=320)
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    iana_timezone: str = Field(max_length=64)
    primary_locale: str | None = Field(None, max_length=35)


class ScopesPayload(BaseModel):
    """What we read of the body of app/scopes_update."""

    model_config = ConfigDict(extra="ignore")

    current: list[str] = Field(max_length=200)


APP_EMBED = "app-embed"
PUT_AWAY = "guide:hidden"  # stands beside the steps that are done


@dataclass(frozen=True)
class HomeStep:
    """One step of the set-up guide. `done` is None when the server cannot know; then Shopify says it to the page.

    Title and text are marked sentences.
    """

    key: str
    title: str
    text: str
    done: bool | None
    url: str
    position: int
    current: bool = False


class BrandNames(BaseModel):
    """What the program is called in each language; English where one is missing."""

    en: str = Field("", max_length=80)
    es: str = Field("", max_length=80)
    fr: str = Field("", max_length=80)
    ar: str = Field("", max_length=80)
    he: str = Field("", max_length=80)


class Brand(BaseModel):
    """How the shop looks to members; what is empty was not chosen. `accent` is a hex color."""

    accent: str = ""
    logo_url: str = ""
    names: BrandNames = BrandNames()
    version: int = 0

    @property
    def chosen(self) -> bool:
        """Whether members see a name and a color that staff chose."""
        return bool(self.accent and self.names.en)

    def name(self, locale: str) -> str:
        """What the program is called in a language; empty when nobody named it."""
        return getattr(self.names, locale, "") or self.names.en


class BrandNamesForm(BrandNames):
    """The program's names as staff give them."""

    en: str = Field("", max_length=80, validate_default=True)

    @field_validator("en")
    @classmethod
    def _given(cls, name: str) -> str:
        if not name.strip():
            raise ValueError(mark("Give the English name; other languages fall back to it."))
        return name


class BrandForm(BaseModel):
    """The look as staff choose it."""

    version: int = Field(0, ge=0)
    accent: str = Field(pattern=r"^#[0-9a-fA-F]{6}$", max_length=7, examples=["#4f46e5"])
    logo_url: str = Field("", max_length=2048, pattern=r"^(https://[^\s\"'<>]+)?$")
    names: BrandNamesForm


class WidgetForm(BaseModel):
    """Whether the live theme has our app embed switched on, as App Bridge told the page."""

    on: bool


class GuideForm(BaseModel):
    """Whether Home leaves the finished set-up guide out."""

    hidden: bool


@dataclass(frozen=True)
class HomeFigure:
    """One number of today, or one measured duration. `unit` says how it is written."""

    key: str
    title: str
    value: int | None
    unit: Literal["points", "number", "milliseconds"]
    position: int
    detail: str | None = None
    detail_value: int | None = None


@dataclass(frozen=True)
class HomeNotice:
    """Something that needs the merchant. The sentence is marked and filled from `data`."""

    key: str
    sentence: str
    tone: Literal["info", "warning", "critical"]
    data: dict[str, Any]
    url: str | None = None


@dataclass(frozen=True)
class DayFigure:
    """Something that is counted day by day. `url` is where it is looked at closely; `position` orders Home."""

    key: str
    title: str
    unit: Literal["points", "number", "money"]
    position: int
    url: str | None = None


@dataclass(frozen=True)
class DayTotal:
    """A figure over some days, over those compared with (None: none), and day by day. Money is in minor units."""

    figure: DayFigure
    value: int
    before: int | None
    trend: tuple[tuple[date, int], ...]

    @property
    def change(self) -> float | None:
        """The change as a fraction of what was before; None when that was nothing."""
        return (self.value - self.before) / self.before if self.before else None


DayFigures = Callable[[UnitOfWork, date, date, str], Mapping[str, Mapping[date, int]]]
HomeFact = HomeStep | HomeFigure | HomeNotice
HomeFacts = Callable[[UnitOfWork, datetime], Sequence[HomeFact]]


@dataclass(frozen=True)
class HomeView:
    """The home tab. `put_away` says that staff no longer want the guide; it is shown nevertheless while a step is left."""

    steps: list[HomeStep]
    figures: list[HomeFigure]
    notices: list[HomeNotice]
    oldest_waiting: timedelta | None
    put_away: bool = False

    @property
    def launched(self) -> bool:
        """Whether every step is done."""
        return self.steps_done == len(self.steps)

    @property
    def widget_on(self) -> bool:
        """Whether the live theme showed our app embed when Home was last open."""
        return any(step.key == APP_EMBED and step.done for step in self.steps)

    @property
    def steps_done(self) -> int:
        """How many steps are known to be done."""
        return sum(step.done is True for step in self.steps)


class ChoicesQuery(BaseModel):
    """What of a closed list is meant by `q`; all of it when empty."""

    of: Literal["countries", "currencies", "zones"] = "countries"
    q: str = Field("", max_length=100)


class GoodsQuery(BaseModel):
    """Goods of the shop: whose title begins like `q`, or those with these numbers, by comma."""

    of: Literal["products", "variants", "collections"] = "products"
    q: str = Field("", max_length=100)
    ids: str = Field("", max_length=5_000, pattern="^[0-9,]*$")

    @property
    def numbers(self) -> list[int]:
        """The numbers that `ids` names, at most as many as one question takes."""
        return [int(one) for one in self.ids.split(",") if 0 < len(one) < 19][:250]
