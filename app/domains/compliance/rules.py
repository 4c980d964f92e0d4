"""Pure decisions of compliance: deadlines, and whether a document speaks of a person."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

ANSWER_WITHIN = timedelta(days=30)
KEEP_EXPORTS = timedelta(days=30)


def names_of(customer_id: int | None, email: str | None, order_ids: tuple[int, ...] = ()) -> frozenset[str]:
    """What a person can be recognized by in Shopify's documents."""
    found = {str(order_id) for order_id in order_ids}
    if customer_id is not None:
        found |= {str(customer_id), f"gid://shopify/customer/{customer_id}"}
    if email:
        found.add(email.strip().casefold())
    return frozenset(found)


def speaks_of(document: Any, names: frozenset[str]) -> bool:
    """Whether any value of a JSON document, or any part of a text in it, is one of the names."""
    return any(
        leaf in names or any("@" in name and name in leaf for name in names) for leaf in _leaves(document)
    )


def holds_anything(document: Any) -> bool:
    """Whether a JSON document has any value besides empty containers and null."""
    if isinstance(document, dict):
        return any(map(holds_anything, document.values()))
    if isinstance(document, list):
        return any(map(holds_anything, document))
    return document is not None


def _leaves(document: Any) -> Iterator[str]:
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, str):
            yield value.casefold()
        elif isinstance(value, int) and not isinstance(value, bool):
            yield str(value)
