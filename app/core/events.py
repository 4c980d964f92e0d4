"""Domain events: past-tense facts, told in batches to subscribers inside the transaction that made them."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from app.core.db import UnitOfWork


class Event:
    """Base of all facts; subclasses hold ids, integers and plain values only."""

    __slots__ = ()


E = TypeVar("E", bound=Event)
Handler = Callable[["UnitOfWork", Sequence[Any]], None]
_handlers: dict[type[Event], list[Handler]] = defaultdict(list)


def subscribe(event_type: type[E]) -> Callable[[Handler], Handler]:
    """Register `handler(uow, events)`; it gets the whole batch, so that it can write with one statement."""

    def register(handler: Handler) -> Handler:
        if handler not in _handlers[event_type]:
            _handlers[event_type].append(handler)
        return handler

    return register


def dispatch(uow: "UnitOfWork", batch: Sequence[Event]) -> None:
    """Call the subscribers of the batch's type in the order of registration."""
    if not batch:
        return
    kind = type(batch[0])
    if any(type(fact) is not kind for fact in batch):
        raise TypeError("a batch holds facts of one type")
    for handler in _handlers.get(kind, ()):
        handler(uow, batch)


def subscriptions() -> dict[type[Event], list[Handler]]:
    """Who hears what; the event map in the documents is made from it."""
    return {kind: list(handlers) for kind, handlers in _handlers.items()}
