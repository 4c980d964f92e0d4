"""Postings. Each posts at most once per key and tells PointsPosted what it wrote."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from app.core import ids
from app.core.db import UnitOfWork
from app.domains.compliance import service as compliance
from app.domains.points import queries
from app.domains.points.errors import InsufficientPoints, KeyReused
from app.domains.points.events import PointsPosted
from app.domains.points.schemas import Balance, Credit, Entry

_WHY = (
    "ROW(%(key)s, %(reason)s, %(order)s, %(reference)s, %(version)s, %(trace)s::jsonb,"
    " %(actor_kind)s, %(actor_id)s, %(at)s)::points_why"
)

_CREDIT = """
SELECT e.* FROM unnest(%(members)s::uuid[], %(entries)s::uuid[], %(lots)s::uuid[], %(kinds)s::text[],
    %(points)s::bigint[], %(qualifies)s::boolean[], %(activates)s::timestamptz[], %(expires)s::timestamptz[],
    %(keys)s::text[], %(reasons)s::text[], %(orders)s::uuid[], %(versions)s::uuid[], %(traces)s::text[])
  AS v (member, entry, lot, kind, points, qualifies, activates, expires, key, reason, ord, version, trace)
CROSS JOIN LATERAL points_credit(%(shop)s, v.member, v.entry, v.lot, v.kind, v.points, v.qualifies, v.activates,
    v.expires, ROW(v.key, v.reason, v.ord, NULL, v.version, v.trace::jsonb, %(actor_kind)s, %(actor_id)s,
    %(at)s)::points_why) e
"""


def credit(uow: UnitOfWork, credits: Sequence[Credit]) -> list[Entry]:
    """Give points, one lot each, all with one statement. Returns an entry per credit, in the order of members.

    A key that was posted before returns its first entry with `replayed`; with other content it raises KeyReused.
    """
    if not credits:
        return []
    rows = sorted(credits, key=lambda one: one.member_id.bytes)
    entries = [ids.new_id() for _ in rows]
    written = uow.all(
        _CREDIT,
        {
            "shop": uow.shop,
            "members": [row.member_id for row in rows],
            "entries": entries,
            "lots": [ids.new_id() for _ in rows],
            "kinds": [row.kind for row in rows],
            "points": [row.points for row in rows],
            "qualifies": [row.qualifies for row in rows],
            "activates": [row.activates_at for row in rows],
            "expires": [row.expires_at for row in rows],
            "keys": [row.key for row in rows],
            "reasons": [row.reason for row in rows],
            "orders": [row.order_id for row in rows],
            "versions": [row.program_version_id for row in rows],
            "traces": [orjson.dumps(row.trace).decode() for row in rows],
            "actor_kind": uow.actor.kind,
            "actor_id": uow.actor.id,
            "at": uow.now,
        },
    )
    by_key = {row["key"]: row for row in written}
    fresh = set(entries)
    result = []
    for row in rows:
        found = by_key[row.key]
        if found["id"] not in fresh and (found["member_id"], found["points"]) != (row.member_id, row.points):
            raise KeyReused()
        result.append(as_entry(found, replayed=found["id"] not in fresh))
    _tell(uow, [row for row in written if row["id"] in fresh])
    return result


def hold(
    uow: UnitOfWork,
    member_id: UUID,
    points: int,
    *,
    key: str,
    reason: str,
    reference_id: UUID | None = None,
    trace: dict[str, Any] | None = None,
) -> Entry:
    """Reserve available points, first to expire first. Raises InsufficientPoints."""
    return _debit(uow, "hold", member_id, points, key=key, reason=reason, reference_id=reference_id, trace=trace)


def spend(
    uow: UnitOfWork,
    member_id: UUID,
    points: int,
    *,
    key: str,
    reason: str,
    kind: str = "spend",
    trace: dict[str, Any] | None = None,
) -> Entry:
    """Use available points up at once, first to expire first. Raises InsufficientPoints."""
    return _debit(uow, kind, member_id, points, key=key, reason=reason, reference_id=None, trace=trace)


def _debit(
    uow: UnitOfWork,
    kind: str,
    member_id: UUID,
    points: int,
    *,
    key: str,
    reason: str,
    reference_id: UUID | None,
    trace: dict[str, Any] | None,
) -> Entry:
    entry_id = ids.new_id()
    row = uow.one(
        f"SELECT e.* FROM points_debit(%(shop)s, %(member)s, %(entry)s, %(kind)s, %(points)s, {_WHY}) e",
        _params(uow, key, reason, reference_id=reference_id, trace=trace)
        | {"member": member_id, "entry": entry_id, "kind": kind, "points": points},
    )
    if row is None or row["id"] is None:
        raise InsufficientPoints(needed=points, available=queries.balance(uow, member_id).available)
    if row["id"] != entry_id and (row["member_id"], row["moved"]) != (member_id, points):
        raise KeyReused()
    return _posted(uow, row, entry_id)


def settle(uow: UnitOfWork, hold_entry_id: UUID, step: str, *, key: str, reason: str) -> Entry | None:
    """End a hold: "spend" uses it up, "release" gives it back, "restore" gives a spent one back.

    None when the hold is not in the state that the step starts from.
    """
    entry_id = ids.new_id()
    row = uow.one(
        f"SELECT e.* FROM points_settle(%(shop)s, %(hold)s, %(entry)s, %(step)s, {_WHY}) e",
        _params(uow, key, reason) | {"hold": hold_entry_id, "entry": entry_id, "step": step},
    )
    if row is None or row["id"] is None:
        return None
    return _posted(uow, row, entry_id)


def reverse(
    uow: UnitOfWork,
    member_id: UUID,
    points: int,
    *,
    key: str,
    reason: str,
    order_id: UUID | None = None,
    program_version_id: UUID | None = None,
    trace: dict[str, Any] | None = None,
) -> Entry:
    """Take back what an order gave: its own lots, pending before available, then other available points; else debt."""
    entry_id = ids.new_id()
    row = uow.one(
        f"SELECT e.* FROM points_reverse(%(shop)s, %(member)s, %(entry)s, %(points)s, true, {_WHY}) e",
        _params(uow, key, reason, order_id=order_id, version_id=program_version_id, trace=trace)
        | {"member": member_id, "entry": entry_id, "points": points},
    )
    assert row is not None
    return _posted(uow, row, entry_id)


def activate(uow: UnitOfWork, member_id: UUID) -> Entry | None:
    """Make the member's pending points available whose day has come. None when there are none."""
    return _timed(uow, "points_activate", "activate", member_id, "holding_period_over")


