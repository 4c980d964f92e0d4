"""What giving, taking, setting and expiring by hand posts for one member, and how each is taken back exactly."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork
from app.domains.points import queries
from app.domains.points.errors import InsufficientPoints, NothingToAdjust, UndoRefused
from app.domains.points.schemas import Credit, Entry, Wish
from app.domains.points.service import posting
from app.domains.points.service.shifting import Change, Shift, settle_debt, shift, spendable, take, total

UNDONE = "adjustment_undone"


@dataclass(frozen=True)
class Posting:
    """A wish with the ledger's key for it and the trace that its entry carries."""

    wish: Wish
    key: str
    trace: dict[str, Any]


@dataclass(frozen=True)
class Undo:
    """Taking back `entry` of a member under a key of its own."""

    member_id: UUID
    entry: UUID
    key: str
    trace: dict[str, Any]


def post(uow: UnitOfWork, one: Posting) -> list[Entry]:
    """Post a deduction, a setting or an expiry. Raises InsufficientPoints, NothingToAdjust."""
    return _VERBS[one.wish.verb](uow, one)


def entries_of_keys(uow: UnitOfWork, keys: Sequence[str]) -> dict[str, Entry]:
    """The entries that keys led to; keys that led to none are left out."""
    return {key: posting.as_entry(row) for key, row in queries.entries_by_key(uow, keys).items()}


def as_credit(one: Posting, points: int) -> Credit:
    """Points given by hand: available at once, without an end, and not counted for tiers."""
    return Credit(
        one.wish.member_id,
        points,
        one.key,
        one.wish.reason,
        kind="adjust",
        qualifies=False,
        trace=one.trace,
    )


def _deduct(uow: UnitOfWork, one: Posting, points: int | None = None) -> list[Entry]:
    return [
        posting.spend(
            uow,
            one.wish.member_id,
            one.wish.points or 0 if points is None else points,
            key=one.key,
            reason=one.wish.reason,
            kind="adjust",
            trace=one.trace,
        )
    ]


def _set(uow: UnitOfWork, one: Posting) -> list[Entry]:
    """Lead the available points to a number; an open debt is paid first."""
    queries.lock_accounts(uow, [one.wish.member_id])
    change = queries.balance(uow, one.wish.member_id).change_to(one.wish.points or 0)
    if change == 0:
        raise NothingToAdjust()
    if change < 0:
        return _deduct(uow, one, -change)
    return posting.credit(uow, [as_credit(one, change)])


def _expire(uow: UnitOfWork, one: Posting) -> list[Entry]:
    """Expire available points before their day, first to expire first."""
    queries.lock_accounts(uow, [one.wish.member_id])
    lots = spendable(uow, one.wish.member_id)
    points = total(lots) if one.wish.points is None else one.wish.points
    if points == 0:
        raise NothingToAdjust()
    if points > total(lots):
        raise InsufficientPoints(needed=points, available=total(lots))
    changes = [Change(part.lot, remaining=-part.points, expired=part.points) for part in take(lots, points)]
    known = Shift(one.wish.member_id, "expire", one.key, one.wish.reason, changes=changes, trace=one.trace)
    return [shift(uow, known)]


_VERBS = {"deduct": _deduct, "set": _set, "expire": _expire}


def take_back(uow: UnitOfWork, entry_id: UUID, key: str, trace: dict[str, Any]) -> None:
    """Undo an entry that `post` or an award by hand wrote. The account is locked by the caller. Raises UndoRefused.

    Points that were given leave their lot, what they repaid is owed again; points that were taken go back to their lots.
    """
    entry = queries.entry(uow, entry_id)
    assert entry is not None
    wanted = Undo(entry["member_id"], entry_id, key, trace)
    if entry["points"] > 0:
        (lot,) = queries.lots_of_entries(uow, [entry_id])
        repaid = entry["moved"]
        if lot["remaining"] != lot["points"] - repaid:
            raise UndoRefused()
        emptied = [Change(lot["id"], remaining=-lot["remaining"], reversed=lot["remaining"])]
        undo(uow, wanted, emptied, debt=repaid)
        return
    taken = queries.takings(uow, entry_id)
    expired = entry["kind"] == "expire"
    changes = [
        Change(lot, remaining=points, expired=-points if expired else 0, reversed=0 if expired else -points)
        for lot, points in taken
    ]
    undo(uow, wanted, changes)


def undo(uow: UnitOfWork, what: Undo, changes: Sequence[Change], debt: int = 0) -> None:
    """Write the entry that undoes, then pay a debt from what is available."""
    shift(
        uow,
        Shift(
            what.member_id,
            "undo",
            what.key,
            UNDONE,
            changes=changes,
            debt=debt,
            reference_id=what.entry,
            trace=what.trace,
        ),
    )
    settle_debt(uow, what.member_id, key=f"{what.key}:debt", reason=UNDONE, reference_id=what.entry)
