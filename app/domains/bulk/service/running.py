"""Doing what the dry run showed, and taking it back: slice by slice, each one transaction with the run's place in it."""

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from psycopg.types.json import Jsonb

from app.core.db import Actor, UnitOfWork, unit_of_work
from app.domains.bulk import queries
from app.domains.bulk.schemas import Outcome, Problem, Row, Run
from app.domains.bulk.service import acting, enrolling, keeping
from app.domains.compliance import service as compliance

_MARK = """
UPDATE bulk_rows r SET state = %(state)s, problem = v.problem
FROM unnest(%(ns)s::bigint[], %(problems)s::text[]) AS v (n, problem)
WHERE r.shop_id = %(shop)s AND r.run_id = %(run)s AND r.n = v.n
"""
_REMEMBER = """
UPDATE bulk_rows r SET before = v.before
FROM unnest(%(ns)s::bigint[], %(befores)s::jsonb[]) AS v (n, before)
WHERE r.shop_id = %(shop)s AND r.run_id = %(run)s AND r.n = v.n
"""
_DONE = """
UPDATE bulk_runs SET succeeded = succeeded + %(succeeded)s, failed = failed + %(failed)s, moved = moved + %(moved)s,
  done_to = %(to)s, touched_at = %(now)s, trouble = '' WHERE shop_id = %(shop)s AND id = %(run)s
"""
_UNDONE = """
UPDATE bulk_runs SET undone = undone + %(undone)s, kept = kept + %(kept)s, undone_to = %(to)s, touched_at = %(now)s,
  trouble = '' WHERE shop_id = %(shop)s AND id = %(run)s
"""


def run(shop_id: UUID, run_id: UUID) -> Iterator[bool]:
    """Do a run's rows slice by slice, in the name of who asked for it; yields after each slice that there may be more."""
    actor = _actor(shop_id, run_id)
    while actor is not None:
        with keeping.work_slice(shop_id, actor) as uow:
            here = queries.run(uow, run_id, for_update=True)
            if here is None or here.status != "running":
                return
            rows = queries.next_rows(uow, run_id, here.done_to, acting.slice_of(here.kind))
            if rows:
                _keep(uow, here, rows, acting.do(uow, here, rows))
            else:
                _end(uow, here, "done")
        if not rows:
            return
        yield True


def undo(shop_id: UUID, run_id: UUID) -> Iterator[bool]:
    """Take back what a run did, slice by slice; yields after each slice that there may be more."""
    actor = _actor(shop_id, run_id, undoing=True)
    while actor is not None:
        with keeping.work_slice(shop_id, actor) as uow:
            here = queries.run(uow, run_id, for_update=True)
            if here is None or here.status != "undoing":
                return
            rows = queries.next_rows(
                uow, run_id, here.undone_to, acting.slice_of(here.kind), last=here.done_to
            )
            if rows:
                kept = acting.take_back(uow, here, rows)
                mark(uow, here.id, "kept", kept)
                uow.execute(
                    _UNDONE,
                    _place(uow, here, rows) | {"undone": len(rows) - len(kept), "kept": len(kept)},
                )
            else:
                _end(uow, here, "undone")
        if not rows:
            return
        yield True


def _actor(shop_id: UUID, run_id: UUID, *, undoing: bool = False) -> Actor | None:
    with unit_of_work(shop_id) as uow:
        found = queries.run(uow, run_id)
    if found is None or found.status != ("undoing" if undoing else "running"):
        return None
    return Actor(found.actor_kind, found.actor_id, found.actor_label)


def _keep(uow: UnitOfWork, here: Run, rows: Sequence[Row], out: Outcome) -> None:
    mark(uow, here.id, "failed", out.problems)
    if out.before:
        uow.execute(
            _REMEMBER,
            {
                "shop": uow.shop,
                "run": here.id,
                "ns": list(out.before),
                "befores": [Jsonb(one) for one in out.before.values()],
            },
        )
    failed = len(out.problems)
    uow.execute(
        _DONE,
        _place(uow, here, rows) | {"succeeded": len(rows) - failed, "failed": failed, "moved": out.moved},
    )


def _place(uow: UnitOfWork, here: Run, rows: Sequence[Row]) -> dict[str, object]:
    return {"shop": uow.shop, "run": here.id, "to": rows[-1].n, "now": uow.now}


def mark(uow: UnitOfWork, run_id: UUID, state: str, problems: Mapping[int, Problem]) -> None:
    """Say of rows that they did not go as they should, and why."""
    if problems:
        uow.execute(
            _MARK,
            {
                "shop": uow.shop,
                "run": run_id,
                "state": state,
                "ns": list(problems),
                "problems": list(problems.values()),
            },
        )


def _end(uow: UnitOfWork, here: Run, status: str) -> None:
    uow.execute(
        "UPDATE bulk_runs SET status = %(status)s, ended_at = %(now)s, touched_at = %(now)s"
        " WHERE shop_id = %(shop)s AND id = %(run)s",
        {"shop": uow.shop, "run": here.id, "status": status, "now": uow.now},
    )
    counts = (
        {"succeeded": here.succeeded, "failed": here.failed, "moved": here.moved}
        if status == "done"
        else {"undone": here.undone, "kept": here.kept}
    )
    compliance.record(
        uow,
        "bulk.ended",
        ("bulk_run", str(here.id)),
        {"status": here.status},
        {"status": status, "kind": here.kind, **counts},
    )


def note_trouble(uow: UnitOfWork, run_id: UUID, trouble: str) -> None:
    """Pause a run whose slice could not be done, so that a person sees it and resumes; a dry run has failed."""
    here = queries.run(uow, run_id, for_update=True)
    if here is None or not here.moving:
        return
    status = {"checking": "failed", "running": "paused", "undoing": "undoing"}[here.status]
    uow.execute(
        "UPDATE bulk_runs SET status = %(status)s, trouble = %(trouble)s, touched_at = %(now)s"
        " WHERE shop_id = %(shop)s AND id = %(run)s",
        {"shop": uow.shop, "run": run_id, "status": status, "trouble": trouble[:200], "now": uow.now},
    )
    if status == "failed":
        enrolling.forget_people(uow, run_id)
