"""Facts about programs."""

from dataclasses import dataclass
from uuid import UUID

from app.core.events import Event


@dataclass(frozen=True)
class ProgramCreated(Event):
    """A program was created; `is_default` says that the installation made it."""

    program_id: UUID
    currency: str
    is_default: bool


@dataclass(frozen=True)
class ProgramChanged(Event):
    """A program's terms or status changed."""

    program_id: UUID
    status: str
