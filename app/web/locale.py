"""Flask-Babel set up with the five locales of the product."""

import re
from decimal import Decimal
from pathlib import Path

from flask import Flask
from flask_babel import Babel, gettext

from app.core.i18n import LOCALES, direction, supported
from app.web import current
from app.web.filters import number

TRANSLATIONS = Path(__file__).parents[2] / "translations"
_PLACEHOLDER = re.compile(r"{(\w+)}")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")
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
    return _PLACEHOLDER.sub(
        lambda found: _inserted(known[found[1]]) if found[1] in known else found[0], gettext(sentence)
    )


def _inserted(value: object) -> str:
    """A value as the reader's language writes it, isolated where it could turn the sentence round."""
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        exact = Decimal(str(value))
        decimals = -int(exact.as_tuple().exponent) if exact.is_finite() else 0
        return number(exact, max(0, decimals)) if exact.is_finite() else str(value)
    text = str(value)
    return (
        f"\u2068{text}\u2069" if direction(current.locale()) == "rtl" or _RIGHT_TO_LEFT.search(text) else text
    )
