"""Codes and points stand or fall together, whatever breaks and whenever it breaks."""

from typing import Any
from uuid import UUID

import pytest

from app.core import outbox
from app.core.db import unit_of_work
from app.core.outbox import MAX_ATTEMPTS
from app.domains.members import service as members
from app.domains.points import service as points
from app.domains.rewards import jobs, queries, service
from app.domains.rewards.errors import RedemptionNotCancellable, RedemptionNotFound
from tests.domains.points.invariants import broken
from tests.domains.rewards.counter import Counter
from tests.factories import payloads
from tests.fixtures.shop import TestShop


def test_a_redemption_becomes_a_code_and_the_points_are_spent(counter: Counter) -> None:
    redemption = counter.redeem(
        counter.reward(valid_days=30, minimum_subtotal=20, combines_with=["shipping"])
    )
    assert redemption.status == "reserved"
    assert redemption.usable_code is None
    assert (counter.balance().available, counter.balance().held) == (500, 500)
    counter.deliver()
    stored = counter.now(redemption)
    assert stored.status == "issued"
    assert stored.usable_code == redemption.code
    assert stored.discount_gid == "gid://shopify/DiscountCodeNode/1"
    assert counter.consistent(redemption)
    assert counter.audit(redemption.id) == ["reward.redeemed", "reward.issued"]
    [wanted] = counter.admin.inputs
    assert wanted["context"] == {"customers": {"add": ["gid://shopify/Customer/77"]}}
    assert (wanted["usageLimit"], wanted["appliesOncePerCustomer"]) == (1, True)
    assert wanted["combinesWith"] == {"shippingDiscounts": True}


@pytest.mark.parametrize("fault", ["before", "after", "5xx after", "throttled"])
def test_a_call_that_breaks_is_made_again(counter: Counter, fault: str) -> None:
    counter.admin.plan = [fault, fault]
    redemption = counter.redeem(counter.reward())
    for _ in range(6):
        counter.deliver()
    assert counter.now(redemption).status == "issued"
    assert counter.consistent(redemption)
    assert len(counter.admin.codes) == 1


def test_a_worker_that_dies_before_the_call_loses_nothing(counter: Counter) -> None:
    redemption = counter.redeem(counter.reward())
    assert len(outbox.lease(1)) == 1
    assert outbox.drain() == 0
    assert counter.admin.codes == {}
    assert counter.balance().held == 500
    counter.deliver()
    assert counter.consistent(redemption)


def test_a_worker_that_dies_after_the_call_finds_its_code_again(counter: Counter) -> None:
    redemption = counter.redeem(counter.reward())
    [message] = outbox.lease(1)
    jobs.create_discount(message)
    assert counter.admin.works(redemption.code)
    assert counter.now(redemption).status == "reserved"
    counter.deliver()
    assert counter.now(redemption).status == "issued"
    assert counter.consistent(redemption)
    assert (len(counter.admin.codes), counter.admin.creations()) == (1, 2)


def test_a_transaction_that_rolls_back_leaves_neither_work_nor_hold(counter: Counter) -> None:
    reward_id = counter.reward()

    def die() -> None:
        with counter.shop.work() as uow:
            service.redeem(uow, counter.member_id, reward_id, key="k", channel="widget")
            raise RuntimeError("the process died")

    with pytest.raises(RuntimeError):
        die()
    counter.deliver()
    assert counter.admin.codes == {}
    assert (counter.balance().available, counter.balance().held) == (1000, 0)


def test_a_slow_worker_whose_lease_ran_out_settles_nothing_twice(counter: Counter) -> None:
    redemption = counter.redeem(counter.reward())
    [slow] = outbox.lease(1)
    counter.deliver()
    outbox.deliver(slow)
    assert counter.consistent(redemption)
    assert counter.audit(redemption.id) == ["reward.redeemed", "reward.issued"]


@pytest.mark.parametrize("fault", ["refuse:INVALID", "denied"])
def test_a_refusal_gives_the_points_back(counter: Counter, fault: str) -> None:
    counter.admin.plan = [fault]
    redemption = counter.redeem(counter.reward())
    counter.deliver()
    stored = counter.now(redemption)
    assert stored.status == "failed"
    assert (
        stored.failure
        == {"refuse:INVALID": "INVALID:discount.context", "denied": "shopify_access_denied"}[fault]
    )
    assert counter.consistent(redemption)
    assert counter.audit(redemption.id) == ["reward.redeemed", "reward.failed"]
    counter.deliver()
    assert counter.admin.creations() == 1


