"""Points given by hand to many members at once, as few statements as can be."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from app.core import ids
from app.core.db import UnitOfWork
from app.core.values import value
from app.domains.points import queries
from app.domains.points.errors import KeyReused
from app.domains.points.events import PointsPosted
from app.domains.points.service.posting import waves

_GIVE = (
    "SELECT key, available, qualifying, crossed FROM points_give(%(shop)s, %(members)s::uuid[], %(entries)s::uuid[],"
    " %(points)s::bigint[], %(keys)s::text[], %(reasons)s::text[], %(trace)s::jsonb, %(actor_kind)s, %(actor_id)s, %(at)s)"
)


@value
class Gift:
    """Points for a member, once for the ledger's key, and why."""

    member_id: UUID
    points: int
    key: str
    reason: str


def give_many(uow: UnitOfWork, gifts: Sequence[Gift], trace: dict[str, Any]) -> None:
    """Give points by hand: available at once, without an end, and not counted for tiers; every entry carries the trace.

    `gifts` hold each key once; a member may occur again, which takes a statement more. A key that was posted before posts
    nothing; with other content it raises KeyReused.
    """
    for some in waves(gifts):
        entries = [ids.new_id() for _ in some]
        rows = uow.all(
            _GIVE,
            {
                "shop": uow.shop,
                "members": [one.member_id for one in some],
                "entries": entries,
                "points": [one.points for one in some],
                "keys": [one.key for one in some],
                "reasons": [one.reason for one in some],
                "trace": orjson.dumps(trace).decode(),
                "actor_kind": uow.actor.kind,
                "actor_id": uow.actor.id,
                "at": uow.now,
            },
        )
        written = {row.pop("key"): row for row in rows}
        if len(written) < len(some):
            _check_known(uow, [one for one in some if one.key not in written])
        uow.publish(
            [
                PointsPosted(
                    entry, one.member_id, "adjust", one.points, one.reason, one.key, None, **written[one.key]
                )
                for one, entry in zip(some, entries, strict=True)
                if one.key in written
            ]
        )


def _check_known(uow: UnitOfWork, gifts: Sequence[Gift]) -> None:
    known = queries.entries_by_key(uow, [one.key for one in gifts])
    for one in gifts:
        entry = known[one.key]
        if (entry["member_id"], entry["points"]) != (one.member_id, one.points):
            raise KeyReused()
