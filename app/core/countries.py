"""Countries by two letters, however people write them."""

import re
from functools import cache
from typing import Annotated, Any

from babel import Locale
from pydantic import BeforeValidator, Field

from app.core.i18n import LOCALES, mark

# What Babel names with two letters besides the countries of ISO 3166; Kosovo stays, because Shopify sells there as XK.
_NO_COUNTRIES = frozenset(
    ["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"]
)


@cache
def countries(locale: str) -> dict[str, str]:
    """What every country is called in one of our languages, by its two letters."""
    return {
        code: name
        for code, name in Locale(locale).territories.items()
        if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRIES
    }


@cache
def _codes() -> dict[str, str]:
    """Two letters by the names of a country in our languages."""
    return {name.casefold(): code for locale in LOCALES for code, name in countries(locale).items()}


def country_code(value: Any) -> Any:
    """A country's two letters, from its name in one of our languages or from the letters. Raises ValueError."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    code = text.upper() if re.fullmatch("[A-Za-z]{2}", text) else _codes().get(text.casefold())
    if code is None:
        raise ValueError(mark("Enter a country by its name, or by two letters such as FR."))
    return code


Country = Annotated[str, Field(pattern="^[A-Z]{2}$"), BeforeValidator(country_code)]
