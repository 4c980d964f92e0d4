"""Identifiers made by the application: UUID version 7, ordered by time."""

from uuid import UUID, uuid5

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A new UUIDv7."""
    return uuid7()


def copied(owner: UUID, original: UUID) -> UUID:
    """The id that a part gets when its owner is copied: always the same, so that whatever names the part can follow."""
    return uuid5(owner, original.hex)
