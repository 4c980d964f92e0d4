"""Connections: pages of a sorted list with cursors."""

import base64
import json
from collections.abc import Callable, Iterable
from typing import Any

from graphql import GraphQLError

from devstore.admin_api.call import Node
from devstore.state import Doc

Sorting = Callable[[Doc], Any]


def connection(
    items: Iterable[Doc],
    node: Callable[[Doc], Node],
    sort: Sorting = lambda item: item["id"],
    *,
    first: int | None = None,
    last: int | None = None,
    after: str | None = None,
    before: str | None = None,
    reverse: bool = False,
    **_: Any,
) -> Node:
    """One page. Ties are broken by id, so a cursor stays good when other items come, change or go.

    Raises GraphQLError for impossible arguments.
    """
    size = first if first is not None else last
    if size is None:
        raise GraphQLError("you must provide one of first or last", extensions={"code": "BAD_REQUEST"})
    if not 0 < size <= 250:
        raise GraphQLError("first and last must be between 1 and 250", extensions={"code": "BAD_REQUEST"})

    def place(item: Doc) -> tuple[Any, int]:
        return sort(item), item["id"]

    ordered = sorted(items, key=place, reverse=reverse)
    begin, end = _read(after), _read(before)
    if begin is not None:
        ordered = [item for item in ordered if (place(item) < begin if reverse else place(item) > begin)]
    if end is not None:
        ordered = [item for item in ordered if (place(item) > end if reverse else place(item) < end)]
    page = ordered[:size] if first is not None else ordered[-size:]
    more = len(ordered) > len(page)
    nodes = [node(item) for item in page]
    cursors = [_write(place(item)) for item in page]
    return {
        "nodes": nodes,
        "edges": [{"node": each, "cursor": cursor} for each, cursor in zip(nodes, cursors, strict=True)],
        "pageInfo": {
            "hasNextPage": more if first is not None else end is not None,
            "hasPreviousPage": begin is not None if first is not None else more,
            "startCursor": cursors[0] if cursors else None,
            "endCursor": cursors[-1] if cursors else None,
        },
    }


def _write(place: tuple[Any, int]) -> str:
    return base64.b64encode(json.dumps({"last_id": place[1], "last_value": place[0]}).encode()).decode()


def _read(cursor: str | None) -> tuple[Any, int] | None:
    if cursor is None:
        return None
    try:
        given = json.loads(base64.b64decode(cursor, validate=True))
        return given["last_value"], given["last_id"]
    except (ValueError, KeyError, TypeError) as error:
        raise GraphQLError("Invalid cursor for current pagination sort.") from error
