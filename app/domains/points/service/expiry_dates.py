"""Present terms of expiry for points that were earned before: counted first, applied in slices, taken back again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from app.core import ids
from app.core.db import Actor, UnitOfWork, unit_of_work
from app.domains.compliance import service as compliance
from app.domains.points import queries, rules
from app.domains.points.errors import (
    NoProgramActive,
    RedatingClosed,
    RedatingNotFound,
    RedatingOutdated,
    RedatingRunning,
)
from app.domains.points.schemas import RedatingForm
from app.domains.points.service.posting import POSTED, WHY, params
from app.domains.programs import service as programs
from app.domains.programs.schemas import ProgramTerms
from app.domains.shops import service as shops

# Members that one transaction looks at: their accounts are locked for that long.
_SLICE = 200
_INSERT = """
INSERT INTO points_redatings (shop_id, id, program_id, version_id, shortens, notice_days, status, members, actor_kind,
  actor_id, actor_label, created_at)
VALUES (%(shop)s, %(id)s, %(program)s, %(version)s, %(shortens)s, %(notice_days)s, 'counting', %(members)s,
  %(actor_kind)s, %(actor_id)s, %(actor_label)s, %(now)s)
"""
_START = """
UPDATE points_redatings SET status = %(status)s, members = %(members)s, members_done = 0, after_id = NULL,
  not_before = %(not_before)s, actor_kind = %(actor_kind)s, actor_id = %(actor_id)s, actor_label = %(actor_label)s
WHERE shop_id = %(shop)s AND id = %(id)s
"""
_NOTE = """
UPDATE points_redatings SET status = %(status)s, members_done = members_done + %(done)s, after_id = %(after)s,
  result = %(result)s::jsonb, applied_at = CASE %(status)s WHEN 'applied' THEN %(now)s ELSE applied_at END,
  undone_at = CASE %(status)s WHEN 'undone' THEN %(now)s ELSE undone_at END
WHERE shop_id = %(shop)s AND id = %(id)s
"""
_REDATE = (
    f"SELECT {POSTED} FROM points_redate_batch(%(shop)s, %(members)s, %(ids)s, %(lots)s, %(dates)s::timestamptz[],"
    f" %(terms)s::uuid[], %(keeps)s::timestamptz[], {WHY.replace('%(order)s', 'NULL')}) e"
)
_AFTER = {"counting": "counted", "applying": "applied", "undoing": "undone"}
Change = tuple[dict[str, Any], rules.Standing]


def start_redating(uow: UnitOfWork, form: RedatingForm) -> UUID:
    """Count what the active program's terms would do to points that were earned before; a job does it. Returns its id.

    Raises NoProgramActive.
    """
    terms = programs.active_terms(uow)
    if terms is None:
        raise NoProgramActive()
    redating_id = ids.new_id()
    uow.execute(
        _INSERT,
        form.model_dump()
        | {
            "shop": uow.shop,
            "id": redating_id,
            "program": terms.program_id,
            "version": terms.version_id,
            "members": queries.count_members_with_points(uow),
            "now": uow.now,
        }
        | _actor(uow),
    )
    uow.enqueue("points.redate", redating=str(redating_id))
    return redating_id


def _actor(uow: UnitOfWork) -> dict[str, str]:
    return {"actor_kind": uow.actor.kind, "actor_id": uow.actor.id, "actor_label": uow.actor.label}


def redating(uow: UnitOfWork, redating_id: UUID) -> dict[str, Any]:
    """A redating with its progress and its result. Raises RedatingNotFound."""
    found = queries.redating(uow, redating_id)
    if found is None:
        raise RedatingNotFound()
    return found


def apply_redating(uow: UnitOfWork, redating_id: UUID) -> dict[str, Any]:
    """Give lots the dates that were counted; a job does it.

    Raises RedatingNotFound, RedatingClosed, RedatingOutdated, RedatingRunning.
    """
    found = _locked(uow, redating_id, "counted")
    terms = programs.active_terms(uow)
    if terms is None or terms.version_id != found["version_id"]:
        raise RedatingOutdated()
    return _begin(uow, found, "applying")


def undo_redating(uow: UnitOfWork, redating_id: UUID) -> dict[str, Any]:
    """Give lots back the dates that they had; a job does it.

    Points that would end within the notice then keep until it is over, or until their present end if that is sooner.
    Raises RedatingNotFound, RedatingClosed, RedatingRunning.
    """
    return _begin(uow, _locked(uow, redating_id, "applied"), "undoing")


def _locked(uow: UnitOfWork, redating_id: UUID, status: str) -> dict[str, Any]:
    found = queries.redating(uow, redating_id, for_update=True)
    if found is None:
        raise RedatingNotFound()
    if found["status"] != status:
        raise RedatingClosed()
    return found


def _begin(uow: UnitOfWork, found: dict[str, Any], status: str) -> dict[str, Any]:
    uow.execute("SELECT pg_advisory_xact_lock(hashtextextended(%(shop)s, 20))", {"shop": str(uow.shop)})
    if any(queries.redating(uow, one)["status"] != "counting" for one in queries.redatings_open(uow)):  # type: ignore[index]
        raise RedatingRunning()
    uow.execute(
        _START,
        {
            "shop": uow.shop,
            "id": found["id"],
            "status": status,
            "members": queries.count_members_with_points(uow),
            "not_before": _notice(uow, found["notice_days"]),
        }
        | _actor(uow),
    )
    compliance.record(
        uow,
        f"points.expiry_dates_{'changed' if status == 'applying' else 'restored'}",
        ("points_redating", str(found["id"])),
        {"status": found["status"]},
        {
            "status": _AFTER[status],
            "version_id": str(found["version_id"]),
            "shortens": found["shortens"],
            "notice_days": found["notice_days"],
        },
    )
    uow.enqueue("points.redate", redating=str(found["id"]))
    return redating(uow, found["id"])


def _notice(uow: UnitOfWork, days: int) -> datetime:
    """The end of the shop's day that lies so many days ahead."""
    zone = ZoneInfo(shops.get(uow).timezone)
    return rules.end_of(uow.now.astimezone(zone).date() + timedelta(days=days), zone)


