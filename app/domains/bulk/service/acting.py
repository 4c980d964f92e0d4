"""What each kind of action refuses, does to a slice of rows, and takes back."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import cast
from uuid import UUID

from app.core.db import UnitOfWork
from app.core.permissions import Permission
from app.domains.bulk import rules
from app.domains.bulk.schemas import Kind, Outcome, Problem, Row, Run
from app.domains.bulk.service import enrolling
from app.domains.compliance import service as compliance
from app.domains.members import service as members
from app.domains.members.schemas import Member
from app.domains.notifications import service as notifications
from app.domains.points import service as points
from app.domains.points.service import Gift, Taken, Taking
from app.domains.tiers import service as tiers

# How many rows one transaction does: what is done one after the other holds its locks for longer.
_SLICES: Mapping[Kind, int] = {"tier": 400, "email": 1_000, "enroll": 400}
_SLICE = 2_000
UNDOABLE: frozenset[Kind] = frozenset({"award", "deduct", "set", "expire", "tag", "untag", "tier", "enroll"})


def permission(kind: Kind) -> Permission:
    """What somebody must be allowed, besides bulk actions, to do this to one member."""
    if kind == "tier":
        return Permission.TIERS_WRITE
    return Permission.POINTS_ADJUST if kind in rules.POINT_KINDS else Permission.MEMBERS_WRITE


def slice_of(kind: Kind) -> int:
    """How many rows of a kind one transaction does."""
    return _SLICES.get(kind, _SLICE)


def key_of(run: Run, n: int | str) -> str:
    """The natural key of a row, under which it is posted once whatever happens to the worker."""
    return f"bulk:{run.id}:{n}"


def refusals(uow: UnitOfWork, run: Run, present: Mapping[UUID, Member]) -> dict[UUID, Problem]:
    """Members for whom an action cannot be done because of who or what they are."""
    if run.kind == "enroll":
        return enrolling.refusals(uow, present)
    found: dict[UUID, Problem] = {
        one.id: "cannot_take_part" for one in present.values() if not _may(run.kind, one)
    }
    if run.kind == "email":
        return _unwilling(uow, present) | found
    if run.kind in ("tag", "untag"):
        held = members.tags_of(uow, list(present))
        wanted = set(run.parameters["tags"])
        for one in present:
            had = wanted & set(held.get(one, ()))
            if run.kind == "tag" and had == wanted:
                found.setdefault(one, "has_it")
            if run.kind == "untag" and not had:
                found.setdefault(one, "has_not")
    return found


def _unwilling(uow: UnitOfWork, present: Mapping[UUID, Member]) -> dict[UUID, Problem]:
    return dict.fromkeys(present.keys() - notifications.willing(uow, present), "no_consent")


def _may(kind: Kind, member: Member) -> bool:
    if kind in ("tag", "untag"):
        return member.status not in ("erased", "merged")
    return member.active


def do(uow: UnitOfWork, run: Run, rows: Sequence[Row]) -> Outcome:
    """Do a slice of rows: once for each key, refused rows named with their problem."""
    if run.kind == "enroll":
        return enrolling.do(uow, run, rows)
    gone = members.inactive(uow, {row.member_id for row in rows if row.member_id})
    kept = members.following(uow, gone) if gone else {}
    whom = [kept[row.member_id].id if row.member_id in kept else row.member_id for row in rows]
    refused = _refused(uow, run, {one for one in whom if one}, kept)
    out, fit = Outcome(), []
    for row, member in zip(rows, whom, strict=True):
        if member is None or member in refused:
            out.problems[row.n] = refused[member] if member else "gone"
        else:
            fit.append((row, member))
    if fit:
        _DOES[run.kind](uow, run, fit, out)
    return out


def _refused(
    uow: UnitOfWork, run: Run, present: Collection[UUID], kept: Mapping[UUID, Member]
) -> dict[UUID, Problem]:
    """Refusals as in the dry run; to move points asks nothing but whether the member still is active."""
    if run.kind in rules.POINT_KINDS:
        return {one.id: "cannot_take_part" for one in kept.values() if not one.active}
    return refusals(uow, run, members.by_ids(uow, present))


Fit = Sequence[tuple[Row, UUID]]


def _trace(run: Run) -> dict[str, str]:
    return {"bulk": str(run.id)} | ({"note": run.note} if run.note else {})


def _give(uow: UnitOfWork, run: Run, rows: Fit, out: Outcome) -> None:
    stem = key_of(run, "")
    gifts = [
        Gift(member, row.points or 0, f"{stem}{row.n}", row.reason or run.reason) for row, member in rows
    ]
    points.give_many(uow, gifts, _trace(run))
    out.moved += sum(one.points for one in gifts)


def _take(uow: UnitOfWork, run: Run, rows: Fit, out: Outcome) -> None:
    stem = key_of(run, "")
    takings = [Taking(member, row.points, f"{stem}{row.n}", row.reason or run.reason) for row, member in rows]
    moved = points.take_many(uow, cast(Taken, run.kind), takings, _trace(run))
    for (row, _), one in zip(rows, takings, strict=True):
        if one.key in moved:
            out.moved += abs(moved[one.key])
        else:
            out.problems[row.n] = "nothing" if run.kind == "set" or row.points is None else "too_few"


def _tag(uow: UnitOfWork, run: Run, rows: Fit, out: Outcome) -> None:
    change = members.tag if run.kind == "tag" else members.untag
    changed = change(uow, {member: run.parameters["tags"] for _, member in rows})
    for row, member in rows:
        out.before[row.n] = changed.pop(member, [])
    compliance.record_many(
        uow,
        f"member.{run.kind}ged",
        [
            compliance.Change("member", str(member), None, {"tags": out.before[row.n], "bulk": str(run.id)})
            for row, member in rows
            if out.before[row.n]
        ],
    )


def _tier(uow: UnitOfWork, run: Run, rows: Fit, out: Outcome) -> None:
    tier_id, until = UUID(run.parameters["tier_id"]), run.parameters["lock_until"]
    wanted = {member: tier_id for _, member in rows}
    held = tiers.held_beside(uow, tier_id, list(wanted))
    for row, member in rows:
        had, locked = held.get(member, (None, None))
        out.before[row.n] = [str(had) if had else None, locked.isoformat() if locked else None]
    tiers.assign(uow, wanted, reason=run.reason, lock_until=datetime.fromisoformat(until) if until else None)


def _email(uow: UnitOfWork, run: Run, rows: Fit, out: Outcome) -> None:
    notifications.keep_letter(uow, run.id, run.parameters["subject"], run.parameters["text"])
    notifications.send_letter(uow, run.id, [member for _, member in rows])


_DOES: dict[Kind, Callable[[UnitOfWork, Run, Fit, Outcome], None]] = {
    "award": _give,
    "deduct": _take,
    "set": _take,
    "expire": _take,
    "tag": _tag,
    "untag": _tag,
    "tier": _tier,
    "email": _email,
}


def take_back(uow: UnitOfWork, run: Run, rows: Sequence[Row]) -> dict[int, Problem]:
    """Undo a slice of rows that were done; gives those that could not be taken back, with the reason."""
    return _UNDOES[run.kind](uow, run, rows)


def _unpost(uow: UnitOfWork, run: Run, rows: Sequence[Row]) -> dict[int, Problem]:
    entries = points.entries_of_keys(uow, [key_of(run, row.n) for row in rows])
    known = members.by_ids(uow, {entry.member_id for entry in entries.values()})
    kept: dict[int, Problem] = {}
    wanted: dict[int, UUID] = {}
    for row in rows:
        entry = entries[key_of(run, row.n)]
        if known[entry.member_id].status in ("active", "blocked"):
            wanted[row.n] = entry.id
        else:
            kept[row.n] = "gone"
    refused = points.take_back_many(uow, list(wanted.values()), {"bulk": str(run.id), "undone": run.reason})
    return kept | {n: "used" for n, entry in wanted.items() if entry in refused}


def _untag(uow: UnitOfWork, run: Run, rows: Sequence[Row]) -> dict[int, Problem]:
    known = members.following(uow, {row.member_id for row in rows if row.member_id})
    wanted: dict[UUID, list[str]] = {}
    kept: dict[int, Problem] = {}
    for row in rows:
        member = known.get(row.member_id) if row.member_id else None
        if member is None or member.status == "erased":
            kept[row.n] = "gone"
        else:
            wanted[member.id] = wanted.get(member.id, []) + (row.before or [])
    (members.untag if run.kind == "tag" else members.tag)(uow, wanted)
    return kept


def _untier(uow: UnitOfWork, run: Run, rows: Sequence[Row]) -> dict[int, Problem]:
    """Put members back on the tier they had, with its lock when that still holds."""
    tier_id = UUID(run.parameters["tier_id"])
    known = members.by_ids(uow, {row.member_id for row in rows if row.member_id})
    now = tiers.held_beside(uow, tier_id, list(known))
    kept: dict[int, Problem] = {}
    back: dict[datetime | None, dict[UUID, UUID]] = {}
    for row in reversed(rows):
        member = known.get(row.member_id) if row.member_id else None
        had, locked = row.before or (None, None)
        if member is None or not member.active:
            kept[row.n] = "gone"
        elif had is None:
            kept[row.n] = "no_tier"
        elif now.get(member.id, (None, None))[0] != tier_id:
            kept[row.n] = "used"
        else:
            until = datetime.fromisoformat(locked) if locked else None
            back.setdefault(until if until and until > uow.now else None, {})[member.id] = UUID(had)
    for until, wanted in back.items():
        tiers.assign(uow, wanted, reason=run.reason, lock_until=until)
    return kept


_UNDOES: dict[Kind, Callable[[UnitOfWork, Run, Sequence[Row]], dict[int, Problem]]] = {
    "award": _unpost,
    "deduct": _unpost,
    "set": _unpost,
    "expire": _unpost,
    "tag": _untag,
    "untag": _untag,
    "tier": _untier,
    "enroll": enrolling.take_back,
}
