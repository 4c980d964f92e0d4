"""Flask-Babel set up with the five locales of the product."""

import re
from pathlib import Path

from flask import Flask
from flask_babel import Babel, gettext

from app.core.i18n import LOCALES, direction, supported
from app.web import current

TRANSLATIONS = Path(__file__).parents[2] / "translations"
_PLACEHOLDER = re.compile(r"{(\w+)}")
__all__ = ["LOCALES", "direction", "supported", "translated"]


def init_locale(app: Flask) -> None:
    """Let `gettext`, dates and numbers follow the request."""
    Babel(
        app,
        default_translation_directories=str(TRANSLATIONS),
        locale_selector=current.locale,
        timezone_selector=current.timezone,
    )


def translated(sentence: str, data: dict[str, object] | None = None) -> str:
    """A marked sentence in the request's language with its {named} placeholders filled; unknown names stay visible."""
    if not sentence:
        return ""
    known = data or {}
    return _PLACEHOLDER.sub(lambda found: str(known.get(found[1], found[0])), gettext(sentence))
