"""Declared lists: one description of columns, filters, orders and rows serves the page, its saved views and its CSV file."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, Protocol
from uuid import UUID

from babel.support import NullTranslations
from flask import current_app
from pydantic import BaseModel
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from app.core.db import UnitOfWork
from app.core.i18n import mark
from app.core.paging import MAX_CHOSEN, Found, Page
from app.core.permissions import Permission
from app.web import filters
from app.web.addresses import address, as_text
from app.web.context import Context
from app.web.form_input import numeric_names
from app.web.locale import catalog, sentence
from app.web.pages import asked_values
from app.web.query_input import parse_view_query
from app.web.rendering import admin, page_url, tab_url
from app.web.tables import TableColumn, table_columns
from app.web.weaving import Parts

Kind = Literal["text", "number", "money", "percent", "status", "date", "code", "actions"]
Row = dict[str, Any]
# What of a query says where one is, not what is shown.
PLACES = frozenset({"cursor", "limit", "open"})
ALL_VIEW = "all"
_FROM, _TO = mark("from"), mark("to")


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A column. `label` is marked; the first column and actions are always there.

    `shown` columns are those a list begins with; `priority` 2 leaves narrow frames, `phone` is the place in the list that a
    phone shows (main, key, note, mark, more, hide). `words` says values in marked words, here and in the file; `value` gives
    what the file holds when it is not `row[key]`, `unit` is the word that a phone shows beside a number (`mark_plural`) or
    an amount, `field` is its name in an API key's file when JSON has another than `key`,
    and `exported` is False for what no file holds. `cell` writes the cell of a row as markup, `cells` those of all rows
    as parts to be woven; without them the page does, or its kind.
    """

    key: str
    label: str
    kind: Kind = "text"
    shown: bool = True
    priority: int = 1
    phone: str | None = None
    unit: str | tuple[str, str] | None = None
    words: Mapping[Any, str] | None = None
    value: Callable[[Row], Any] | None = None
    exported: bool = True
    cell: Callable[[Row], str] | None = None
    cells: Callable[[Sequence[Row]], Parts] | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """The search field: a parameter and the marked words that say what is searched."""

    name: str
    label: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter with values to choose from. `options` are (value, marked label); None: the page gives them.

    `more` puts it among "More filters".
    """

    name: str
    label: str
    options: tuple[tuple[str, str], ...] | None = None
    more: bool = False


@dataclass(frozen=True, slots=True)
class Between:
    """Two parameters between which a number or a day lies; it stands among "More filters"."""

    start: str
    end: str
    label: str
    kind: Literal["number", "date"] = "number"


@dataclass(frozen=True, slots=True)
class Given:
    """A parameter that only links set: shown as a chip that can be removed, with the marked words `value`."""

    name: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Sort:
    """An order that has an index: the value of "sort", marked words, and the column whose heading asks for it."""

    value: str
    label: str
    column: str | None = None
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Ready:
    """A view that every shop has: marked words and the parameters it sets."""

    label: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BulkAction:
    """What can be done to chosen rows: `page` ("bulk-actions.new") gets ?selection=<id>. Shown once that page exists."""

    key: str
    label: str
    page: str
    permission: Permission
    icon: str = "layers"


@dataclass(frozen=True, slots=True, eq=False)
class ListSpec:
    """A list of the admin. `title` is marked and says what the rows are; `place` is its tab or page ("members.duplicates").

    `query` is the model of its parameters: every filter, "sort", and the page's cursor and limit. `rows(ctx, query)` reads
    one page; a place with path parameters gives them too.
    `slices` yields rows for the file, where that is not page after page of `rows`. `csv` is the address of the file.
    `chosen` is what of a row the bulk actions get. `matching(filters, place)` says "all that match" as filters of the
    members list; without it, rows are taken one by one.
    """

    key: str
    title: str
    place: str
    permission: Permission
    query: type[BaseModel]
    rows: Callable[..., Found]
    columns: tuple[Column, ...]
    csv: str | None = None
    search: Search | None = None
    filters: tuple[Choice | Between | Given, ...] = ()
    sorts: tuple[Sort, ...] = ()
    ready: tuple[Ready, ...] = ()
    bulk: tuple[BulkAction, ...] = ()
    slices: Callable[..., Iterator[list[Row]]] | None = None
    chosen: str = "id"
    matching: Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]] | None = None

    def column(self, key: str) -> Column | None:
        """The column of that key."""
        return next((one for one in self.columns if one.key == key), None)

    def fixed(self, column: Column) -> bool:
        """Whether a column is always there."""
        return column is self.columns[0] or column.kind == "actions"

    def usual(self) -> tuple[str, ...]:
        """The columns that the list begins with."""
        return tuple(one.key for one in self.columns if one.shown)

    def known(self, keys: Sequence[str]) -> tuple[str, ...]:
        """Those of the keys that are columns, in the list's order, with those that are always there."""
        return tuple(one.key for one in self.columns if one.key in keys or self.fixed(one))


