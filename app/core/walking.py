"""Pages of a filtered list at a bounded cost: so many rows are looked at along an index, whatever the filters leave."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.core.db import UnitOfWork
from app.core.paging import COUNT_CAP, MAX_LIMIT, Found, Page, decode_cursor, encode_cursor

SCAN = COUNT_CAP


@dataclass(frozen=True)
class Walk:
    """Rows in the order of an index, and what of them is shown.

    `source` selects them without an order, with "{after}" behind a condition, where the place of a page goes; `keys` are its
    columns that order it, `shown` and `joins` what a page reads of the walked rows (`called` so), `where` its filters.
    """

    source: str
    keys: Sequence[str]
    shown: str
    joins: str = ""
    where: str = "true"
    descending: bool = False
    called: str = "w"

    def pool(self, after: bool) -> str:
        """The rows that are looked at."""
        names = ", ".join(self.keys)
        marks = ", ".join(f"%(at_{key})s" for key in self.keys)
        place = f" AND ({names}) {'<' if self.descending else '>'} ({marks})" if after else ""
        return f"{self.source.format(after=place)} ORDER BY {self.order()} LIMIT %(scan)s"

    def order(self, prefix: str = "") -> str:
        """The order as SQL."""
        return ", ".join(f"{prefix}{key}{' DESC' if self.descending else ''}" for key in self.keys)


def walked(uow: UnitOfWork, walk: Walk, values: Mapping[str, Any], limit: int, cursor: str | None) -> Found:
    """A page, how many match among the rows looked at first, and up to which instant was looked where it is not full.

    The first key is an instant where `until` is to be told. A file asks for longer pages and gets no count. Raises
    StaleCursor.
    """
    place = decode_cursor(cursor, len(walk.keys)) if cursor else []
    known = {
        **values,
        "scan": SCAN,
        **{f"at_{key}": part for key, part in zip(walk.keys, place, strict=False)},
    }
    pool = walk.pool(bool(cursor))
    rows = uow.all(
        f"SELECT {walk.shown} FROM ({pool}) {walk.called} {walk.joins} WHERE {walk.where}"
        f" ORDER BY {walk.order(walk.called + '.')} LIMIT %(limit)s",
        known | {"limit": limit + 1},
    )
    full = len(rows) > limit
    last = rows[limit - 1] if full else _end(uow, walk, pool, known)
    onward = encode_cursor(*(last[key] for key in walk.keys)) if last else None
    instant = last[walk.keys[0]] if last and not full else None
    total, more = _total(uow, walk, values) if limit <= MAX_LIMIT else (None, False)
    page = Page(rows[:limit], onward)
    return Found(page, total, more, instant if isinstance(instant, datetime) else None)


def _end(uow: UnitOfWork, walk: Walk, pool: str, known: Mapping[str, Any]) -> dict[str, Any] | None:
    """Where the walk ended; None when it came to the last row there is."""
    keys = ", ".join(walk.keys)
    return uow.one(f"SELECT {keys} FROM ({pool}) w ORDER BY {walk.order()} OFFSET {SCAN - 1} LIMIT 1", known)


def _total(uow: UnitOfWork, walk: Walk, values: Mapping[str, Any]) -> tuple[int, bool]:
    row = uow.one(
        f"WITH w AS MATERIALIZED ({walk.pool(False)}) SELECT (SELECT count(*) FROM w) AS seen,"
        f" (SELECT count(*) FROM w {walk.called} {walk.joins} WHERE {walk.where}) AS matching",
        {**values, "scan": SCAN + 1},
    )
    assert row is not None
    return min(row["matching"], SCAN), row["seen"] > SCAN