def test_a_refusal_after_a_lost_answer_keeps_the_code_that_was_made(counter: Counter) -> None:
    counter.admin.plan = ["after", "refuse:INVALID"]
    redemption = counter.redeem(counter.reward())
    counter.deliver(2)
    assert counter.now(redemption).status == "issued"
    assert counter.consistent(redemption)


def test_shopifys_own_error_is_no_refusal(counter: Counter) -> None:
    counter.admin.plan = ["refuse:INTERNAL_ERROR"]
    redemption = counter.redeem(counter.reward())
    counter.deliver(2)
    assert counter.now(redemption).status == "issued"


def test_a_code_that_somebody_else_has_is_refused(counter: Counter) -> None:
    redemption = counter.redeem(counter.reward())
    counter.admin.answer(
        "DiscountCodeBasicCreate",
        {
            "discount": {
                "code": redemption.code,
                "title": "Summer",
                "usageLimit": None,
                "startsAt": "2026-01-01T00:00:00Z",
            }
        },
    )
    counter.deliver()
    assert counter.now(redemption).failure == "code_taken"
    assert counter.balance().available == 1000


def test_while_shopify_is_away_the_points_stay_held_and_work_goes_on_in_rounds(counter: Counter) -> None:
    redemption = counter.redeem(counter.reward())
    counter.admin.plan = ["after"] + ["before"] * 40
    with counter.shop.work() as uow:
        uow.execute("UPDATE outbox SET attempts = %(attempts)s", {"attempts": MAX_ATTEMPTS - 1})
    counter.deliver()
    assert counter.now(redemption).status == "reserved"
    assert (counter.balance().available, counter.balance().held) == (500, 500)
    assert counter.work()["payload"] == {"redemption_id": str(redemption.id), "round": 2}
    counter.admin.plan = ["refuse:INVALID"]
    counter.deliver()
    assert counter.now(redemption).status == "issued"
    assert counter.consistent(redemption)


def test_a_free_product_takes_the_price_of_one_unit(counter: Counter) -> None:
    counter.admin.prices["gid://shopify/ProductVariant/9"] = "12.50"
    redemption = counter.redeem(counter.reward(kind="free_product", variant="9", amount=None))
    counter.deliver()
    assert counter.now(redemption).status == "issued"
    assert counter.admin.inputs[0]["customerGets"] == {
        "items": {"products": {"productVariantsToAdd": ["gid://shopify/ProductVariant/9"]}},
        "value": {"discountAmount": {"amount": "12.50", "appliesOnEachItem": False}},
    }


@pytest.mark.parametrize(("price", "failure"), [(None, "product_gone"), ("0.00", "product_without_price")])
def test_a_product_that_cannot_be_given_returns_the_points(
    counter: Counter, price: str | None, failure: str
) -> None:
    if price is not None:
        counter.admin.prices["gid://shopify/ProductVariant/9"] = price
    redemption = counter.redeem(counter.reward(kind="free_product", variant="9", amount=None))
    counter.deliver()
    assert counter.now(redemption).failure == failure
    assert counter.consistent(redemption)


def test_free_shipping_and_percentages_fit_shopifys_schema(counter: Counter) -> None:
    shipping = counter.redeem(counter.reward(kind="free_shipping", points_cost=300, amount=15))
    percentage = counter.redeem(
        counter.reward(kind="percentage_off", points_cost=300, percent="12.5", amount=None)
    )
    counter.deliver()
    assert {counter.now(one).status for one in (shipping, percentage)} == {"issued"}
    by_code = {one["code"]: one for one in counter.admin.inputs}
    assert by_code[shipping.code]["maximumShippingPrice"] == "15.00"
    assert by_code[percentage.code]["customerGets"]["value"] == {"percentage": 0.125}


def test_a_member_erased_meanwhile_gets_no_code(counter: Counter) -> None:
    redemption = counter.redeem(counter.reward())
    with counter.shop.work() as uow:
        members.erase(uow, counter.member_id)
    counter.deliver()
    assert counter.now(redemption).failure == "customer_gone"
    assert counter.admin.codes == {}