class SavedView(Protocol):
    """A view that the shop keeps (lists domain)."""

    @property
    def id(self) -> UUID: ...
    @property
    def name(self) -> str: ...
    @property
    def query(self) -> dict[str, Any]: ...
    @property
    def columns(self) -> tuple[str, ...] | None: ...
    @property
    def shared(self) -> bool: ...


class Kept(Protocol):
    """What a person keeps of a list (lists domain)."""

    @property
    def views(self) -> Sequence[SavedView]: ...
    @property
    def columns(self) -> tuple[str, ...] | None: ...
    @property
    def view_id(self) -> UUID | None: ...


class ListKeeper(Protocol):
    """Where views and choices are kept, and downloads are noted (lists domain)."""

    def kept(self, uow: UnitOfWork, staff_id: UUID, list_key: str) -> Kept: ...
    def units(self, uow: UnitOfWork) -> tuple[str, str]: ...
    def exported(
        self, uow: UnitOfWork, list_key: str, query: Mapping[str, Any], columns: Sequence[str]
    ) -> None: ...


_keepers: list[ListKeeper] = []
_declared: dict[str, ListSpec] = {}


def register_list_keeper(keeper: ListKeeper) -> None:
    """Say where views are kept (lists domain); the last one registered counts."""
    _keepers[:] = [keeper]


def keeper() -> ListKeeper:
    """Where views are kept."""
    return _keepers[0]


def declare_list(spec: ListSpec) -> ListSpec:
    """Make a list known under its key. A key twice is a mistake, and so is an order or filter without its parameter."""
    names = spec.query.model_fields
    asked = [one.name for one in spec.filters if not isinstance(one, Between)]
    asked += [name for one in spec.filters if isinstance(one, Between) for name in (one.start, one.end)]
    asked += [spec.search.name] if spec.search else []
    asked += ["sort"] if spec.sorts else []
    asked += [name for one in spec.ready for name in one.values]
    missing = set(asked) - set(names)
    if missing or _declared.get(spec.key, spec).place != spec.place:
        raise ValueError(
            f"list {spec.key}: {sorted(missing)} is no parameter"
            if missing
            else f"list {spec.key} is declared twice"
        )
    _declared[spec.key] = spec
    return spec


def declared() -> dict[str, ListSpec]:
    """Every declared list by key."""
    return dict(_declared)


def parameters(query: BaseModel) -> dict[str, Any]:
    """What a query asks for, as JSON values without defaults and without the place in the list."""
    found = query.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return {name: value for name, value in found.items() if name not in PLACES}


def kept_parameters(spec: ListSpec, query: BaseModel) -> dict[str, Any]:
    """What a saved view keeps: without what somebody searched for, which may name a person."""
    return {
        name: value
        for name, value in parameters(query).items()
        if not spec.search or name != spec.search.name
    }


def place_of(spec: ListSpec, path: str) -> dict[str, Any] | None:
    """The path parameters in an address of a list; None for the address of something else."""
    try:
        found, place = current_app.url_map.bind("").match(path)
    except HTTPException:
        return None
    return dict(place) if found in (f"page.{spec.place}", f"tab.{spec.place}") else None


def query_of(spec: ListSpec, values: Mapping[str, Any]) -> Any:
    """The list's query of kept parameters; what no longer exists is left out."""
    return parse_view_query(MultiDict((name, as_text(value)) for name, value in values.items()), spec.query)


