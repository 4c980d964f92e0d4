"""Facts about members."""

from dataclasses import dataclass
from uuid import UUID

from app.core.events import Event


@dataclass(frozen=True)
class MemberEnrolled(Event):
    """A person became a member, by registering or by a first order."""

    member_id: UUID
    customer_id: int


@dataclass(frozen=True)
class MembersMerged(Event):
    """Two members became one: what `removed_id` had belongs to `kept_id` now."""

    merge_id: UUID
    kept_id: UUID
    removed_id: UUID


@dataclass(frozen=True)
class MembersParted(Event):
    """A merge was undone: `removed_id` stands alone again."""

    merge_id: UUID
    kept_id: UUID
    removed_id: UUID


@dataclass(frozen=True)
class MemberRegistered(Event):
    """A member's customer account was created in the shop; may be told again for the same member."""

    member_id: UUID
    customer_id: int


@dataclass(frozen=True)
class MemberSubscribed(Event):
    """A member agrees to marketing by e-mail; may be told again for the same member."""

    member_id: UUID
    customer_id: int
