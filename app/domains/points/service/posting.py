"""Postings. Each posts at most once per key and tells PointsPosted what it wrote."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar
from uuid import UUID

import orjson

from app.core import ids
from app.core.db import UnitOfWork
from app.domains.compliance import service as compliance
from app.domains.points import queries
from app.domains.points.errors import InsufficientPoints, KeyReused
from app.domains.points.events import PointsPosted
from app.domains.points.schemas import Balance, Band, Credit, Entry, Reversal

# How an entry says why it was written, and what is read back of it: for every module of the ledger that writes entries.
WHY = (
    "ROW(%(key)s, %(reason)s, %(order)s, %(reference)s, %(version)s, %(trace)s::jsonb,"
    " %(actor_kind)s, %(actor_id)s, %(at)s)::points_why"
)

POSTED = (
    "e.id, e.member_id, e.seq, e.kind, e.points, e.moved, e.waived, e.available_after, e.qualifying_after, e.crossed,"
    " e.key, e.reason, e.order_id, e.created_at"
)
_CREDIT_BATCH = (
    "SELECT key, seq, available, qualifying, crossed"
    " FROM points_credit_batch(%(shop)s, %(members)s::uuid[], %(rows)s::jsonb, %(actor_kind)s, %(actor_id)s, %(at)s)"
)
_CREDIT_ONE = (
    "SELECT e.id, e.seq, e.available_after, e.qualifying_after, e.crossed"
    " FROM points_credit(%(shop)s, %(member)s, %(entry)s, %(kind)s, %(points)s, %(qualifies)s,"
    f" %(activates)s, %(expires)s, {WHY}) e"
)


def credit(uow: UnitOfWork, credits: Sequence[Credit]) -> list[Entry]:
    """Give points, one lot each. Returns an entry per credit, in their order.

    A key that was posted before returns its first entry with `replayed`; with other content it raises KeyReused.
    Many credits are written with one statement for each time that a member occurs.
    """
    if len(credits) == 1:
        return [_credit_one(uow, credits[0])]
    written: dict[str, Entry] = {}
    for wave in waves(credits):
        written |= _credit_wave(uow, wave)
    missing = [one.key for one in credits if one.key not in written]
    known = queries.entries_by_key(uow, missing) if missing else {}
    return [written[one.key] if one.key in written else _replayed(known[one.key], one) for one in credits]


def _credit_wave(uow: UnitOfWork, wave: Sequence[Credit]) -> dict[str, Entry]:
    entry_ids = [ids.new_id() for _ in wave]
    by_key = {one.key: (one, entry_id) for one, entry_id in zip(wave, entry_ids, strict=True)}
    written: dict[str, Entry] = {}
    posted: list[PointsPosted] = []
    for key, *after in uow.tuples(_CREDIT_BATCH, _batch(uow, wave, entry_ids)):
        one, entry_id = by_key[key]
        written[key], told = _given(uow, one, entry_id, *after)
        posted.append(told)
    if posted:
        uow.publish(posted)
    return written


def _given(
    uow: UnitOfWork, one: Credit, entry_id: UUID, seq: int, available: int, qualifying: int, crossed: bool
) -> tuple[Entry, PointsPosted]:
    """The entry of a credit that was just written, and the news of it."""
    entry = Entry(
        entry_id,
        one.member_id,
        seq,
        one.kind,
        one.points,
        0,
        available,
        one.key,
        one.reason,
        one.order_id,
        uow.now,
        replayed=False,
    )
    return entry, PointsPosted(
        entry_id,
        one.member_id,
        one.kind,
        one.points,
        one.reason,
        one.key,
        one.order_id,
        available,
        qualifying,
        crossed,
    )


class Keyed(Protocol):
    """Something to post for a member, once for a key."""

    @property
    def member_id(self) -> UUID: ...
    @property
    def key(self) -> str: ...


K = TypeVar("K", bound=Keyed)


def waves(rows: Sequence[K]) -> list[list[K]]:
    """Rows in rounds that hold each member and each key once; the first of a repeated key counts."""
    found: list[list[K]] = []
    turns: dict[UUID, int] = {}
    keys: set[str] = set()
    for one in rows:
        if one.key in keys:
            continue
        keys.add(one.key)
        turn = turns[one.member_id] = turns.get(one.member_id, -1) + 1
        if turn == len(found):
            found.append([])
        found[turn].append(one)
    return found


def _batch(uow: UnitOfWork, wave: Sequence[Credit], entry_ids: Sequence[UUID]) -> dict[str, Any]:
    rows = [
        {
            "member_id": one.member_id,
            "entry_id": entry_id,
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
        for one, entry_id in zip(wave, entry_ids, strict=True)
    ]
    return {
        "shop": uow.shop,
        "members": [one.member_id for one in wave],
        "rows": orjson.dumps(rows).decode(),
        "actor_kind": uow.actor.kind,
        "actor_id": uow.actor.id,
        "at": uow.now,
    }


def _credit_one(uow: UnitOfWork, one: Credit) -> Entry:
    entry_id = ids.new_id()
    [(written, *after)] = uow.tuples(
        _CREDIT_ONE,
        params(
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
            "kind": one.kind,
            "points": one.points,
            "qualifies": one.qualifies,
            "activates": one.activates_at,
            "expires": one.expires_at,
        },
    )
    if written != entry_id:
        return _replayed(queries.entries_by_key(uow, [one.key])[one.key], one)
    entry, told = _given(uow, one, entry_id, *after)
    uow.publish([told])
    return entry


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
        f"SELECT {POSTED} FROM points_debit(%(shop)s, %(member)s, %(entry)s, %(kind)s, %(points)s, {WHY}) e",
        params(uow, key, reason, reference_id=reference_id, trace=trace)
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
        f"SELECT {POSTED} FROM points_settle(%(shop)s, %(hold)s, %(entry)s, %(step)s, {WHY}) e",
        params(uow, key, reason, trace=trace) | {"hold": hold_entry_id, "entry": entry_id, "step": step},
    )
    if row is None or row["id"] is None:
        return None
    return _posted(uow, row, entry_id)


_SETTLE_MANY = f"""
SELECT {POSTED} FROM (SELECT v.* FROM unnest(%(holds)s::uuid[], %(entries)s::uuid[], %(keys)s::text[])
    AS v (hold, entry, key) JOIN points_entries h ON h.shop_id = %(shop)s AND h.id = v.hold ORDER BY h.member_id) v
