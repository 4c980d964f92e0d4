"""Reading saved views, choices and selections."""

from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork
from app.domains.lists.schemas import Kept, SavedView, Selection

_FIELDS = ("id", "list", "name", "staff_id", "query", "columns", "version")
_VIEW = ", ".join(_FIELDS)


def kept(uow: UnitOfWork, staff_id: UUID, list_key: str) -> Kept:
    """The views of a list that somebody may use, by name, and their choices."""
    rows = uow.all(
        f"SELECT {', '.join(f'v.{name}' for name in _FIELDS)}, c.columns AS chosen, c.view_id FROM (SELECT 1) one"
        " LEFT JOIN list_choices c ON c.shop_id = %(shop)s AND c.staff_id = %(staff)s AND c.list = %(list)s"
        " LEFT JOIN list_views v ON v.shop_id = %(shop)s AND v.list = %(list)s"
        " AND (v.staff_id IS NULL OR v.staff_id = %(staff)s) ORDER BY lower(v.name), v.id",
        {"shop": uow.shop, "staff": staff_id, "list": list_key},
    )
    columns, first = rows[0]["chosen"], rows[0]["view_id"]
    views = tuple(_view(row) for row in rows if row["id"] is not None)
    return Kept(views, None if columns is None else tuple(columns), first)


def view(uow: UnitOfWork, staff_id: UUID, view_id: UUID) -> SavedView | None:
    """A view of the shop or of this person."""
    row = uow.one(
        f"SELECT {_VIEW} FROM list_views WHERE shop_id = %(shop)s AND id = %(id)s"
        " AND (staff_id IS NULL OR staff_id = %(staff)s)",
        {"shop": uow.shop, "id": view_id, "staff": staff_id},
    )
    return _view(row) if row else None


def count_views(uow: UnitOfWork, staff_id: UUID | None, list_key: str) -> int:
    """How many views a list has: of one person, or of the shop."""
    count: int = uow.scalar(
        "SELECT count(*) FROM list_views WHERE shop_id = %(shop)s AND list = %(list)s"
        " AND staff_id IS NOT DISTINCT FROM %(staff)s",
        {"shop": uow.shop, "list": list_key, "staff": staff_id},
    )
    return count


def named(uow: UnitOfWork, staff_id: UUID | None, list_key: str, name: str) -> UUID | None:
    """The view of that name, whatever its capitals: of one person, or of the shop."""
    found: UUID | None = uow.scalar(
        "SELECT id FROM list_views WHERE shop_id = %(shop)s AND list = %(list)s"
        " AND staff_id IS NOT DISTINCT FROM %(staff)s AND lower(name) = lower(%(name)s)",
        {"shop": uow.shop, "list": list_key, "staff": staff_id, "name": name},
    )
    return found


def selection(uow: UnitOfWork, selection_id: UUID) -> Selection | None:
    """A selection of the shop."""
    row = uow.one(
        "SELECT id, list, ids, query, created_at FROM list_selections WHERE shop_id = %(shop)s AND id = %(id)s",
        {"shop": uow.shop, "id": selection_id},
    )
    return (
        Selection(row["id"], row["list"], tuple(row["ids"]), row["query"], row["created_at"]) if row else None
    )


def _view(row: dict[str, Any]) -> SavedView:
    columns = row["columns"]
    known = {name: row[name] for name in _FIELDS}
    return SavedView(**known | {"columns": None if columns is None else tuple(columns)})
