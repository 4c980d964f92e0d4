"""Keyset paging in both directions: opaque cursors that hold a row's sort key, and bounded pages."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import orjson

from app.core.errors import Invalid
from app.core.i18n import mark

T = TypeVar("T")
DEFAULT_LIMIT = 50
MAX_LIMIT = 200
COUNT_CAP = 10_000
MAX_CHOSEN = 500


class StaleCursor(Invalid):
    """A cursor that this list did not make."""

    code = "stale_cursor"
    default_message = mark("This page no longer exists. Start again from the first page.")


@dataclass(frozen=True)
class Page(Generic[T]):
    """A bounded slice of a list. Cursors are None at the ends; `back`: it was come to from behind."""

    items: list[T]
    next_cursor: str | None = None
    previous_cursor: str | None = None
    back: bool = False


@dataclass(slots=True)
class Found:
    """Rows of a list's page. `total` counts what matches, and `more` says that counting stopped there; None: not counted.

    `until` is set when the page ends because so far was looked, not because so many were found.
    """

    page: Page[dict[str, Any]]
    total: int | None = None
    more: bool = False
    until: datetime | None = None


def encode_cursor(*key: Any) -> str:
    """A URL-safe cursor from a sort key of strings, integers, UUIDs and datetimes."""
    return base64.urlsafe_b64encode(orjson.dumps(list(key))).decode().rstrip("=")


def decode_cursor(cursor: str, length: int) -> list[Any]:
    """The sort key of a cursor, as JSON values. Raises StaleCursor."""
    try:
        key = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        raise StaleCursor() from None
    if not isinstance(key, list) or len(key) != length or any(isinstance(part, (dict, list)) for part in key):
        raise StaleCursor()
    return key


def cut(rows: list[dict[str, Any]], limit: int, *key: str) -> Page[dict[str, Any]]:
    """A page from rows fetched with `limit + 1`; the next cursor holds the named columns of the last row."""
    items = rows[:limit]
    more = len(rows) > limit
    return Page(items, encode_cursor(*(items[-1][column] for column in key)) if more and items else None)


def _instant(part: Any) -> datetime:
    found = datetime.fromisoformat(part)
    if found.tzinfo is None:
        raise ValueError("no zone")
    return found


def _whole(part: Any) -> int:
    if type(part) is not int or not -(2**63) <= part < 2**63:
        raise ValueError("no whole number")
    return part


def _text(part: Any) -> str:
    if not isinstance(part, str) or "\0" in part:
        raise ValueError("no text")
    return part


_READ: Mapping[type, Callable[[Any], Any]] = {datetime: _instant, UUID: UUID, int: _whole, str: _text}
# What a cursor says after its key: nothing for the rows after that key.
_WAYS = {(False, True): ">=", (True, False): "<", (True, True): "<="}


# The lowest value of a first sort key, and the one that it stays below; None: no such end.
Span = tuple[Any, Any]
ANYWHERE: Span = (None, None)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page lies: after a row's sort key, or before it (`back`); `with_it`: that row is part of the page."""

    key: tuple[Any, ...]
    back: bool = False
    with_it: bool = False

    def cursor(self) -> str:
        """The place as a cursor."""
        way = _WAYS.get((self.back, self.with_it))
        return encode_cursor(*self.key, *([way] if way else []))

    def opposite(self) -> "Place":
        """The place of the rows that are not on this side."""
        return replace(self, back=not self.back, with_it=not self.with_it)


