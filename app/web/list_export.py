"""Declared lists as CSV files: what the page shows on all its pages, read slice by slice."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, StringConstraints, create_model

from app.core import db
from app.core.i18n import translate
from app.core.money import to_decimal
from app.web.context import Context
from app.web.endpoints import Download
from app.web.lists import Column, ListSpec, Row, keeper, kept_parameters

SLICE = 1_000
MEDIA_TYPE = "text/csv; charset=utf-8"
# Spreadsheets guess an encoding unless the file begins with this.
_MARK = "\ufeff".encode()
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "−", "＝", "＋", "－", "＠")
_Keys = Annotated[list[Annotated[str, StringConstraints(max_length=60)]], Field(max_length=60)]


def export_query(schema: type[BaseModel]) -> type[Any]:
    """A list's query with `columns`, the keys of the columns that the file holds, for its CSV endpoint."""
    return create_model(
        f"{schema.__name__}File",
        __base__=schema,
        __doc__="What the file holds: rows as the list's filters leave them, and columns.",
        columns=(_Keys, Field(default=[], description="Keys of columns; without any, all of them.")),
    )


def file_locale(ctx: Context) -> str | None:
    """The language of a file's headings and words; None for an API key, whose files have names and codes that stay."""
    return None if ctx.principal.kind == "api_key" else ctx.locale


def download(ctx: Context, spec: ListSpec, query: Any, **place: Any) -> Download:
    """What a list shows on all its pages; noted in the audit trail.

    Staff get headings and words in their language, API keys the names of columns and the codes of values. Instants are
    ISO 8601 in the shop's zone, money is in decimal amounts of its currency. No cell can be read as a formula.
    `place` are the path parameters that the list's rows need.
    """
    ctx.require(spec.permission)
    columns = [one for one in spec.columns if one.exported and one.kind != "actions"]
    chosen = [one for one in columns if one.key in query.columns] or columns
    plain = spec.query.model_validate(query.model_dump(exclude={"columns"}))
    keeper().exported(ctx.uow, spec.key, kept_parameters(spec, plain), [one.key for one in chosen])
    return Download(_lines(ctx, spec, plain, chosen, place), MEDIA_TYPE, f"{spec.key}.csv")


def _lines(
    ctx: Context, spec: ListSpec, query: BaseModel, columns: list[Column], place: Mapping[str, Any]
) -> Iterator[bytes]:
    currency, zone = keeper().units(ctx.uow)
    locale = file_locale(ctx)
    head = _MARK + _csv(
        [[one.field or one.key if locale is None else translate(locale, one.label) for one in columns]]
    )

    def lines() -> Iterator[bytes]:
        yield head
        for rows in (spec.slices or _pages(spec))(ctx, query, **place):
            if rows:
                yield _csv([[_cell(one, row, locale, currency, zone) for one in columns] for row in rows])

    return lines()


def _pages(spec: ListSpec) -> Any:
    def slices(ctx: Context, query: BaseModel, **place: Any) -> Iterator[list[Row]]:
        cursor: str | None = None
        while True:
            with db.unit_of_work(ctx.shop_id, actor=ctx.principal.actor) as uow:
                asked = query.model_copy(update={"cursor": cursor, "limit": SLICE})
                page = spec.rows(replace(ctx, open_uow=uow), asked, **place).page
            yield page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    return slices


def _csv(rows: list[list[Any]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([[_safe(cell) for cell in row] for row in rows])
    return out.getvalue().encode()


def _safe(cell: Any) -> Any:
    """Numbers stay; a text that a spreadsheet would calculate gets an apostrophe."""
    return "'" + cell if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _cell(column: Column, row: Row, locale: str | None, currency: str, zone: str) -> Any:
    value = column.value(row) if column.value else row.get(column.key)
    if value is None:
        return ""
    if column.words is not None and locale is not None:
        return translate(locale, _word(column.words, value))
    if isinstance(value, datetime):
        return value.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds")
    if column.kind == "money":
        return to_decimal(value, currency)
    return value if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool) else str(value)


def _word(words: Mapping[str, str], value: Any) -> str:
    return words.get(str(value), str(value))
