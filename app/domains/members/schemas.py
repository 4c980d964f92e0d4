"""Shapes of members at the faces, of customers in webhooks, and the values other domains get."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


@dataclass(frozen=True)
class Member:
    """A member without personal data."""

    id: UUID
    customer_id: int | None
    status: str
    locale: str
    enrolled_at: datetime

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
class Panel:
    """A section of the member page that another domain contributes."""

    key: str
    position: int
    template: str
    provider: Callable[[Any, UUID], dict[str, Any]]


@dataclass(frozen=True)
class Person:
    """What a webhook says about a customer. `locale` None means that it does not say."""

    customer_id: int
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    locale: str | None = None
    updated_at: datetime | None = None


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


class MembersFilter(BaseModel):
    """The members tab's search, filter and page."""

    search: str | None = Field(None, max_length=254, description="E-mail, Shopify customer id or member id")
    tier: UUID | None = None
    status: Literal["active", "blocked", "erased", "merged"] | None = None
    sort: Literal["newest", "qualifying"] = "newest"
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=200)
    open: UUID | None = None


class StatusForm(BaseModel):
    """Block a member or let them take part again."""

    status: Literal["active", "blocked"]
