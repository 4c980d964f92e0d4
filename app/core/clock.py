"""The clock. Domain code never asks the operating system for the time, so that tests and replays can choose it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


def _system() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return _source()


@contextmanager
def use_clock(source: Callable[[], datetime]) -> Iterator[None]:
    """Replace the clock for a while; `source` returns aware UTC instants."""
    global _source
    before, _source = _source, source
    try:
        yield
    finally:
        _source = before