CROSS JOIN LATERAL points_settle(%(shop)s, v.hold, v.entry, %(step)s, {WHY.replace("%(key)s", "v.key")}) e
WHERE e.id = v.entry
"""


def settle_many(uow: UnitOfWork, keys: Mapping[UUID, str], step: str, *, reason: str) -> list[Entry]:
    """End many holds the same way with one statement: `keys` holds the posting's key by the hold's entry.

    Out: what was written; holds that are not in the state that the step starts from are left alone.
    """
    rows = uow.all(
        _SETTLE_MANY,
        params(uow, "", reason)
        | {
            "holds": list(keys),
            "entries": [ids.new_id() for _ in keys],
            "keys": list(keys.values()),
            "step": step,
        },
    )
    tell(uow, rows)
    return [as_entry(row, replayed=False) for row in rows]


def reverse(uow: UnitOfWork, wanted: Reversal) -> Entry:
    """Take back what an order gave: its own lots, pending before available, then as the debt policy says.

    "pending_only" leaves what is available, "to_zero" takes other available points too, "negative" also owes the rest.
    The entry's `waived` is what was neither taken nor owed.
    """
    entry_id = ids.new_id()
    row = uow.one(
        f"SELECT {POSTED} FROM points_reverse(%(shop)s, %(member)s, %(entry)s, %(points)s, true, %(debt)s, {WHY}) e",
        params(
            uow,
            wanted.key,
            wanted.reason,
            order_id=wanted.order_id,
            version_id=wanted.program_version_id,
            trace=wanted.trace,
        )
        | {"member": wanted.member_id, "entry": entry_id, "points": wanted.points, "debt": wanted.debt},
    )
    assert row is not None
    return _posted(uow, row, entry_id)


def activate(uow: UnitOfWork, member_id: UUID) -> Entry | None:
    """Make the member's pending points available whose day has come. None when there are none."""
    entry_id = ids.new_id()
    row = uow.one(
        f"SELECT {POSTED} FROM points_activate(%(shop)s, %(member)s, %(entry)s, {WHY}) e",
        params(uow, f"activate:{entry_id}", "holding_period_over") | {"member": member_id, "entry": entry_id},
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


def balances(uow: UnitOfWork, member_ids: Iterable[UUID], *, indebted: bool = False) -> dict[UUID, Balance]:
    """Members' points by status, or those of members with a debt; members who never had any are left out."""
    return queries.balances(uow, member_ids, indebted=indebted)


def watch(uow: UnitOfWork, bands: dict[UUID, Band]) -> None:
    """Tell the ledger each member's multiplier for later purchases, and the band of qualifying points to watch."""
    uow.execute(
        "UPDATE points_accounts a SET multiplier_bp = v.bp, watch_from = v.low, watch_to = v.high"
        " FROM unnest(%(members)s::uuid[], %(bps)s::integer[], %(lows)s::bigint[], %(highs)s::bigint[])"
        " AS v (member, bp, low, high) WHERE a.shop_id = %(shop)s AND a.member_id = v.member"
        " AND (a.multiplier_bp, a.watch_from, a.watch_to) IS DISTINCT FROM (v.bp, v.low, v.high)",
        {
            "shop": uow.shop,
            "members": list(bands),
            "bps": [band.multiplier_bp for band in bands.values()],
            "lows": [band.start for band in bands.values()],
            "highs": [band.end for band in bands.values()],
        },
    )


def open_accounts(uow: UnitOfWork, member_ids: Iterable[UUID]) -> None:
    """Give members an account who have none, so that their multiplier can be kept before their first points."""
    uow.execute(
        "INSERT INTO points_accounts (shop_id, member_id) SELECT %(shop)s, m FROM unnest(%(members)s::uuid[]) AS m"
        " ORDER BY m ON CONFLICT DO NOTHING",
        {"shop": uow.shop, "members": list(member_ids)},
    )


def params(
    uow: UnitOfWork,
    key: str,
    reason: str,
    *,
    order_id: UUID | None = None,
    reference_id: UUID | None = None,
    version_id: UUID | None = None,
    trace: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The values that WHY names, from the unit of work and what is said."""
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
        waived=row["waived"],
        available=row["available_after"],
        key=row["key"],
        reason=row["reason"],
        order_id=row["order_id"],
        created_at=row["created_at"],
        replayed=replayed,
    )


def _posted(uow: UnitOfWork, row: dict[str, Any], entry_id: UUID) -> Entry:
    if row["id"] == entry_id:
        tell(uow, [row])
    return as_entry(row, replayed=row["id"] != entry_id)


def tell(uow: UnitOfWork, rows: Sequence[dict[str, Any]]) -> None:
    """Publish entries that were just written, as rows of POSTED."""
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
