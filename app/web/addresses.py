"""Addresses of pages with their parameters."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from pydantic import BaseModel

# Of a page's parameters these say where one is; they do not travel along to another address.
_HERE = frozenset({"cursor", "open"})
_NONE: Mapping[str, Any] = {}
_PLAIN = re.compile(r"[A-Za-z0-9_.~-]+")
Params = Mapping[str, Any] | BaseModel


def address(base: str, params: Params = _NONE, changes: Mapping[str, Any] = _NONE) -> str:
    """An address with parameters and changes of them; None and what is empty is left out, and so is where one was.

    `params` may be the page's query model, whose defaults are left out.
    """
    kept = (
        params.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        if isinstance(params, BaseModel)
        else params
    )
    merged = {name: value for name, value in kept.items() if name not in _HERE} | dict(changes)
    pairs = [(name, text) for name, value in merged.items() if (text := as_text(value))]
    if not pairs:
        return base
    if all(_PLAIN.fullmatch(text) for _, text in pairs):
        return f"{base}?{'&'.join([f'{name}={text}' for name, text in pairs])}"
    return f"{base}?{urlencode(pairs)}"


def as_text(value: Any) -> str:
    """A parameter's value as an address carries it: several with commas, a switch in lower case."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ",".join(str(one) for one in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
