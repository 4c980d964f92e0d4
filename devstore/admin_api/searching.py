"""Shopify's search syntax, as far as apps use it: `field:value`, comparisons, prefixes, AND, OR, NOT, quotes."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from devstore.state import Doc

Field = Callable[[Doc], Any]

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_TERM = re.compile(
    r"\s*(?P<not>-|NOT\s+)?(?:(?P<field>[a-z_]+):)?(?P<op>>=|<=|>|<)?"
    r"(?:'(?P<single>(?:[^'\\]|\\.)*)'|\"(?P<double>(?:[^\"\\]|\\.)*)\"|(?P<bare>[^\s]+))"
)


_WORDS = re.compile(r"\w+")


@dataclass(frozen=True)
class Searchable:
    """The fields that can be named, and the text that terms without a field look into."""

    fields: Mapping[str, Field]
    default: Field


def matches(query: str | None, item: Doc, searchable: Searchable) -> bool:
    """Whether an item fits a query. Unknown fields match everything, as at Shopify."""
    groups: list[list[bool]] = [[]]
    position, text = 0, (query or "").strip()
    while position < len(text):
        if text[position] in " ()":
            position += 1
            continue
        found = _TERM.match(text, position)
        if found is None:
            break
        position = found.end()
        if found["bare"] == "OR" and not found["field"]:
            groups.append([])
        elif not (found["bare"] == "AND" and not found["field"]):
            groups[-1].append(_fits(found, item, searchable) != bool(found["not"]))
    return any(all(group) for group in groups)


def _fits(found: re.Match[str], item: Doc, searchable: Searchable) -> bool:
    quoted = found["single"] if found["single"] is not None else found["double"]
    value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else found["bare"].rstrip(")")
    if found["field"] is None:
        return value.rstrip("*").lower() in str(searchable.default(item)).lower()
    read = searchable.fields.get(found["field"])
    if read is None:
        return True
    have = read(item)
    if isinstance(have, list):
        return any(_compare(each, found["op"], value) for each in have)
    return _compare(have, found["op"], value)


def _compare(have: Any, op: str | None, value: str) -> bool:
    if have is None:
        return False
    if isinstance(have, bool):
        return have == (value.lower() == "true")
    left, right = _comparable(have, value)
    if op is None:
        text = str(left)
        if value.endswith("*"):
            beginning = str(right)[:-1]
            return any(word.startswith(beginning) for word in (text, *_WORDS.findall(text)))
        return text == str(right) or (isinstance(have, str) and _same_day(have, value))
    return _OPERATORS[op](left, right)


def _comparable(have: Any, value: str) -> tuple[Any, Any]:
    if isinstance(have, int):
        try:
            return have, int(value)
        except ValueError:
            return str(have), value
    return str(have).lower(), value.lower()


def _same_day(have: str, value: str) -> bool:
    return bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}", value)) and have.startswith(value)
