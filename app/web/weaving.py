"""Markup of many things of one kind from few parts, joined once and not once for each thing.

A part is a text that all of them share, or a list with a text for each; both are markup, escaped by whoever made them.
"""

from collections.abc import Iterator, Sequence
from itertools import chain, groupby, repeat

Part = str | list[str]
Parts = Sequence[Part]


def woven(parts: Parts, count: int) -> str:
    """All of the `count` things, one after the other."""
    return "".join(chain.from_iterable(_things(parts, count)))


def apart(parts: Parts, count: int) -> list[str]:
    """Each of the `count` things."""
    return ["".join(thing) for thing in _things(parts, count)]


def _things(parts: Parts, count: int) -> Iterator[tuple[str, ...]]:
    return zip(
        *(repeat(part, count) if isinstance(part, str) else part for part in _fewer(parts)), strict=True
    )


def _fewer(parts: Parts) -> Iterator[Part]:
    """The same parts with neighbors that all things share as one."""
    for shared, neighbors in groupby(parts, lambda part: isinstance(part, str)):
        if shared:
            yield "".join(neighbors)  # type: ignore[arg-type]
        else:
            yield from neighbors
