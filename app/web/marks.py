"""Small marks: icons, badges, states, tiers, people, codes, amounts, and the eye at the end of a row.

A page writes hundreds of them, and calls of macros are dear; `macros/icons.html`, `marks.html` and
`overlays.html` hand them to templates. Texts are escaped, markup stays as it is.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from babel.support import NullTranslations
from markupsafe import Markup

from app.core.i18n import mark, mark_in
from app.web import filters
from app.web.locale import catalog, sentence
from app.web.markup import all_escaped, escaped, markup
from app.web.static_files import static_url
from app.web.weaving import Part, Parts, woven

_MIRRORED = frozenset(
    {
        *("arrow-left", "arrow-right", "arrow-left-right", "chevron-left", "chevron-right", "external-link"),
        *("undo-2", "redo-2", "send", "log-out", "list", "file-text", "messages-square"),
    }
)
_LIVE = frozenset({"active", "live", "running", "firing"})
# The tone of a state is decided here, once for the whole admin.
_STATES: dict[str, dict[str, str | tuple[str, str]]] = {
    "success": {
        "active": mark("Active"),
        "live": mark("Live"),
        "paid": mark("Paid"),
        "delivered": mark("Delivered"),
        "available": mark("Available"),
        "approved": mark("Approved"),
        "completed": mark("Completed"),
        "done": mark("Done"),
        "healthy": mark("Healthy"),
        "used": mark("Used"),
        "enabled": mark("Enabled"),
        "connected": mark("Connected"),
        "verified": mark("Verified"),
        "succeeded": mark("Succeeded"),
        "resolved": mark("Resolved"),
        "confirmed": mark("Confirmed"),
        "rewarded": mark("Rewarded"),
    },
    "info": {
        "draft": mark("Draft"),
        "scheduled": mark("Scheduled"),
        "running": mark("Running"),
        "queued": mark("Queued"),
        "pending": mark("Pending"),
        "new": mark("New"),
        "issued": mark("Issued"),
        "recorded": mark("Recorded"),
        "qualified": mark("Qualified"),
        "invited": mark("Invited"),
    },
    "warning": {
        "paused": mark("Paused"),
        "expiring": mark("Expiring"),
        "held": mark("Held"),
        "on-hold": mark("On hold"),
        "retrying": mark("Retrying"),
        "waiting": mark("Waiting"),
        "review": mark("In review"),
        "degraded": mark("Degraded"),
        "outdated": mark("Outdated"),
        "at-risk": mark("At risk"),
        "open": mark_in("state: not closed", "Open"),
    },
    "error": {
        "failed": mark("Failed"),
        "blocked": mark("Blocked"),
        "fraud": mark("Fraud"),
        "rejected": mark("Rejected"),
        "down": mark_in("state: out of order", "Down"),
        "refused": mark("Refused"),
        "firing": mark("Firing"),
        "overdue": mark("Overdue"),
        "suspended": mark("Suspended"),
    },
    "neutral": {
        "archived": mark("Archived"),
        "off": mark("Off"),
        "disabled": mark("Disabled"),
        "expired": mark("Expired"),
        "cancelled": mark("Canceled"),
        "canceled": mark("Canceled"),
        "erased": mark("Erased"),
        "merged": mark("Merged"),
        "guest": mark("Guest"),
        "retired": mark("Retired"),
        "revoked": mark("Revoked"),
        "ended": mark("Ended"),
        "reversed": mark("Reversed"),
        "closed": mark("Closed"),
        "inactive": mark("Inactive"),
        "left": mark_in("state: went away", "Left"),
    },
}
_TONES = {state: tone for tone, states in _STATES.items() for state in states}


def icon(name: str, label: str | None = None, small: bool = False) -> Markup:
    """One icon of static/icons/sprite.svg (Lucide names). `label` names it for assistive technology, else it is decoration.

    `small` is 16 px instead of 20. Icons that point along the line of reading are mirrored in right-to-left pages.
    """
    said = f'role="img" aria-label="{escaped(label)}"' if label else 'aria-hidden="true"'
    return _drawn(static_url("icons/sprite.svg"), name, said, small)


@lru_cache(maxsize=1_024)
def _drawn(sprite: str, name: str, said: str, small: bool) -> Markup:
    classes = f"icon{' icon-small' if small else ''}{' icon-mirrored' if name in _MIRRORED else ''}"
    return markup(f'<svg class="{classes}" {said}><use href="{sprite}#{name}"></use></svg>')


def badge(
    label: str, tone: str | None = "neutral", live: bool = False, icon_name: str | None = None
) -> Markup:
    """A badge. `tone` is success, info, warning, error, accent or neutral; `live` puts a dot before the words."""
    classes = f"badge{f' tone-{tone}' if tone not in (None, 'neutral') else ''}{' badge-dot' if live else ''}"
    drawn = icon(icon_name, small=True) if icon_name else ""
    return markup(f'<span class="{classes}">{drawn}{escaped(label)}</span>')


def status(state: Any, label: str | None = None) -> Markup:
    """A badge for a state word of the product, with its tone; `label` replaces the word. An unknown state stays as it is."""
    return _state(label, str(state)) if label else _said(catalog(), str(state))


@lru_cache(maxsize=2_048)
def _said(words: NullTranslations, state: str) -> Markup:
    key = _key(state)
    word = _STATES[_TONES[key]][key] if key in _TONES else ""
    return _state(
        words.upgettext(*word) if isinstance(word, tuple) else words.ugettext(word) if word else state, state
    )


def _state(label: str, state: str) -> Markup:
    key = _key(state)
    return badge(label, _TONES.get(key), live=key in _LIVE)


def _key(state: str) -> str:
    return state.lower().replace("_", "-")


def tier(name: str, rank: Any = 1) -> Markup:
    """A tier: a colored diamond and its name. `rank` counts from 1, the lowest."""
    return markup(
        f'<span class="tier tier-{min(max(int(rank or 1), 1), 6)}"><bdi>{escaped(name)}</bdi></span>'
    )


def avatar(name: str | None, large: bool = False) -> Markup:
    """The initials of a person or thing, as decoration beside the name."""
    return markup(woven(_avatars([name or ""], " avatar-large" if large else ""), 1))


def _avatars(names: Sequence[str], large: str = "") -> Parts:
    colors = [str(sum(name.encode()) % 5) for name in names]
    initials = all_escaped([_initials(name.split() or "?") for name in names])
    return '<span class="avatar avatar-', colors, f'{large}" aria-hidden="true">', initials, "</span>"


def _initials(words: Sequence[str]) -> str:
    return words[0][0] + words[-1][0] if len(words) > 1 else words[0][0]


def person(name: str, line: str | None = None, url: str | None = None, line_ltr: bool = True) -> Markup:
    """A person in the main cell of a row: avatar, name (a link with `url`), and a muted line such as the e-mail."""
    parts = people([name], [line or ""], [escaped(url)] if url else None, line_ltr)
    return markup(woven(parts, 1))


def people(
    names: Sequence[str], lines: Sequence[str], urls: Parts | None = None, line_ltr: bool = True
) -> Parts:
    """Persons as `person` writes each; "" is no line."""
    linked = links(names, urls) if urls else ('<bdi class="strong">', all_escaped(names), "</bdi>")
    small = f'<small class="cut muted{" ltr" if line_ltr else ""}">'
    below = [f"{small}{line}</small>" if line else "" for line in all_escaped(lines)]
    return '<span class="who">', *_avatars(names), "<span>", *linked, below, "</span></span>"


def link(name: str, url: str) -> Markup:
    """The name of a record that leads to its page."""
    return markup(woven(links([name], [escaped(url)]), 1))


def links(names: Sequence[str], urls: Parts) -> Parts:
    """Names as `link` writes each."""
    return '<a href="', *urls, '"><bdi>', all_escaped(names), "</bdi></a>"


def muted(text: str) -> Markup:
    """A text that matters less than those around it."""
    return markup(f'<span class="muted">{escaped(text)}</span>')


def code(value: Any, copy: str | bool | None = None) -> Markup:
    """A code, id or hash, always left to right. With `copy` a button copies it; a text names the button."""
    text = escaped(value)
    shown = f'<bdi class="code" dir="ltr">{text}</bdi>'
    if not copy:
        return markup(shown)
    name = sentence(_COPY) if copy is True else escaped(copy)
    button = f'<button class="copy" type="button" data-copy="{text}" aria-label="{name}">{icon("copy", small=True)}</button>'
    return markup(f'<span class="copyable">{shown}{button}</span>')


_COPY = mark("Copy")


def amount(points: int) -> Markup:
    """A change of points with its sign, gains in the gain color."""
    gain = " amount-gain" if points > 0 else ""
    return markup(f'<span class="amount{gain}"><bdi>{filters.points(points, signed=True)}</bdi></span>')


def moment(instant: datetime | None) -> Markup:
    """A moment: relative up to a day, absolute in its title."""
    return markup(woven(moments([instant]), 1) if instant else "–")


def moments(instants: Sequence[datetime]) -> Parts:
    """Moments as `moment` writes each."""
    utc, exact, near = filters.moments(instants)
    return '<time datetime="', utc, '" title="', exact, '">', near, "</time>"


def drawer_link(url: str, open_id: Any, label: str, icon_name: str = "eye") -> Markup:
    """The eye at the end of a row, which opens its quick view."""
    return markup(woven(drawer_links([escaped(url)], [escaped(open_id)], [escaped(label)], icon_name), 1))


def drawer_links(urls: Parts, open_ids: Part, labels: Parts, icon_name: str = "eye") -> Parts:
    """The eyes at the ends of rows, of markup."""
    return (
        '<button class="button button-icon button-small button-quiet row-action" type="button" aria-label="',
        *labels,
        '" data-open-id="',
        open_ids,
        '" hx-get="',
        *urls,
        '" hx-target="#overlay" hx-swap="innerHTML ignoreTitle:true" hx-sync="this:drop">',
        f"{icon(icon_name, small=True)}</button>",
    )


_ALL = (icon, badge, status, tier, avatar, person, link, muted, code, amount, moment, drawer_link)
# By the names under which the macro files hand them on.
MARKS = {one.__name__: one for one in _ALL}
