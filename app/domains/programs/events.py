"""Facts about programs."""

from dataclasses import dataclass
from uuid import UUID

from app.core.events import Event
from app.domains.programs.schemas import RewardIdea


@dataclass(frozen=True)
class ProgramCreated(Event):
    """A program was created; `is_default` says that the installation made it.

    `copy_of` is the program it was copied from, `rewards` are ideas for drafts that a template brings, and
    `tiers` the points at which its second and third tier start.
    """

    program_id: UUID
    currency: str
    is_default: bool
    copy_of: UUID | None = None
    rewards: tuple[RewardIdea, ...] = ()
    tiers: tuple[int, ...] = ()


@dataclass(frozen=True)
class ProgramChanged(Event):
    """A program's terms or status changed."""

    program_id: UUID
    status: str


@dataclass(frozen=True)
class RewardsWanted(Event):
    """The draft rewards of a program are to be offered: staff said so now, or when they planned its start."""

    program_id: UUID