def expire(uow: UnitOfWork, member_id: UUID) -> Entry | None:
    """Expire the member's available points past their date. None when there are none."""
    return _timed(uow, "points_expire", "expire", member_id, "expired")


def _timed(uow: UnitOfWork, function: str, step: str, member_id: UUID, reason: str) -> Entry | None:
    entry_id = ids.new_id()
    row = uow.one(
        f"SELECT e.* FROM {function}(%(shop)s, %(member)s, %(entry)s, {_WHY}) e",
        _params(uow, f"{step}:{entry_id}", reason) | {"member": member_id, "entry": entry_id},
    )
    if row is None or row["id"] is None:
        return None
    return _posted(uow, row, entry_id)


def adjust(uow: UnitOfWork, member_id: UUID, points: int, *, key: str, reason: str) -> Entry:
    """Give (positive) or take (negative) points by hand; leaves an audit entry. Raises InsufficientPoints."""
    if points > 0:
        entry = credit(uow, [Credit(member_id, points, key, reason, kind="adjust", qualifies=False)])[0]
    else:
        entry = spend(uow, member_id, -points, key=key, reason=reason, kind="adjust")
    if not entry.replayed:
        compliance.record(
            uow,
            "points.adjusted",
            ("member", str(member_id)),
            None,
            {"points": points, "reason": reason, "entry_id": str(entry.id)},
        )
    return entry


def balance(uow: UnitOfWork, member_id: UUID) -> Balance:
    """The member's points by status."""
    return queries.balance(uow, member_id)


def set_multipliers(uow: UnitOfWork, multipliers: dict[UUID, int]) -> None:
    """Tell the ledger what later purchases of these members are multiplied by, in basis points (10,000 = 1)."""
    uow.execute(
        "UPDATE points_accounts a SET multiplier_bp = v.bp"
        " FROM unnest(%(members)s::uuid[], %(bps)s::integer[]) AS v (member, bp)"
        " WHERE a.shop_id = %(shop)s AND a.member_id = v.member",
        {"shop": uow.shop, "members": list(multipliers), "bps": list(multipliers.values())},
    )


def _params(
    uow: UnitOfWork,
    key: str,
    reason: str,
    *,
    order_id: UUID | None = None,
    reference_id: UUID | None = None,
    version_id: UUID | None = None,
    trace: dict[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "shop": uow.shop,
        "key": key,
        "reason": reason,
        "order": order_id,
        "reference": reference_id,
        "version": version_id,
        "trace": orjson.dumps(trace or {}).decode(),
        "actor_kind": uow.actor.kind,
        "actor_id": uow.actor.id,
        "at": uow.now,
    }


def as_entry(row: dict[str, Any], *, replayed: bool = True) -> Entry:
    """An entry from its row."""
    return Entry(
        id=row["id"],
        member_id=row["member_id"],
        seq=row["seq"],
        kind=row["kind"],
        points=row["points"],
        available=row["available_after"],
        key=row["key"],
        reason=row["reason"],
        order_id=row["order_id"],
        created_at=row["created_at"],
        replayed=replayed,
    )


def _posted(uow: UnitOfWork, row: dict[str, Any], entry_id: UUID) -> Entry:
    if row["id"] == entry_id:
        _tell(uow, [row])
    return as_entry(row, replayed=row["id"] != entry_id)


def _tell(uow: UnitOfWork, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    qualifying = queries.qualifying(uow, {row["member_id"] for row in rows})
    uow.publish(
        [
            PointsPosted(
                entry_id=row["id"],
                member_id=row["member_id"],
                kind=row["kind"],
                points=row["points"],
                reason=row["reason"],
                key=row["key"],
                order_id=row["order_id"],
                available=row["available_after"],
                qualifying=qualifying.get(row["member_id"], 0),
            )
            for row in rows
        ]
    )
