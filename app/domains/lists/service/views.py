"""Saved views of lists and the columns that staff choose."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from app.core import ids
from app.core.db import UnitOfWork
from app.core.errors import Invalid
from app.core.i18n import mark
from app.domains.compliance import service as compliance
from app.domains.lists import queries
from app.domains.lists.errors import StaleView, TooManyViews, ViewNotFound
from app.domains.lists.schemas import MAX_VIEWS, Kept, SavedView
from app.domains.shops import service as shops

_CHOOSE = """
INSERT INTO list_choices (shop_id, staff_id, list, {column}) VALUES (%(shop)s, %(staff)s, %(list)s, %(value)s)
ON CONFLICT (shop_id, staff_id, list) DO UPDATE SET {column} = excluded.{column}
"""


def kept(uow: UnitOfWork, staff_id: UUID, list_key: str) -> Kept:
    """What a staff member keeps of a list, and the shop's views of it."""
    return queries.kept(uow, staff_id, list_key)


def view(uow: UnitOfWork, staff_id: UUID, view_id: UUID) -> SavedView:
    """A view of the shop or of this person. Raises ViewNotFound."""
    found = queries.view(uow, staff_id, view_id)
    if found is None:
        raise ViewNotFound()
    return found


def units(uow: UnitOfWork) -> tuple[str, str]:
    """The currency (ISO 4217) and the time zone that a list's amounts and instants are written in."""
    shop = shops.get(uow)
    return shop.currency, shop.timezone


def choose_columns(uow: UnitOfWork, staff_id: UUID, list_key: str, columns: Sequence[str] | None) -> None:
    """Remember the columns that somebody wants to see; None is what the list begins with."""
    _choose(uow, staff_id, list_key, "columns", list(columns) if columns is not None else None)


def open_with(uow: UnitOfWork, staff_id: UUID, list_key: str, view_id: UUID | None) -> None:
    """Remember the view that a list opens with for somebody; None opens it as it is."""
    _choose(uow, staff_id, list_key, "view_id", view_id)


def _choose(uow: UnitOfWork, staff_id: UUID, list_key: str, column: str, value: Any) -> None:
    uow.execute(
        _CHOOSE.format(column=column),
        {"shop": uow.shop, "staff": staff_id, "list": list_key, "value": value},
    )


def save(
    uow: UnitOfWork,
    staff_id: UUID,
    list_key: str,
    name: str,
    query: Mapping[str, Any],
    columns: Sequence[str] | None,
    *,
    shared: bool,
) -> UUID:
    """Keep what a list shows under a name, for oneself or for everybody of the shop. Returns its id.

    Raises Invalid for a name that is taken, TooManyViews.
    """
    owner = None if shared else staff_id
    if queries.count_views(uow, owner, list_key) >= MAX_VIEWS:
        raise TooManyViews(limit=MAX_VIEWS)
    _free(uow, owner, list_key, name, None)
    view_id = ids.new_id()
    uow.execute(
        "INSERT INTO list_views (shop_id, id, list, name, staff_id, query, columns, created_at, updated_at)"
        " VALUES (%(shop)s, %(id)s, %(list)s, %(name)s, %(staff)s, %(query)s, %(columns)s, %(now)s, %(now)s)",
        {
            "shop": uow.shop,
            "id": view_id,
            "list": list_key,
            "name": name,
            "staff": owner,
            "query": Jsonb(dict(query)),
            "columns": list(columns) if columns is not None else None,
            "now": uow.now,
        },
    )
    if shared:
        compliance.record(
            uow, "list_view.shared", ("list_view", str(view_id)), None, _told(list_key, name, query)
        )
    return view_id


def change(
    uow: UnitOfWork,
    staff_id: UUID,
    view_id: UUID,
    name: str,
    *,
    shared: bool,
    version: int,
    shown: tuple[Mapping[str, Any], Sequence[str] | None] | None = None,
) -> None:
    """Rename a view, share it or keep it to oneself, and with `shown` (filters, columns) let it show something else.

    Raises ViewNotFound, StaleView, Invalid for a name that is taken.
    """
    before = view(uow, staff_id, view_id)
    owner = None if shared else staff_id
    _free(uow, owner, before.list, name, view_id)
    query, columns = shown or (before.query, before.columns)
    done = uow.execute(
        "UPDATE list_views SET name = %(name)s, staff_id = %(staff)s, query = %(query)s, columns = %(columns)s,"
        " version = version + 1, updated_at = %(now)s"
        " WHERE shop_id = %(shop)s AND id = %(id)s AND version = %(version)s",
        {
            "shop": uow.shop,
            "id": view_id,
            "name": name,
            "staff": owner,
            "query": Jsonb(dict(query)),
            "columns": list(columns) if columns is not None else None,
            "version": version,
            "now": uow.now,
        },
    )
    if done.rowcount == 0:
        raise StaleView()
    if shared or before.shared:
        compliance.record(
            uow,
            "list_view.changed"
            if shared and before.shared
            else "list_view.shared"
            if shared
            else "list_view.withdrawn",
            ("list_view", str(view_id)),
            _told(before.list, before.name, before.query) if before.shared else None,
            _told(before.list, name, query) if shared else None,
        )


def delete(uow: UnitOfWork, staff_id: UUID, view_id: UUID) -> None:
    """Forget a view. Raises ViewNotFound."""
    before = view(uow, staff_id, view_id)
    uow.execute(
        "DELETE FROM list_views WHERE shop_id = %(shop)s AND id = %(id)s", {"shop": uow.shop, "id": view_id}
    )
    if before.shared:
        told = _told(before.list, before.name, before.query)
        compliance.record(uow, "list_view.deleted", ("list_view", str(view_id)), told, None)


def exported(uow: UnitOfWork, list_key: str, query: Mapping[str, Any], columns: Sequence[str]) -> None:
    """Note that a list was downloaded, with which filters and columns."""
    compliance.record(
        uow, "list.exported", ("list", list_key), None, {"filters": dict(query), "columns": list(columns)}
    )


def _told(list_key: str, name: str, query: Mapping[str, Any]) -> dict[str, Any]:
    return {"list": list_key, "name": name, "filters": dict(query)}


def _free(uow: UnitOfWork, owner: UUID | None, list_key: str, name: str, own: UUID | None) -> None:
    if queries.named(uow, owner, list_key, name) not in (None, own):
        raise Invalid(fields={"name": mark("A view of this list has this name already.")})
