"""Every kind of reward, its stock, and points that come back: both the reward and the points' price, or neither."""

import threading
from typing import Any
from uuid import UUID

import pytest

from app.domains.points import service as points
from app.domains.rewards import errors, jobs, service
from app.domains.rewards.schemas import Redemption, RewardForm
from tests.domains.points.invariants import broken
from tests.domains.rewards.counter import Counter, enroll
from tests.fixtures.shop import make_shop

KINDS: dict[str, dict[str, Any]] = {
    "gift_card": {"kind": "gift_card", "amount": 10},
    "store_credit": {"kind": "store_credit", "amount": 10},
    "exclusive_access": {"kind": "exclusive_access", "access_tag": "early", "valid_days": 7},
}
SHOPPER = "gid://shopify/Customer/77"


def made(counter: Counter, kind: str) -> int:
    """How many of the kind exist at Shopify."""
    admin = counter.admin
    return {
        "gift_card": sum(card["enabled"] for card in admin.cards.values()),
        "store_credit": len(admin.credits),
        "exclusive_access": len(admin.tags.get(SHOPPER, [])),
    }[kind]


def lapse(counter: Counter, redemption: Redemption) -> None:
    """The redemption's date is two hours ago, and the hourly job runs."""
    with counter.shop.work() as uow:
        uow.execute(
            "UPDATE redemptions SET expires_at = now() - interval '2 hours' WHERE id = %(id)s",
            {"id": redemption.id},
        )
    jobs.return_lapsed()


