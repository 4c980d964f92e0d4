"""The rows of a table. They are written here and not by a macro: a page has hundreds of cells."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import repeat
from typing import Any

from markupsafe import Markup

from app.core.i18n import mark
from app.web import filters, marks
from app.web.addresses import Params, address
from app.web.locale import noun, sentence, sentences
from app.web.markup import escaped, markup

_NUMERIC = frozenset({"number", "money", "percent"})
_SELECT, _SELECT_ALL = mark("Select %(name)s"), mark("Select all rows on this page")
_NONE: Mapping[str, Any] = {}
OwnCell = Callable[[Any, str], str]


def _text(value: Any, _: str) -> str:
    return f"<bdi>{escaped(value)}</bdi>"


# How a value of each kind is said; the second argument is the currency. What has no kind is text.
_SAID: dict[str, Callable[[Any, str], str]] = {
    "number": lambda value, _: f"<bdi>{filters.number(value)}</bdi>",
    "money": lambda value, currency: f"<bdi>{filters.money(value, currency)}</bdi>",
    "percent": lambda value, _: f"<bdi>{filters.percent(value)}</bdi>",
    "status": lambda value, _: marks.status(value),
    "date": lambda value, _: marks.moment(value) if isinstance(value, datetime) else filters.date_text(value),
    "code": lambda value, _: marks.code(value),
    "actions": lambda _, __: "",
}


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of `data_table` as it is written: its classes, and what stands around a value."""

    key: str
    label: str
    kind: str
    classes: str
    sorts: Sequence[Any]
    words: Mapping[Any, str]
    cell: Callable[[Any], str] | None
    cells: Callable[[Sequence[Any]], list[str]] | None
    unit: tuple[str, str] | None
    opening: str
    closing: str

    def written(self, rows: Sequence[Any], currency: str, own: OwnCell | None) -> list[str]:
        """The cells of the rows in the reader's language, as markup; what is not known is an en dash."""
        if self.cells is not None:
            said = self.cells(rows)
        elif self.cell is not None:
            said = [self.cell(row) for row in rows]
        else:
            said = self._said(rows, currency)
            mine = [own(row, self.key).strip() for row in rows] if own is not None else []
            if self.unit is not None:
                return self._counted(self.unit, rows, said, mine)
            said = [text or its for text, its in zip(mine, said, strict=True)] if mine else said
        opening, closing = self.opening, self.closing
        return [f"{opening}{text}{closing}" for text in said]

    def _counted(
        self, forms: tuple[str, str], rows: Sequence[Any], said: list[str], mine: list[str]
    ) -> list[str]:
        """Cells of numbers, each with the word of its unit unless the page says it in its own way."""
        bare, closing = self.opening.removesuffix(">"), self.closing
        cells = []
        for row, text, other in zip(rows, said, mine or repeat(""), strict=False):
            value = None if other else _of(row, self.key)
            word = ""
            if isinstance(value, (int, float, Decimal)):
                word = f' data-unit="{escaped(noun(forms, value))}"'
            cells.append(f"{bare}{word}>{other or text}{closing}")
        return cells

    def _said(self, rows: Sequence[Any], currency: str) -> list[str]:
        say, key = _SAID.get(self.kind, _text), self.key
        unknown = "" if self.kind == "actions" else "–"
        values = [row.get(key) if isinstance(row, dict) else getattr(row, key, None) for row in rows]
        if not self.words:
            return [unknown if value is None else say(value, currency) for value in values]
        present = {value for value in values if isinstance(value, Hashable)}
        words = {value: sentence(self.words[value]) for value in self.words.keys() & present}
        if self.kind == "status":
            words = {value: marks.status(value, word) for value, word in words.items()}
        return [
            unknown
            if value is None
            else words[value]
            if isinstance(value, Hashable) and value in words
            else say(value, currency)
            for value in values
        ]


def table_columns(columns: Iterable[Mapping[str, Any]]) -> list[TableColumn]:
    """The columns as `data_table` accepts them, with the place of each in the list that a phone shows."""
    found: list[TableColumn] = []
    taken: set[str] = set()
    for column in columns:
        kind = column.get("kind") or "text"
        place = column.get("phone") or _place(kind, not found, taken)
        taken.add(place)
        classes = _classes(kind, place, column.get("priority") or 1)
        tag, role = ("td", "cell") if found else ('th scope="row"', "rowheader")
        unit = column.get("unit") if found else None
        word = f' data-unit="{escaped(unit)}"' if isinstance(unit, str) and unit else ""
        found.append(
            TableColumn(
                column["key"],
                column["label"],
                kind,
                classes,
                column.get("sorts") or (),
                column.get("words") or {},
                column.get("cell"),
                column.get("cells"),
                unit if isinstance(unit, tuple) else None,
                f'<{tag} role="{role}" class="{classes}"{word}>',
                f"</{tag[:2]}>",
            )
        )
    return found


