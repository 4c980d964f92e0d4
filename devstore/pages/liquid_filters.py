"""The Liquid filters that theme extensions use and the Liquid library does not bring."""

import html
import json
import re
from decimal import Decimal
from typing import Any

from babel.numbers import format_currency
from liquid import Environment
from liquid.undefined import Undefined

from devstore import money
from devstore.pages.words import RIGHT_TO_LEFT

_PLACEHOLDER = re.compile(r"{{\s*(\w+)\s*}}")


def add(environment: Environment, texts: dict[str, Any], asset_base: str, locale: str) -> None:
    """Give an environment `t`, `asset_url`, `json`, `money` and `color_contrast`."""

    def translate(key: object, **values: object) -> str:
        found: Any = texts
        for part in str(key).split("."):
            found = found.get(part) if isinstance(found, dict) else None
        if isinstance(found, dict):
            found = found.get("one" if values.get("count") == 1 else "other")
        if not isinstance(found, str):
            return f"Translation missing: {locale}.{key}"
        raw = str(key).endswith("_html")
        return _PLACEHOLDER.sub(lambda match: _inserted(values.get(match[1]), raw=raw), found)

    environment.filters["t"] = translate
    environment.filters["asset_url"] = lambda name: f"{asset_base}/{name}"
    environment.filters["json"] = as_json
    environment.filters["money"] = lambda minor, currency="USD": amount(int(minor or 0), currency, locale)
    environment.filters["color_contrast"] = contrast


def _inserted(value: object, *, raw: bool) -> str:
    text = "" if value is None or isinstance(value, Undefined) else str(value)
    return text if raw else html.escape(text)


def as_json(value: object) -> str:
    """JSON that is safe inside a script element, as Shopify writes it."""
    plain = None if isinstance(value, Undefined) else value
    text = json.dumps(plain, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def amount(minor: int, currency: str, locale: str) -> str:
    """Money as a shopper reads it; isolated where the text around it runs from right to left."""
    text = str(format_currency(Decimal(minor).scaleb(-money.decimals(currency)), currency, locale=locale))
    return f"\u2066{text}\u2069" if locale in RIGHT_TO_LEFT else text


def contrast(one: object, other: object) -> float:
    """The contrast ratio of two #rrggbb colors, to one decimal."""
    lighter, darker = sorted((_luminance(str(one)), _luminance(str(other))), reverse=True)
    return round((lighter + 0.05) / (darker + 0.05), 1)


def _luminance(color: str) -> float:
    digits = color.lstrip("#")
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
