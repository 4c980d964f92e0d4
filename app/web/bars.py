"""The parts of the app bar that change with the tab, as `macros/shell.html` hands them to layouts."""

from markupsafe import Markup

from app.core.i18n import mark
from app.web.locale import sentence
from app.web.markup import escaped, markup
from app.web.menu import MenuSection, MenuTab
from app.web.rendering import PageContext

_ALL, _CATEGORIES = mark("All tools"), mark("Categories")


def bar_label(ctx: PageContext) -> Markup:
    """Words on the category button: the group, and on phones the tab."""
    group = _open(ctx)
    tab = next((one for one in group.tabs if one.current), None) if group else None
    title = escaped(group.title) if group else sentence(_ALL)
    return markup(f'{title}<span class="bar-tab">&nbsp;· {escaped(tab.title)}</span>' if tab else title)


def bar_tabs(ctx: PageContext) -> Markup:
    """The tabs of the present category; on Home the categories."""
    group = _open(ctx)
    links = "".join(
        [
            f'<a href="{escaped(one.url)}"{_current(one, ctx.path)}>{escaped(one.title)}</a>'
            for one in (group.tabs if group else ctx.menu)
        ]
    )
    name = escaped(group.title) if group else sentence(_CATEGORIES)
    return markup(
        f'<nav class="bar-tabs" id="bar-tabs" aria-label="{name}" data-tab="{escaped(ctx.tab)}">{links}</nav>'
    )


def _open(ctx: PageContext) -> MenuSection | None:
    return next((group for group in ctx.menu if group.current), None)


def _current(one: MenuTab | MenuSection, path: str) -> str:
    """The mark of the open tab, which is the page itself or holds it."""
    return f' aria-current="{"page" if path == one.url else "true"}"' if one.current else ""


BARS = {one.__name__: one for one in (bar_label, bar_tabs)}
