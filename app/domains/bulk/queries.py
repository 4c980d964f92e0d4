"""Every SELECT on bulk actions."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core import paging
from app.core.db import UnitOfWork
from app.core.walking import Walk, walked
from app.domains.bulk.schemas import Row, RowsQuery, Run, RunsQuery

_RUN = (
    "id, kind, status, audience, parameters, reason, note, rows, expected, accepted, refused, succeeded, failed, undone,"
    " kept, read_to, done_to, undone_to, after_id, points, moved, totals, trouble, actor_kind, actor_id, actor_label,"
    " decided_by, decided_label, checked_at, started_at, ended_at, touched_at, created_at"
)
PART = "bulk_parts.text"
PERSON = "bulk_rows.person"
_OPEN = ("checking", "ready", "waiting", "running", "paused", "undoing")
_GROUPS = {
    "open": _OPEN,
    "waiting": ("waiting",),
    "done": ("done",),
    "cancelled": ("cancelled", "rejected", "failed"),
    "undone": ("undone",),
}


def run(uow: UnitOfWork, run_id: UUID, *, for_update: bool = False) -> Run | None:
    """One bulk action."""
    row = uow.one(
        f"SELECT {_RUN} FROM bulk_runs WHERE shop_id = %(shop)s AND id = %(id)s"
        + (" FOR UPDATE" if for_update else ""),
        {"shop": uow.shop, "id": run_id},
    )
    return Run(**row) if row else None


def runs(uow: UnitOfWork, asked: RunsQuery) -> paging.Found:
    """A page of bulk actions: of one group or kind, or all. Raises StaleCursor."""
    where = ["w.status = ANY(%(statuses)s)"] if asked.status else []
    where += ["w.kind = %(kind)s"] if asked.kind else []
    walk = Walk(
        "SELECT * FROM bulk_runs WHERE shop_id = %(shop)s{after}",
        paging.Order({"created_at": datetime, "id": UUID}, descending=asked.sort == "newest"),
        _RUN,
        where=" AND ".join(where) or "true",
    )
    statuses = list(_GROUPS[asked.status]) if asked.status else None
    values = {"shop": uow.shop, "statuses": statuses, "kind": asked.kind}
    return walked(uow, walk, values, asked.limit, asked.cursor)


def count_waiting(uow: UnitOfWork) -> int:
    """How many runs wait for a second person."""
    return int(
        uow.scalar(
            "SELECT count(*) FROM bulk_runs WHERE shop_id = %(shop)s AND status = 'waiting'",
            {"shop": uow.shop},
        )
    )


def stalled(uow: UnitOfWork, before: datetime) -> list[UUID]:
    """Runs that a job should work on and that none touched since an instant."""
    rows = uow.all(
        "SELECT id FROM bulk_runs WHERE shop_id = %(shop)s AND status IN ('checking', 'running', 'undoing')"
        " AND touched_at < %(before)s ORDER BY id",
        {"shop": uow.shop, "before": before},
    )
    return [row["id"] for row in rows]


def part(uow: UnitOfWork, run_id: UUID, number: int) -> str | None:
    """A part of a run's file; None behind the last one."""
    row = uow.one(
        "SELECT text_sealed FROM bulk_parts WHERE shop_id = %(shop)s AND run_id = %(run)s AND n = %(n)s",
        {"shop": uow.shop, "run": run_id, "n": number},
    )
    return uow.unseal(row["text_sealed"], PART) if row else None


_NEXT = """
SELECT n, member_id, points, reason, before, person_sealed AS person FROM bulk_rows
WHERE shop_id = %(shop)s AND run_id = %(run)s AND state = 'ready' AND n > %(after)s AND n <= %(last)s
ORDER BY n LIMIT %(limit)s
"""


def next_rows(uow: UnitOfWork, run_id: UUID, after: int, limit: int, last: int = 2**62) -> list[Row]:
    """The next rows that stand ready behind a row, up to and with `last`."""
    values = {"shop": uow.shop, "run": run_id, "after": after, "last": last, "limit": limit}
    cursor = uow.driver.cursor(binary=True)
    return [Row(*row) for row in cursor.execute(_NEXT, values).fetchall()]


# A row that is ready says nothing of what became of it: the run's place does.
_STATE = (
    "CASE WHEN r.state = 'ready' AND r.n <= %(undone_to)s THEN 'undone' WHEN r.state = 'ready' AND r.n <= %(done_to)s"
    " THEN 'done' ELSE r.state END"
)
_ROW = f"r.n, r.member_id, r.points, r.reason, {_STATE} AS state, r.problem, r.person_sealed AS person"
_MARKED = ("refused", "failed", "kept")
_SPANS = {
    "ready": " AND n > %(done_to)s",
    "done": " AND n <= %(done_to)s AND n > %(undone_to)s",
    "undone": " AND n <= %(undone_to)s",
}


def rows(uow: UnitOfWork, of: Run, asked: RowsQuery) -> paging.Found:
    """Rows of a run in their order: {n, member_id, points, reason, state, problem, person}. Raises StaleCursor."""
    where = ["r.state = 'ready'"] if asked.state in _SPANS else []
    where += ["r.problem = %(problem)s"] if asked.problem else []
    walk = Walk(
        _source(asked), paging.Order({"n": int}), _ROW, where=" AND ".join(where) or "true", called="r"
    )
    values = {
        "shop": uow.shop,
        "run": of.id,
        "done_to": of.done_to,
        "undone_to": of.undone_to,
        "problem": asked.problem,
        "states": [asked.state] if asked.state in _MARKED else list(_MARKED),
    }
    return walked(uow, walk, values, asked.limit, asked.cursor)


