"""Entries that change named lots: moving points between members, and taking back what an entry did."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

import orjson

from app.core import ids
from app.core.db import UnitOfWork
from app.domains.points import queries
from app.domains.points.schemas import Entry
from app.domains.points.service.posting import WHY, as_entry, params, tell


@dataclass(frozen=True)
class Change:
    """How much more (or less) of a lot is in each state; the differences add up to zero. `pending` None leaves it."""

    lot: UUID
    remaining: int = 0
    held: int = 0
    spent: int = 0
    expired: int = 0
    reversed: int = 0
    pending: bool | None = None


@dataclass(frozen=True)
class Copy:
    """A new lot with the dates and the source of `origin`; `repaid` of its points settle a debt at once."""

    lot: UUID
    origin: UUID
    points: int
    repaid: int = 0
    pending: bool = False


@dataclass(frozen=True)
class Part:
    """Points of one lot."""

    lot: UUID
    points: int


@dataclass(frozen=True)
class Shift:
    """An entry to write. `debt` and `qualifying` are differences.

    With `tell` false nobody hears of it: what is closed belongs to a member who is no longer anybody's, or more follows.
    """

    member_id: UUID
    kind: str
    key: str
    reason: str
    changes: Sequence[Change] = ()
    copies: Sequence[Copy] = ()
    debt: int = 0
    qualifying: int = 0
    order_id: UUID | None = None
    reference_id: UUID | None = None
    version_id: UUID | None = None
    trace: dict[str, Any] | None = None
    tell: bool = True


_SHIFT = (
    "SELECT e.* FROM points_shift(%(shop)s, %(member)s, %(entry)s, %(kind)s, %(changes)s::jsonb, %(copies)s::jsonb,"
    f" %(debt)s, %(qualifying)s, {WHY}) e"
)


def shift(uow: UnitOfWork, what: Shift) -> Entry:
    """Write one entry that changes and copies lots; the account follows them. A known key changes nothing."""
    entry_id = ids.new_id()
    row = uow.one(
        _SHIFT,
        params(
            uow,
            what.key,
            what.reason,
            order_id=what.order_id,
            reference_id=what.reference_id,
            version_id=what.version_id,
            trace=what.trace,
        )
        | {
            "member": what.member_id,
            "entry": entry_id,
            "kind": what.kind,
            "changes": orjson.dumps([asdict(one) for one in merged(what.changes)]).decode(),
            "copies": orjson.dumps([asdict(one) for one in what.copies]).decode(),
            "debt": what.debt,
            "qualifying": what.qualifying,
        },
    )
    assert row is not None
    if row["id"] == entry_id and what.tell:
        tell(uow, [row])
    return as_entry(row, replayed=row["id"] != entry_id)


def merged(changes: Iterable[Change]) -> list[Change]:
    """One change per lot, without those that change nothing."""
    found: dict[UUID, Change] = {}
    for one in changes:
        seen = found.get(one.lot)
        if seen is None:
            found[one.lot] = one
            continue
        found[one.lot] = replace(
            one,
            **{
                name: getattr(seen, name) + getattr(one, name)
                for name in ("remaining", "held", "spent", "expired", "reversed")
            },
            pending=seen.pending if one.pending is None else one.pending,
        )
    return [one for one in found.values() if any(asdict(one)[name] for name in asdict(one) if name != "lot")]


def take(lots: Iterable[Part], points: int) -> list[Part]:
    """The first `points` of lots in their order; fewer when they hold fewer."""
    taken: list[Part] = []
    for lot in lots:
        part = min(lot.points, points)
        if part > 0:
            taken.append(Part(lot.lot, part))
            points -= part
    return taken


def total(parts: Iterable[Part]) -> int:
    """How many points the parts hold."""
    return sum(part.points for part in parts)


def spendable(uow: UnitOfWork, member_id: UUID) -> list[Part]:
    """What is available of a member's lots, first to expire first. The account is locked by the caller."""
    return [Part(*lot) for lot in queries.spendable_lots(uow, member_id)]


def settle_debt(uow: UnitOfWork, member_id: UUID, *, key: str, reason: str, reference_id: UUID) -> None:
    """Pay a debt from what is available: the two do not stand side by side. The account is locked by the caller."""
    account = queries.balance(uow, member_id)
    paid = take(spendable(uow, member_id), account.debt)
    if not paid:
        return
    changes = [Change(one.lot, remaining=-one.points, reversed=one.points) for one in paid]
    shift(
        uow,
        Shift(member_id, "undo", key, reason, changes=changes, debt=-total(paid), reference_id=reference_id),
    )
