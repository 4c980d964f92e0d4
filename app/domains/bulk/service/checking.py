"""The dry run: whom each row means, what would happen, and why not. It goes on where it was cut short."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from app.core.db import UnitOfWork, unit_of_work
from app.domains.bulk import queries, rules
from app.domains.bulk.rules import Judged, Line
from app.domains.bulk.schemas import Kind, Problem, Run
from app.domains.bulk.service import acting, enrolling, keeping
from app.domains.liability import service as liability
from app.domains.members import service as members
from app.domains.members.schemas import Member
from app.domains.points import service as points
from app.domains.points.schemas import Balance
from app.domains.segments import service as segments

SLICE = 2_000
_ROWS = """
INSERT INTO bulk_rows (shop_id, run_id, n, member_id, points, reason, state, problem, person_sealed, person_index)
SELECT %(shop)s, %(run)s, v.n, v.member, v.points, v.reason, CASE WHEN v.problem IS NULL THEN 'ready' ELSE 'refused' END,
  v.problem, v.person, v.person_index
FROM unnest(%(ns)s::bigint[], %(members)s::uuid[], %(points)s::bigint[], %(reasons)s::text[], %(problems)s::text[],
  %(persons)s::bytea[], %(indexes)s::bytea[]) AS v (n, member, points, reason, problem, person, person_index)
"""
_READ = """
UPDATE bulk_runs SET rows = rows + %(rows)s, accepted = accepted + %(accepted)s, refused = refused + %(refused)s,
  points = points + %(points)s, read_to = %(read_to)s, after_id = %(after)s, touched_at = %(now)s,
  totals = totals || jsonb_build_object('debtors', coalesce((totals->>'debtors')::bigint, 0) + %(debtors)s,
    'to_debt', coalesce((totals->>'to_debt')::bigint, 0) + %(to_debt)s)
