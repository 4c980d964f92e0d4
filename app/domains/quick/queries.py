"""Every SELECT on one-click tasks."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork
from app.core.paging import Found, Order
from app.core.walking import Walk, walked
from app.domains.quick.schemas import RunsQuery, Use

_RUN = """id, task, actor_label, message, data, url, undo IS NOT NULL AND undone_at IS NULL AS undoable, created_at,
  undone_at, undone_by"""


def uses(uow: UnitOfWork, actor_id: str) -> dict[str, Use]:
    """What a person uses, by task."""
    rows = uow.all(
        "SELECT task, times, pinned FROM quick_uses WHERE shop_id = %(shop)s AND actor_id = %(actor)s",
        {"shop": uow.shop, "actor": actor_id},
    )
    return {row["task"]: Use(row["times"], row["pinned"]) for row in rows}


_STATES = {"done": "w.undone_at IS NULL", "undone": "w.undone_at IS NOT NULL"}


def runs(uow: UnitOfWork, asked: RunsQuery, span: tuple[datetime | None, datetime | None]) -> Found:
    """A page of what was run in the shop, between two instants. Raises StaleCursor."""
    where = ["w.task = %(task)s"] if asked.task else []
    where += [_STATES[asked.state]] if asked.state else []
    walk = Walk(
        "SELECT * FROM quick_runs WHERE shop_id = %(shop)s{after}",
        Order({"created_at": datetime, "id": UUID}, descending=asked.sort == "newest"),
        _RUN,
        where=" AND ".join(where) or "true",
        span=span,
    )
    return walked(uow, walk, {"shop": uow.shop, "task": asked.task}, asked.limit, asked.cursor)


def locked(uow: UnitOfWork, run_id: UUID) -> dict[str, Any] | None:
    """A run with what undoing it needs; nobody else undoes it meanwhile."""
    return uow.one(
        "SELECT id, task, undo, undone_at FROM quick_runs WHERE shop_id = %(shop)s AND id = %(id)s FOR UPDATE",
        {"shop": uow.shop, "id": run_id},
    )


def delivery(uow: UnitOfWork, webhook_id: str) -> tuple[datetime, datetime | None] | None:
    """When a webhook was stored and when it was handled; None when it is not known."""
    row = uow.one(
        "SELECT received_at, done_at FROM inbox WHERE shop_id = %(shop)s AND webhook_id = %(id)s",
        {"shop": uow.shop, "id": webhook_id},
    )
    return (row["received_at"], row["done_at"]) if row else None
