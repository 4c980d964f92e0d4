"""What narrows and orders a list: the filter bar, and the form with the filters that have no place in it.

They are written here and not by macros, because a page of a list has dozens of such parts; `macros/lists.html` hands
them to templates.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from babel.support import NullTranslations
from markupsafe import Markup
from pydantic import BaseModel

from app.core.i18n import mark
from app.web import filters
from app.web.addresses import Params, address, as_text
from app.web.buttons import button
from app.web.date_range import presets
from app.web.dialogs import modal
from app.web.locale import catalog, sentence
from app.web.marks import icon
from app.web.markup import escaped, markup

Options = Iterable[tuple[Any, str]]
_NONE: Mapping[str, Any] = {}
_HERE = frozenset({"cursor", "open", "limit"})
_PRESETS = {
    "today": mark("Today"),
    "days-7": mark("Last 7 days"),
    "days-30": mark("Last 30 days"),
    "days-90": mark("Last 90 days"),
    "quarter": mark("This quarter"),
}
_APPLY, _ALL, _CANCEL = mark("Apply filters"), mark("All"), mark("Cancel")
_SORT, _MORE, _REMOVE = mark("Sort by"), mark("More filters"), mark("Remove filter: %(label)s")
_ENDS = {"date": (mark("First day"), mark("Last day")), "number": (mark("From"), mark("To"))}
_USUAL, _WHOLE = mark("Usual ranges"), mark("Enter a whole number.")
_ZONE = mark("Days begin and end in the time zone of your store, %(zone)s.")


def kept_fields(params: Params, without: Collection[str | None] = ()) -> Markup:
    """The page's parameters as hidden fields of a GET form, without the named ones and those of a page position."""
    kept = (
        params.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        if isinstance(params, BaseModel)
        else params
    )
    fields = [
        f'<input type="hidden" name="{escaped(name)}" value="{escaped(as_text(value))}">\n'
        for name, value in kept.items()
        if name not in without and name not in _HERE
    ]
    return markup("".join(fields))


def filter_bar(  # noqa: PLR0913 - what a bar may hold
    id: str,
    url: str,
    params: Params = _NONE,
    *,
    search: str | None = "q",
    placeholder: str = "",
    chips: Sequence[Mapping[str, Any]] = (),
    selects: Sequence[Mapping[str, Any]] = (),
    sorts: Sequence[tuple[str, str]] = (),
    count: str | None = None,
    label: str | None = None,
) -> Markup:
    """A GET form that keeps its state in the address; typing waits 300 ms.

    `search` is the parameter of the search field (None: no field), `placeholder` what can be searched, also the field's name.
    `chips` are filters in use {name, label, value} with a link that removes them, `selects` filters to choose from
    {name, label, options, none}, where `none` says what is shown when nothing is chosen, else the label does; `sorts` the
    values of "sort"; options are (value, label). `count` is announced; `label` names the bar, else the placeholder or the
    first select does.
    """
    now, there = _now(params), escaped(url)
    called = label or placeholder or selects[0]["label"]
    parts = [_search(f"{id}-q", search, now.get(search) or "", placeholder)] if search else []
    parts += [_chip(one, address(url, params, {one["name"]: None})) for one in chips]
    for one in selects:
        name = escaped(one["label"])
        none = escaped(one.get("none") or one["label"])
        options = f'<option value="">{none}</option>{_options(one["options"], now.get(one["name"]))}'
        parts.append(f"{_select(one['name'], _named(name), options)}\n")
    if sorts:
        ordered = _select("sort", _named(sentence(_SORT)), _options(sorts, now.get("sort")))
        parts.append(f'<span class="filters-end">{ordered}</span>\n')
    said = f'<span class="sr" role="status">{escaped(count)}</span>' if count else ""
    return markup(
        f'<form class="filters" id="{escaped(id)}" role="search" {_named(escaped(called))} method="get" action="{there}"'
        f' data-filters hx-get="{there}" hx-trigger="submit, input delay:300ms, search" hx-target="#main"'
        f' hx-swap="innerMorph" hx-replace-url="true" hx-sync="this:replace">\n'
        f"{kept_fields(params, {search, 'sort', *(one['name'] for one in selects)})}\n{''.join(parts)}"
        f'<button class="sr" type="submit" tabindex="-1">{sentence(_APPLY)}</button>\n{said}</form>'
    )


def more_filters(
    id: str,
    url: str,
    params: Params = _NONE,
    *,
    between: Sequence[Mapping[str, Any]] = (),
    choices: Sequence[tuple[str, str, Options]] = (),
    today: date | None = None,
    zone: str | None = None,
    unread: Mapping[str, str] = _NONE,
) -> Markup:
    """A button that opens a dialog with the filters that have no place in the bar; nothing happens before Apply.

    `between` are ranges {start, end, label, kind="number"|"date"}, `choices` (name, label, options); `today` is the shop's
    present day and `zone` its zone, both for days; `unread` are numbers that could not be read, as typed.
    """
    named = sentence(_MORE)
    asked = {name for one in between for name in (one["start"], one["end"])} | {name for name, *_ in choices}
    dated = zone if any(one.get("kind") == "date" for one in between) else None
    fields = _Fields(escaped(id), _now(params), today, dated, unread)
    parts = [fields.between(one) for one in between]
    if dated:
        told = sentence(_ZONE, zone=filters.isolated(dated))
        parts.append(f'<p class="help" id="{fields.id}-zone">{told}</p>')
    parts += [fields.choice(name, label, options) for name, label, options in choices]

    def form() -> str:
        there, cancel = escaped(url), button(sentence(_CANCEL), attrs={"data-close": ""})
        return (
            f'<form class="form form-dialog" method="get" action="{there}" hx-get="{there}" hx-target="#main"'
            f' hx-swap="innerHTML" hx-push-url="true">\n{kept_fields(params, asked)}\n'
            f'<div class="dialog-body">\n{"".join(parts)}</div>\n'
            f'<div class="dialog-foot">{cancel}{button(sentence(_APPLY), "primary", "submit")}</div>\n</form>\n'
        )

    opens = button(named, icon_name="list-filter", attrs={"data-open": id, "aria-haspopup": "dialog"})
    return markup(f"{opens}\n{modal(id, named, caller=form)}")


