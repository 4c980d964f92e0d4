"""A dialog, as `macros/overlays.html` hands it to templates."""

from collections.abc import Callable

from markupsafe import Markup

from app.core.i18n import mark
from app.web.buttons import button, icon_button
from app.web.locale import sentence
from app.web.markup import escaped, markup

_CLOSE = mark("Close")
_CLOSES = {"data-close": ""}


def modal(
    id: str,
    title: str,
    body: bool = False,
    open: bool = False,
    foot: str | None = None,
    *,
    caller: Callable[[], str],
) -> Markup:
    """A dialog around what the caller writes: a form that brings body and footer, or with `body` plain content.

    `open` shows it as soon as it arrives, `foot` is the markup of a plain body's footer.
    """
    named, close, inside = escaped(id), sentence(_CLOSE), caller()
    if body:
        foot = button(close, attrs=_CLOSES) if foot is None else escaped(foot)
        inside = f'<div class="dialog-body">{inside}</div><div class="dialog-foot">{foot}</div>\n'
    return markup(
        f'<dialog id="{named}" aria-labelledby="{named}-title" {"data-opens" if open else ""}>\n'
        f'<div class="dialog-head"><h2 id="{named}-title" tabindex="-1">{escaped(title)}</h2>'
        f"{icon_button('x', close, attrs=_CLOSES)}</div>\n"
        f'<div data-alert role="alert"></div>\n{inside}</dialog>'
    )