@pytest.mark.parametrize("fault", [None, "before", "after", "5xx after", "throttled"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_made_once_whatever_breaks(counter: Counter, kind: str, fault: str | None) -> None:
    counter.admin.plan = [fault, fault]
    redemption = counter.redeem(counter.reward(**KINDS[kind]))
    counter.deliver(6)
    assert counter.now(redemption).status == ("used" if kind == "store_credit" else "issued")
    assert made(counter, kind) == 1
    assert (counter.balance().available, counter.balance().held) == (500, 0)
    with counter.shop.work() as uow:
        assert broken(uow) == {}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_that_is_refused_gives_the_points_back(counter: Counter, kind: str) -> None:
    counter.admin.plan = ["denied"] * 3
    redemption = counter.redeem(counter.reward(**KINDS[kind], stock=1))
    counter.deliver(3)
    assert counter.now(redemption).status == "failed"
    assert made(counter, kind) == 0
    assert (counter.balance().available, counter.balance().held) == (1000, 0)
    assert counter.redeem(redemption.reward_id).status == "reserved", "the piece went back into the stock"


def test_two_credits_of_the_same_amount_are_told_apart(counter: Counter) -> None:
    reward_id = counter.reward(**KINDS["store_credit"])
    first, second = counter.redeem(reward_id), counter.redeem(reward_id)
    counter.admin.plan = ["after", "after"]
    counter.deliver(8)
    assert {counter.now(one).status for one in (first, second)} == {"used"}
    assert len({counter.now(one).discount_gid for one in (first, second)}) == 2
    assert len(counter.admin.credits) == 2


def test_a_gift_card_with_something_spent_is_not_taken_back(counter: Counter) -> None:
    whole, begun = (counter.redeem(counter.reward(**KINDS["gift_card"])) for _ in range(2))
    counter.deliver()
    counter.admin.cards[begun.code]["balance"] = {"amount": "9.99"}
    for one in (whole, begun):
        with counter.shop.work() as uow:
            service.cancel(uow, one.id)
    counter.deliver()
    assert (counter.now(whole).status, counter.now(begun).status) == ("cancelled", "used")
    assert [counter.admin.cards[one.code]["enabled"] for one in (whole, begun)] == [False, True]
    assert counter.balance().available == 500


def test_access_ends_with_its_days_unless_another_still_opens_the_door(counter: Counter) -> None:
    reward_id = counter.reward(**KINDS["exclusive_access"])
    first, second = counter.redeem(reward_id), counter.redeem(reward_id)
    counter.deliver()
    lapse(counter, first)
    counter.deliver()
    assert counter.now(first).status == "used"
    assert counter.admin.tags[SHOPPER] == ["early"]
    lapse(counter, second)
    counter.deliver()
    assert counter.admin.tags[SHOPPER] == []
    assert counter.balance().available == 0


def test_a_member_chooses_how_much(counter: Counter) -> None:
    slider = counter.reward(kind="any_amount", points_cost=100, amount=1, least_points=200, most_points=800)
    with counter.shop.work() as uow:
        for wrong in (None, 100, 250, 900, -200):
            with pytest.raises(errors.InvalidAmount):
                service.redeem(uow, counter.member_id, slider, key="w", channel="api", chosen=wrong)
        redemption = service.redeem(uow, counter.member_id, slider, key="k", channel="api", chosen=700)
    with counter.shop.work() as uow, pytest.raises(errors.RedemptionKeyReused):
        service.redeem(uow, counter.member_id, slider, key="k", channel="api", chosen=600)
    counter.deliver()
    [wanted] = counter.admin.inputs
    assert wanted["customerGets"]["value"]["discountAmount"]["amount"] == "7.00"
    assert (redemption.points, counter.balance().available) == (700, 300)


def test_a_reward_that_staff_hand_over_waits_for_them(counter: Counter) -> None:
    reward_id = counter.reward(kind="custom", amount=None)
    first, second = counter.redeem(reward_id), counter.redeem(reward_id)
    counter.deliver()
    assert counter.balance().held == 1000
    with counter.shop.work() as uow:
        service.fulfill(uow, first.id)
        service.cancel(uow, second.id)
    with counter.shop.work() as uow:
        for one in (first, second):
            with pytest.raises(errors.NotFulfillable):
                service.fulfill(uow, one.id)
    assert (counter.now(first).status, counter.now(second).status) == ("used", "cancelled")
    assert (counter.balance().available, counter.balance().held) == (500, 0)
    with make_shop("other-kinds.myshopify.com").work() as uow, pytest.raises(errors.RedemptionNotFound):
        service.fulfill(uow, first.id)


@pytest.mark.parametrize(
    ("returns", "status", "available"), [(True, "cancelled", 1000), (False, "expired", 500)]
)
def test_a_code_that_lapsed_unused(counter: Counter, returns: bool, status: str, available: int) -> None:
    redemption = counter.redeem(counter.reward(valid_days=3, returns_expired=returns))
    counter.deliver()
    with counter.shop.work() as uow:
        service.retire(uow, redemption.reward_id, version=1)
    counter.admin.plan = ["after", "before"]
    lapse(counter, redemption)
    assert counter.balance().available == 500, "the code is switched off before anything returns"
    jobs.return_lapsed()
    counter.deliver(4)
    stored = counter.now(redemption)
    assert (stored.status, stored.ending) == (status, "expired")
    assert not counter.admin.works(redemption.code)
    assert counter.balance().available == available
    jobs.return_lapsed()
    counter.deliver()
    assert counter.balance().available == available


def test_a_lapsed_code_that_shopify_saw_used_stays_used(counter: Counter) -> None:
    redemption = counter.redeem(counter.reward(valid_days=3))
    counter.deliver()
    counter.admin.codes[redemption.code]["codeDiscount"]["asyncUsageCount"] = 1
    lapse(counter, redemption)
    counter.deliver()
    assert counter.now(redemption).status == "used"
    assert counter.balance().available == 500


def test_a_code_that_has_not_lapsed_is_left_alone(counter: Counter) -> None:
    redemption = counter.redeem(counter.reward(valid_days=1))
    counter.deliver()
    jobs.return_lapsed()
    counter.deliver()
    assert counter.admin.works(redemption.code)


@pytest.mark.parametrize(("returns", "available"), [(True, 1000), (False, 500)])
def test_a_canceled_order_gives_the_reward_back(counter: Counter, returns: bool, available: int) -> None:
    redemption = counter.redeem(counter.reward(returns_canceled=returns))
    counter.deliver()
    with counter.shop.work() as uow:
        service.mark_used(uow, {redemption.code: 9001})
    for _ in range(2):
        with counter.shop.work() as uow:
            service.orders_were_canceled(uow, [9001])
        counter.deliver()
    assert counter.balance().available == available
    assert counter.now(redemption).status == ("cancelled" if returns else "used")
    assert counter.admin.works(redemption.code) is not returns
    with counter.shop.work() as uow:
        service.mark_used(uow, {redemption.code: 9001})
    assert counter.balance().available == available


def test_a_member_takes_only_their_own_code_back(counter: Counter) -> None:
    redemption = counter.redeem(counter.reward())
    counter.deliver()
    other = enroll(counter.shop, 78)
    with counter.shop.work() as uow, pytest.raises(errors.RedemptionNotFound):
        service.cancel(uow, redemption.id, ending="member", member_id=other)
    with counter.shop.work() as uow:
        service.cancel(uow, redemption.id, ending="member", member_id=counter.member_id)
    counter.deliver()
    assert counter.now(redemption).ending == "member"
    assert counter.balance().available == 1000


def test_the_last_pieces_are_not_sold_twice(counter: Counter) -> None:
    reward_id = counter.reward(points_cost=10, stock=3)
    people = [enroll(counter.shop, number) for number in range(200, 208)]
    outcomes: list[str] = []
    start = threading.Barrier(len(people))

    def buy(member_id: UUID) -> None:
        start.wait()
        try:
            with counter.shop.work() as uow:
                service.redeem(uow, member_id, reward_id, key=str(member_id), channel="widget")
            outcomes.append("got")
        except errors.OutOfStock:
            outcomes.append("out")

    threads = [threading.Thread(target=buy, args=(one,)) for one in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["got"] * 3 + ["out"] * 5
    with counter.shop.work() as uow:
        assert service.get_reward(uow, reward_id).stock_taken == 3
        held = [points.balance(uow, one).held for one in people]
    assert sorted(held) == [0] * 5 + [10] * 3


def test_a_returned_piece_can_be_had_again(counter: Counter) -> None:
    redemption = counter.redeem(counter.reward(stock=1))
    counter.deliver()
    with pytest.raises(errors.OutOfStock):
        counter.redeem(redemption.reward_id)
    with counter.shop.work() as uow:
        service.cancel(uow, redemption.id)
    counter.deliver()
    assert counter.redeem(redemption.reward_id).status == "reserved"


def test_a_stock_counts_from_when_it_is_set(counter: Counter) -> None:
    reward_id = counter.reward()
    before = counter.redeem(reward_id)
    with counter.shop.work() as uow:
        form = RewardForm(
            version=1, names={"en": "Five off"}, kind="amount_off", points_cost=500, amount=5, stock=1
        )
        service.update_reward(uow, reward_id, form)
    counter.redeem(reward_id)
    counter.deliver()
    with counter.shop.work() as uow:
        service.cancel(uow, before.id)
    counter.deliver()
    with pytest.raises(errors.OutOfStock):
        counter.redeem(reward_id)


def test_a_limit_counts_within_its_days(counter: Counter) -> None:
    redemption = counter.redeem(counter.reward(per_member_limit=1, limit_days=30))
    with pytest.raises(errors.LimitReachedForMember):
        counter.redeem(redemption.reward_id)
    with counter.shop.work() as uow:
        uow.execute("UPDATE redemptions SET created_at = now() - interval '31 days'")
    assert counter.redeem(redemption.reward_id).id != redemption.id


def test_a_copy_is_a_draft(counter: Counter) -> None:
    reward_id = counter.reward(stock=4)
    counter.redeem(reward_id)
    with counter.shop.work() as uow:
        copy = service.duplicate(uow, reward_id)
        assert (copy.status, copy.stock, copy.stock_taken) == ("draft", 4, 0)
