"""Flask-Babel set up with the five locales of the product."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel.support import NullTranslations
from flask import Flask
from flask_babel import Babel
from markupsafe import Markup

from app.core import i18n
from app.core.i18n import LOCALES, direction, enumerated, mark_plural, plural_number, supported
from app.web import current
from app.web.filters import number
from app.web.markup import all_escaped, escaped, markup
from app.web.weaving import Parts
from app.web.words import state_in_sentence

TRANSLATIONS = Path(__file__).parents[2] / "translations"
_STATES = frozenset({"status", "wanted"})  # placeholders that hold a state of a record
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
    app.jinja_env.globals.update({"_": sentence, "ngettext": ngettext, "mark_plural": mark_plural})


def sentence(message: str, /, **variables: Any) -> Markup:
    """`_` of templates: a message in the request's language with its %(named)s variables, which are escaped.

    A page says hundreds of sentences, most of them fixed; those are looked up once for each language.
    """
    words = _words.get() or catalog()
    if not variables:
        return _finished(words, message)
    return markup(str.__mod__(_said(words, message), _escaped(variables)))


def sentences(message: str, **variables: Sequence[Any]) -> Parts:
    """The same message for many: its one variable as each of the values, escaped."""
    ((name, values),) = variables.items()
    before, after = sentence(message, **{name: "\0"}).split("\0")
    return before, all_escaped(values), after


def ngettext(one: str, many: str, num: int, /, **variables: Any) -> Markup:
    """`ngettext` of templates: a message in the form for `num`, which is also its %(num)s."""
    form = markup(catalog().ungettext(one, many, num))
    return markup(str.__mod__(form, _escaped({"num": num, **variables})))


def nouns(forms: tuple[str, str], numbers: Iterable[float | Decimal]) -> list[str]:
    """The word of a unit in the form that goes with each of the numbers, as markup."""
    words = catalog()
    counts = [plural_number(number) for number in numbers]
    kinds = [words.plural(count) for count in counts]
    one_of = dict(zip(kinds, counts, strict=True))
    said = {kind: words.ungettext(*forms, count) for kind, count in one_of.items()}
    return [said[kind] for kind in kinds]


@contextmanager
def one_reader() -> Iterator[None]:
    """Look up language, words and zone once for what is written inside."""
    with current.remembered():
        before = _words.set(catalog())
        try:
            yield
        finally:
            _words.reset(before)


_words: ContextVar[NullTranslations | None] = ContextVar("words", default=None)


def catalog() -> NullTranslations:
    """The words of the request's language."""
    known = _words.get()
    return i18n.translations(current.locale()) if known is None else known


def _escaped(variables: dict[str, Any]) -> dict[str, Any]:
    for name, value in variables.items():
        if not isinstance(value, (int, float)):
            variables[name] = escaped(value)
    return variables


@lru_cache(maxsize=16_384)
def _said(words: NullTranslations, message: str) -> Markup:
    return markup(words.ugettext(message))


@lru_cache(maxsize=16_384)
def _finished(words: NullTranslations, message: str) -> Markup:
    return _said(words, message) % {}


def translated(sentence: str, data: dict[str, object] | None = None) -> str:
    """A marked sentence in the request's language with its {named} placeholders filled; unknown names stay visible."""
    if not sentence:
        return ""
    known = data or {}
    return _PLACEHOLDER.sub(
        lambda found: _inserted(found[1], known[found[1]]) if found[1] in known else found[0],
        catalog().ugettext(sentence),
    )


def _inserted(name: str, value: object) -> str:
    """A value as the reader's language writes it, isolated where it could turn the sentence round; of a list, each."""
    if isinstance(value, list):
        return enumerated(current.locale(), [_inserted(name, one) for one in value])
    if name in _STATES:
        value = state_in_sentence(str(value))
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        exact = Decimal(str(value))
        decimals = -int(exact.as_tuple().exponent) if exact.is_finite() else 0
        return number(exact, max(0, decimals)) if exact.is_finite() else str(value)
    text = str(value)
    return (
        f"\u2068{text}\u2069" if direction(current.locale()) == "rtl" or _RIGHT_TO_LEFT.search(text) else text
    )
