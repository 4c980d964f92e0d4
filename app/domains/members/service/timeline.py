"""Everything that happened to a person, in one order: each domain tells its part, also what merged accounts did."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core import paging
from app.core.db import UnitOfWork
from app.core.permissions import Permission
from app.domains.members.schemas import Happening, TimelineKind, TimelineQuery, TimelineSlice
from app.domains.members.service import merging
from app.domains.shops import service as shops

Source = Callable[[UnitOfWork, TimelineSlice, str], list[Happening]]

_SOURCES: dict[str, tuple[TimelineKind, Source]] = {}
# The kinds' marked names by key.
TIMELINE_KINDS: dict[str, str] = {}


def register_timeline(kind: TimelineKind, source: Source) -> None:
    """Let a domain tell its part of the timeline.

    `source(uow, slice, locale)` gives what happened in the slice, those nearest to its place first, in the reader's language.
    """
    _SOURCES[kind.key] = (kind, source)
    TIMELINE_KINDS[kind.key] = kind.label


def timeline_kinds(allowed: Callable[[Permission], bool]) -> list[TimelineKind]:
    """What the timeline can be narrowed to by somebody who may read it."""
    kinds = (kind for kind, _ in _SOURCES.values())
    return sorted((kind for kind in kinds if allowed(kind.permission)), key=lambda kind: kind.position)


def timeline(
    uow: UnitOfWork, member_id: UUID, kinds: Sequence[TimelineKind], locale: str, query: TimelineQuery
) -> paging.Page[tuple[TimelineKind, Happening]]:
    """A page of what happened to a member and whoever was merged into them. Raises StaleCursor."""
    order = paging.Order({"at": datetime, "id": UUID}, descending=query.sort == "newest")
    since = _midnight(uow, query.start) if query.start else None
    until = _midnight(uow, query.end + timedelta(days=1)) if query.end else None
    family, most = merging.family(uow, member_id), query.limit + 1
    shown = frozenset(kind.key for kind in kinds)
    told = tuple(kind.tells for kind in kinds if kind.tells)

    def key(one: tuple[TimelineKind, Happening]) -> tuple[Any, ...]:
        return one[1].at, one[1].id

    def read(place: paging.Place | None) -> list[tuple[TimelineKind, Happening]]:
        part = TimelineSlice(
            member_ids=family,
            kinds=shown,
            told=told,
            order=order,
            place=place,
            limit=most,
            span=(since, until),
        )
        found = [(kind, one) for kind in kinds for one in _SOURCES[kind.key][1](uow, part, locale)]
        return sorted(found, key=key, reverse=order.descending != bool(place and place.back))[:most]

    return order.page(query.cursor, query.limit, read, key)


def _midnight(uow: UnitOfWork, day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(shops.get(uow).timezone))