def headings(columns: Iterable[Column], sorts: Iterable[Sort] = ()) -> list[TableColumn]:
    """Columns in the reader's words, as `data_table` takes them: of a list, or of a table that shows its first rows."""
    return _headings(catalog(), tuple(columns), tuple(sorts))


@lru_cache(maxsize=1_024)
def _headings(_: NullTranslations, columns: tuple[Column, ...], sorts: tuple[Sort, ...]) -> list[TableColumn]:
    """The same for every shop: nothing of a column is a shop's own."""
    return table_columns(
        {
            "key": one.key,
            "label": sentence(one.label),
            "kind": one.kind,
            "priority": one.priority,
            "phone": one.phone,
            "unit": sentence(one.unit) if isinstance(one.unit, str) else one.unit,
            "sorts": [order for order in sorts if order.column == one.key],
            "words": one.words,
            "cell": one.cell,
            "cells": one.cells,
        }
        for one in columns
    )


@dataclass(slots=True)
class ListView:
    """A list as a page shows it; `record_list` in macros/lists.html renders it."""

    spec: ListSpec
    query: Any
    found: Found
    url: str
    params: dict[str, Any]
    columns: tuple[Column, ...]
    views: Sequence[SavedView]
    view: SavedView | None
    changed: bool
    options: Mapping[str, Sequence[tuple[Any, str]]]
    csv: str | None
    actions: list[BulkAction]
    unread: dict[str, str] = field(default_factory=dict)

    @classmethod
    def bare(cls, spec: ListSpec, url: str, csv: str | None = None) -> "ListView":
        """The list as it is for every shop, of which nothing is asked."""
        return cls(spec, spec.query(), Found(Page([])), url, {}, (), (), None, False, {}, csv, [])

    @property
    def untouched(self) -> bool:
        """Whether nothing is asked of it and nobody kept a view."""
        return not (self.params or self.views or self.unread)

    @property
    def at(self) -> str:
        """The address of what is shown, without the place in the list."""
        return address(self.url, self.params)

    @property
    def narrowed(self) -> bool:
        """Whether a filter or a search leaves anything out."""
        return bool(self.params.keys() - {"sort", "view"})

    @property
    def plain(self) -> bool:
        """Whether neither a filter nor a view is chosen."""
        return not self.narrowed and self.view is None

    @property
    def onward(self) -> str | None:
        """The cursor with which looking goes on in the direction of a page that shows nothing."""
        page = self.found.page
        return page.previous_cursor if page.back else page.next_cursor

    @property
    def takes_all(self) -> bool:
        """Whether all that match can be chosen, not only those that are ticked."""
        total = self.found.total
        return self.spec.matching is not None or (total is not None and total <= MAX_CHOSEN)

    @property
    def clear(self) -> str:
        """The address without filters."""
        return address(self.url, {"view": ALL_VIEW})

    def link(self, view: SavedView) -> str:
        """The address of a saved view."""
        return address(self.url, {**view.query, "view": view.id})

    def shows(self, ready: Ready) -> bool:
        """Whether a ready view is what is shown."""
        return self.view is None and {
            name: value for name, value in self.params.items() if name not in ("sort", "view")
        } == dict(ready.values)

    def headings(self) -> list[TableColumn]:
        """The columns in the reader's words, as `data_table` takes them."""
        return headings(self.columns, self.spec.sorts)

    def said(self) -> "Said":
        """The filters and orders in the reader's words."""
        said = Said(sorts=[(one.value, sentence(one.label)) for one in self.spec.sorts])
        for one in self.spec.filters:
            label = sentence(one.label)
            if isinstance(one, Between):
                said.add_range(one, label, self.query)
                continue
            asked = getattr(self.query, one.name)
            if isinstance(one, Given):
                words: str | None = sentence(one.value)
            else:
                options = self._options(one)
                said.add_choice(one, label, options)
                words = dict(options).get(str(asked), asked) if one.more else None
            if asked and words:
                said.chips.append({"name": one.name, "label": label, "value": words})
        return said

    def _options(self, choice: Choice) -> list[tuple[Any, str]]:
        """The values of a filter in marked or shop's words."""
        if choice.options is None:
            return list(self.options.get(choice.name, ()))
        return [(value, sentence(label)) for value, label in choice.options]


