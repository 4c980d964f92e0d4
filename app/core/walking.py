"""Statements of pages; a filtered list looks at so many rows along an index and no more, whatever its filters leave."""

import operator
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, tuple_

from app.core.db import UnitOfWork
from app.core.paging import ANYWHERE, COUNT_CAP, MAX_LIMIT, Found, Order, Place, Span

SCAN = COUNT_CAP


@dataclass(frozen=True)
class Walk:
    """Rows in the order of an index, and what of them is shown.

    `source` selects them without an order, with "{after}" behind a condition, where the place of a page goes, and "{order}"
    where a part of it is ordered; `order` are its columns, `shown` what a page reads of the walked rows (`called` so) and of
    `joins`, which leave none of them out, `where` its filters and `span` where its first key lies.
    """

    source: str
    order: Order
    shown: str
    joins: str = ""
    where: str = "true"
    called: str = "w"
    span: Span = ANYWHERE

    def pool(self, place: Place | None) -> str:
        """The rows that are looked at."""
        by = self.order.by(place)
        return f"{self.source.format(after=self.order.beside(place, self.span), order=by)} ORDER BY {by} LIMIT %(scan)s"


def walked(
    uow: UnitOfWork,
    walk: Walk,
    values: Mapping[str, Any],
    limit: int,
    cursor: str | None,
    known: Hashable | None = None,
) -> Found:
    """A page, how many match among the rows looked at first, and up to which instant was looked where it is not full.

    The first key is an instant where `until` is to be told. A file asks for longer pages and gets no count. `known` names
    what is asked for, so that its count may be `capped`. Raises StaleCursor.
    """
    page, until = walk.order.bounded(cursor, limit, lambda place: _read(uow, walk, values, limit, place))
    total, more = None, False
    if limit <= MAX_LIMIT:
        total, more = capped(uow, known, lambda: _total(uow, walk, values))
    return Found(page, total, more, until if isinstance(until, datetime) else None)


_BELIEVED_FOR = timedelta(minutes=10)
_BELIEVED_AT_MOST = 10_000
_believed: dict[tuple[UUID, Hashable], tuple[int, datetime]] = {}


def capped(
    uow: UnitOfWork, known: Hashable | None, count: Callable[[], tuple[int, bool]]
) -> tuple[int, bool]:
    """A count and whether it stopped at its bound.

    One that did is believed for ten minutes under the name of what it counts: so many rows hardly ever change by thousands,
    and counting them costs more than the page that shows some.
    """
    total, until = _believed.get((uow.shop, known), (0, uow.now))
    if until > uow.now:
        return total, True
    total, more = count()
    if more and known is not None:
        if len(_believed) >= _BELIEVED_AT_MOST:
            _believed.clear()
        _believed[uow.shop, known] = (total, uow.now + _BELIEVED_FOR)
    return total, more


def _read(
    uow: UnitOfWork, walk: Walk, values: Mapping[str, Any], limit: int, place: Place | None
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Rows from a place on, one more than a page has, and when they are fewer, where the walk ended before the last."""
    known = {**values, **walk.order.values(place, walk.span)}
    pool, by = walk.pool(place), walk.order.by(place, walk.called + ".")
    # Only the rows of a page are joined: a plan that joined first would walk to the end, and once for each row joined.
    found = f"SELECT * FROM ({pool}) {walk.called} WHERE {walk.where} ORDER BY {by} LIMIT %(limit)s"
    rows = uow.all(
        f"SELECT {walk.shown} FROM ({found}) {walk.called} {walk.joins} ORDER BY {by}",
        known | {"scan": SCAN, "limit": limit + 1},
    )
    if len(rows) > limit:
        return rows, None
    keys = ", ".join(walk.order.columns())
    ends = uow.all(
        f"SELECT {keys} FROM ({pool}) w ORDER BY {walk.order.by(place)} OFFSET {SCAN - 1} LIMIT 2",
        known | {"scan": SCAN + 1},
    )
    return rows, ends[0] if len(ends) == 2 else None


def _total(uow: UnitOfWork, walk: Walk, values: Mapping[str, Any]) -> tuple[int, bool]:
    row = uow.one(
        f"SELECT count(*) AS seen, count(*) FILTER (WHERE {walk.where}) AS matching FROM ({walk.pool(None)}) {walk.called}",
        {**values, **walk.order.values(None, walk.span), "scan": SCAN + 1},
    )
    assert row is not None
    return min(row["matching"], SCAN), row["seen"] > SCAN


def placed(statement: Select[Any], columns: Sequence[Any], order: Order, place: Place | None) -> Select[Any]:
    """An ORM statement with its rows at the place, those nearest to it first; `columns` are the order's keys."""
    falling = order.descending != bool(place and place.back)
    if place:
        ours, theirs = tuple_(*columns), tuple_(*place.key)
        sign = (
            (operator.le if place.with_it else operator.lt)
            if falling
            else (operator.ge if place.with_it else operator.gt)
        )
        statement = statement.where(sign(ours, theirs))
    return statement.order_by(*(column.desc() if falling else column for column in columns))
