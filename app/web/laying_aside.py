"""Large markup waits until the page around it is written: each macro around it would copy it three times."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from secrets import token_hex

from markupsafe import Markup

from app.web.markup import markup

_aside: ContextVar[list[str] | None] = ContextVar("aside", default=None)
_SECRET = token_hex(8)  # so that no text of a shop can be taken for a sign
_SIGN = re.compile(f"\0{_SECRET}-([0-9]+)\0")


def laid_aside(text: str) -> Markup:
    """Markup for the page that is being written, as a sign in its place; the markup itself where no page is."""
    waiting = _aside.get()
    if waiting is None:
        return markup(text)
    waiting.append(text)
    return markup(f"\0{_SECRET}-{len(waiting) - 1}\0")


@contextmanager
def one_page() -> Iterator[Callable[[str], bytes]]:
    """While a page is written; gives what makes its UTF-8 of the written text, with everything in its place."""
    waiting: list[str] = []
    before = _aside.set(waiting)

    def finished(text: str) -> bytes:
        pieces = [piece.encode() for piece in _SIGN.split(text)]
        pieces[1::2] = [waiting[int(number)].encode() for number in pieces[1::2]]
        return b"".join(pieces)

    try:
        yield finished
    finally:
        _aside.reset(before)
