"""Tokens as they come in: only what has the shape of a signed token is handed to the library that reads it."""

import re

_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_LONGEST = 4096


def shaped(text: str) -> str | None:
    """`text` when it looks like a signed token of sensible length, else None."""
    return text if len(text) <= _LONGEST and _TOKEN.fullmatch(text) else None


def from_header(authorization: str) -> str | None:
    """The token of an Authorization header, or None."""
    scheme, _, token = authorization.strip().partition(" ")
    return shaped(token.strip()) if scheme.lower() == "bearer" else None
