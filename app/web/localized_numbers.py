"""Numbers as people type them: any digits, the locale's separators, spaces and signs."""

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.numbers import format_decimal, get_decimal_symbol, get_group_symbol

_INVISIBLE = re.compile("[\u200e\u200f\u061c\u2066-\u2069\\s\u00a0\u202f'’]")
_PLAIN = re.compile(r"[+-]?\d*\.?\d+")
_MINUS = str.maketrans({"\u2212": "-", "\u2013": "-", "\u066b": ".", "\u066c": "", "\u060c": ","})


def to_plain(text: str, locale: str) -> str | None:
    """The number with Latin digits and a decimal point ("-1240.5"), or None when it cannot be read in one way."""
    digits = "".join(_latin(sign) for sign in text.translate(_MINUS))
    bare = _INVISIBLE.sub("", digits)
    group, point = _symbols(locale)
    if group and re.fullmatch(
        rf"[+-]?\d{{1,3}}(?:{re.escape(group)}\d{{3}})+(?:{re.escape(point)}\d+)?", bare
    ):
        bare = bare.replace(group, "").replace(point, ".")
    elif bare.count(point) == 1 and "." not in bare.replace(point, ""):
        bare = bare.replace(point, ".")
    return bare if _PLAIN.fullmatch(bare) else None


def to_typed(number: float | Decimal, locale: str) -> str:
    """The number as a person of that locale would type it back: Latin digits, no grouping."""
    if isinstance(number, int):
        return str(number)
    exact = Decimal(str(number))
    shown = max(0, -int(exact.as_tuple().exponent)) if exact.is_finite() else 0
    return format_decimal(
        exact, format=f"0.{'0' * shown}" if shown else "0", locale=_babel(locale), numbering_system="latn"
    )


def _latin(sign: str) -> str:
    value = unicodedata.decimal(sign, None)
    return sign if value is None else str(value)


@lru_cache(maxsize=16)
def _symbols(locale: str) -> tuple[str, str]:
    """Group and decimal separators; the group is "" where it is a space, which is removed before."""
    found = _babel(locale)
    group = _INVISIBLE.sub("", get_group_symbol(found, numbering_system="latn"))
    return group, get_decimal_symbol(found, numbering_system="latn")


@lru_cache(maxsize=16)
def _babel(locale: str) -> Locale:
    return Locale.parse(locale.replace("-", "_"))
