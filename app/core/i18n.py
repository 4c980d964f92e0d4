"""Marks for translation and the locales the product is complete in; translating happens at the faces."""

from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal

from babel.lists import format_list
from babel.support import NullTranslations, Translations

CATALOGS = Path(__file__).resolve().parents[2] / "translations"
LOCALES = ("en", "es", "fr", "ar", "he")
RIGHT_TO_LEFT = frozenset({"ar", "he"})
_ANY_FORM = 100


def mark(text: str) -> str:
    """Mark a source sentence for extraction and return it unchanged."""
    return text


def mark_in(context: str, text: str) -> tuple[str, str]:
    """Mark a source word that needs its context, such as "Open" of a state, and return both for `pgettext`."""
    return context, text


def mark_plural(one: str, many: str) -> tuple[str, str]:
    """Mark a word that stands beside a number, such as "point" and "points", and return both for `ngettext`."""
    return one, many


def plural_number(number: float | Decimal) -> int:
    """The whole number whose plural form goes with a number: itself, or for parts of one any of the many."""
    return abs(int(number)) if number == int(number) else _ANY_FORM


def direction(locale: str) -> Literal["ltr", "rtl"]:
    """Text direction of a locale such as "ar" or "ar-EG"."""
    return "rtl" if locale.split("-", maxsplit=1)[0].split("_", maxsplit=1)[0] in RIGHT_TO_LEFT else "ltr"


def isolated(text: str, locale: str, *, ltr: bool = False) -> str:
    """A value to be put into a sentence; in right-to-left languages it may not turn its neighbors round.

    Its first letter tells its direction; `ltr` is for amounts, which have none.
    """
    if not text or direction(locale) == "ltr":
        return text
    return f"\u2066{text}\u2069" if ltr else f"\u2068{text}\u2069"


def supported(locale: str | None) -> str:
    """The catalogue that serves a locale tag such as "fr-CA"; English when none does."""
    language = (locale or "").replace("_", "-").split("-")[0].lower()
    language = "he" if language == "iw" else language
    return language if language in LOCALES else "en"


@cache
def translations(locale: str) -> NullTranslations:
    """The compiled catalogue of a supported locale, for work outside a request; English where it is missing."""
    return Translations.load(CATALOGS, [supported(locale)], domain="messages")


def translate(locale: str, text: str, **data: Any) -> str:
    """A marked sentence in a locale, its {named} placeholders filled."""
    sentence = translations(locale).gettext(text)
    return sentence.format(**data) if data else sentence


def enumerated(locale: str, parts: Sequence[str], style: Literal["standard", "or"] = "standard") -> str:
    """Several things in a sentence, joined as the locale joins them: all of them, or with "or" one of them."""
    return format_list(parts, style, supported(locale))
