"""Enrolling people by e-mail, and whoever ordered as a guest: whom a line means, what joining gives, and the way back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson

from app.core.db import UnitOfWork
from app.domains.bulk import queries
from app.domains.bulk.errors import WelcomeNeedsApproval
from app.domains.bulk.rules import Judged, Line
from app.domains.bulk.schemas import Outcome, Problem, Row, Run
from app.domains.compliance import service as compliance
from app.domains.members import service as members
from app.domains.members.errors import AlreadyMember
from app.domains.members.schemas import Member, Newcomer
from app.domains.points import service as points
from app.domains.points.schemas import Entry

_WELCOMED = "points.welcomed"
_TOLD = """
UPDATE bulk_rows r SET member_id = coalesce(v.member, r.member_id), person_sealed = NULL, person_index = NULL
FROM unnest(%(ns)s::bigint[], %(members)s::uuid[]) AS v (n, member)
WHERE r.shop_id = %(shop)s AND r.run_id = %(run)s AND r.n = v.n
"""


def judge_lines(uow: UnitOfWork, run: Run, lines: Sequence[Line]) -> list[Judged]:
    """Who of a file can be enrolled: nobody who is a member, and each person once."""
    today = uow.now.date()
    lines = [_born(one, today) for one in lines]
    emails = [one.person.email for one in lines if one.person and not one.problem]
    known = members.resolve_many(uow, list(dict.fromkeys(emails)))
    present = {them[0].id: them[0] for them in known.values() if them}
    refused = refusals(uow, present)
    indexes = {email: uow.blind_index(email, "members.email") for email in emails}
    seen = queries.people_of(uow, run.id, list(indexes.values()))
    gives = points.welcome_points(uow)
    judged = []
    for line in lines:
        if line.problem or line.person is None:
            judged.append(Judged(line, None, line.problem or "bad_email"))
            continue
        index, them = indexes[line.person.email], known.get(line.person.email, [])
        problem = "twice" if index in seen else refused.get(them[0].id) if them else None
        member_id = them[0].id if them else None
        seen.add(index)
        judged.append(Judged(line, member_id, problem, moved=0 if problem else gives))
    return judged


def _born(line: Line, today: date) -> Line:
    late = line.person and line.person.birthday and line.person.birthday > today
    return replace(line, problem="bad_birthday", person=None) if late else line


def refusals(uow: UnitOfWork, present: Mapping[UUID, Member]) -> dict[UUID, Problem]:
    """Whoever is a member, or was enrolled before, is not enrolled again."""
    guests = [one.id for one in present.values() if one.status == "guest"]
    known = members.enrolled(uow, guests)
    why: dict[UUID, Problem] = dict.fromkeys(known, "member")
    for one in present.values():
        if one.status != "guest":
            why[one.id] = {"active": "member", "blocked": "blocked"}.get(one.status, "gone")  # type: ignore[assignment]
    return why


def sealed(uow: UnitOfWork, person: Newcomer | None) -> bytes | None:
    """A person as a row keeps them until they are enrolled."""
    return uow.seal(orjson.dumps(person).decode(), queries.PERSON) if person else None


def person_of(uow: UnitOfWork, blob: bytes | None) -> Newcomer | None:
    """Whom a row is to enroll; None once it is done, or where it means a member."""
    text = uow.unseal(blob, queries.PERSON)
    if text is None:
        return None
    said: dict[str, Any] = orjson.loads(text)
    born = said.pop("birthday")
    return Newcomer(**said, birthday=date.fromisoformat(born) if born else None)


def do(uow: UnitOfWork, run: Run, rows: Sequence[Row]) -> Outcome:
    """Enroll a slice of rows and give what joining gives; who became a member meanwhile is named with the problem."""
    out = Outcome()
    persons = {
        row.n: found for row in rows if row.member_id is None and (found := person_of(uow, row.person))
    }
    made = members.enroll_newcomers(uow, persons.values())
    guests = _guests(uow, rows, persons, made, out)
    marked = members.enroll_guests(uow, guests.values())
    new = {n: made[one.email] for n, one in persons.items() if one.email in made}
    whom = new | {n: one for n, one in guests.items() if one in marked}
    given = points.welcome(uow, whom.values())
    for n, member in whom.items():
        entry = given.get(member)
        out.moved += entry.points if entry else 0
        out.before[n] = [n in new, str(entry.id) if entry else None]
    _told(uow, run, {row.n: whom.get(row.n) for row in rows})
    compliance.record_many(
        uow,
        "member.enrolled",
        [
            compliance.Change("member", str(one), None, {"bulk": str(run.id), **_entry_of(given, one)})
            for one in whom.values()
        ],
    )
    return out


def _entry_of(given: Mapping[UUID, Entry], member_id: UUID) -> dict[str, str]:
    """How the audit trail names the ledger's entry for joining, where there is one."""
    return {"entry_id": str(given[member_id].id)} if member_id in given else {}


