"""What stands around the rows of a list: views, bar, pages, and what can be done with chosen rows.

Written here and not by macros, because every page of a list has all of it; `macros/lists.html` hands it to templates. Where
nothing is asked and no view was kept, views and tools are the same for every shop and are kept for each language.
"""

from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any

import orjson
from babel.support import NullTranslations
from markupsafe import Markup

from app.core.i18n import mark
from app.core.paging import Found, Page
from app.web import filters
from app.web.addresses import Params, address
from app.web.buttons import button, icon_button, opener
from app.web.filter_bar import filter_bar, kept_fields, more_filters
from app.web.lists import Choice, ListSpec, ListView, Said
from app.web.locale import catalog, ngettext, sentence
from app.web.marks import icon
from app.web.markup import escaped, markup
from app.web.rendering import action_url, page_url

_NONE: Mapping[str, Any] = {}
_HERE = ' aria-current="true"'
_VIEWS, _ALL, _CHANGED, _SHARED = mark("Saved views"), mark("All"), mark("changed"), mark("Shared")
_EDIT, _SAVE, _COLUMNS, _CSV = mark("Edit view"), mark("Save view"), mark("Columns"), mark("Download CSV")
_PAGES, _PREVIOUS, _NEXT = mark("Pages"), mark("Previous page"), mark("Next page")
_CHOSEN, _ONE, _MANY = mark("Chosen rows"), mark("1 selected"), mark("# selected")
_EVERY, _EVERY_MATCH = mark("All %(total)s selected"), mark("All that match selected")
_TAKE, _TAKE_MATCH = mark("Select all %(total)s that match"), mark("Select all that match")
_CLEAR = mark("Clear selection")


def total_of(found: Found) -> str:
    """How many there are, with a plus where counting stopped; "" when they were not counted."""
    return "" if found.total is None else filters.number(found.total) + ("+" if found.more else "")


def counted(found: Found) -> Markup:
    """How many of how many are shown."""
    shown = len(found.page.items)
    if found.total is None or (found.more and not found.total):
        return ngettext("%(num)s shown", "%(num)s shown", shown)
    numbers = {"shown": filters.number(shown), "total": total_of(found)}
    return ngettext("%(shown)s of %(total)s", "%(shown)s of %(total)s", found.total, **numbers)


def views_line(shown: ListView) -> Markup:
    """Links to the list's views, and buttons to keep what is shown as one."""
    return _usual_views(catalog(), shown.spec, shown.url) if shown.untouched else _views(shown)


@lru_cache(maxsize=512)
def _usual_views(_: NullTranslations, spec: ListSpec, url: str) -> Markup:
    return _views(ListView.bare(spec, url))


def _views(shown: ListView) -> Markup:
    spec, view = shown.spec, shown.view
    links = [_view(shown.clear, sentence(_ALL), shown.plain)]
    links += [
        _view(address(shown.url, one.values), sentence(one.label), shown.shows(one)) for one in spec.ready
    ]
    for one in shown.views:
        here = view is not None and view.id == one.id
        shared = icon("users", sentence(_SHARED), small=True) if one.shared else ""
        changed = f'<span class="views-changed">{sentence(_CHANGED)}</span>' if here and shown.changed else ""
        links.append(_view(shown.link(one), f"{shared}<bdi>{escaped(one.name)}</bdi>{changed}", here))
    acts = [(_SAVE, page_url("home.new_list_view", list_key=spec.key, at=shown.at), "bookmark")]
    if view:
        acts.insert(0, (_EDIT, page_url("home.list_view", view_id=view.id, at=shown.at), "pencil"))
    buttons = [opener(sentence(label), url, "plain", drawn, small=True) for label, url, drawn in acts]
    return markup(
        f'<div class="views-line">\n<nav class="views" aria-label="{sentence(_VIEWS)}: {sentence(spec.title)}">\n'
        f"{''.join(links)}</nav>\n{''.join(buttons)}\n</div>"
    )


def _view(url: str, label: str, here: bool) -> str:
    return f'<a href="{escaped(url)}"{_HERE if here else ""}>{label}</a>'


def list_bar(shown: ListView, table: str, today: date | None, zone: str) -> Markup:
    """The filter bar of a declared list, and its tools: more filters, columns, download."""
    spec, said = shown.spec, shown.said()
    sorts = said.sorts if len(said.sorts) > 1 else []
    bar = ""
    if spec.search or said.selects or said.chips or sorts:
        bar = filter_bar(
            f"{table}-filter",
            shown.url,
            {**shown.params, "sort": shown.query.sort} if said.sorts else shown.params,
            search=spec.search.name if spec.search else None,
            placeholder=sentence(spec.search.label) if spec.search else "",
            chips=said.chips,
            selects=said.selects,
            sorts=sorts,
            count=counted(shown.found),
            label=sentence(spec.title),
        )
    if shown.untouched and not any(
        isinstance(one, Choice) and one.more and one.options is None for one in spec.filters
    ):
        tools = _usual_tools(catalog(), spec, table, shown.url, shown.csv, today, zone)
    else:
        tools = _tools(shown, said, table, today, zone)
    return markup(f'<div class="list-bar">\n{bar}\n{tools}\n</div>')


