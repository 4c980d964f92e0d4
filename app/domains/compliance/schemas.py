"""Shapes of the audit trail and of privacy requests."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


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