def run_redating(shop_id: UUID, redating_id: UUID, go_on: Callable[[], bool] = lambda: True) -> None:
    """Count, apply or undo, a slice of members per transaction, while `go_on` says so.

    Every slice is noted with the last member it did: whoever runs it again, or beside it, goes on there.
    """
    with unit_of_work(shop_id) as uow:
        found = redating(uow, redating_id)
    actor = Actor(found["actor_kind"], found["actor_id"], found["actor_label"])
    more = True
    while more and go_on():
        with unit_of_work(shop_id, actor=actor) as uow:
            more = _slice(uow, redating_id)


def _slice(uow: UnitOfWork, redating_id: UUID) -> bool:
    found = queries.redating(uow, redating_id, for_update=True)
    if found is None or found["status"] not in _AFTER:
        return False
    members = queries.members_with_points(uow, found["after_id"], _SLICE)
    result = found["result"]
    if found["status"] == "counting":
        result = _count(_Terms(uow, found), members, result)
    elif members:
        queries.lock_accounts(uow, members)
        if found["status"] == "applying":
            changes = _Terms(uow, found).changes(members)
            redate(uow, redating_id, changes, "expiry_terms", found["version_id"])
            result = result | {"applied": result.get("applied", 0) + _points(changes)}
        else:
            changes = _Terms(uow, found).back(members)
            redate(uow, redating_id, changes, "expiry_terms_undone", found["version_id"])
            result = result | {"undone": result.get("undone", 0) + _points(changes)}
    done = len(members) < _SLICE
    uow.execute(
        _NOTE,
        {
            "shop": uow.shop,
            "id": redating_id,
            "status": _AFTER[found["status"]] if done else found["status"],
            "done": len(members),
            "after": members[-1] if members else found["after_id"],
            "result": orjson.dumps(result).decode(),
            "now": uow.now,
        },
    )
    return not done


def _points(changes: Sequence[Change]) -> int:
    return sum(row["points"] for row, _ in changes)