WHERE shop_id = %(shop)s AND id = %(run)s
"""


def read(shop_id: UUID, run_id: UUID) -> Iterator[bool]:
    """Make the dry run slice by slice; yields after each whether there is more."""
    with unit_of_work(shop_id) as uow:
        run = queries.run(uow, run_id)
    if run is None or run.status != "checking":
        return
    if run.audience["kind"] == "file":
        yield from _read_file(shop_id, run)
    else:
        yield from _read_members(shop_id, run)


def _read_file(shop_id: UUID, run: Run) -> Iterator[bool]:
    with unit_of_work(shop_id) as uow:
        head = queries.part(uow, run.id, 1)
    if head is None:
        return
    text = rules.split_lines(_parts(shop_id, run.id))
    rows = rules.lines(text, rules.layout(head), run.read_to, people=run.kind == "enroll")
    at = run.read_to
    while True:
        lines = list(islice(rows, SLICE))
        with keeping.work_slice(shop_id) as uow:
            here = _locked(uow, run.id, at)
            if here is None:
                return
            if not lines:
                _finish(uow, here)
                return
            at = lines[-1].n
            _store(uow, here, _judge_lines(uow, here, lines), at, None)
        yield True


def _parts(shop_id: UUID, run_id: UUID) -> Iterator[str]:
    number = 1
    while True:
        with unit_of_work(shop_id) as uow:
            part = queries.part(uow, run_id, number)
        if part is None:
            return
        yield part
        number += 1


def _read_members(shop_id: UUID, run: Run) -> Iterator[bool]:
    at = run.read_to
    while True:
        with keeping.work_slice(shop_id) as uow:
            here = _locked(uow, run.id, at)
            if here is None:
                return
            found = _next_members(uow, here)
            if not found:
                _finish(uow, here)
                return
            lines = [Line(at + number, "", None, None) for number in range(1, len(found) + 1)]
            at += len(found)
            known = members.following(uow, found)
            whom = [known.get(one) for one in found]
            judged = _judge(uow, here, lines, whom)
            if here.kind == "enroll":
                gives = points.welcome_points(uow)
                judged = [one if one.problem else replace(one, moved=gives) for one in judged]
            _store(uow, here, judged, at, found[-1])
        yield True


def _next_members(uow: UnitOfWork, run: Run) -> list[UUID]:
    audience = run.audience
    if audience["kind"] == "segment":
        return segments.member_ids(uow, UUID(audience["segment_id"]), run.after_id, SLICE)
    if audience["kind"] == "filter":
        return members.matching(uow, audience["filter"], run.after_id, SLICE)
    chosen = sorted({UUID(one) for one in audience["member_ids"]})
    return [one for one in chosen if run.after_id is None or one > run.after_id][:SLICE]


def _locked(uow: UnitOfWork, run_id: UUID, at: int) -> Run | None:
    """The run when it still is where this job left it: another job, or somebody who gave it up, may have been quicker."""
    run = queries.run(uow, run_id, for_update=True)
    return run if run is not None and run.status == "checking" and run.read_to == at else None


def _judge_lines(uow: UnitOfWork, run: Run, lines: Sequence[Line]) -> list[Judged]:
    if run.kind == "enroll":
        return enrolling.judge_lines(uow, run, lines)
    found = members.resolve_many(uow, [one.who for one in lines if one.who])
    whom: list[Member | Problem | None] = []
    for one in lines:
        them = found.get(one.who, [])
        whom.append(them[0] if len(them) == 1 else "several" if them else None)
    return _judge(uow, run, lines, whom)


def _judge(
    uow: UnitOfWork, run: Run, lines: Sequence[Line], whom: Sequence[Member | Problem | None]
) -> list[Judged]:
    present = {one.id: one for one in whom if isinstance(one, Member)}
    kind: Kind = run.kind
    left = _balances(uow, kind, present)
    refusals = acting.refusals(uow, run, present)
    again = _named_again(whom, present)
    judged = []
    for line, member in zip(lines, whom, strict=True):
        if line.problem or not isinstance(member, Member):
            judged.append(_unfit(line, member))
            continue
        problem = refusals.get(member.id)
        wanted = run.parameters["points"] if line.points is None else line.points
        balance = left.get(member.id, _NOTHING)
        moved, cannot = (
            (0, problem) if problem else rules.judge(kind, wanted, balance.available, balance.debt)
        )
        repaid = min(balance.debt, moved) if kind == "award" and not cannot else 0
        if moved and not cannot and member.id in again:
            left[member.id] = rules.after(kind, wanted, moved, balance)
        judged.append(Judged(line, member.id, cannot, wanted, moved if not cannot else 0, repaid))
    return judged


_NOTHING = Balance()


def _named_again(whom: Sequence[Member | Problem | None], present: Collection[UUID]) -> Collection[UUID]:
    """Members that several rows name: what one row does changes what the next one finds."""
    named = [one.id for one in whom if isinstance(one, Member)]
    return {one for one, rows in Counter(named).items() if rows > 1} if len(named) > len(present) else ()


def _balances(uow: UnitOfWork, kind: Kind, present: Collection[UUID]) -> dict[UUID, Balance]:
    """What members have who are to lose something; of those who get something, only who has a debt matters."""
    if kind not in rules.POINT_KINDS:
        return {}
    return points.balances(uow, present, indebted=kind == "award")


def _unfit(line: Line, member: Member | Problem | None) -> Judged:
    """A row that cannot be read, or that names nobody or several."""
    problem: Problem = line.problem or (member if isinstance(member, str) else "unknown")
    return Judged(line, None, problem, line.points)


def _store(uow: UnitOfWork, run: Run, judged: Sequence[Judged], read_to: int, after: UUID | None) -> None:
    # Who is named in a refused row is not kept.
    persons = [None if one.problem else one.line.person for one in judged]
    uow.execute(
        _ROWS,
        {
            "shop": uow.shop,
            "run": run.id,
            "ns": [one.line.n for one in judged],
            "members": [one.member_id for one in judged],
            "points": [one.points for one in judged],
            "reasons": _said(one.line.reason for one in judged),
            "problems": _said(one.problem for one in judged),
            "persons": _said(enrolling.sealed(uow, one) for one in persons),
            "indexes": _said(uow.blind_index(one.email, "members.email") if one else None for one in persons),
        },
    )
    refused = sum(1 for one in judged if one.problem)
    uow.execute(
        _READ,
        {
            "shop": uow.shop,
            "run": run.id,
            "now": uow.now,
            "rows": len(judged),
            "accepted": len(judged) - refused,
            "refused": refused,
            "points": sum(one.moved for one in judged),
            "debtors": sum(1 for one in judged if one.repaid),
            "to_debt": sum(one.repaid for one in judged),
            "read_to": read_to,
            "after": after,
        },
    )


def _said(column: Iterable[Any]) -> list[Any] | None:
    """A column of which something is said; rows without one hold nothing there."""
    values = list(column)
    return values if any(one is not None for one in values) else None


def _finish(uow: UnitOfWork, run: Run) -> None:
    """Add up what the whole would do, and drop the file: from now on the rows say who is meant."""
    distinct = run.accepted if run.kind == "enroll" else queries.distinct_members(uow, run.id)
    worth = liability.get_settings(uow)
    totals = {
        "members": distinct,
        "repeated": run.accepted - distinct,
        "problems": queries.problems(uow, run.id, "refused"),
        "cost_minor": run.points * worth.value_minor // 1_000 if run.kind in ("award", "enroll") else None,
        "cost_assumed": worth.assumed,
    }
    uow.execute(
        "UPDATE bulk_runs SET status = 'ready', totals = totals || %(totals)s, checked_at = %(now)s, touched_at = %(now)s"
        " WHERE shop_id = %(shop)s AND id = %(run)s",
        {"shop": uow.shop, "run": run.id, "totals": Jsonb(totals), "now": uow.now},
    )
    uow.execute(
        "DELETE FROM bulk_parts WHERE shop_id = %(shop)s AND run_id = %(run)s",
        {"shop": uow.shop, "run": run.id},
    )
