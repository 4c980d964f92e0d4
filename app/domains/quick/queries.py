"""Every SELECT on one-click tasks."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.core import paging
from app.core.db import UnitOfWork
from app.core.paging import Page
from app.domains.quick.schemas import Run, Use

_RUN = """id, task, actor_label, message, data, url, undo IS NOT NULL AND undone_at IS NULL AS undoable, created_at,
  undone_at, undone_by"""


def uses(uow: UnitOfWork, actor_id: str) -> dict[str, Use]:
    """What a person uses, by task."""
    rows = uow.all(
        "SELECT task, times, pinned FROM quick_uses WHERE shop_id = %(shop)s AND actor_id = %(actor)s",
        {"shop": uow.shop, "actor": actor_id},
    )
    return {row["task"]: Use(row["times"], row["pinned"]) for row in rows}


def recent(uow: UnitOfWork, limit: int, cursor: str | None) -> Page[Run]:
    """What was run in the shop, newest first. Raises StaleCursor."""
    at, last = paging.decode_cursor(cursor, 2) if cursor else (None, None)
    rows = uow.all(
        f"SELECT {_RUN} FROM quick_runs WHERE shop_id = %(shop)s"
        " AND (%(at)s::timestamptz IS NULL OR (created_at, id) < (%(at)s::timestamptz, %(last)s::uuid))"
        " ORDER BY created_at DESC, id DESC LIMIT %(limit)s",
        {"shop": uow.shop, "at": at, "last": last, "limit": limit + 1},
    )
    page = paging.cut(rows, limit, "created_at", "id")
    return Page([Run(**row) for row in page.items], page.next_cursor)


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
