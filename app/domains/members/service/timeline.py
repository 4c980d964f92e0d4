"""Everything that happened to a person, in one order: each domain tells its part, also what merged accounts did."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from app.core import paging
from app.core.db import UnitOfWork
from app.core.permissions import Permission
from app.domains.members.schemas import Happening, TimelineKind, TimelineSlice
from app.domains.members.service import merging

Source = Callable[[UnitOfWork, TimelineSlice, str], list[Happening]]

_SOURCES: dict[str, tuple[TimelineKind, Source]] = {}


def register_timeline(kind: TimelineKind, source: Source) -> None:
    """Let a domain tell its part of the timeline.

    `source(uow, slice, locale)` gives what happened in the slice, by (time, id) descending, in the reader's language.
    """
    _SOURCES[kind.key] = (kind, source)


def timeline_kinds(allowed: Callable[[Permission], bool]) -> list[TimelineKind]:
    """What the timeline can be narrowed to by somebody who may read it."""
    kinds = (kind for kind, _ in _SOURCES.values())
    return sorted((kind for kind in kinds if allowed(kind.permission)), key=lambda kind: kind.position)


def timeline(
    uow: UnitOfWork,
    member_id: UUID,
    kinds: Sequence[TimelineKind],
    locale: str,
    cursor: str | None,
    limit: int,
) -> paging.Page[tuple[TimelineKind, Happening]]:
    """A page of what happened to a member and whoever was merged into them, newest first. Raises StaleCursor."""
    at, last = _place(cursor)
    part = TimelineSlice(merging.family(uow, member_id), at, last, limit + 1)
    found = [(kind, one) for kind in kinds for one in _SOURCES[kind.key][1](uow, part, locale)]
    found.sort(key=lambda pair: (pair[1].at, pair[1].id), reverse=True)
    items = found[:limit]
    more = len(found) > limit
    return paging.Page(items, paging.encode_cursor(items[-1][1].at, items[-1][1].id) if more else None)


def _place(cursor: str | None) -> tuple[datetime | None, UUID | None]:
    if not cursor:
        return None, None
    at, last = paging.decode_cursor(cursor, 2)
    try:
        place = datetime.fromisoformat(str(at))
        if place.tzinfo is None:
            raise ValueError("no zone")
        return place, UUID(str(last))
    except ValueError:
        raise paging.StaleCursor() from None
