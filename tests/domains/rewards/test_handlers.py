"""Privacy requests and the home tab see redemptions."""

from datetime import timedelta

from app.core.clock import now
from app.domains.compliance import service as compliance
from app.domains.rewards import handlers, queries, service
from app.domains.shops.schemas import HomeNotice, HomeStep
from tests.domains.rewards.counter import Counter, enroll
from tests.fixtures.shop import TestShop


def test_an_export_tells_what_was_redeemed(counter: Counter) -> None:
    redemption = counter.redeem(counter.reward())
    enroll(counter.shop, 78)
    with counter.shop.work() as uow:
        [line] = handlers.export_person(uow, counter.member_id, None)["redemptions"]
        assert (line["code"], line["points"], line["status"]) == (redemption.code, 500, "reserved")
        assert handlers.export_person(uow, None, 77) == {"redemptions": [], "checkout_holds": []}


def test_an_export_is_complete_beyond_a_page(counter: Counter) -> None:
    reward_id = counter.reward(points_cost=1)
    with counter.shop.work() as uow:
        for number in range(201):
            service.redeem(uow, counter.member_id, reward_id, key=str(number), channel="api")
    with counter.shop.work() as uow:
        assert len(handlers.export_person(uow, counter.member_id, None)["redemptions"]) == 201


def test_an_erasure_blanks_the_codes_and_can_be_repeated(counter: Counter) -> None:
    redemption = counter.redeem(counter.reward())
    counter.deliver()
    for _ in range(2):
        with counter.shop.work() as uow:
            handlers.erase_person(uow, counter.member_id, None)
            handlers.erase_person(uow, None, 77)
    assert counter.now(redemption).code == ""
    with counter.shop.work() as uow:
        service.mark_used(uow, {redemption.code: 5})
    assert counter.now(redemption).status == "used"


def test_redemptions_are_on_the_list_of_personal_tables() -> None:
    assert "redemptions" in compliance.exported_tables() & compliance.erased_tables()


def test_home_shows_the_step_and_what_failed(counter: Counter, other_shop: TestShop) -> None:
    reward_id = counter.reward(points_cost=1)
    counter.admin.plan = ["refuse:INVALID"]
    for _ in range(3):
        counter.redeem(reward_id)
    counter.deliver()
    with counter.shop.work() as uow:
        step, notice = handlers.home_facts(uow, now() - timedelta(hours=1))
        assert isinstance(step, HomeStep)
        assert step.done is True
        assert isinstance(notice, HomeNotice)
        assert notice.data == {"count": 1}
        assert len(handlers.home_facts(uow, now() + timedelta(hours=1))) == 1
    with other_shop.work() as uow:
        assert len(handlers.home_facts(uow, now() - timedelta(hours=1))) == 1


def test_redemptions_that_went_well_are_counted_by_local_day(counter: Counter, other_shop: TestShop) -> None:
    reward_id = counter.reward(points_cost=1)
    counter.admin.plan = ["refuse:INVALID"]
    for _ in range(3):
        counter.redeem(reward_id)
    counter.deliver()
    today = now().date()
    with counter.shop.work() as uow:
        assert queries.redeemed_by_day(uow, today, today, "UTC") == {today: 2}
        assert queries.redeemed_by_day(uow, today - timedelta(days=2), today - timedelta(days=1), "UTC") == {}
    with other_shop.work() as uow:
        assert queries.redeemed_by_day(uow, today, today, "UTC") == {}
