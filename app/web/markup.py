"""Text into markup, for what is written in Python hundreds of times a page."""

import re
from typing import Any
from uuid import UUID

from markupsafe import Markup, escape

_SIGNS = re.compile("[&<>\"']")


def markup(text: str) -> Markup:
    """A text as markup; who calls this has escaped every part of it that is not its own."""
    return str.__new__(Markup, text)  # a third of what its constructor takes


def escaped(value: Any) -> str:
    """What `escape` gives, at a third of its cost where there is nothing to escape."""
    kind = type(value)
    if kind is Markup or (kind is str and not _SIGNS.search(value)):
        return value  # type: ignore[no-any-return]
    return str(value) if kind is UUID else escape(value)
