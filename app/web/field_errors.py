"""Pydantic's findings as sentences for people, keyed by the input's own names."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from app.core.errors import MalformedPayload
from app.core.i18n import mark
from app.web.locale import translated

_WHOLE = mark("Enter a whole number.")
_NUMBER = mark("Enter a number.")
_TEXT = mark("Enter text.")
_DATE = mark("Enter a date like 2026-11-30.")
_INSTANT = mark("Enter a date and time like 2026-11-30T09:41:00Z.")
_TIME = mark("Enter a time like 09:41.")
_CHOICE = mark("Choose one of: {expected}.")
_OBJECT = mark("Send an object here.")
_LIST = mark("Send a list here.")
_YES_NO = mark("Choose yes or no.")
_IDENTIFIER = mark("This is not an identifier.")

_SENTENCES = {
    "missing": mark("Fill in this field."),
    "extra_forbidden": mark("There is no field with this name."),
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing_size": mark("This number is too large."),
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "decimal_max_digits": mark("Use at most {max_digits} digits."),
    "decimal_max_places": mark("Use at most {decimal_places} decimals."),
    "decimal_whole_digits": mark("Use at most {whole_digits} digits before the decimal point."),
    "bool_type": _YES_NO,
    "bool_parsing": _YES_NO,
    "string_type": _TEXT,
    "string_too_short": mark("Use at least {min_length} characters."),
    "string_too_long": mark("Use at most {max_length} characters."),
    "string_pattern_mismatch": mark("This text does not have the expected form."),
    "greater_than": mark("Enter more than {gt}."),
    "greater_than_equal": mark("Enter {ge} or more."),
    "less_than": mark("Enter less than {lt}."),
    "less_than_equal": mark("Enter {le} or less."),
    "multiple_of": mark("Enter a multiple of {multiple_of}."),
    "too_short": mark("Give at least {min_length}."),
    "too_long": mark("Give at most {max_length}."),
    "literal_error": _CHOICE,
    "enum": _CHOICE,
    "union_tag_invalid": mark("Choose one of: {expected_tags}."),
    "union_tag_not_found": mark("Say which kind this is."),
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": _DATE,
    "datetime_type": _INSTANT,
    "datetime_parsing": _INSTANT,
    "datetime_from_date_parsing": _INSTANT,
    "timezone_aware": mark("Name the zone, for example with a final Z."),
    "time_type": _TIME,
    "time_parsing": _TIME,
    "uuid_type": _IDENTIFIER,
    "uuid_parsing": _IDENTIFIER,
    "url_type": mark("Enter a web address."),
    "url_parsing": mark("Enter a web address."),
    "url_scheme": mark("The address must begin with {expected_schemes}."),
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "dict_type": _OBJECT,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
}
_NO_COMMA = mark("Leave out the comma.")
# What the patterns of fields that people fill in ask for.
_PATTERNS = {
    r"^#[0-9a-fA-F]{6}$": mark("Enter a color such as #4f46e5."),
    r"^(https://[^\s\"'<>]+)?$": mark("Enter an address that begins with https://."),
    r"^[a-z0-9_-]{1,64}$": mark("Use small letters, digits, hyphens and underscores, without spaces."),
    r"^[^,]*$": _NO_COMMA,
    r"^[^,\x00-\x1f]+$": _NO_COMMA,
}
_FALLBACK = mark("This value cannot be used here.")


def fields_of(error: ValidationError, data: Any) -> dict[str, str]:
    """A translated sentence for each field that was refused, the first one found; "" names the whole input."""
    found: dict[str, str] = {}
    for problem in error.errors(include_url=False, include_input=False):
        found.setdefault(path_of(problem["loc"], data), sentence(problem))
    return found


def sentence(problem: Mapping[str, Any]) -> str:
    """The translated sentence of one finding; a validator's own ValueError speaks for itself."""
    context = dict(problem.get("ctx") or {})
    if problem["type"] in ("value_error", "assertion_error"):
        return translated(str(context.get("error") or _FALLBACK))
    known = _PATTERNS.get(context.get("pattern", "")) or _SENTENCES.get(problem["type"], _FALLBACK)
    return translated(known, context)


def path_of(location: tuple[int | str, ...], data: Any) -> str:
    """The dotted path of a finding in the input, without the names of union members that Pydantic puts in between."""
    parts: list[str] = []
    here = data
    for position, step in enumerate(location):
        last = position == len(location) - 1
        if _holds(here, step):
            here = here[step]
        elif not last or not isinstance(here, Mapping):
            continue
        parts.append(str(step))
    return ".".join(parts)


def _holds(here: Any, step: int | str) -> bool:
    if isinstance(here, Mapping):
        return step in here
    return isinstance(here, (list, tuple)) and isinstance(step, int) and step < len(here)


def malformed(error: ValidationError, data: Any) -> MalformedPayload:
    """The 422 that names every refused field."""
    return MalformedPayload(fields=fields_of(error, data))
