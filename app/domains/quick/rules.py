"""What the sentence about a run is filled with: names and days in the reader's language, who may be another than the doer."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from babel.dates import format_date


def words(data: Mapping[str, Any], locale: str) -> dict[str, Any]:
    """Kept data in a reader's language."""
    return {key: _word(value, locale) for key, value in data.items()}


def _word(value: Any, locale: str) -> Any:
    if not isinstance(value, Mapping):
        return value
    if "day" in value:
        return str(format_date(date.fromisoformat(value["day"]), format="long", locale=locale))
    return value["names"].get(locale) or value["name"]
