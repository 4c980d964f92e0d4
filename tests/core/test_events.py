"""Domain events: told at once, in batches of one type, in the transaction that made them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from app.core import events, ids
from app.core.db import UnitOfWork, unit_of_work
from app.core.events import Event, subscribe, subscriptions


@dataclass(frozen=True)
class Happened(Event):
    """A fact."""

    number: int


@dataclass(frozen=True)
class AlsoHappened(Happened):
    """A fact of another type."""


@pytest.fixture(autouse=True)
def _registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_handlers", events.defaultdict(list))


def test_subscribers_get_the_whole_batch_in_order() -> None:
    seen: list[Any] = []

    @subscribe(Happened)
    def first(uow: UnitOfWork, facts: Sequence[Happened]) -> None:
        seen.append(("first", [fact.number for fact in facts], uow.shop))

    @subscribe(Happened)
    def second(_: UnitOfWork, facts: Sequence[Happened]) -> None:
        seen.append(("second", len(facts)))

    shop = ids.new_id()
    with unit_of_work(shop) as uow:
        uow.publish([Happened(1), Happened(2)])
        uow.publish([])
        uow.publish([AlsoHappened(3)])
    assert seen == [("first", [1, 2], shop), ("second", 2)]


def test_a_batch_has_one_type() -> None:
    with unit_of_work(ids.new_id()) as uow, pytest.raises(TypeError):
        uow.publish([Happened(1), AlsoHappened(2)])


def test_a_failing_subscriber_undoes_the_fact(clean_database: None) -> None:
    shop = ids.new_id()

    @subscribe(Happened)
    def fail(*_: Any) -> None:
        raise ValueError

    def try_it() -> None:
        with unit_of_work(shop) as uow:
            uow.outbox("x", {}, key="1")
            uow.publish([Happened(1)])

    with pytest.raises(ValueError):
        try_it()
    with unit_of_work(shop) as uow:
        assert uow.scalar("SELECT count(*) FROM outbox") == 0


def test_subscribing_twice_is_subscribing_once() -> None:
    def handler(*_: Any) -> None: ...

    subscribe(Happened)(handler)
    subscribe(Happened)(handler)
    assert subscriptions() == {Happened: [handler]}
