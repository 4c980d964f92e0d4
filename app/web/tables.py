"""The rows of a table. They are written here and not by a macro: a page has hundreds of cells."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from markupsafe import Markup, escape

from app.core.i18n import mark
from app.web import filters, marks
from app.web.locale import sentence

_NUMERIC = frozenset({"number", "money", "percent"})
_SELECT = mark("Select %(name)s")
OwnCell = Callable[[Any, str], str]
# How a value of each kind is said; the second argument is the currency. What has no kind is text.
_SAID: dict[str, Callable[[Any, str], str]] = {
    "number": lambda value, _: f"<bdi>{filters.number(value)}</bdi>",
    "money": lambda value, currency: f"<bdi>{filters.money(value, currency)}</bdi>",
    "percent": lambda value, _: f"<bdi>{filters.percent(value)}</bdi>",
    "status": lambda value, _: marks.status(value),
    "date": lambda value, _: marks.moment(value) if isinstance(value, datetime) else filters.date_text(value),
    "code": lambda value, _: marks.code(value),
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
    opening: str
    closing: str

    def said(self, row: Any, currency: str) -> str:
        """The row's value in the reader's language, as markup; what is not known is an en dash."""
        if self.cell is not None:
            return self.cell(row)
        if self.kind == "actions":
            return ""
        value = _of(row, self.key)
        if value is None:
            return "–"
        if self.words and value in self.words:
            word = sentence(self.words[value])
            return marks.status(value, word) if self.kind == "status" else word
        say = _SAID.get(self.kind)
        return say(value, currency) if say else f"<bdi>{escape(value)}</bdi>"


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
        unit = f' data-unit="{escape(column["unit"])}"' if found and column.get("unit") else ""
        found.append(
            TableColumn(
                column["key"],
                column["label"],
                kind,
                classes,
                column.get("sorts") or (),
                column.get("words") or {},
                column.get("cell"),
                f'<{tag} role="{role}" class="{classes}"{unit}>',
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
    table = escape(table)
    written: list[str] = []
    box = _box(table, *select) if select else None
    for row in rows:
        key = _attribute(_of(row, row_id))
        written.append(f'<tr role="row" id="{table}-{key}" tabindex="{-1 if written else 0}">\n')
        if box:
            written.append(box(row, key))
        for column in columns:
            text = own(row, column.key).strip() if own and column.cell is None else ""
            written += (column.opening, text or column.said(row, currency), column.closing)
        written.append("</tr>\n")
    return marks.markup("".join(written))


def _box(table: str, name: str, carried: str, named: str) -> Callable[[Any, str], str]:
    """What writes the box before a row, given the row and its key."""
    before, after = sentence(_SELECT, name="\0").split("\0")

    def write(row: Any, key: str) -> str:
        return (
            f'<td role="cell" class="cell-select"><label class="hit"><input class="check" type="checkbox"'
            f' id="{table}-{key}-box" name="{name}" value="{_attribute(_of(row, carried))}"'
            f' form="{table}-chosen" data-select>'
            f'<span class="sr">{before}{escape(_of(row, named))}{after}</span></label></td>'
        )

    return write


def _attribute(value: Any) -> str:
    return str(value) if type(value) is UUID else escape(str(value))


def _of(row: Any, key: str) -> Any:
    return row.get(key) if isinstance(row, dict) else getattr(row, key, None)