@dataclass(frozen=True, slots=True)
class _Fields:
    """What the fields of the dialog share: its id, what is asked for, today, the zone that days are in, unread numbers."""

    id: str
    now: Mapping[str, Any]
    today: date | None
    zone: str | None
    unread: Mapping[str, str]

    def between(self, one: Mapping[str, Any]) -> str:
        """Two fields between which something lies, for days with the usual ranges above them."""
        kind = one.get("kind") or "number"
        ends = [
            self.end(name, sentence(words), kind)
            for name, words in zip((one["start"], one["end"]), _ENDS[kind], strict=True)
        ]
        return (
            f'<fieldset class="field filters-range"{" data-range" if kind == "date" else ""}>'
            f"<legend>{escaped(one['label'])}</legend>\n{self.ranges(one) if kind == 'date' else ''}"
            f'<div class="fields-2">{"".join(ends)}</div>\n</fieldset>\n'
        )

    def ranges(self, one: Mapping[str, Any]) -> str:
        """Buttons that fill in the usual days."""
        if not self.today:
            return ""
        asked = str(self.now.get(one["start"])), str(self.now.get(one["end"]))
        return _ranges(catalog(), self.today, asked)

    def end(self, name: str, label: str, kind: str) -> str:
        """One of two fields; a number that could not be read is shown as it was typed."""
        field, refused = f"{self.id}-{name}", name in self.unread
        typed = self.unread[name] if refused else self.now.get(name)
        how = 'type="text" inputmode="numeric" maxlength="20"'
        if kind == "date":
            how = f'type="date" max="{self.today}"' if self.today else 'type="date"'
        told, wrong = "", ""
        if refused:
            told = f' aria-invalid="true" aria-describedby="{field}-error"'
            drawn = icon("circle-alert", small=True)
            wrong = f'<p class="error" id="{field}-error">{drawn}<span>{sentence(_WHOLE)}</span></p>'
        elif kind == "date" and self.zone:
            told = f' aria-describedby="{self.id}-zone"'
        return (
            f'<div class="field{" field-refused" if refused else ""}"><label for="{field}">{label}</label>'
            f'<input class="input" {how} id="{field}" name="{name}" value="{"" if typed is None else escaped(typed)}"'
            f' autocomplete="off"{told}>{wrong}</div>'
        )

    def choice(self, name: str, label: str, options: Options) -> str:
        """One of several values, or all."""
        field = f"{self.id}-{name}"
        written = f'<option value="">{sentence(_ALL)}</option>{_options(options, self.now.get(name))}'
        return (
            f'<div class="field"><label for="{field}">{escaped(label)}</label>'
            f"{_select(name, _identified(field), written)}</div>"
        )


@lru_cache(maxsize=256)
def _ranges(_: NullTranslations, today: date, asked: tuple[str, str]) -> str:
    buttons = [
        f'<button class="button button-small" type="button"'
        f' aria-pressed="{"true" if asked == (str(days.start), str(days.end)) else "false"}"'
        f' data-range-start="{days.start}" data-range-end="{days.end}">{sentence(_PRESETS[days.key])}</button>'
        for days in presets(today)
    ]
    return f'<div class="presets" role="group" {_named(sentence(_USUAL))}>{"".join(buttons)}</div>\n'


def _now(params: Params) -> Mapping[str, Any]:
    return params.model_dump(mode="json") if isinstance(params, BaseModel) else params


def _named(name: str) -> str:
    return f'aria-label="{name}"'


def _identified(id: str) -> str:
    return f'id="{id}"'


def _options(options: Options, chosen: Any) -> str:
    chosen = str(chosen)
    return "".join(
        [
            f'<option value="{escaped(value)}"{" selected" if str(value) == chosen else ""}>{escaped(label)}</option>'
            for value, label in options
        ]
    )


def _select(name: str, attribute: str, options: str) -> str:
    """A choice; the attribute and the options are markup."""
    return (
        f'<span class="select"><select class="input" name="{name}" {attribute}>{options}</select>'
        f"{icon('chevrons-up-down', small=True)}</span>"
    )


def _search(id: str, name: str, typed: str, placeholder: str) -> str:
    said = escaped(placeholder)
    return (
        f'<div class="affixed filters-search"><span class="affix">{icon("search", small=True)}</span>'
        f'<input class="input" type="search" id="{id}" name="{name}" value="{escaped(typed)}" {_named(said)}'
        f' placeholder="{said}" autocomplete="off" maxlength="200" data-search></div>\n'
    )


def _chip(one: Mapping[str, Any], without: str) -> str:
    remove = sentence(_REMOVE, label=one["label"])
    return (
        f'<span class="chip"><span>{escaped(one["label"])} <b><bdi>{escaped(one["value"])}</bdi></b></span>'
        f'<a href="{escaped(without)}" {_named(remove)}>{icon("x", small=True)}</a></span>\n'
    )
