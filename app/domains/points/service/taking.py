"""Points by hand taken from many members at once, ended, or led to a number: as few statements as can be."""

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

import orjson

from app.core import ids
from app.core.db import UnitOfWork
from app.core.values import value
from app.domains.points import queries
from app.domains.points.errors import KeyReused
from app.domains.points.events import PointsPosted
from app.domains.points.schemas import Balance
from app.domains.points.service.giving import Gift, give_many
from app.domains.points.service.posting import waves

_TAKE = (
    "SELECT key, points, available, qualifying, crossed FROM points_debit_batch(%(shop)s, %(kind)s, %(members)s::uuid[],"
    " %(entries)s::uuid[], %(points)s::bigint[], %(keys)s::text[], %(reasons)s::text[], %(trace)s::jsonb, %(actor_kind)s,"
    " %(actor_id)s, %(at)s)"
)

Taken = Literal["deduct", "set", "expire"]


@value
class Taking:
    """How many points a member is to lose or, when they are set, to have; once for the ledger's key, and why.

    None ends all that are available.
    """

    member_id: UUID
    points: int | None
    key: str
    reason: str


def take_many(
    uow: UnitOfWork, verb: Taken, takings: Sequence[Taking], trace: dict[str, Any]
) -> dict[str, int]:
    """Take, set or end points by hand, first to expire first; every entry carries the trace.

    Out: by key how many points a member has more or less. Left out is who has too few, or for whom there is nothing to do.
    `takings` hold each key once; a member may occur again, which takes a statement more. A key that was posted before posts
    nothing; with other content it raises KeyReused.
    """
    moved: dict[str, int] = {}
    for some in waves(takings):
        if verb == "set":
            moved |= _set(uow, some, trace)
        else:
            moved |= _take(uow, "expire" if verb == "expire" else "adjust", some, trace)
    return moved


def _take(uow: UnitOfWork, kind: str, takings: Sequence[Taking], trace: dict[str, Any]) -> dict[str, int]:
    """Takings of different members."""
    by_key = {one.key: (one, ids.new_id()) for one in takings}
    rows = uow.tuples(
        _TAKE,
        {
            "shop": uow.shop,
            "kind": kind,
            "members": [one.member_id for one in takings],
            "entries": [entry for _, entry in by_key.values()],
            "points": [one.points for one in takings],
            "keys": list(by_key),
            "reasons": [one.reason for one in takings],
            "trace": orjson.dumps(trace).decode(),
            "actor_kind": uow.actor.kind,
            "actor_id": uow.actor.id,
            "at": uow.now,
        },
    )
    posted = []
    for key, points, *after in rows:
        one, entry = by_key[key]
        posted.append(PointsPosted(entry, one.member_id, kind, points, one.reason, key, None, *after))
    uow.publish(posted)
    moved = {fact.key: fact.points for fact in posted}
    if len(moved) < len(takings):
        moved |= _known(uow, [one for one in takings if one.key not in moved])
    return moved


def _known(uow: UnitOfWork, takings: Sequence[Taking]) -> dict[str, int]:
    """What keys moved that were posted before."""
    known = queries.entries_by_key(uow, [one.key for one in takings])
    for one in takings:
        entry = known.get(one.key)
        if entry and (
            entry["member_id"] != one.member_id or (one.points is not None and entry["points"] != -one.points)
        ):
            raise KeyReused()
    return {key: entry["points"] for key, entry in known.items()}


def _set(uow: UnitOfWork, takings: Sequence[Taking], trace: dict[str, Any]) -> dict[str, int]:
    """Lead the available points of different members to a number; an open debt is paid first."""
    queries.lock_accounts(uow, [one.member_id for one in takings])
    known = queries.entries_by_key(uow, [one.key for one in takings])
    had = queries.balances(uow, [one.member_id for one in takings])
    moved = {key: entry["points"] for key, entry in known.items()}
    gifts, takes = [], []
    for one in takings:
        change = had.get(one.member_id, Balance()).change_to(one.points or 0)
        if one.key in known or not change:
            continue
        if change > 0:
            gifts.append(Gift(one.member_id, change, one.key, one.reason))
        else:
            takes.append(Taking(one.member_id, -change, one.key, one.reason))
        moved[one.key] = change
    if gifts:
        give_many(uow, gifts, trace)
    if takes:
        _take(uow, "adjust", takes, trace)
    return moved