def enroll_one(uow: UnitOfWork, email: str) -> UUID:
    """Enroll one person by e-mail and give what joining gives, within the shop's rules for adjusting by hand.

    Raises AlreadyMember, DailyLimitReached, WelcomeNeedsApproval.
    """
    known = members.resolve_many(uow, [email]).get(email, [])
    if refusals(uow, {one.id: one for one in known[:1]}):
        raise AlreadyMember(fields={"customer": AlreadyMember.default_message})
    if known:
        whom = members.enroll_guests(uow, [known[0].id])
    else:
        whom = set(members.enroll_newcomers(uow, [Newcomer(email)]).values())
    if not whom:  # they came while this was asked
        raise AlreadyMember(fields={"customer": AlreadyMember.default_message})
    gives = points.welcome_points(uow)
    if gives and not points.may_adjust(uow, gives):
        raise WelcomeNeedsApproval(points=gives)
    given = points.welcome(uow, whom)
    compliance.record(
        uow, "member.enrolled", ("member", str(min(whom))), None, _entry_of(given, min(whom)) or None
    )
    if given:
        told = {"member_id": str(min(whom)), "points": sum(entry.points for entry in given.values())}
        compliance.record(uow, _WELCOMED, (uow.actor.kind, uow.actor.id), None, told)
        points.watch_by_hand(uow)
    return min(whom)


def welcomed_since(uow: UnitOfWork, actor_kind: str, actor_id: str, since: datetime) -> int:
    """Points that somebody gave since an instant by enrolling people one by one."""
    return compliance.noted_since(uow, _WELCOMED, (actor_kind, actor_id), "points", since)[1]


def welcomes_since(uow: UnitOfWork, since: datetime) -> int:
    """How many people staff enrolled one by one since an instant and gave points by it."""
    return compliance.noted_since(uow, _WELCOMED, ("staff", None), "points", since)[0]


def _guests(
    uow: UnitOfWork,
    rows: Sequence[Row],
    persons: Mapping[int, Newcomer],
    made: Mapping[str, UUID],
    out: Outcome,
) -> dict[int, UUID]:
    """The rows that mean a guest of the shop, also one who ordered after the dry run; all others are noted as refused."""
    late = {n: one.email for n, one in persons.items() if one.email not in made}
    found = members.resolve_many(uow, list(late.values()))
    whom: dict[int, Member | None] = {n: next(iter(found.get(email, [])), None) for n, email in late.items()}
    known = members.following(uow, {row.member_id for row in rows if row.member_id})
    whom |= {row.n: known.get(row.member_id) for row in rows if row.member_id}
    refused = refusals(uow, {one.id: one for one in whom.values() if one})
    for row in rows:
        one = whom.get(row.n)
        if one and one.id in refused:
            out.problems[row.n] = refused[one.id]
        elif one is None and (row.n not in persons or row.n in late):
            out.problems[row.n] = "gone"
    return {n: one.id for n, one in whom.items() if one and n not in out.problems}


def _told(uow: UnitOfWork, run: Run, made: Mapping[int, UUID | None]) -> None:
    """Rows say whom they made from now on, and no longer what was written about them."""
    uow.execute(_TOLD, {"shop": uow.shop, "run": run.id, "ns": list(made), "members": list(made.values())})


def take_back(uow: UnitOfWork, run: Run, rows: Sequence[Row]) -> dict[int, Problem]:
    """Forget newcomers and let guests be guests as before: those who did nothing since."""
    known = members.by_ids(uow, {row.member_id for row in rows if row.member_id})
    entries = {row.n: UUID(row.before[1]) for row in rows if row.before and row.before[1]}
    busy = queries.busy(uow, known, run.started_at or run.created_at, list(entries.values()))
    kept: dict[int, Problem] = {}
    for row in rows:
        member = known.get(row.member_id) if row.member_id else None
        if member is None or member.status == "erased":
            kept[row.n] = "gone"
        elif member.status != "guest" or member.id in busy:
            kept[row.n] = "active_since"
    trace = {"bulk": str(run.id), "undone": run.reason}
    wanted = {n: entry for n, entry in entries.items() if n not in kept}
    refused = points.take_back_many(uow, list(wanted.values()), trace)
    kept |= {n: "used" for n, entry in wanted.items() if entry in refused}
    back = [(row.member_id, row.before[0]) for row in rows if row.n not in kept and row.member_id]
    members.unenroll(uow, _of(back, new=True), _of(back, new=False))
    found = points.entries_of_keys(uow, [f"undo:{entry}" for entry in wanted.values()])
    undone = {entry.member_id: entry for entry in found.values()}
    compliance.record_many(
        uow,
        "member.unenrolled",
        [
            compliance.Change("member", str(one), None, {"bulk": str(run.id), **_entry_of(undone, one)})
            for one, _ in back
        ],
    )
    return kept


def _of(rows: Iterable[tuple[UUID, bool]], *, new: bool) -> list[UUID]:
    return [member for member, made in rows if made is new]


def forget_person(uow: UnitOfWork, email: str | None) -> None:
    """Drop somebody who is erased from rows that would enroll them."""
    if email:
        uow.execute(
            "UPDATE bulk_rows SET person_sealed = NULL, person_index = NULL"
            " WHERE shop_id = %(shop)s AND person_index = %(index)s",
            {"shop": uow.shop, "index": uow.blind_index(email, "members.email")},
        )


def forget_people(uow: UnitOfWork, run_id: UUID) -> None:
    """Drop who is named in a run that will not be done."""
    uow.execute(
        "UPDATE bulk_rows SET person_sealed = NULL, person_index = NULL"
        " WHERE shop_id = %(shop)s AND run_id = %(run)s AND person_index IS NOT NULL",
        {"shop": uow.shop, "run": run_id},
    )