@dataclass(frozen=True)
class Order:
    """An order without ties: the sort keys' names in a row with their types, all in one direction.

    `sql` says what a key is in a statement where that is not its name.
    """

    keys: Mapping[str, type]
    descending: bool = False
    sql: Mapping[str, str] = field(default_factory=dict)

    def place(self, cursor: str | None) -> Place | None:
        """The place that a cursor means. Raises StaleCursor."""
        if not cursor:
            return None
        known = len(self.keys)
        try:
            *key, last = decode_cursor(cursor, known + 1)
            back, with_it = next(way for way, said in _WAYS.items() if said == last)
        except StaleCursor:
            key, back, with_it = decode_cursor(cursor, known), False, False
        except StopIteration:
            raise StaleCursor() from None
        try:
            read = tuple(_READ[kind](part) for part, kind in zip(key, self.keys.values(), strict=True))
        except (ValueError, TypeError, AttributeError):
            raise StaleCursor() from None
        return Place(read, back, with_it)

    def columns(self) -> list[str]:
        """The keys as SQL."""
        return [self.sql.get(name, name) for name in self.keys]

    def by(self, place: Place | None = None, prefix: str = "") -> str:
        """What a statement is ordered by, so that the rows nearest to the place come first."""
        way = " DESC" if self.descending != bool(place and place.back) else ""
        return ", ".join(f"{prefix}{column}{way}" for column in self.columns())

    def beside(self, place: Place | None, span: Span = ANYWHERE) -> str:
        """The condition that rows lie at the place, with " AND " before it, and their first key in the span.

        An end of the span that the place implies is left out: an index would be read from there on and not from the place.
        """
        first, later = self.columns()[0], place and self.descending == place.back
        found = ""
        if span[0] is not None and not (place and later and place.key[0] >= span[0]):
            found += f" AND {first} >= %(lowest)s"
        if span[1] is not None and not (place and not later and place.key[0] < span[1]):
            found += f" AND {first} < %(beyond)s"
        if place is None:
            return found
        sign = (">" if later else "<") + ("=" if place.with_it else "")
        marks = ", ".join(f"%(at_{name})s" for name in self.keys)
        return f"{found} AND ({', '.join(self.columns())}) {sign} ({marks})"

    def values(self, place: Place | None, span: Span = ANYWHERE) -> dict[str, Any]:
        """The values of that condition."""
        ends = {"lowest": span[0], "beyond": span[1]}
        return ends | {
            f"at_{name}": part for name, part in zip(self.keys, place.key if place else (), strict=False)
        }

    def key_of(self, row: Any) -> tuple[Any, ...]:
        """The sort key of a row."""
        return tuple(row[name] if isinstance(row, Mapping) else getattr(row, name) for name in self.keys)

    def page(
        self,
        cursor: str | None,
        limit: int,
        read: Callable[[Place | None], Sequence[T]],
        key: Callable[[T], tuple[Any, ...]] | None = None,
    ) -> Page[T]:
        """A page from what `read(place)` gives: at most `limit + 1` rows, those nearest to the place first.

        Going back to the beginning leads to the first page, which is as long as any other. Raises StaleCursor.
        """
        return self.bounded(cursor, limit, lambda place: (read(place), None), key)[0]

    def bounded(
        self,
        cursor: str | None,
        limit: int,
        read: Callable[[Place | None], tuple[Sequence[T], T | None]],
        key: Callable[[T], tuple[Any, ...]] | None = None,
    ) -> tuple[Page[T], Any]:
        """As `page`, where `read` also gives the row up to which it looked, None for all there are.

        Also gives the first key of that row where the page ends there and not where the list goes back.
        """
        place = self.place(cursor)
        rows, end = read(place)
        if place and place.back and len(rows) < limit and end is None:
            place = None
            rows, end = read(None)
        back, full = bool(place and place.back), len(rows) > limit
        last = rows[limit - 1] if full else end
        onward = Place((key or self.key_of)(last), back).cursor() if last is not None else None
        behind = place.opposite().cursor() if place else None
        items = list(rows[:limit])
        page = Page(items[::-1], behind, onward, back) if back else Page(items, onward, behind)
        until = None if full or back or onward is None else self.key_of(end)[0]
        return page, until


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """So many rows of a table that have an instant "at" and an id: from a place on, between two instants."""

    order: Order
    place: Place | None
    limit: int
    span: Span = ANYWHERE

    def within(self, at: str = "at") -> str:
        """The condition that rows belong to it, with " AND " before it; `at` is the column of the instant."""
        return replace(self.order, sql={"at": at}).beside(self.place, self.span)

    def by(self, at: str = "at") -> str:
        """What rows are ordered by."""
        return replace(self.order, sql={"at": at}).by(self.place)

    def values(self, shop: UUID) -> dict[str, Any]:
        """The values of a statement, named shop and limit, and those of `within`."""
        return {"shop": shop, "limit": self.limit, **self.order.values(self.place, self.span)}