@dataclass(slots=True)
class Said:
    """What narrows and orders a list, as `filter_bar` and `more_filters` of macros/lists.html take it."""

    sorts: list[tuple[str, str]]
    selects: list[dict[str, Any]] = field(default_factory=list)
    choices: list[tuple[str, str, Sequence[tuple[Any, str]]]] = field(default_factory=list)
    between: list[dict[str, Any]] = field(default_factory=list)
    chips: list[dict[str, Any]] = field(default_factory=list)

    def add_choice(self, choice: Choice, label: str, options: Sequence[tuple[Any, str]]) -> None:
        """A filter with values, in the bar or among "More filters"; one without values is left out."""
        if options and choice.more:
            self.choices.append((choice.name, label, options))
        elif options:
            self.selects.append({"name": choice.name, "label": label, "options": options})

    def add_range(self, one: Between, label: str, query: Any) -> None:
        """Two parameters, and a chip for each of them that is asked for."""
        self.between.append({"start": one.start, "end": one.end, "label": label, "kind": one.kind})
        for name, words in ((one.start, _FROM), (one.end, _TO)):
            asked = getattr(query, name)
            if asked is not None:
                value = filters.date_text(asked) if one.kind == "date" else filters.points(asked)
                chip = {"name": name, "label": f"{label} {sentence(words)}", "value": value}
                self.chips.append(chip)


def show_list(
    ctx: Context,
    spec: ListSpec,
    query: Any,
    *,
    place: Mapping[str, Any] | None = None,
    options: Mapping[str, Sequence[tuple[Any, str]]] | None = None,
) -> ListView:
    """A list for a page: rows as asked, the person's views and columns. `place` fills the page's path parameters.

    An address without parameters opens the view that the person opens the list with.
    """
    kept = keeper().kept(ctx.uow, UUID(ctx.principal.id), spec.key)
    asked = asked_values()
    wanted = asked.get("view")
    if not any(name in spec.query.model_fields or name == "view" for name in asked if name not in PLACES):
        first = next((one for one in kept.views if one.id == kept.view_id), None)
        query, wanted = (query_of(spec, first.query), str(first.id)) if first else (query, None)
    view = next((one for one in kept.views if str(one.id) == wanted), None)
    filters = parameters(query)
    chosen = (view.columns if view else None) or kept.columns or spec.usual()
    place = place or {}
    url = page_url(spec.place, **place) if "." in spec.place else tab_url(spec.place)
    known = spec.known(chosen)
    params = filters | ({"view": str(view.id)} if view else {"view": ALL_VIEW} if wanted == ALL_VIEW else {})
    return ListView(
        spec=spec,
        query=query,
        found=spec.rows(ctx, query, **place),
        url=url,
        params=params,
        columns=tuple(one for one in spec.columns if one.key in known),
        views=kept.views,
        view=view,
        changed=view is not None and parameters(query_of(spec, view.query)) != filters,
        options=options or {},
        csv=_csv(spec, place, filters, known),
        actions=_actions(ctx, spec),
        unread=_unread(asked, spec, query),
    )


def _csv(
    spec: ListSpec, place: Mapping[str, Any], filters: Mapping[str, Any], columns: Sequence[str]
) -> str | None:
    if spec.csv is None:
        return None
    exported = [
        key
        for key in columns
        if (column := spec.column(key)) and column.exported and column.kind != "actions"
    ]
    return address(spec.csv.format(**place), {**filters, "columns": exported})


def _actions(ctx: Context, spec: ListSpec) -> list[BulkAction]:
    pages = admin().tabs.pages
    return [one for one in spec.bulk if one.page in pages and ctx.can(one.permission)]


def _unread(asked: Mapping[str, str], spec: ListSpec, query: BaseModel) -> dict[str, str]:
    """Numbers that could not be read, as they were typed."""
    numeric = numeric_names(spec.query) - PLACES
    return {
        name: text
        for name, text in asked.items()
        if name in numeric and text.strip() and getattr(query, name) is None
    }