def _source(asked: RowsQuery) -> str:
    """The rows a walk goes along; those with a mark of their own over the index of marks."""
    of_run = "SELECT * FROM bulk_rows WHERE shop_id = %(shop)s AND run_id = %(run)s"
    if asked.state in _SPANS or not (asked.state or asked.problem):
        return f"{of_run}{_SPANS.get(asked.state or '', '')}{{after}}"
    return (
        f"SELECT x.* FROM unnest(%(states)s::text[]) AS s (state) CROSS JOIN LATERAL ({of_run}"
        " AND state <> 'ready' AND state = s.state{after} ORDER BY {order} LIMIT %(scan)s) x"
    )


def problems(uow: UnitOfWork, run_id: UUID, state: str) -> dict[str, int]:
    """How many rows are in a marked state, by problem, most first."""
    rows = uow.all(
        "SELECT problem, count(*) AS rows FROM bulk_rows WHERE shop_id = %(shop)s AND run_id = %(run)s"
        " AND state = %(state)s AND state <> 'ready' GROUP BY problem ORDER BY 2 DESC, 1",
        {"shop": uow.shop, "run": run_id, "state": state},
    )
    return {row["problem"]: row["rows"] for row in rows}


def people_of(uow: UnitOfWork, run_id: UUID, indexes: list[bytes]) -> set[bytes]:
    """Which of these people (indexes of their e-mails) a run's rows name already."""
    rows = uow.all(
        "SELECT person_index FROM bulk_rows WHERE shop_id = %(shop)s AND run_id = %(run)s"
        " AND person_index = ANY(%(indexes)s)",
        {"shop": uow.shop, "run": run_id, "indexes": indexes},
    )
    return {bytes(row["person_index"]) for row in rows}


_BUSY = """
SELECT member_id FROM points_entries WHERE shop_id = %(shop)s AND member_id = ANY(%(members)s) AND created_at >= %(since)s
  AND id <> ALL(%(own)s) AND kind <> 'activate'
UNION
SELECT member_id FROM orders WHERE shop_id = %(shop)s AND member_id = ANY(%(members)s) AND created_at >= %(since)s
"""


def busy(uow: UnitOfWork, member_ids: Iterable[UUID], since: datetime, own: list[UUID]) -> set[UUID]:
    """Members who ordered since an instant, or in whose ledger something happened besides the entries `own`."""
    values = {"shop": uow.shop, "members": list(member_ids), "since": since, "own": own}
    return {row["member_id"] for row in uow.all(_BUSY, values)}


def abandoned(uow: UnitOfWork, before: datetime) -> list[UUID]:
    """Runs that name people to be enrolled and that nobody started or approved since an instant."""
    rows = uow.all(
        "SELECT id FROM bulk_runs WHERE shop_id = %(shop)s AND kind = 'enroll'"
        " AND status IN ('ready', 'waiting', 'paused')"
        " AND touched_at < %(before)s ORDER BY id",
        {"shop": uow.shop, "before": before},
    )
    return [row["id"] for row in rows]


def distinct_members(uow: UnitOfWork, run_id: UUID) -> int:
    """How many members the rows that stand ready name."""
    return int(
        uow.scalar(
            "SELECT count(DISTINCT member_id) FROM bulk_rows WHERE shop_id = %(shop)s AND run_id = %(run)s"
            " AND state = 'ready'",
            {"shop": uow.shop, "run": run_id},
        )
    )


def moved_since(uow: UnitOfWork, actor_kind: str, actor_id: str, since: datetime) -> int:
    """Points that somebody's runs moved, or will, of those started since an instant or waiting for approval."""
    return int(
        uow.scalar(
            "SELECT coalesce(sum(CASE WHEN status IN ('waiting', 'running', 'paused') THEN points ELSE moved END), 0)::bigint"
            " FROM bulk_runs WHERE shop_id = %(shop)s AND actor_kind = %(kind)s AND actor_id = %(id)s"
            " AND started_at >= %(since)s AND status <> 'rejected'",
            {"shop": uow.shop, "kind": actor_kind, "id": actor_id, "since": since},
        )
    )


def made_since(uow: UnitOfWork, since: datetime) -> int:
    """Rows that move points, also by enrolling, of runs that were started since an instant."""
    return int(
        uow.scalar(
            "SELECT coalesce(sum(accepted), 0)::bigint FROM bulk_runs WHERE shop_id = %(shop)s AND started_at >= %(since)s"
            " AND points > 0 AND status NOT IN ('waiting', 'rejected')",
            {"shop": uow.shop, "since": since},
        )
    )


def of_member(uow: UnitOfWork, member_id: UUID) -> list[dict[str, Any]]:
    """What was typed about a member in rows, as JSON values; what was moved stands in the ledger."""
    return uow.all(
        "SELECT u.kind, r.points, r.reason, u.created_at::text FROM bulk_rows r"
        " JOIN bulk_runs u ON u.shop_id = r.shop_id AND u.id = r.run_id"
        " WHERE r.shop_id = %(shop)s AND r.member_id = %(member)s AND r.reason IS NOT NULL ORDER BY u.created_at LIMIT 1000",
        {"shop": uow.shop, "member": member_id},
    )
