"""The ledgers of two members who are one: everything moves with its dates and its state, and can move back.

The source closes with one entry for each status and the target opens with one; each names the other side and the lots
in its trace, from which the way back is read. No entry is changed: the hash chains of both stand as they were.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from app.core import ids
from app.core.db import UnitOfWork
from app.core.i18n import mark
from app.domains.members import service as members
from app.domains.members.schemas import MergeFact
from app.domains.points import queries, rules
from app.domains.points.events import HoldsMoved
from app.domains.points.service import first_orders, since
from app.domains.points.service.posting import tell
from app.domains.points.service.shifting import (
    Change,
    Copy,
    Part,
    Shift,
    settle_debt,
    shift,
    spendable,
    take,
    total,
)


class _Carry:
    """One carrying of what `source` has to `target`, all under the keys of one merge and step."""

    def __init__(self, uow: UnitOfWork, merge_id: UUID, source: UUID, target: UUID, step: str) -> None:
        self.uow, self.merge_id, self.source, self.target, self.step = uow, merge_id, source, target, step
        self.holds: dict[UUID, UUID] = {}
        self.written: list[UUID] = []

    def trace(self, status: str, **more: Any) -> dict[str, Any]:
        known = {"merge": self.merge_id, "from": self.source, "to": self.target, "status": status}
        return known | more

    def key(self, status: str, side: str) -> str:
        return f"merge:{self.merge_id}:{self.step}:{status}:{side}"

    def run(self) -> None:
        before = queries.balance(self.uow, self.source)
        self._debt_out(before.debt)
        holds = queries.open_holds(self.uow, self.source)
        for hold in holds:
            self._release(hold)
        lots = queries.open_lots(self.uow, self.source)
        held = self._held_parts(holds)
        self._out("available", [one for one in lots if not one["pending"]], before.qualifying)
        self._out("pending", [one for one in lots if one["pending"]], 0)
        for hold in holds:
            self._hold_again(hold)
        self._debt_in(before.debt)
        free = [one | {"remaining": one["remaining"] - held[one["id"]]} for one in lots if not one["pending"]]
        self._in("available", free, before.qualifying)
        self._in("pending", [one for one in lots if one["pending"]], 0)
        if self.holds:
            self.uow.publish([HoldsMoved(self.holds)])

    def tell(self) -> None:
        """Say what the target got, once all of it is there: no tier is left or reached on the way."""
        if self.written:
            tell(self.uow, queries.entries(self.uow, self.written))

    @staticmethod
    def _held_parts(holds: Sequence[dict[str, Any]]) -> dict[UUID, int]:
        parts: dict[UUID, int] = defaultdict(int)
        for hold in holds:
            for lot, points in hold["lots"]:
                parts[UUID(lot)] += points
        return parts

    def _debt_out(self, debt: int) -> None:
        if debt:
            self._shift(self.source, "move_out", "debt", "out", debt=-debt)

    def _release(self, hold: dict[str, Any]) -> None:
        shift(
            self.uow,
            Shift(
                self.source,
                "release",
                key=self.key(f"hold:{hold['id']}", "out"),
                reason="merged",
                changes=[Change(UUID(lot), held=-points, remaining=points) for lot, points in hold["lots"]],
                reference_id=hold["id"],
                trace=self.trace("held"),
                tell=False,
            ),
        )

    def _out(self, status: str, lots: Sequence[dict[str, Any]], qualifying: int) -> None:
        changes = [
            Change(one["id"], remaining=-one["remaining"], reversed=one["remaining"], pending=False)
            for one in lots
            if one["remaining"]
        ]
        if changes or qualifying:
            self._shift(self.source, "move_out", status, "out", changes=changes, qualifying=-qualifying)

    def _hold_again(self, hold: dict[str, Any]) -> None:
        copies = [Copy(ids.new_id(), UUID(lot), points) for lot, points in hold["lots"]]
        self._shift(self.target, "move_in", f"held:{hold['id']}", "in", copies=copies, status="held")
        again = shift(
            self.uow,
            Shift(
                self.target,
                "hold",
                key=self.key(f"hold:{hold['id']}", "in"),
                reason=hold["reason"],
                changes=[Change(one.lot, remaining=-one.points, held=one.points) for one in copies],
                reference_id=hold["reference_id"],
                trace=hold["trace"] | self.trace("held", hold=hold["id"]),
                tell=False,
            ),
        )
        self.holds[hold["id"]] = again.id
        self.written.append(again.id)

    def _debt_in(self, debt: int) -> None:
        if not debt:
            return
        paid = take(spendable(self.uow, self.target), debt)
        self._shift(
            self.target,
            "move_in",
            "debt",
            "in",
            changes=[Change(one.lot, remaining=-one.points, reversed=one.points) for one in paid],
            debt=debt - total(paid),
            more={"debt": debt, "paid": [[one.lot, one.points] for one in paid]},
        )

    def _in(self, status: str, lots: Sequence[dict[str, Any]], qualifying: int) -> None:
        debt = queries.balance(self.uow, self.target).debt if status == "available" else 0
        copies = []
        for one in lots:
            if not one["remaining"]:
                continue
            repaid = min(debt, one["remaining"])
            debt -= repaid
            copies.append(
                Copy(ids.new_id(), one["id"], one["remaining"], repaid=repaid, pending=status == "pending")
            )
        if copies or qualifying:
            self._shift(
                self.target,
                "move_in",
                status,
                "in",
                copies=copies,
                debt=-sum(one.repaid for one in copies),
                qualifying=qualifying,
            )

    def _shift(
        self,
        member_id: UUID,
        kind: str,
        name: str,
        side: str,
        *,
        status: str | None = None,
        more: dict[str, Any] | None = None,
        **what: Any,
    ) -> None:
        lots = [[one.origin, one.lot, one.points, one.repaid] for one in what.get("copies", ())]
        known = {"lots": lots} if lots else {}
        if what.get("qualifying"):
            known["qualifying"] = what["qualifying"]
        entry = shift(
            self.uow,
            Shift(
                member_id,
                kind,
                key=self.key(name, side),
                reason="merged",
                reference_id=self.merge_id,
                trace=self.trace(status or name, **known, **(more or {})),
                tell=False,
                **what,
            ),
        )
        if member_id == self.target and not entry.replayed:
            self.written.append(entry.id)


def merge(uow: UnitOfWork, merge_id: UUID, kept: UUID, removed: UUID) -> None:
    """Give everything that one member has to another, and take back what the two got twice."""
    queries.lock_accounts(uow, [kept, removed])
    for award in _twice(uow, kept, removed):
        _take_back(uow, merge_id, removed, award)
    carry = _Carry(uow, merge_id, removed, kept, "first")
    carry.run()
    first_orders.take_back(uow, merge_id, kept, removed)
    carry.tell()


def _twice(uow: UnitOfWork, kept: UUID, removed: UUID) -> list[dict[str, Any]]:
    """Awards that one person gets once and that both sides have, on the removed side."""
    ours, theirs = (queries.deeds_of(uow, side) for side in members.sides(uow, kept, removed))
    have = {rules.occasion(row["reason"], row["key"], row["member_id"]) for row in ours} - {None}
    found: dict[str | None, dict[str, Any]] = {}
    for row in theirs:
        what = rules.occasion(row["reason"], row["key"], row["member_id"])
        if what in have and not row["taken_back"]:
            found.setdefault(what, row)
    return list(found.values())


def follow(uow: UnitOfWork, member_ids: Iterable[UUID], step: str) -> None:
    """Give what came to merged members afterwards (a reward given back, say) to those who were kept."""
    for member_id in sorted(member_ids):
        for hop in members.merge_path(uow, member_id):
            queries.lock_accounts(uow, [hop.kept_id, hop.removed_id])
            carry = _Carry(uow, hop.id, hop.removed_id, hop.kept_id, step)
            carry.run()
            carry.tell()


def _take_back(uow: UnitOfWork, merge_id: UUID, member_id: UUID, award: dict[str, Any]) -> None:
    """A bonus that the person has twice goes: what is left of it, then other points, then it becomes a debt."""
    lots = [one for one in queries.open_lots(uow, member_id) if one["remaining"]]
    own = [Part(one["id"], one["remaining"]) for one in lots if one["entry_id"] == award["id"]]
    other = [
        Part(one["id"], one["remaining"])
        for one in lots
        if one["entry_id"] != award["id"] and not one["pending"]
    ]
    taken = take([*own, *other], award["points"])
    shift(
        uow,
        Shift(
            member_id,
            "reverse",
            key=f"merge:{merge_id}:once:{award['id']}",
            reason="duplicate_bonus",
            changes=[Change(one.lot, remaining=-one.points, reversed=one.points) for one in taken],
            debt=award["points"] - total(taken),
            qualifying=-award["points"],
            reference_id=award["id"],
            trace={
                "merge": merge_id,
                "bonus": award["reason"],
                "points": award["points"],
                "lots": [[one.lot, one.points] for one in taken],
            },
            tell=False,
        ),
    )


def unmerge(uow: UnitOfWork, merge_id: UUID, kept: UUID, removed: UUID) -> None:
    """Give back what a merge moved, as far as it is unspent; exact when nothing happened in between."""
    queries.lock_accounts(uow, [kept, removed])
    first_orders.give_back(uow, merge_id, kept, removed)
    _Return(uow, merge_id, kept, removed).run()
    first_orders.settle(uow, kept, removed)


class _Return:
    """The way back of one merge: the kept member's entries of it say which lot came from which."""

    def __init__(self, uow: UnitOfWork, merge_id: UUID, kept: UUID, removed: UUID) -> None:
        self.uow, self.merge_id, self.kept, self.removed = uow, merge_id, kept, removed
        self.carried = queries.entries_of_merge(uow, kept, merge_id)
        self.bonuses = queries.entries_of_merge(uow, removed, merge_id, "reverse")
        self.lots = [
            (UUID(origin), UUID(lot), points, repaid)
            for entry in self.carried
            if entry["kind"] == "move_in"
            for origin, lot, points, repaid in entry["trace"].get("lots", [])
        ]

    def run(self) -> None:
        holds = self._release_holds()
        state = {row["id"]: row for row in queries.lots_by_id(self.uow, [lot for _, lot, _, _ in self.lots])}
        qualifying = sum(entry["trace"].get("qualifying", 0) for entry in self.carried)
        repaid = sum(one for _, _, _, one in self.lots)
        borne = self._borne(state, repaid)
        debt = self._out(state, repaid, qualifying, borne)
        self._in(state, debt, qualifying - borne.qualifying)
        self._hold_again(holds)
        for entry in self.bonuses:
            self._give_bonus_back(entry)
        self._settle_debt(self.removed)

    def _release_holds(self) -> list[dict[str, Any]]:
        """Holds that came with the merge and still stand are opened, to be made again at the other side."""
        moved = {UUID(entry["trace"]["hold"]) for entry in self.carried if entry["kind"] == "hold"}
        found = [
            hold
            for hold in queries.open_holds(self.uow, self.kept)
            if hold["trace"].get("merge") == str(self.merge_id) and UUID(hold["trace"]["hold"]) in moved
        ]
        for hold in found:
            shift(
                self.uow,
                Shift(
                    self.kept,
                    "release",
                    key=f"unmerge:{self.merge_id}:hold:{hold['id']}",
                    reason="unmerged",
                    changes=[
                        Change(UUID(lot), held=-points, remaining=points) for lot, points in hold["lots"]
                    ],
                    reference_id=hold["id"],
                ),
            )
        return found

    def _brought(self) -> tuple[list[Part], int]:
        """What the merge paid of a debt that came along, and what of that debt leaves again as far as it is open."""
        brought = [entry["trace"] for entry in self.carried if "paid" in entry["trace"]]
        paid = [Part(UUID(lot), points) for trace in brought for lot, points in trace["paid"]]
        rest = sum(trace["debt"] for trace in brought) - total(paid)
        return paid, min(rest, queries.balance(self.uow, self.kept).debt)

    def _borne(self, state: dict[UUID, dict[str, Any]], repaid: int) -> since.Borne:
        """What refunds of the removed member's own orders took from the kept one meanwhile."""
        used = sum(one["spent"] + one["reversed"] for one in state.values()) - repaid
        open_debt = queries.balance(self.uow, self.kept).debt - self._brought()[1]
        return since.borne(self.uow, self.merge_id, self.kept, state.keys(), used, open_debt)

    def _out(
        self, state: dict[UUID, dict[str, Any]], repaid: int, qualifying: int, borne: since.Borne
    ) -> int:
        """Close the moved lots; the kept member's debt is again what the moved points repaid. Returns the debt to move."""
        paid, leaves = self._brought()
        changes = [
            Change(lot, remaining=-state[lot]["remaining"], reversed=state[lot]["remaining"], pending=False)
            for _, lot, _, _ in self.lots
        ]
        changes += [
            Change(one.lot, remaining=one.points, reversed=-one.points) for one in [*paid, *borne.parts]
        ]
        shift(
            self.uow,
            Shift(
                self.kept,
                "move_out",
                key=f"unmerge:{self.merge_id}:out",
                reason="unmerged",
                changes=changes,
                debt=repaid - leaves - borne.debt,
                qualifying=borne.qualifying - qualifying,
                reference_id=self.merge_id,
                trace={"unmerge": self.merge_id, "to": self.removed}
                | ({"orders": borne.points} if borne.points else {}),
            ),
        )
        self._settle_debt(self.kept)
        return total(paid) + int(leaves) + borne.points

    def _in(self, state: dict[UUID, dict[str, Any]], debt: int, qualifying: int) -> None:
        back = [
            Change(
                origin,
                remaining=state[lot]["remaining"] + repaid,
                reversed=-state[lot]["remaining"] - repaid,
                pending=state[lot]["pending"],
            )
            for origin, lot, _, repaid in self.lots
        ]
        shift(
            self.uow,
            Shift(
                self.removed,
                "move_in",
                key=f"unmerge:{self.merge_id}:in",
                reason="unmerged",
                changes=back,
                debt=debt,
                qualifying=qualifying,
                reference_id=self.merge_id,
                trace={"unmerge": self.merge_id, "from": self.kept},
            ),
        )

    def _hold_again(self, holds: Sequence[dict[str, Any]]) -> None:
        origins = {lot: origin for origin, lot, _, _ in self.lots}
        again: dict[UUID, UUID] = {}
        for hold in holds:
            entry = shift(
                self.uow,
                Shift(
                    self.removed,
                    "hold",
                    key=f"unmerge:{self.merge_id}:hold:{hold['id']}:in",
                    reason=hold["reason"],
                    changes=[
                        Change(origins[UUID(lot)], remaining=-points, held=points)
                        for lot, points in hold["lots"]
                    ],
                    reference_id=hold["reference_id"],
                    trace={name: value for name, value in hold["trace"].items() if name not in _CARRIED},
                ),
            )
            again[hold["id"]] = entry.id
        if again:
            self.uow.publish([HoldsMoved(again)])

    def _give_bonus_back(self, entry: dict[str, Any]) -> None:
        taken = [Part(UUID(lot), points) for lot, points in entry["trace"]["lots"]]
        owed = entry["trace"]["points"] - total(taken)
        shift(
            self.uow,
            Shift(
                self.removed,
                "undo",
                key=f"unmerge:{self.merge_id}:once:{entry['id']}",
                reason="unmerged",
                changes=[Change(one.lot, remaining=one.points, reversed=-one.points) for one in taken],
                debt=-min(owed, queries.balance(self.uow, self.removed).debt),
                qualifying=entry["trace"]["points"],
                reference_id=entry["id"],
                trace={"unmerge": self.merge_id, "bonus": entry["trace"]["bonus"]},
            ),
        )

    def _settle_debt(self, member_id: UUID) -> None:
        settle_debt(
            self.uow,
            member_id,
            key=f"unmerge:{self.merge_id}:debt:{member_id}",
            reason="unmerged",
            reference_id=self.merge_id,
        )


_CARRIED = frozenset({"merge", "from", "to", "status", "hold"})


def merge_facts(uow: UnitOfWork, kept: UUID, removed: UUID) -> list[MergeFact]:
    """What a merge would do to the points of two members."""
    one, two = queries.balance(uow, kept), queries.balance(uow, removed)
    first = first_orders.surplus(uow, kept, removed)
    twice = sum(award["points"] for award in _twice(uow, kept, removed)) + first.points
    debt, free = one.debt + two.debt, one.available + two.available - twice + first.pending
    waits = one.pending + two.pending - first.pending
    facts = [
        MergeFact(mark("Available points"), one.available, two.available, max(free - debt, 0)),
        MergeFact(mark("Pending points"), one.pending, two.pending, waits),
        MergeFact(mark("Reserved points"), one.held, two.held, one.held + two.held),
        MergeFact(mark("Debt"), one.debt, two.debt, max(debt - free, 0)),
        MergeFact(
            mark("Points that count for tiers"),
            one.qualifying,
            two.qualifying,
            one.qualifying + two.qualifying - twice,
        ),
    ]
    if twice:
        facts.append(MergeFact(mark("Bonuses that both got, taken back once"), 0, twice, 0))
    return facts
