"""Words for what the code keeps as keys: states in a sentence, roles, languages."""

from collections.abc import Iterable

from babel import Locale
from babel.core import UnknownLocaleError
from flask import Flask
from flask_babel import gettext

from app.core.i18n import enumerated, mark
from app.web import current

_STATES = {
    "draft": mark("Draft"),
    "scheduled": mark("Scheduled"),
    "active": mark("Active"),
    "paused": mark("Paused"),
    "archived": mark("Archived"),
    "ended": mark("Ended"),
    "requested": mark("Requested"),
    "issued": mark("Issued"),
    "used": mark("Used"),
    "failed": mark("Failed"),
    "expired": mark("Expired"),
    "cancelled": mark("Canceled"),
    "retired": mark("Retired"),
    "blocked": mark("Blocked"),
    "erased": mark("Erased"),
    "merged": mark("Merged"),
}
_ROLES = {
    "owner": mark("Owner"),
    "manager": mark("Manager"),
    "support": mark("Support"),
    "viewer": mark("Viewer"),
}


def state_in_sentence(state: str) -> str:
    """A state as it stands inside a sentence of the reader's language; an unknown one as it is."""
    return gettext(_STATES[state]).lower() if state in _STATES else state


def actor_name(label: str) -> str:
    """Who changed something: a role in the reader's language, otherwise the label, such as the name of an API key."""
    return gettext(_ROLES[label]) if label in _ROLES else label


def language_name(tag: str | None) -> str:
    """The name of a language such as "pt-BR", in the reader's own; an unknown tag as it is."""
    if not tag:
        return "–"
    try:
        name = Locale.parse(tag.replace("_", "-"), sep="-").get_display_name(current.locale())
    except (ValueError, UnknownLocaleError):
        return tag
    return name[:1].upper() + name[1:] if name else tag


def joined(parts: Iterable[str]) -> str:
    """Several things as the reader's language lists them."""
    return enumerated(current.locale(), list(parts))


def init_words(app: Flask) -> None:
    """Make the words known to templates as filters."""
    app.jinja_env.filters.update(actor_name=actor_name, language_name=language_name, joined=joined)
