"""Redeeming: who may, how often, and that a key counts once however many ask at the same time."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from app.core import ids, outbox
from app.core.errors import LoyalNestError
from app.domains.members import service as members
from app.domains.members.errors import MemberNotFound
from app.domains.points.errors import InsufficientPoints
from app.domains.programs import service as programs
from app.domains.rewards import service
from app.domains.rewards.errors import (
    BelowMinimumRedemption,
    LimitReachedForMember,
    MemberCannotRedeem,
    ProgramNotActive,
    RedemptionKeyReused,
    RedemptionNotFound,
    RewardNotFound,
    RewardRetired,
)
from app.domains.rewards.schemas import Redemption
from tests.domains.points.invariants import broken
from tests.domains.rewards.counter import Counter, connect, enroll, list_redemptions
from tests.fixtures.shop import TestShop


def test_the_same_key_is_the_same_redemption(counter: Counter) -> None:
    reward_id = counter.reward()
    first = counter.redeem(reward_id, "key")
    assert counter.redeem(reward_id, "key").id == first.id
    counter.deliver()
    again = counter.redeem(reward_id, "key")
    assert (again.id, again.status) == (first.id, "issued")
    assert counter.balance().available == 500


def test_the_same_key_for_something_else_is_refused(counter: Counter) -> None:
    counter.redeem(counter.reward(), "key")
    with pytest.raises(RedemptionKeyReused):
        counter.redeem(counter.reward(), "key")
    assert counter.balance().held == 500


def test_too_few_points_take_nothing(counter: Counter) -> None:
    with pytest.raises(InsufficientPoints):
        counter.redeem(counter.reward(points_cost=1001))
    assert list_redemptions(counter.shop) == []
    assert counter.balance().held == 0


def test_a_limit_counts_what_was_not_given_back(counter: Counter) -> None:
    reward_id = counter.reward(points_cost=100, per_member_limit=1)
    counter.admin.plan = ["refuse:INVALID"]
    counter.redeem(reward_id)
    counter.deliver()
    counter.redeem(reward_id)
    with pytest.raises(LimitReachedForMember):
        counter.redeem(reward_id)
    assert counter.balance().available == 900


def test_a_retired_reward_a_draft_and_a_foreign_one(counter: Counter, other_shop: TestShop) -> None:
    draft = counter.reward(status="draft")
    retired = counter.reward()
    with counter.shop.work() as uow:
        service.retire(uow, retired, version=1)
    for reward_id in (draft, retired):
        with pytest.raises(RewardRetired):
            counter.redeem(reward_id)
    foreign = Counter(other_shop, counter.admin, enroll(other_shop))
    with pytest.raises(RewardNotFound):
        counter.redeem(foreign.reward())
    with pytest.raises(MemberNotFound), counter.shop.work() as uow:
        service.redeem(uow, foreign.member_id, counter.reward(), key="k", channel="api")


def test_a_blocked_member_and_a_paused_program(counter: Counter) -> None:
    reward_id = counter.reward()
    with counter.shop.work() as uow:
        members.set_status(uow, counter.member_id, "blocked")
    with pytest.raises(MemberCannotRedeem):
        counter.redeem(reward_id)
    with counter.shop.work() as uow:
        members.set_status(uow, counter.member_id, "active")
        program = programs.active(uow)
        assert program is not None
        programs.update(uow, program.id, {"status": "paused"}, version=program.version)
    with pytest.raises(ProgramNotActive):
        counter.redeem(reward_id)


def test_the_programs_minimum_is_a_balance(counter: Counter) -> None:
    reward_id = counter.reward(points_cost=100)
    with counter.shop.work() as uow:
        program = programs.active(uow)
        assert program is not None
        programs.update(uow, program.id, {"minimum_redemption": 1001}, version=program.version)
    with pytest.raises(BelowMinimumRedemption):
        counter.redeem(reward_id)


def test_redemptions_are_looked_up_in_their_shop_and_for_their_member(
    counter: Counter, other_shop: TestShop
) -> None:
    redemption = counter.redeem(counter.reward())
    with counter.shop.work() as uow:
        assert service.redemptions_of(uow, counter.member_id) == [redemption]
        with pytest.raises(RedemptionNotFound):
            service.get_redemption(uow, redemption.id, member_id=ids.new_id())
    with pytest.raises(RedemptionNotFound), other_shop.work() as uow:
        service.get_redemption(uow, redemption.id)


def together(work: Callable[[int], Any], times: int) -> list[Any]:
    """Run `work` in threads that start at the same moment; errors are results."""
    gate = threading.Barrier(times)

    def attempt(number: int) -> Any:
        gate.wait()
        try:
            return work(number)
        except LoyalNestError as error:
            return error

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(attempt, range(times)))


def test_many_with_one_key_at_once_redeem_once(counter: Counter) -> None:
    reward_id = counter.reward()
    found = together(lambda _: counter.redeem(reward_id, "key"), 6)
    assert {one.id for one in found} == {found[0].id}
    assert counter.balance().held == 500


def test_many_at_once_never_spend_more_than_there_is(counter: Counter) -> None:
    reward_id = counter.reward(points_cost=400)
    found = together(lambda number: counter.redeem(reward_id, f"key-{number}"), 6)
    assert sum(isinstance(one, Redemption) for one in found) == 2
    assert sum(isinstance(one, InsufficientPoints) for one in found) == 4
    with counter.shop.work() as uow:
        assert broken(uow) == {}


def test_many_at_once_respect_the_limit(counter: Counter) -> None:
    reward_id = counter.reward(points_cost=100, per_member_limit=2)
    found = together(lambda number: counter.redeem(reward_id, f"key-{number}"), 6)
    assert sum(isinstance(one, Redemption) for one in found) == 2
    assert sum(isinstance(one, LimitReachedForMember) for one in found) == 4


def test_the_code_is_made_while_somebody_waits(counter: Counter) -> None:
    redemption = counter.redeem(counter.reward())
    assert service.deliver_now(counter.shop.id, redemption.id)
    assert counter.consistent(redemption)
    assert service.deliver_now(counter.shop.id, redemption.id)
    assert counter.admin.creations() == 1


def test_waiting_ends_in_time_and_the_work_goes_on(counter: Counter) -> None:
    counter.admin.plan = ["wait"]
    redemption = counter.redeem(counter.reward())
    started = time.monotonic()
    assert not service.deliver_now(counter.shop.id, redemption.id, seconds=0.3)
    assert time.monotonic() - started < 1.5
    assert counter.now(redemption).status == "reserved"
    counter.admin.released.set()
    assert service.deliver_now(counter.shop.id, redemption.id, seconds=5)
    assert counter.consistent(redemption)
    assert counter.admin.creations() == 1


def test_whoever_has_the_lease_is_waited_for(counter: Counter) -> None:
    redemption = counter.redeem(counter.reward())
    [leased] = outbox.lease(1)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(service.deliver_now, counter.shop.id, redemption.id, seconds=5)
        time.sleep(0.3)
        assert counter.admin.codes == {}
        outbox.deliver(leased)
        assert waiting.result()
    assert counter.admin.creations() == 1


def test_callers_and_workers_at_once_make_one_call(counter: Counter) -> None:
    redemption = counter.redeem(counter.reward())

    def deliver(number: int) -> Any:
        return outbox.drain() if number % 2 else service.deliver_now(counter.shop.id, redemption.id)

    found = together(deliver, 6)
    assert not [one for one in found if isinstance(one, Exception)]
    assert counter.admin.creations() == 1
    assert counter.consistent(redemption)


def test_a_wait_with_a_transaction_open_is_a_mistake(counter: Counter) -> None:
    redemption = counter.redeem(counter.reward())
    with counter.shop.work(), pytest.raises(RuntimeError):
        service.deliver_now(counter.shop.id, redemption.id)


def test_waiting_for_work_that_is_not_there_ends_at_once(counter: Counter) -> None:
    started = time.monotonic()
    assert not service.deliver_now(counter.shop.id, ids.new_id())
    assert time.monotonic() - started < 1


def test_the_code_is_sealed_and_the_outbox_names_nobody(counter: Counter) -> None:
    redemption = counter.redeem(counter.reward())
    with counter.shop.work() as uow:
        row = uow.one("SELECT * FROM redemptions")
        work = uow.one("SELECT payload::text AS payload FROM outbox")
    assert row is not None
    assert work is not None
    assert redemption.code.encode() not in bytes(row["code_sealed"])
    assert redemption.code not in str({name: row[name] for name in row if name != "code_sealed"})
    assert work["payload"] == f'{{"redemption_id": "{redemption.id}"}}'


def test_two_shops_do_not_share_keys(counter: Counter, other_shop: TestShop) -> None:
    connect(other_shop)
    foreign = Counter(other_shop, counter.admin, enroll(other_shop))
    ours, theirs = counter.redeem(counter.reward(), "key"), foreign.redeem(foreign.reward(), "key")
    assert ours.id != theirs.id
    assert isinstance(theirs.id, UUID)


def test_a_key_is_remembered_when_the_reward_is_gone_and_the_points_are_spent(counter: Counter) -> None:
    reward_id = counter.reward(points_cost=1000)
    first = counter.redeem(reward_id, "key")
    with counter.shop.work() as uow:
        service.retire(uow, reward_id, version=1)
    assert counter.redeem(reward_id, "key").id == first.id