@lru_cache(maxsize=512)
def _usual_tools(
    _: NullTranslations, spec: ListSpec, table: str, url: str, csv: str | None, today: date | None, zone: str
) -> str:
    shown = ListView.bare(spec, url, csv)
    return _tools(shown, shown.said(), table, today, zone)


def _tools(shown: ListView, said: Said, table: str, today: date | None, zone: str) -> str:
    more, load = "", ""
    if said.between or said.choices:
        more = more_filters(
            f"{table}-more",
            shown.url,
            shown.params,
            between=said.between,
            choices=said.choices,
            today=today,
            zone=zone,
            unread=shown.unread,
        )
    if shown.csv:
        load = button(sentence(_CSV), icon_name="download", attrs={"data-download": shown.csv})
    columns = page_url("home.list_columns", list_key=shown.spec.key, at=shown.at)
    return f'<div class="list-tools">\n{more}{opener(sentence(_COLUMNS), columns, icon_name="columns-3")}\n{load}</div>'


def pager(page: Page[Any], url: str, params: Params = _NONE, words: str = "") -> Markup:
    """Ways to the pages before and after; an empty page that knows neither shows none."""
    if not (page.items or page.previous_cursor or page.next_cursor):
        return markup("")
    ways = (
        (page.previous_cursor, "chevron-left", sentence(_PREVIOUS)),
        (page.next_cursor, "chevron-right", sentence(_NEXT)),
    )
    links = []
    for cursor, name, label in ways:
        drawn = icon(name, small=True)
        if cursor:
            there = escaped(address(url, params, {"cursor": cursor}))
            links.append(
                f'<a class="button button-icon" href="{there}" aria-label="{label}" title="{label}" data-page>{drawn}</a>\n'
            )
        else:
            links.append(
                f'<button class="button button-icon" type="button" disabled aria-label="{label}">{drawn}</button>'
            )
    return markup(
        f'<nav class="pager" aria-label="{sentence(_PAGES)}">\n<span class="number">{escaped(words)}</span>\n'
        f"<div>{''.join(links)}</div>\n</nav>"
    )


def bulk_bar(table: str, total: str | None = None, *, caller: Callable[[], str]) -> Markup:
    """The bar over the pager while rows are chosen, around the buttons that the caller writes.

    `total` says how many match when all of them may be chosen, "" for not counted.
    """
    every = taken = ""
    if total is not None:
        label = sentence(_EVERY, total=total) if total else sentence(_EVERY_MATCH)
        every = f' data-all="{label}"'
        take = sentence(_TAKE, total=total) if total else sentence(_TAKE_MATCH)
        taken = f'<button class="bulk-all" type="button" data-bulk-all>{take}</button>'
    return markup(
        f'<form id="{table}-chosen" hidden><input type="hidden" name="all_matching" value="" data-all-matching></form>\n'
        f'<div class="bulk" role="region" aria-label="{sentence(_CHOSEN)}" data-bulk="{table}" hidden>\n'
        f'<b role="status" data-bulk-count data-one="{sentence(_ONE)}" data-many="{sentence(_MANY)}"{every}></b>\n'
        f'{taken}<span class="bulk-line"></span>\n{caller()}\n'
        f"{icon_button('x', sentence(_CLEAR), attrs={'data-bulk-clear': ''})}\n</div>"
    )


def list_acts(shown: ListView, table: str) -> Markup:
    """What can be done with chosen rows of a declared list, in its bulk bar."""
    url = action_url("home.select", list_key=shown.spec.key)
    posted = {
        "hx-post": url,
        "hx-target": "this",
        "hx-swap": "none",
        "hx-sync": "this:drop",
        "hx-include": f"#{table} [data-select]:checked, #{table}-chosen",
    }

    def buttons() -> str:
        return "".join(
            button(
                sentence(one.label),
                icon_name=one.icon,
                attrs={**posted, "hx-vals": orjson.dumps({"at": shown.at, "then": one.key}).decode()},
            )
            for one in shown.actions
        )

    return bulk_bar(table, total_of(shown.found) if shown.takes_all else None, caller=buttons)


_PARTS = (kept_fields, filter_bar, more_filters, counted, views_line, list_bar, pager, bulk_bar, list_acts)
LIST_PARTS = {one.__name__: one for one in _PARTS}
