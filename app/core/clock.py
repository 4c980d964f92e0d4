"""The clock. Domain code never asks the operating system for the time, so that tests and replays can choose it.

Units of work take their instant from the database, so that workers whose clocks disagree agree about what is due.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


def _system() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return _source()


def chosen() -> datetime | None:
    """The instant that `use_clock` chose; None when the real time is meant."""
    return None if _source is _system else _source()


@contextmanager
def use_clock(source: Callable[[], datetime]) -> Iterator[None]:
    """Replace the clock for a while; `source` returns aware UTC instants."""
    global _source
    before, _source = _source, source
    try:
        yield
    finally:
        _source = before