def _place(kind: str, first: bool, taken: set[str]) -> str:
    if kind == "actions":
        return ""
    place = "main" if first else "key" if kind in _NUMERIC else {"status": "mark", "date": "note"}.get(kind)
    return place if place and place not in taken else "hide"


def _classes(kind: str, place: str, priority: int) -> str:
    words = ["cell-number" if kind in _NUMERIC else f"cell-{kind}"]
    words += ["cell-main"] if place == "main" else []
    words += ["cell-key"] if place == "key" and kind in _NUMERIC else []
    words += ["cell-second"] if priority > 1 else []
    words += [f"on-phone-{place}"] if place and place != "hide" else []
    return " ".join(words)


def table_head(
    table: str,
    columns: Sequence[TableColumn],
    url: str | None = None,
    params: Params = _NONE,
    sort: str | None = None,
    select: bool = False,
) -> Markup:
    """The row of headings: with `select` a box for all rows, and links where a column can be sorted."""
    box = (
        f'<th scope="col" role="columnheader" class="cell-select"><label class="hit"><input class="check" type="checkbox"'
        f' id="{escaped(table)}-all" data-select-all><span class="sr">{sentence(_SELECT_ALL)}</span></label></th>'
        if select
        else ""
    )
    return markup(box + "".join([_heading(column, url, params, sort) for column in columns]))


def _heading(column: TableColumn, url: str | None, params: Params, sort: str | None) -> str:
    now = next((one for one in column.sorts if _of(one, "value") == sort), None)
    next_ = next((one for one in column.sorts if one is not now), None)
    label, sorted_ = escaped(column.label), ""
    if column.kind == "actions":
        label = f'<span class="sr">{label}</span>'
    elif now or next_:
        down = _of(now or next_, "descending")
        label = f"{label}{marks.icon('arrow-down' if down else 'arrow-up', small=True)}"
        if next_:
            there = address(url or "", params, {"sort": _of(next_, "value")})
            label = f'<a href="{escaped(there)}">{label}</a>'
        else:
            label = f'<span class="sorted">{label}</span>'
    if now:
        sorted_ = f' aria-sort="{"descending" if _of(now, "descending") else "ascending"}"'
    classes = column.classes.replace("on-phone-", "at-")
    return f'<th scope="col" role="columnheader" class="{classes}"{sorted_}>{label}</th>\n'


def table_rows(
    table: str,
    columns: Sequence[TableColumn],
    rows: Iterable[Any],
    row_id: str,
    currency: str = "",
    own: OwnCell | None = None,
    select: tuple[str, str, str] | None = None,
) -> Markup:
    """The rows of the table with that id.

    `own(row, key)` writes the cells of columns that have no `cell`, and what it leaves empty is shown by its kind. `select`
    puts a box before each row: the field's name, the attribute that it carries, and the one that names the row.
    """
    table, rows = escaped(table), list(rows)
    keys = [escaped(_of(row, row_id)) for row in rows]
    parts = [column.written(rows, currency, own) for column in columns]
    if select:
        name, carried, named = select
        values = keys if carried == row_id else [escaped(_of(row, carried)) for row in rows]
        parts.insert(0, _boxes(table, name, keys, values, [_of(row, named) for row in rows]))
    turn = [0] + [-1] * len(rows)
    return markup(
        "".join(
            [
                f'<tr role="row" id="{table}-{key}" tabindex="{index}">\n{"".join(cells)}</tr>\n'
                for key, index, cells in zip(keys, turn, zip(*parts, strict=True), strict=False)
            ]
        )
    )


def _boxes(table: str, field: str, keys: list[str], values: list[str], names: list[Any]) -> list[str]:
    """The boxes before the rows."""
    return [
        f'<td role="cell" class="cell-select"><label class="hit"><input class="check" type="checkbox" id="{table}-{key}-box"'
        f' name="{field}" value="{value}" form="{table}-chosen" data-select><span class="sr">{said}</span></label></td>'
        for key, value, said in zip(keys, values, sentences(_SELECT, name=names), strict=True)
    ]


def _of(row: Any, key: str) -> Any:
    return row.get(key) if isinstance(row, dict) else getattr(row, key, None)