def test_the_ledger_says_which_reward_it_was(counter: Counter) -> None:
    redemption = counter.redeem(counter.reward(names={"en": "Mug", "fr": "Tasse"}))
    counter.deliver()
    cancel(counter, redemption.id)
    counter.deliver()
    with counter.shop.work() as uow:
        english = [entry["why"] for entry in points.recent(uow, counter.member_id, "en")]
        french = points.recent(uow, counter.member_id, "fr")[1]["why"]
    assert english[0] == "500 points back: the reward was canceled."
    assert english[1] == "500 points for the reward Mug."
    assert "Tasse" in french


def issued(counter: Counter) -> UUID:
    """A redemption whose code works."""
    redemption = counter.redeem(counter.reward())
    counter.deliver()
    return redemption.id


def cancel(counter: Counter, redemption_id: UUID) -> None:
    """Ask for a code to be taken back."""
    with counter.shop.work() as uow:
        service.cancel(uow, redemption_id)


def test_cancelling_switches_the_code_off_before_the_points_return(counter: Counter) -> None:
    redemption_id = issued(counter)
    cancel(counter, redemption_id)
    assert counter.balance().available == 500
    with counter.shop.work() as uow:
        assert service.get_redemption(uow, redemption_id).cancelling
    with pytest.raises(RedemptionNotCancellable):
        cancel(counter, redemption_id)
    counter.deliver()
    with counter.shop.work() as uow:
        stored = service.get_redemption(uow, redemption_id)
        assert broken(uow) == {}
    assert stored.status == "cancelled"
    assert counter.consistent(stored)
    with pytest.raises(RedemptionNotCancellable):
        cancel(counter, redemption_id)


def test_a_code_deleted_in_shopify_can_be_cancelled(counter: Counter) -> None:
    redemption_id = issued(counter)
    counter.admin.codes.clear()
    cancel(counter, redemption_id)
    counter.deliver()
    assert counter.balance().available == 1000


def test_a_code_that_was_used_is_not_paid_back(counter: Counter) -> None:
    redemption_id = issued(counter)
    for node in counter.admin.codes.values():
        node["codeDiscount"]["asyncUsageCount"] = 1
    cancel(counter, redemption_id)
    counter.deliver()
    with counter.shop.work() as uow:
        assert service.get_redemption(uow, redemption_id).status == "used"
    assert counter.balance().available == 500


def test_a_code_that_cannot_be_switched_off_stays_issued_and_can_be_tried_again(counter: Counter) -> None:
    redemption_id = issued(counter)
    counter.admin.plan = ["refuse:INVALID"]
    cancel(counter, redemption_id)
    counter.deliver()
    with counter.shop.work() as uow:
        stored = service.get_redemption(uow, redemption_id)
    assert (stored.status, stored.failure) == ("issued", "cancel_failed")
    assert counter.balance().available == 500
    cancel(counter, redemption_id)
    counter.deliver()
    assert counter.balance().available == 1000


def test_only_known_and_issued_codes_can_be_cancelled(counter: Counter, other_shop: TestShop) -> None:
    redemption = counter.redeem(counter.reward())
    with pytest.raises(RedemptionNotCancellable):
        cancel(counter, redemption.id)
    counter.deliver()
    with pytest.raises(RedemptionNotFound), other_shop.work() as uow:
        service.cancel(uow, redemption.id)


def order_with(counter: Counter, *codes: str, order_id: int = 5) -> None:
    """An order of the member that used codes, as its webhook tells it."""
    body = payloads.order(
        order_id, discount_codes=[{"code": code, "amount": "5.00", "type": "fixed_amount"} for code in codes]
    )
    counter.shop.tell("orders/paid", body)
    counter.shop.drain()
    assert counter.shop.undone() == []


def test_an_order_uses_the_code_up_once(counter: Counter) -> None:
    redemption = counter.redeem(counter.reward())
    counter.deliver()
    order_with(counter, redemption.code.lower(), "SUMMER10")
    stored = counter.now(redemption)
    assert (stored.status, stored.used_order_id) == ("used", 5)
    order_with(counter, redemption.code, order_id=6)
    assert counter.now(redemption).used_order_id == 5
    assert counter.audit(redemption.id) == ["reward.redeemed", "reward.issued", "reward.used"]


