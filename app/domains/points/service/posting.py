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
from app.domains.points.schemas import Balance, Band, Credit, Entry

_WHY = (
    "ROW(%(key)s, %(reason)s, %(order)s, %(reference)s, %(version)s, %(trace)s::jsonb,"
    " %(actor_kind)s, %(actor_id)s, %(at)s)::points_why"
)

_CREDIT_BATCH = (
    "SELECT * FROM points_credit_batch(%(shop)s, %(rows)s::jsonb, %(actor_kind)s, %(actor_id)s, %(at)s)"
)
_CREDIT_ONE = (
    "SELECT e.* FROM points_credit(%(shop)s, %(member)s, %(entry)s, %(lot)s, %(kind)s, %(points)s, %(qualifies)s,"
    f" %(activates)s, %(expires)s, {_WHY}) e"
)


def credit(uow: UnitOfWork, credits: Sequence[Credit]) -> list[Entry]:
    """Give points, one lot each. Returns an entry per credit, in their order.

    A key that was posted before returns its first entry with `replayed`; with other content it raises KeyReused.
    Many credits are written with one statement for each time that a member occurs.
    """
    if len(credits) == 1:
        return [_credit_one(uow, credits[0])]
    written: dict[str, dict[str, Any]] = {}
    for wave in _waves(credits):
        rows = uow.all(_CREDIT_BATCH, _batch(uow, wave))
        written |= {row["key"]: row for row in rows}
        _tell(uow, rows)
    missing = [one.key for one in credits if one.key not in written]
    known = queries.entries_by_key(uow, missing) if missing else {}
    return [
        as_entry(written[one.key], replayed=False) if one.key in written else _replayed(known[one.key], one)
        for one in credits
    ]


def _waves(credits: Sequence[Credit]) -> list[list[Credit]]:
    """Credits in rounds that hold each member and each key once; the first of a repeated key counts."""
    waves: list[list[Credit]] = []
    turns: dict[UUID, int] = {}
    keys: set[str] = set()
    for one in credits:
        if one.key in keys:
            continue
        keys.add(one.key)
        turn = turns[one.member_id] = turns.get(one.member_id, -1) + 1
        if turn == len(waves):
            waves.append([])
        waves[turn].append(one)
    return waves


def _batch(uow: UnitOfWork, wave: Sequence[Credit]) -> dict[str, Any]:
    rows = [
        {
            "member_id": one.member_id,
            "entry_id": ids.new_id(),
            "lot_id": ids.new_id(),
            "kind": one.kind,
            "points": one.points,
            "qualifies": one.qualifies,
            "activates": one.activates_at,
            "expires": one.expires_at,
            "key": one.key,
            "reason": one.reason,
            "order_id": one.order_id,
            "program_version_id": one.program_version_id,
            "trace": one.trace,
        }
        for one in wave
    ]
    return {
        "shop": uow.shop,
        "rows": orjson.dumps(rows).decode(),
        "actor_kind": uow.actor.kind,
        "actor_id": uow.actor.id,
        "at": uow.now,
    }


def _credit_one(uow: UnitOfWork, one: Credit) -> Entry:
    entry_id = ids.new_id()
    row = uow.one(
        _CREDIT_ONE,
        _params(
            uow,
            one.key,
            one.reason,
            order_id=one.order_id,
            version_id=one.program_version_id,
            trace=one.trace,
        )
        | {
            "member": one.member_id,
            "entry": entry_id,
            "lot": ids.new_id(),
            "kind": one.kind,
            "points": one.points,
            "qualifies": one.qualifies,
            "activates": one.activates_at,
            "expires": one.expires_at,
        },
    )
    assert row is not None
    return _posted(uow, row, entry_id) if row["id"] == entry_id else _replayed(row, one)


def _replayed(row: dict[str, Any], wanted: Credit) -> Entry:
    if (row["member_id"], row["points"]) != (wanted.member_id, wanted.points):
        raise KeyReused()
    return as_entry(row)


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
    return _debit(
        uow, "hold", member_id, points, key=key, reason=reason, reference_id=reference_id, trace=trace
    )


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


def settle(
    uow: UnitOfWork,
    hold_entry_id: UUID,
    step: str,
    *,
    key: str,
    reason: str,
    trace: dict[str, Any] | None = None,
) -> Entry | None:
    """End a hold: "spend" uses it up, "release" gives it back, "restore" gives a spent one back.

    None when the hold is not in the state that the step starts from.
    """
    entry_id = ids.new_id()
    row = uow.one(
        f"SELECT e.* FROM points_settle(%(shop)s, %(hold)s, %(entry)s, %(step)s, {_WHY}) e",
        _params(uow, key, reason, trace=trace) | {"hold": hold_entry_id, "entry": entry_id, "step": step},
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


def move_to(uow: UnitOfWork, source: UUID, target: UUID) -> None:
    """Give all available points of one member to another, as when the shop merges two customers."""
    points = queries.balance(uow, source).available
    if points == 0:
        return
    spend(uow, source, points, key=f"merge:{source}:out", reason="merged", kind="adjust")
    credit(uow, [Credit(target, points, f"merge:{source}:in", "merged", kind="adjust")])


def balance(uow: UnitOfWork, member_id: UUID) -> Balance:
    """The member's points by status."""
    return queries.balance(uow, member_id)


def watch(uow: UnitOfWork, bands: dict[UUID, Band]) -> None:
    """Tell the ledger each member's multiplier for later purchases, and the band of qualifying points to watch."""
    uow.execute(
        "UPDATE points_accounts a SET multiplier_bp = v.bp, watch_from = v.low, watch_to = v.high"
        " FROM unnest(%(members)s::uuid[], %(bps)s::integer[], %(lows)s::bigint[], %(highs)s::bigint[])"
        " AS v (member, bp, low, high) WHERE a.shop_id = %(shop)s AND a.member_id = v.member",
        {
            "shop": uow.shop,
            "members": list(bands),
            "bps": [band.multiplier_bp for band in bands.values()],
            "lows": [band.start for band in bands.values()],
            "highs": [band.end for band in bands.values()],
        },
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
                qualifying=row["qualifying_after"],
                crossed=row["crossed"],
            )
            for row in rows
        ]
    )
