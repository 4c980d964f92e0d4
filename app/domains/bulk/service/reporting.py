"""The report of a run: every row with its result, as a file that a spreadsheet reads and does not compute."""

import csv
import io
from collections.abc import Iterator
from typing import Any, cast
from uuid import UUID

from app.core.db import unit_of_work
from app.core.i18n import mark, translate
from app.core.paging import encode_cursor
from app.domains.bulk import queries, rules
from app.domains.bulk.schemas import State
from app.domains.bulk.service.wording import PROBLEMS, STATES
from app.domains.members import service as members
from app.domains.members.schemas import Profile

_SLICE = 1_000
_HEADER = (
    mark("Line"),
    mark("Member"),
    mark("E-mail"),
    mark("Member id"),
    mark("Points"),
    mark("Reason"),
    mark("Result"),
    mark("Why"),
)


def report(shop_id: UUID, run_id: UUID, locale: str, state: State | None = None) -> Iterator[bytes]:
    """Every row of a run, or those in one state, as CSV in UTF-8 with its mark; a slice of rows is held at a time."""
    yield "\ufeff".encode() + _lines([[translate(locale, word) for word in _HEADER]])
    cursor: str | None = None
    while True:
        with unit_of_work(shop_id) as uow:
            here = queries.run(uow, run_id)
            if here is None:
                return
            page = queries.rows(uow, here, state, _SLICE, cursor)
            people = members.profiles(uow, {row["member_id"] for row in page.items if row["member_id"]})
        if page.items:
            yield _lines(
                [_cells(row, people.get(row["member_id"]), here.reason, locale) for row in page.items]
            )
        if page.next_cursor is None:
            return
        cursor = encode_cursor(page.items[-1]["n"])


def _cells(row: dict[str, Any], who: Profile | None, reason: str, locale: str) -> list[Any]:
    problem = row["problem"]
    return [
        row["n"],
        rules.safe_cell(who.name) if who else "",
        rules.safe_cell(who.email or "") if who else "",
        row["member_id"] or "",
        "" if row["points"] is None else row["points"],
        rules.safe_cell(row["reason"] or reason),
        translate(locale, STATES[cast(State, row["state"])]),
        translate(locale, PROBLEMS[problem]) if problem else "",
    ]


def _lines(rows: list[list[Any]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()
