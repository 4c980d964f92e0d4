"""Selections: rows of a list on their way to an action."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from app.core import ids
from app.core.db import UnitOfWork
from app.core.paging import MAX_CHOSEN
from app.domains.lists import queries
from app.domains.lists.errors import NothingChosen, SelectionNotFound, TooManyChosen
from app.domains.lists.schemas import Selection

_KEPT = timedelta(days=7)


def select(
    uow: UnitOfWork, list_key: str, row_ids: Sequence[UUID] = (), query: Mapping[str, Any] | None = None
) -> UUID:
    """Keep rows chosen one by one, or with `query` all that match these filters. Returns the selection's id.

    The filters are those of the list's query model as JSON, checked by the caller, without order, place and search.
    Raises NothingChosen, TooManyChosen.
    """
    chosen = list(dict.fromkeys(row_ids)) if query is None else []
    if query is None and not chosen:
        raise NothingChosen()
    if len(chosen) > MAX_CHOSEN:
        raise TooManyChosen(limit=MAX_CHOSEN)
    uow.execute(
        "DELETE FROM list_selections WHERE shop_id = %(shop)s AND created_at < %(until)s",
        {"shop": uow.shop, "until": uow.now - _KEPT},
    )
    selection_id = ids.new_id()
    uow.execute(
        "INSERT INTO list_selections (shop_id, id, list, ids, query, created_at)"
        " VALUES (%(shop)s, %(id)s, %(list)s, %(ids)s, %(query)s, %(now)s)",
        {
            "shop": uow.shop,
            "id": selection_id,
            "list": list_key,
            "ids": chosen,
            "query": Jsonb(dict(query)) if query is not None else None,
            "now": uow.now,
        },
    )
    return selection_id


def selection(uow: UnitOfWork, selection_id: UUID) -> Selection:
    """A selection of this shop. Raises SelectionNotFound, also for one that is older than a week."""
    found = queries.selection(uow, selection_id)
    if found is None or found.created_at < uow.now - _KEPT:
        raise SelectionNotFound()
    return found
