"""Shapes of the audit trail and of privacy requests."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


@dataclass(frozen=True)
class Change:
    """One change of one subject. `before` and `after` hold ids, numbers and settings, never personal data in clear."""

    subject_kind: str
    subject_id: str
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


@dataclass(frozen=True)
class AuditEntry:
    """Who changed what, when, from what to what."""

    id: UUID
    created_at: datetime
    actor_kind: str
    actor_id: str
    actor_label: str
    action: str
    subject_kind: str
    subject_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@dataclass(frozen=True)
class PrivacyRequest:
    """What a person asked for through the shop: a copy of their data, or its erasure."""

    id: UUID
    kind: Literal["data_request", "erasure"]
    external_id: str
    customer_id: int | None
    member_id: UUID | None
    status: Literal["open", "done"]
    outcome: str
    requested_at: datetime
    due_at: datetime
    done_at: datetime | None
    has_export: bool


class AskedCustomer(BaseModel):
    """The customer in a privacy webhook; any part may be missing."""

    model_config = ConfigDict(extra="ignore")

    id: int | None = Field(None, gt=0, lt=2**63)
    email: str | None = Field(None, max_length=320)


class DataRequestId(BaseModel):
    """The id of a data request."""

    model_config = ConfigDict(extra="ignore")

    id: int


class DataRequestPayload(BaseModel):
    """The body of customers/data_request."""

    model_config = ConfigDict(extra="ignore")

    customer: AskedCustomer
    data_request: DataRequestId | None = None


class RedactPayload(BaseModel):
    """The body of customers/redact."""

    model_config = ConfigDict(extra="ignore")

    customer: AskedCustomer
    orders_to_redact: list[int] | None = Field(None, max_length=100_000)


class RequestsQuery(BaseModel):
    """Which privacy requests are shown."""

    kind: Literal["data_request", "erasure"] | None = None
    status: Literal["open", "done"] | None = None
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=200)


@dataclass(frozen=True)
class ExportView:
    """One privacy request with the person's data as indented JSON, for the merchant to hand on."""

    request: PrivacyRequest
    document: str | None
    anything_held: bool


@dataclass(frozen=True)
class ExportNews:
    """What the merchant is told when an export is there."""

    shop: str
    due_at: datetime
    link: str
