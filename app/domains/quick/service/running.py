"""One-click tasks: domains declare theirs here, whoever lies above; a run is kept with what takes it back."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from app.core import ids
from app.core.db import UnitOfWork
from app.core.permissions import Permission
from app.domains.compliance import service as compliance
from app.domains.quick import queries
from app.domains.quick.errors import NothingToUndo, RunNotFound, TaskNotFound
from app.domains.quick.schemas import Outcome, Task, Use

_TASKS: dict[str, Task] = {}
# The tasks' marked titles by key.
TITLES: dict[str, str] = {}

_USED = """
INSERT INTO quick_uses (shop_id, actor_id, task, times, used_at) VALUES (%(shop)s, %(actor)s, %(task)s, 1, %(now)s)
ON CONFLICT (shop_id, actor_id, task) DO UPDATE SET times = quick_uses.times + 1, used_at = excluded.used_at
"""
_PINNED = """
INSERT INTO quick_uses (shop_id, actor_id, task, pinned) VALUES (%(shop)s, %(actor)s, %(task)s, %(pinned)s)
ON CONFLICT (shop_id, actor_id, task) DO UPDATE SET pinned = excluded.pinned
"""
_RUN = """
INSERT INTO quick_runs (shop_id, id, task, actor_kind, actor_id, actor_label, message, data, url, undo, created_at)
VALUES (%(shop)s, %(id)s, %(task)s, %(kind)s, %(actor)s, %(label)s, %(message)s, %(data)s, %(url)s, %(undo)s, %(now)s)
"""


def register_task(task: Task) -> None:
    """Let a domain add a task to the tab; the last one of a key counts."""
    _TASKS[task.key] = task
    TITLES[task.key] = task.title


def tasks() -> list[Task]:
    """Every task, in the order of those nobody used yet."""
    return sorted(_TASKS.values(), key=lambda task: task.position)


def task(key: str) -> Task:
    """A task by its key. Raises TaskNotFound."""
    if key not in _TASKS:
        raise TaskNotFound()
    return _TASKS[key]


def board(uow: UnitOfWork, can: Callable[[Permission], bool]) -> list[tuple[Task, Use]]:
    """What a person may run: pinned first, then by how often they ran it."""
    used = queries.uses(uow, uow.actor.id)
    found = [(task, used.get(task.key, Use())) for task in tasks() if can(task.permission)]
    return sorted(found, key=lambda one: (not one[1].pinned, -one[1].times, one[0].position))


def run(uow: UnitOfWork, found: Task, form: Any) -> tuple[Outcome, UUID]:
    """Do a task and keep how to take it back. Raises what the task raises."""
    if found.run is None:
        raise TaskNotFound()
    outcome = found.run(uow, form)
    run_id = ids.new_id()
    undo = None if outcome.undo is None else Jsonb(outcome.undo)
    who = {"shop": uow.shop, "task": found.key, "actor": uow.actor.id, "now": uow.now}
    uow.execute(
        _RUN,
        who
        | {
            "id": run_id,
            "kind": uow.actor.kind,
            "label": uow.actor.label,
            "message": outcome.message,
            "data": Jsonb(dict(outcome.data)),
            "url": outcome.url,
            "undo": undo,
        },
    )
    uow.execute(_USED, who)
    compliance.record(uow, "quick.run", ("quick_run", str(run_id)), None, {"task": found.key})
    return outcome, run_id


def undo(uow: UnitOfWork, run_id: UUID, may: Callable[[Permission], None]) -> None:
    """Take a run back, once. `may` refuses who lacks the task's permission.

    Raises RunNotFound, NothingToUndo, and what the task's undoing raises.
    """
    found = queries.locked(uow, run_id)
    if found is None:
        raise RunNotFound()
    known = _TASKS.get(found["task"])
    if known is None or known.undo is None or found["undo"] is None or found["undone_at"] is not None:
        raise NothingToUndo()
    may(known.permission)
    known.undo(uow, found["undo"])
    uow.execute(
        "UPDATE quick_runs SET undone_at = %(now)s, undone_by = %(who)s WHERE shop_id = %(shop)s AND id = %(id)s",
        {"shop": uow.shop, "id": run_id, "now": uow.now, "who": uow.actor.label},
    )
    compliance.record(uow, "quick.undone", ("quick_run", str(run_id)), None, {"task": found["task"]})


def pin(uow: UnitOfWork, key: str, on: bool) -> None:
    """Keep a task at the front for this person, or let it go. Raises TaskNotFound."""
    uow.execute(_PINNED, {"shop": uow.shop, "actor": uow.actor.id, "task": task(key).key, "pinned": on})
