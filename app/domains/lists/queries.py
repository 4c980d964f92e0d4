"""Reading saved views, choices and selections."""

from uuid import UUID

from app.core.db import UnitOfWork
from app.domains.lists.schemas import Kept, SavedView, Selection

_VIEW = "id, list, name, staff_id, query, columns, version"


def kept(uow: UnitOfWork, staff_id: UUID, list_key: str) -> Kept:
    """The views of a list that somebody may use, by name, and their choices."""
    values = {"shop": uow.shop, "staff": staff_id, "list": list_key}
    views = uow.all(
        f"SELECT {_VIEW} FROM list_views WHERE shop_id = %(shop)s AND list = %(list)s"
        " AND (staff_id IS NULL OR staff_id = %(staff)s) ORDER BY lower(name), id",
        values,
    )
    choice = uow.one(
        "SELECT columns, view_id FROM list_choices WHERE shop_id = %(shop)s AND staff_id = %(staff)s AND list = %(list)s",
        values,
    )
    columns = tuple(choice["columns"]) if choice and choice["columns"] is not None else None
    return Kept(tuple(_view(row) for row in views), columns, choice["view_id"] if choice else None)


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


def _view(row: dict[str, object]) -> SavedView:
    columns = row["columns"]
    return SavedView(**{**row, "columns": tuple(columns) if isinstance(columns, list) else None})  # type: ignore[arg-type]
