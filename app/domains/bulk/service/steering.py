"""What people do with a bulk action: start it, let somebody approve it, pause, go on, give up, take back."""

from uuid import UUID

from app.core.db import UnitOfWork
from app.core.i18n import mark
from app.domains.bulk import queries, rules
from app.domains.bulk.errors import (
    NothingToDo,
    NotUndoable,
    PlanChanged,
    RunMoved,
    RunNotFound,
    WelcomeChanged,
)
from app.domains.bulk.schemas import Run, Status
from app.domains.bulk.service import acting, enrolling
from app.domains.bulk.service.keeping import CHECK
from app.domains.compliance import service as compliance
from app.domains.points import service as points
from app.domains.points.errors import ApproverNeeded

RUN = "bulk.run"
UNDO = "bulk.undo"


def start(uow: UnitOfWork, run_id: UUID, plan: str) -> Run:
    """Start what a dry run showed, named by its `plan`, or let it wait for a second person.

    Raises RunNotFound, RunMoved, PlanChanged, NothingToDo, WelcomeChanged, DailyLimitReached.
    """
    found = _locked(uow, run_id)
    if found.status != "ready":
        raise RunMoved()
    if found.plan != plan:
        raise PlanChanged()
    if not found.accepted:
        raise NothingToDo()
    _check_welcome(uow, found)
    alone = points.may_adjust(uow, found.points) if found.points else True
    status: Status = "running" if alone else "waiting"
    uow.execute(
        "UPDATE bulk_runs SET started_at = %(now)s WHERE shop_id = %(shop)s AND id = %(run)s",
        {"shop": uow.shop, "run": run_id, "now": uow.now},
    )
    _go(uow, found, status)
    if alone:
        _begin(uow, found)
    return _again(uow, run_id)


def decide(uow: UnitOfWork, run_id: UUID, *, approve: bool) -> Run:
    """Approve or reject a run that waits; somebody else than who asked.

    Raises RunNotFound, RunMoved, ApproverNeeded, WelcomeChanged.
    """
    found = _locked(uow, run_id)
    if found.status != "waiting":
        raise RunMoved()
    if (found.actor_kind, found.actor_id) == (uow.actor.kind, uow.actor.id):
        raise ApproverNeeded()
    if approve:
        _check_welcome(uow, found)
    uow.execute(
        "UPDATE bulk_runs SET decided_by = %(who)s, decided_label = %(label)s WHERE shop_id = %(shop)s AND id = %(run)s",
        {"shop": uow.shop, "run": run_id, "who": uow.actor.id, "label": uow.actor.label},
    )
    _go(uow, found, "running" if approve else "rejected")
    if approve:
        _begin(uow, found)
    else:
        enrolling.forget_people(uow, run_id)
    return _again(uow, run_id)


def _check_welcome(uow: UnitOfWork, run: Run) -> None:
    """Nobody starts or approves more points for joining than the dry run showed."""
    if run.kind == "enroll" and run.accepted * points.welcome_points(uow) > run.points:
        raise WelcomeChanged()


def _begin(uow: UnitOfWork, run: Run) -> None:
    if run.points:
        points.watch_by_hand(uow)
    uow.enqueue(RUN, run=str(run.id))


def pause(uow: UnitOfWork, run_id: UUID) -> Run:
    """Stop after the present slice; what was done stays. Raises RunNotFound, RunMoved."""
    return _go(uow, _locked(uow, run_id), "paused")


def resume(uow: UnitOfWork, run_id: UUID) -> Run:
    """Go on with a paused run. Raises RunNotFound, RunMoved."""
    found = _locked(uow, run_id)
    if found.status != "paused":
        raise RunMoved()
    _go(uow, found, "running")
    uow.enqueue(RUN, run=str(run_id))
    return _again(uow, run_id)


def cancel(uow: UnitOfWork, run_id: UUID) -> Run:
    """Give a run up; what was done stays until it is undone. Raises RunNotFound, RunMoved."""
    found = _go(uow, _locked(uow, run_id), "cancelled")
    enrolling.forget_people(uow, run_id)
    uow.execute(
        "DELETE FROM bulk_parts WHERE shop_id = %(shop)s AND run_id = %(run)s",
        {"shop": uow.shop, "run": run_id},
    )
    return found


def undo(uow: UnitOfWork, run_id: UUID) -> Run:
    """Take back what a run did, row by row, after the commit. Raises RunNotFound, RunMoved, NotUndoable."""
    found = _locked(uow, run_id)
    if found.kind not in acting.UNDOABLE:
        raise NotUndoable(mark("Messages that were sent cannot be taken back."))
    if not found.succeeded:
        raise NotUndoable(mark("Nothing was done, so there is nothing to undo."))
    _go(uow, found, "undoing")
    uow.enqueue(UNDO, run=str(run_id))
    return _again(uow, run_id)


def check_again(uow: UnitOfWork, run_id: UUID) -> Run:
    """Make the dry run anew from the rows that are known, because members may have changed. Raises RunNotFound, RunMoved."""
    found = _locked(uow, run_id)
    if found.audience["kind"] == "file" or found.status != "ready":
        raise RunMoved()
    _go(uow, found, "checking")
    values = {"shop": uow.shop, "run": run_id}
    uow.execute("DELETE FROM bulk_rows WHERE shop_id = %(shop)s AND run_id = %(run)s", values)
    uow.execute(
        "UPDATE bulk_runs SET rows = 0, accepted = 0, refused = 0, points = 0, read_to = 0, after_id = NULL, totals = '{}',"
        " checked_at = NULL WHERE shop_id = %(shop)s AND id = %(run)s",
        values,
    )
    uow.enqueue(CHECK, run=str(run_id))
    return _again(uow, run_id)


def _locked(uow: UnitOfWork, run_id: UUID) -> Run:
    found = queries.run(uow, run_id, for_update=True)
    if found is None:
        raise RunNotFound()
    return found


def _go(uow: UnitOfWork, found: Run, status: Status) -> Run:
    if not rules.may_follow(found.status, status):
        raise RunMoved()
    uow.execute(
        "UPDATE bulk_runs SET status = %(status)s, touched_at = %(now)s,"
        " ended_at = CASE WHEN %(status)s IN ('cancelled', 'rejected') THEN %(now)s ELSE ended_at END"
        " WHERE shop_id = %(shop)s AND id = %(run)s",
        {"shop": uow.shop, "run": found.id, "status": status, "now": uow.now},
    )
    compliance.record(
        uow,
        "bulk.moved",
        ("bulk_run", str(found.id)),
        {"status": found.status},
        {
            "status": status,
            "kind": found.kind,
            "rows": found.accepted,
            "points": found.points,
            "reason": found.reason,
        },
    )
    return _again(uow, found.id)


def _again(uow: UnitOfWork, run_id: UUID) -> Run:
    again = queries.run(uow, run_id)
    assert again is not None
    return again
