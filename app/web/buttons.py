"""Buttons, and links that look like them. `macros/actions.html` and `overlays.html` hand them to templates."""

from collections.abc import Mapping
from typing import Any

from jinja2 import Undefined
from markupsafe import Markup

from app.core.i18n import mark
from app.web.locale import sentence
from app.web.marks import icon
from app.web.markup import escaped, markup

Attributes = Mapping[str, Any]
_NONE: Attributes = {}
_NEW_WINDOW = mark("opens in a new window")


def button(
    label: str,
    kind: str = "secondary",
    type: str = "button",
    icon_name: str | None = None,
    small: bool = False,
    refused: str | None = None,
    attrs: Attributes = _NONE,
) -> Markup:
    """A button. `kind` is primary, secondary, plain, quiet or danger; `attrs` are further attributes.

    `refused` says why the action is not allowed: the button stays readable, says so, and does nothing.
    """
    drawn = icon(icon_name, small=True) if icon_name else ""
    if refused:
        why = escaped(refused)
        how, said = f'type="button" aria-disabled="true" title="{why}"', f'<span class="sr">{why}</span>'
    else:
        how, said = f'type="{escaped(type)}"{attributes(attrs)}', ""
    return markup(
        f'<button class="{button_classes(kind, small)}" {how}>{drawn}<span>{escaped(label)}</span>{said}</button>'
    )


def link_button(
    label: str,
    url: str,
    kind: str = "secondary",
    icon_name: str | None = None,
    small: bool = False,
    external: bool = False,
    attrs: Attributes = _NONE,
) -> Markup:
    """A link that looks like a button: it goes somewhere. `external` opens a new window outside the frame."""
    drawn = icon(icon_name, small=True) if icon_name else ""
    window = ' target="_blank" rel="noopener"' if external else ""
    warned = icon("external-link", sentence(_NEW_WINDOW), small=True) if external else ""
    return markup(
        f'<a class="{button_classes(kind, small)}" href="{escaped(url)}"{window}{attributes(attrs)}>'
        f"{drawn}<span>{escaped(label)}</span>{warned}</a>"
    )


def icon_button(
    icon_name: str,
    label: str,
    kind: str = "plain",
    small: bool = False,
    url: str | None = None,
    attrs: Attributes = _NONE,
) -> Markup:
    """A button that is only an icon; `label` is its name. With `url` it is a link."""
    classes = button_classes(kind, small, only_icon=True)
    rest = f'aria-label="{escaped(label)}"{attributes(attrs)}>{icon(icon_name, small=small)}'
    if url:
        return markup(f'<a class="{classes}" href="{escaped(url)}" {rest}</a>')
    return markup(f'<button class="{classes}" type="button" {rest}</button>')


def opener(
    label: str,
    url: str,
    kind: str = "secondary",
    icon_name: str | None = None,
    small: bool = False,
    open_id: Any = None,
    chosen: str | None = None,
    *,
    attrs: Attributes = _NONE,
) -> Markup:
    """A button that fetches a dialog or drawer from `url` (a page whose template fills `{% block overlay %}`).

    `open_id` is the row's id: the address then carries ?open=<id> and a reload opens it again. `chosen` is the id of a
    data_table whose chosen ids are sent; `attrs` are further attributes.
    """
    fetched = {
        "hx-get": url,
        "hx-target": "#overlay",
        "hx-swap": "innerHTML ignoreTitle:true",
        "hx-sync": "this:drop",
        "data-open-id": open_id,
        "hx-include": f"#{chosen} [data-select]:checked, #{chosen}-chosen" if chosen else None,
        **attrs,
    }
    return button(label, kind, icon_name=icon_name, small=small, attrs=fetched)


def button_classes(kind: str, small: bool = False, only_icon: bool = False) -> str:
    """The class list of a button."""
    return (
        f"button{f' button-{kind}' if kind != 'secondary' else ''}"
        f"{' button-small' if small else ''}{' button-icon' if only_icon else ''}"
    )


def attributes(given: Attributes) -> str:
    """Attributes of a tag, each after a space; None and what a template does not know are left out."""
    return "".join(
        f' {name}="{escaped(value)}"'
        for name, value in given.items()
        if value is not None and not isinstance(value, Undefined)
    )


_ALL = (button, link_button, icon_button, opener, button_classes)
BUTTONS = {one.__name__: one for one in _ALL}
