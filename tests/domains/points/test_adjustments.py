"""Points by hand: each verb, the shop's rules for it, and the way back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core import ids
from app.core.db import Actor, UnitOfWork, unit_of_work
from app.domains.compliance import service as compliance
from app.domains.members import service as members
from app.domains.members.errors import MemberNotFound
from app.domains.members.schemas import Person
from app.domains.points import queries, service
from app.domains.points.errors import (
    AdjustmentClosed,
    AdjustmentNotFound,
    ApproverNeeded,
    DailyLimitReached,
    InsufficientPoints,
    KeyReused,
    MemberCannotEarn,
    NothingToAdjust,
    SameMember,
    StaleSettings,
    UndoRefused,
)
from app.domains.points.schemas import Adjustment, Balance, Credit, Reversal, SettingsForm, Wish
from tests.domains.points.invariants import broken
from tests.fixtures.shop import TestShop

MAYA, OMAR = Actor("staff", "1", "Maya"), Actor("staff", "2", "Omar")


@contextmanager
def by(shop: TestShop, actor: Actor = MAYA) -> Iterator[UnitOfWork]:
    with unit_of_work(shop.id, actor=actor) as uow:
        yield uow
        assert broken(uow) == {}


@pytest.fixture
def pair(shop: TestShop) -> tuple[UUID, UUID]:
    with shop.work() as uow:
        found = members.enroll(uow, [Person(1), Person(2)])
        return found[1].id, found[2].id


def ask(uow: UnitOfWork, member: UUID, verb: Any, points: int | None, **more: Any) -> Adjustment:
    wish = Wish(
        member, verb, points, more.pop("key", str(ids.new_id())), more.pop("reason", "goodwill"), **more
    )
    return service.adjust_by_hand(uow, [wish])[0]


def _after_another(
    uow: UnitOfWork, other: UUID, member: UUID, verb: Any, points: int | None, **more: Any
) -> None:
    ask(uow, other, "award", 5)
    ask(uow, member, verb, points, **more)


def test_each_verb_does_what_it_says(shop: TestShop, pair: tuple[UUID, UUID]) -> None:
    one, two = pair
    with by(shop) as uow:
        ask(uow, one, "award", 500)
        ask(uow, one, "deduct", 100)
        assert service.balance(uow, one).available == 400
        ask(uow, one, "set", 250)
        assert service.balance(uow, one).available == 250
        ask(uow, one, "set", 300)
        ask(uow, one, "transfer", 120, to_member_id=two)
        assert [service.balance(uow, who).available for who in pair] == [180, 120]
        ask(uow, one, "expire", 80)
        ask(uow, one, "expire", None)
        assert service.balance(uow, one).available == 0
        assert service.balance(uow, one).qualifying == 0


def test_a_transfer_keeps_the_day_of_expiry(shop: TestShop, pair: tuple[UUID, UUID]) -> None:
    one, two = pair
    with by(shop) as uow:
        later = uow.now.replace(year=uow.now.year + 1)
        service.credit(uow, [Credit(one, 100, "a", "thanks", expires_at=later)])
        ask(uow, one, "transfer", 60, to_member_id=two)
        assert [lot["expires_at"] for lot in queries.lots(uow, two)] == [later]


def test_a_key_counts_once_and_for_one_wish(shop: TestShop, pair: tuple[UUID, UUID]) -> None:
    with by(shop) as uow:
        first = ask(uow, pair[0], "award", 500, key="k")
        assert ask(uow, pair[0], "award", 500, key="k") == first
        assert service.balance(uow, pair[0]).available == 500
        with pytest.raises(KeyReused):
            ask(uow, pair[0], "award", 600, key="k")
        with pytest.raises(KeyReused):
            ask(uow, pair[1], "award", 500, key="k")


def test_what_cannot_be_is_refused_and_nothing_of_it_happens(
    shop: TestShop, other_shop: TestShop, pair: tuple[UUID, UUID]
) -> None:
    one, two = pair
    with other_shop.work() as uow:
        stranger = members.enroll(uow, [Person(9)])[9].id
    with by(shop) as uow:
        ask(uow, one, "award", 10)
    refused: list[tuple[type[Exception], Any, int | None, dict[str, Any]]] = [
        (InsufficientPoints, "deduct", 11, {}),
        (InsufficientPoints, "expire", 11, {}),
        (InsufficientPoints, "transfer", 11, {"to_member_id": two}),
        (SameMember, "transfer", 1, {"to_member_id": one}),
        (SameMember, "transfer", 1, {}),
        (NothingToAdjust, "set", 10, {}),
        (NothingToAdjust, "award", 0, {}),
        (MemberNotFound, "transfer", 1, {"to_member_id": stranger}),
    ]
    for error, verb, count, more in refused:
        with pytest.raises(error), by(shop) as uow:
            _after_another(uow, two, one, verb, count, **more)
    with by(shop) as uow:
        assert [service.balance(uow, who).available for who in pair] == [10, 0]
        members.set_status(uow, two, "blocked")
        with pytest.raises(MemberCannotEarn):
            ask(uow, one, "transfer", 1, to_member_id=two)


def test_much_waits_for_somebody_else(shop: TestShop, pair: tuple[UUID, UUID]) -> None:
    with by(shop) as uow:
        service.save_adjust_settings(uow, SettingsForm(approval_above=1_000))
        assert ask(uow, pair[0], "award", 1_000).status == "done"
        waiting = ask(uow, pair[0], "award", 1_001)
        other = ask(uow, pair[0], "set", 5_000)
        assert (waiting.status, waiting.entries) == ("waiting", [])
        assert service.balance(uow, pair[0]).available == 1_000
    with pytest.raises(ApproverNeeded), by(shop) as uow:
        service.decide(uow, waiting.id, approve=True)
    with by(shop, OMAR) as uow:
        assert service.decide(uow, waiting.id, approve=True).status == "done"
        assert service.decide(uow, other.id, approve=False).status == "rejected"
        assert service.balance(uow, pair[0]).available == 2_001
    for verdict in (True, False):
        with pytest.raises(AdjustmentClosed), by(shop, OMAR) as uow:
            service.decide(uow, waiting.id, approve=verdict)
    with by(shop) as uow:
        actions = [
            entry.action for entry in compliance.list_entries(uow, ("member", str(pair[0])), limit=9).items
        ]
        assert actions.count("points.adjustment_requested") == 2
        assert actions.count("points.adjustment_decided") == 2


def test_another_shop_decides_nothing(shop: TestShop, other_shop: TestShop, pair: tuple[UUID, UUID]) -> None:
    with by(shop) as uow:
        service.save_adjust_settings(uow, SettingsForm(approval_above=0))
        waiting = ask(uow, pair[0], "award", 5)
    for verb in (
        lambda uow: service.decide(uow, waiting.id, approve=True),
        lambda uow: service.undo(uow, waiting.id),
    ):
        with pytest.raises(AdjustmentNotFound), by(other_shop, OMAR) as uow:
            verb(uow)


def test_a_person_has_a_days_worth(shop: TestShop, pair: tuple[UUID, UUID]) -> None:
    with by(shop) as uow:
        service.save_adjust_settings(uow, SettingsForm(daily_limit=1_000))
        ask(uow, pair[0], "award", 600)
        with pytest.raises(DailyLimitReached) as refused:
            ask(uow, pair[1], "award", 401)
        assert refused.value.data == {"limit": 1_000, "left": 400}
        ask(uow, pair[0], "deduct", 400)
    with by(shop, OMAR) as uow:
        ask(uow, pair[1], "award", 1_000)
    with by(shop, Actor("api_key", "key")) as uow:
        ask(uow, pair[1], "award", 9_000)


def test_settings_are_not_overwritten_unseen(shop: TestShop) -> None:
    with by(shop) as uow:
        assert service.save_adjust_settings(uow, SettingsForm(daily_limit=5)).version == 1
        with pytest.raises(StaleSettings):
            service.save_adjust_settings(uow, SettingsForm(daily_limit=6))


def test_many_in_an_hour_raise_an_alarm_once(shop: TestShop, pair: tuple[UUID, UUID]) -> None:
    wishes = [Wish(pair[0], "award", 1, f"k{number}", "goodwill") for number in range(100)]
    with by(shop) as uow:
        assert len(service.adjust_by_hand(uow, wishes)) == 100
        assert not service.alerted_since(uow, uow.now)
        for number in range(2):
            ask(uow, pair[0], "award", 1, key=f"more{number}")
        assert service.alerted_since(uow, uow.now)
        assert uow.scalar("SELECT count(*) FROM outbox WHERE kind = 'points.adjustment_alert'") == 1
        assert service.balance(uow, pair[0]).available == 102


def test_a_hundred_awards_take_few_statements(shop: TestShop) -> None:
    with shop.work() as uow:
        found = members.enroll(uow, [Person(number) for number in range(1, 101)])
    with by(shop) as uow:
        run, statements = uow.execute, []
        uow.execute = lambda sql, params=None: (statements.append(sql), run(sql, params))[1]  # type: ignore[method-assign,assignment]
        service.adjust_by_hand(
            uow, [Wish(one.id, "award", 5, f"k{key}", "promotion") for key, one in found.items()]
        )
        uow.execute = run  # type: ignore[method-assign]
    assert len(statements) < 25


def test_what_was_used_cannot_be_undone(shop: TestShop, pair: tuple[UUID, UUID]) -> None:
    one, two = pair
    with by(shop) as uow:
        given_points = ask(uow, one, "award", 100)
        moved = ask(uow, one, "transfer", 40, to_member_id=two)
        with pytest.raises(UndoRefused):
            service.undo(uow, given_points.id)
        service.spend(uow, two, 1, key="s", reason="redemption")
    with pytest.raises(UndoRefused), by(shop) as uow:
        service.undo(uow, moved.id)
    with by(shop) as uow:
        taken = ask(uow, two, "deduct", 10)
        assert service.undo(uow, taken.id).status == "undone"
        with pytest.raises(AdjustmentClosed):
            service.undo(uow, taken.id)
        assert service.balance(uow, two).available == 39


WISHES = st.lists(
    st.tuples(st.sampled_from(["award", "deduct", "set", "expire", "transfer"]), st.integers(1, 300)),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(wishes=WISHES, refund=st.integers(0, 400), other_refund=st.integers(0, 400))
def test_undoing_backwards_restores_everything(
    shop: TestShop, wishes: list[tuple[Any, int]], refund: int, other_refund: int
) -> None:
    with by(shop) as uow:
        one, two = (members.enroll(uow, [Person(key)])[key].id for key in (_number(), _number()))
        service.credit(uow, [Credit(one, 200, f"a{one}", "thanks")])
        for who, count in ((one, refund), (two, other_refund)):
            if count:
                service.reverse(uow, Reversal(who, count, f"r{who}", "refund"))
        states: list[tuple[UUID, list[Balance]]] = []
        for verb, count in wishes:
            before = [service.balance(uow, who) for who in (one, two)]
            try:
                with uow.savepoint():
                    more = {"to_member_id": two} if verb == "transfer" else {}
                    states.append((ask(uow, one, verb, count, **more).id, before))
            except (InsufficientPoints, NothingToAdjust):
                continue
        for adjustment, before in reversed(states):
            service.undo(uow, adjustment)
            assert [service.balance(uow, who) for who in (one, two)] == before


def _number() -> int:
    return ids.new_id().int % 10**15
