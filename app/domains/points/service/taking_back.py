"""Many entries by hand taken back exactly, as few statements as can be."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from app.core import ids
from app.core.db import UnitOfWork
from app.domains.points import queries
from app.domains.points.events import PointsPosted
from app.domains.points.service.by_hand import UNDONE, Undo
from app.domains.points.service.posting import waves
from app.domains.points.service.shifting import settle_debt

_UNDO = (
    "SELECT id, points, available, debt, qualifying, crossed FROM points_undo_batch(%(shop)s, %(members)s::uuid[],"
    " %(undone)s::uuid[], %(entries)s::uuid[], %(reason)s, %(trace)s::jsonb, %(actor_kind)s, %(actor_id)s, %(at)s)"
)


def take_back_many(uow: UnitOfWork, entries: Sequence[UUID], trace: dict[str, Any]) -> set[UUID]:
    """Undo many entries as `by_hand.take_back` does one; gives those that could not be undone exactly.

    An entry is undone once, however often this is asked.
    """
    owners = queries.owners_of(uow, entries)
    refused: set[UUID] = set()
    for some in waves([Undo(owners[one], one, f"undo:{one}", trace) for one in entries]):
        refused |= _take_back(uow, {one.entry: one for one in some}, trace)
    return refused


def _take_back(uow: UnitOfWork, undos: dict[UUID, Undo], trace: dict[str, Any]) -> set[UUID]:
    """Entries of different members."""
    entries = {one: ids.new_id() for one in undos}
    rows = uow.tuples(
        _UNDO,
        {
            "shop": uow.shop,
            "members": [one.member_id for one in undos.values()],
            "undone": list(undos),
            "entries": list(entries.values()),
            "reason": UNDONE,
            "trace": orjson.dumps(trace).decode(),
            "actor_kind": uow.actor.kind,
            "actor_id": uow.actor.id,
            "at": uow.now,
        },
    )
    posted, left = [], dict(undos)
    indebted: list[Undo] = []
    for of, points, available, debt, *after in rows:
        one = left.pop(of)
        posted.append(
            PointsPosted(entries[of], one.member_id, "undo", points, UNDONE, one.key, None, available, *after)
        )
        if debt and available:
            indebted.append(one)
    uow.publish(posted)
    for one in indebted:
        settle_debt(uow, one.member_id, key=f"{one.key}:debt", reason=UNDONE, reference_id=one.entry)
    known = queries.entries_by_key(uow, [one.key for one in left.values()]) if left else {}
    return {of for of, one in left.items() if one.key not in known}
