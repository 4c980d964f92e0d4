"""Facts about privacy requests; told before the owners' registered functions run."""

from dataclasses import dataclass
from uuid import UUID

from app.core.events import Event


@dataclass(frozen=True)
class PersonExportRequested(Event):
    """A person wants a copy of their data. Both ids may be missing: then nothing is held about them."""

    request_id: UUID
    member_id: UUID | None
    customer_id: int | None


@dataclass(frozen=True)
class PersonErasureRequested(Event):
    """A person wants to be forgotten."""

    request_id: UUID
    member_id: UUID | None
    customer_id: int | None
