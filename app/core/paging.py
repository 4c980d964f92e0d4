"""Keyset paging: opaque cursors that hold the last row's sort key, and bounded pages."""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

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
    """A bounded slice of a list. Cursors are None at the ends."""

    items: list[T]
    next_cursor: str | None = None
    previous_cursor: str | None = None


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
