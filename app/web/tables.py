"""The rows of a table. They are written here and not by a macro: a page has hundreds of cells."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import compress
from typing import Any

from markupsafe import Markup

from app.core.i18n import mark
from app.core.values import value
from app.web import filters, marks
from app.web.addresses import Params, address
from app.web.laying_aside import laid_aside
from app.web.locale import nouns, sentence, sentences
from app.web.markup import all_escaped, escaped, markup
from app.web.weaving import Part, Parts, apart, woven

_NUMERIC = frozenset({"number", "money", "percent"})
_SELECT, _SELECT_ALL = mark("Select %(name)s"), mark("Select all rows on this page")
_WHOLE, _MOMENTS = frozenset({int}), frozenset({datetime})
_NONE: Mapping[str, Any] = {}
OwnCell = Callable[[Any, str], str]


def _texts(values: Sequence[Any], _: str) -> Parts:
    return "<bdi>", all_escaped(values), "</bdi>"


def _dates(values: Sequence[Any], _: str) -> Parts:
    if frozenset(map(type, values)) == _MOMENTS:
        return marks.moments(values)
    return [[filters.date_text(value) for value in values]]


# How values of each kind are said; the second argument is the currency. What has no kind is text.
_SAID: dict[str, Callable[[Sequence[Any], str], Parts]] = {
    "number": lambda values, _: ("<bdi>", filters.numbers(values), "</bdi>"),
    "money": lambda values, currency: (
        "<bdi>",
        [filters.money(value, currency) for value in values],
        "</bdi>",
    ),
    "percent": lambda values, _: ("<bdi>", [filters.percent(value) for value in values], "</bdi>"),
    "status": lambda values, _: [[marks.status(value) for value in values]],
    "date": _dates,
    "code": lambda values, _: [[marks.code(value) for value in values]],
    "actions": lambda *_: "",
}


@value
class TableColumn:
    """A column of `data_table` as it is written: its classes, and what stands around a value."""

    key: str
    label: str
    kind: str
    classes: str
    sorts: Sequence[Any]
    words: Mapping[Any, str]
    cell: Callable[[Any], str] | None
    cells: Callable[[Sequence[Any]], Parts] | None
    unit: tuple[str, str] | None
    opening: str
    closing: str

    def written(self, rows: Sequence[Any], currency: str, own: OwnCell | None) -> Parts:
        """The cells of the rows in the reader's language; what is not known is an en dash."""
        if self.cells is not None:
            return self.opening, *self.cells(rows), self.closing
        if self.cell is not None:
            return self.opening, [self.cell(row) for row in rows], self.closing
        values = _values(rows, self.key)
        said = self._said(values, currency)
        opening: Parts = [self.opening]
        if own is not None:
            mine = [own(row, self.key).strip() for row in rows]
            values = [None if text else value for text, value in zip(mine, values, strict=True)]
            said = [[text or its for text, its in zip(mine, apart(said, len(rows)), strict=True)]]
        if self.unit is not None:
            opening = (self.opening.removesuffix(">"), _units(self.unit, values), ">")
        return *opening, *said, self.closing

    def _said(self, values: Sequence[Any], currency: str) -> Parts:
        say = _SAID.get(self.kind, _texts)
        words = {value: sentence(self.words[value]) for value in self.words if value in values}
        if self.kind == "status":
            words = {value: marks.status(value, word) for value, word in words.items()}
        if not words and None not in values:
            return say(values, currency)
        unknown = "" if self.kind == "actions" else "–"
        known = [
            unknown if value is None else words.get(value) if value.__hash__ else None for value in values
        ]
        others = [value for value, text in zip(values, known, strict=True) if text is None]
        said = iter(apart(say(others, currency), len(others)))
        return [[next(said) if text is None else text for text in known]]


def _units(forms: tuple[str, str], values: Sequence[Any]) -> list[str]:
    """The attribute with the word for each value that is a number."""
    if frozenset(map(type, values)) == _WHOLE:
        return [f' data-unit="{word}"' for word in nouns(forms, values)]
    counted = [isinstance(value, (int, float, Decimal)) for value in values]
    words = iter(nouns(forms, compress(values, counted)))
    return [f' data-unit="{next(words)}"' if one else "" for one in counted]


def table_columns(columns: Iterable[Mapping[str, Any] | TableColumn]) -> list[TableColumn]:
    """The columns as `data_table` accepts them, with the place of each in the list that a phone shows."""
    found: list[TableColumn] = []
    taken: set[str] = set()
    for column in columns:
        if isinstance(column, TableColumn):
            found.append(column)
            continue
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
    rows = list(rows)
    keys = all_escaped(_values(rows, row_id))
    name = f'<tr role="row" id="{escaped(table)}-'
    parts: list[Part] = [
        name,
        keys,
        '" tabindex="',
        ["-1" if place else "0" for place in range(len(rows))],
        '">\n',
    ]
    if select:
        field, carried, named = select
        values = keys if carried == row_id else all_escaped(_values(rows, carried))
        parts += _boxes(escaped(table), field, keys, values, _values(rows, named))
    for column in columns:
        parts += column.written(rows, currency, own)
    return laid_aside(woven([*parts, "</tr>\n"], len(rows)))


def _boxes(table: str, field: str, keys: list[str], values: list[str], names: list[Any]) -> Parts:
    """The boxes before the rows."""
    return (
        f'<td role="cell" class="cell-select"><label class="hit"><input class="check" type="checkbox" id="{table}-',
        keys,
        f'-box" name="{field}" value="',
        values,
        f'" form="{table}-chosen" data-select><span class="sr">',
        *sentences(_SELECT, name=names),
        "</span></label></td>",
    )


def _of(row: Any, key: str) -> Any:
    return row.get(key) if isinstance(row, dict) else getattr(row, key, None)


def _values(rows: Sequence[Any], key: str) -> list[Any]:
    """What the rows, which are all of one kind, have under a key."""
    if rows and isinstance(rows[0], dict):
        return [row.get(key) for row in rows]
    return [getattr(row, key, None) for row in rows]