@dataclass
class _Terms:
    """The terms that the lots of a slice were earned under, follow, and are to follow."""

    uow: UnitOfWork
    found: dict[str, Any]

    def __post_init__(self) -> None:
        self.known: dict[UUID, ProgramTerms] = {}
        self.zone = shops.get(self.uow).timezone
        self.read([self.found["version_id"]])
        self.new = self.known[self.found["version_id"]]
        self.not_before: datetime = self.found["not_before"] or _notice(self.uow, self.found["notice_days"])

    def read(self, versions: Sequence[UUID | None]) -> None:
        missing = {one for one in versions if one is not None and one not in self.known}
        if missing:
            self.known |= programs.terms(self.uow, missing)

    def place(self, terms: ProgramTerms | None) -> ZoneInfo:
        return ZoneInfo(terms.zone if terms and terms.zone else self.zone)

    def lots(self, members: Sequence[UUID]) -> list[dict[str, Any]]:
        """Lots of the members that were earned under the program, with `active_at`."""
        rows = queries.lots_to_redate(self.uow, members)
        self.read([row[name] for row in rows for name in ("program_version_id", "terms_id")])
        rows = [
            row
            for row in rows
            if row["program_version_id"] in self.known
            and self.known[row["program_version_id"]].program_id == self.found["program_id"]
        ]
        return self.with_activity(rows, members)

    def with_activity(self, rows: list[dict[str, Any]], members: Sequence[UUID]) -> list[dict[str, Any]]:
        active = (
            queries.last_activity(self.uow, members)
            if any(one.expiry.mode == "idle" for one in self.known.values())
            else {}
        )
        for row in rows:
            row["active_at"] = max(active.get(row["member_id"], row["activates_at"]), row["activates_at"])
        return rows

    def follows(self, row: dict[str, Any]) -> ProgramTerms | None:
        return self.known.get(row["terms_id"] or row["program_version_id"])

    def present(self, row: dict[str, Any]) -> datetime | None:
        now = self.follows(row)
        return rules.ends(standing_of(row), now, row["active_at"], self.place(now))

    def wanted(self, row: dict[str, Any]) -> rules.Standing:
        born, now = self.known[row["program_version_id"]], self.follows(row)
        lot = rules.Earned(
            row["earned_at"], row["first_expires_at"], row["rules"], row["active_at"], standing_of(row)
        )
        zones = (self.place(born), self.place(now), self.place(self.new))
        floor = self.not_before if self.found["shortens"] else None
        return rules.redated(lot, born, now, self.new, zones, floor)

    def changes(self, members: Sequence[UUID]) -> list[Change]:
        """What changes for lots that did not end yet."""
        found = []
        for row in self.lots(members):
            end, wanted = self.present(row), self.wanted(row)
            if wanted != standing_of(row) and (end is None or end > self.uow.now):
                found.append((row, wanted))
        return found

    def back(self, members: Sequence[UUID]) -> list[Change]:
        """How lots stood before the redating, of those that still stand as it left them."""
        rows = queries.lots_to_restore(self.uow, members, self.found["id"])
        self.read([row[name] for row in rows for name in ("program_version_id", "terms_id", "was_terms")])
        found = []
        for row in self.with_activity(rows, members):
            was = rules.Standing(row["was"], row["was_terms"], row["was_kept"])
            terms = self.known.get(row["was_terms"] or row["program_version_id"])
            end = self.present(row)
            if end is None or end > self.uow.now:
                back = rules.restored(was, end, terms, row["active_at"], self.place(terms), self.not_before)
                found.append((row, back))
        return found


def standing_of(row: dict[str, Any]) -> rules.Standing:
    """How a lot stands that was read with its date, terms and earliest end."""
    return rules.Standing(row["expires_at"], row["terms_id"], row["kept_until"])


def _count(terms: _Terms, members: Sequence[UUID], result: dict[str, Any]) -> dict[str, Any]:
    """Add members to what was counted: points by month before and after, and how many end later and sooner."""
    months: dict[str, list[int]] = result.get("months", {})
    sums: dict[str, int] = {name: result.get(name, 0) for name in ("later", "sooner", "same", "members")}
    touched = set()
    zone = terms.place(terms.new)
    for row in terms.lots(members):
        before = terms.present(row)
        if before is not None and before <= terms.uow.now:
            continue
        wanted = terms.wanted(row)
        after = before
        if wanted != standing_of(row):
            touched.add(row["member_id"])
            after = rules.ends(wanted, terms.new, row["active_at"], zone)
        for side, end in enumerate((before, after)):
            months.setdefault(_month(end, zone), [0, 0])[side] += row["points"]
        sums[_way(before, after)] += row["points"]
    sums["members"] += len(touched)
    return {"months": dict(sorted(months.items()))} | sums


def _way(before: datetime | None, after: datetime | None) -> str:
    if before == after:
        return "same"
    return "later" if after is None or (before is not None and after > before) else "sooner"


def _month(end: datetime | None, zone: ZoneInfo) -> str:
    return "" if end is None else f"{(end - timedelta(hours=12)).astimezone(zone):%Y-%m}"


def redate(
    uow: UnitOfWork,
    reference_id: UUID,
    changes: Sequence[Change],
    reason: str,
    version_id: UUID | None = None,
) -> list[UUID]:
    """Give lots, each with how it is to stand, other dates: one entry a member, once for a reference and reason.

    The caller holds the accounts' locks since before it read the lots. Gives the entries that were written.
    """
    if not changes:
        return []
    members = list(dict.fromkeys(row["member_id"] for row, _ in changes))
    standings = [standing for _, standing in changes]
    key = f"{reason}:{reference_id}"
    rows = uow.all(
        _REDATE,
        params(uow, key, reason, reference_id=reference_id, version_id=version_id)
        | {
            "members": members,
            "ids": [ids.new_id() for _ in members],
            "lots": [row["id"] for row, _ in changes],
            "dates": [_date(one.expires_at) for one in standings],
            "terms": [one.terms_id for one in standings],
            "keeps": [one.kept_until for one in standings],
        },
    )
    return [row["id"] for row in rows]


def _date(at: datetime | None) -> str:
    return at.isoformat() if at else "infinity"