def test_an_order_that_overtakes_our_own_bookkeeping_spends_the_points(counter: Counter) -> None:
    redemption = counter.redeem(counter.reward())
    [message] = outbox.lease(1)
    settle = jobs.create_discount(message)
    order_with(counter, redemption.code)
    assert (counter.now(redemption).status, counter.balance().held) == ("used", 0)
    assert settle is not None
    with unit_of_work(counter.shop.id) as uow:
        settle(uow)
    stored = counter.now(redemption)
    assert (stored.status, stored.discount_gid) == ("used", "gid://shopify/DiscountCodeNode/1")
    with counter.shop.work() as uow:
        assert broken(uow) == {}


def test_a_code_used_after_it_was_paid_back_takes_the_points_again(counter: Counter) -> None:
    redemption_id = issued(counter)
    cancel(counter, redemption_id)
    counter.deliver()
    with counter.shop.work() as uow:
        redemption = service.get_redemption(uow, redemption_id)
        before = points.balance(uow, counter.member_id).available
    with counter.shop.work() as uow:
        service.mark_used(uow, {redemption.code: 5})
    assert counter.now(redemption).status == "used"
    assert counter.balance().available == before - 500
    assert "reward.used_after_return" in counter.audit(redemption_id)


def test_a_code_used_after_it_was_paid_back_cannot_take_what_is_gone(counter: Counter) -> None:
    redemption_id = issued(counter)
    cancel(counter, redemption_id)
    counter.deliver()
    with counter.shop.work() as uow:
        redemption = service.get_redemption(uow, redemption_id)
        points.spend(uow, counter.member_id, 900, key="elsewhere", reason="gift")
        service.mark_used(uow, {redemption.code: 5})
    assert counter.balance().available == 100
    assert counter.now(redemption).status == "used"


@pytest.mark.parametrize(
    ("changes", "goods", "cost"),
    [
        ({"kind": "percentage_off", "percent": 10}, 9_000, 1_000),
        ({"kind": "percentage_off", "percent": 33}, 6_700, 3_300),
        ({"kind": "percentage_off", "percent": 10, "cost": 2}, 9_000, 200),
        ({"kind": "percentage_off", "percent": 100}, 0, 0),
        ({"kind": "amount_off", "amount": 5}, 9_000, 500),
        ({"kind": "free_shipping"}, 9_000, 0),
    ],
)
def test_a_used_percentage_costs_what_it_took_off(
    counter: Counter, changes: dict[str, Any], goods: int, cost: int
) -> None:
    reward_id = counter.reward(**changes)
    redemption = counter.redeem(reward_id)
    counter.deliver()
    for _ in range(2):
        with counter.shop.work() as uow:
            service.mark_used(uow, {redemption.code: 5}, {5: goods})
    with counter.shop.work() as uow:
        assert queries.figures(uow, reward_id)["cost_minor"] == cost


def test_a_given_code_costs_as_much_as_a_redeemed_one(counter: Counter) -> None:
    reward_id = counter.reward()
    with counter.shop.work() as uow:
        given = service.give(uow, counter.member_id, reward_id, key="gift")
    assert given is not None and given.points == 0 and given.cost_minor == 500


def test_the_sales_of_a_reward_are_those_of_its_orders_less_returns(counter: Counter) -> None:
    reward_id = counter.reward()

    def sales() -> tuple[int, int]:
        with counter.shop.work() as uow:
            found = queries.sales(uow, reward_id, "USD")
        return found["orders"], found["sales_minor"]

    assert sales() == (0, 0)
    redemption = counter.redeem(reward_id)
    counter.deliver()
    order_with(counter, redemption.code)
    assert sales() == (1, 12_990)
    counter.shop.tell("refunds/create", payloads.refund(1, 5, [(51, 1, "100.00")]))
    counter.shop.drain()
    assert sales() == (1, 2_990)
    with counter.shop.work() as uow:
        assert queries.sales(uow, reward_id, "EUR")["orders"] == 0
    gone = payloads.order(5, cancelled_at=payloads.at(3), updated_at=payloads.at(3))
    counter.shop.tell("orders/cancelled", gone)
    counter.shop.drain()
    assert sales() == (0, 0)
