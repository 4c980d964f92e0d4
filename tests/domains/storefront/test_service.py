from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from app.core import ids
from app.core.db import UnitOfWork
from app.domains.points import service as points
from app.domains.points.errors import InsufficientPoints
from app.domains.rewards.errors import RewardNotFound
from app.domains.storefront import service
from app.domains.storefront.errors import MemberBeingPrepared, RedemptionUnknown
from tests.domains.points.terms import rule
from tests.domains.points.test_earning import change, of_rule, pay
from tests.domains.storefront.conftest import CUSTOMER, enroll, reward_costing, settle
from tests.fixtures.shop import TestShop


@contextmanager
def counted(uow: UnitOfWork, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The statements that run inside."""
    ran: list[str] = []
    own = UnitOfWork.execute

    def execute(self: UnitOfWork, sql: str, params: Any = None) -> Any:
        ran.append(sql)
        return own(self, sql, params)

    with monkeypatch.context() as patch:
        patch.setattr(UnitOfWork, "execute", execute)
        yield ran


def test_a_guest_sees_what_there_is_to_get_and_nobody(shop: TestShop) -> None:
    with shop.work() as uow:
        found = service.summary(uow, None, "en")
    assert (found.state, found.program, found.balance, found.tier) == ("guest", "Rewards", None, None)
    assert [reward.points for reward in found.rewards] == [300, 500, 1000]
    assert not any(reward.redeemable for reward in found.rewards)
    assert [way.text for way in found.earning] == ["10 points for every $1 spent", "200 points for joining"]
    assert found.codes == found.activity == []


def test_a_customer_nobody_told_us_about_waits_with_zero(shop: TestShop) -> None:
    with shop.work() as uow:
        found = service.summary(uow, 12345, "en")
        assert found.state == "preparing" and found.balance is not None and found.balance.available == 0
        assert uow.scalar("SELECT count(*) FROM members") == 0


def test_a_member_sees_points_tier_rewards_and_history(shop: TestShop, member: UUID) -> None:
    with shop.work() as uow:
        found = service.summary(uow, CUSTOMER, "en")
    assert found.state == "member" and found.balance is not None and found.tier is not None
    assert found.balance.available_text == "1,200 points"
    assert (found.tier.name, found.tier.needed) == ("Silver", 3_800)
    assert [reward.redeemable for reward in found.rewards] == [True, True, True]
    assert [(entry.points_text, entry.reason) for entry in found.activity] == [
        ("+1,200", "1,200 points for joining.")
    ]


def test_four_statements_are_enough(shop: TestShop, member: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    with shop.work() as uow:
        for _ in range(3):
            made = service.redeem(uow, CUSTOMER, reward_costing(shop, 300), f"key-{ids.new_id()}", "en")
            assert made.status == "reserved"
    with shop.work() as uow:
        service.summary(uow, CUSTOMER, "en")
        with counted(uow, monkeypatch) as ran:
            found = service.summary(uow, CUSTOMER, "en")
        assert len(found.codes) == 3 and len(ran) <= 4
        with counted(uow, monkeypatch) as ran:
            service.summary(uow, None, "en")
        assert len(ran) <= 2


def test_a_punch_card_asks_four_more_statements(
    shop: TestShop, member: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(shop, type="punch_card", points_per_unit=Decimal(100), step=Decimal(10))
    with shop.work() as uow:
        service.summary(uow, CUSTOMER, "en")
        with counted(uow, monkeypatch) as ran:
            assert service.summary(uow, CUSTOMER, "en").cards
        assert len(ran) <= 8


def test_a_member_sees_their_punch_card_and_nobody_else_has_one(shop: TestShop, member: UUID) -> None:
    with shop.work() as uow:
        assert service.summary(uow, CUSTOMER, "en").cards == []
    change(shop, type="punch_card", points_per_unit=Decimal(100), step=Decimal(10))
    for number in (5, 6, 7):
        pay(shop, number, customer=CUSTOMER)
    with shop.work() as uow:
        found = service.summary(uow, CUSTOMER, "en")
        [card] = found.cards
        assert (card.progress_text, card.missing_text) == ("3 of 10 stamps", "7 more orders until 100 points")
        assert (card.unit, card.filled, card.size, card.progress_percent) == ("stamp", 3, 10, 30)
        assert service.summary(uow, None, "en").cards == service.summary(uow, 999, "en").cards == []
        version = found.version
    pay(shop, 8, customer=CUSTOMER)
    with shop.work() as uow:
        assert service.summary(uow, CUSTOMER, "en").version != version, "a stamp moves no point"
        uow.execute("UPDATE members SET status = 'blocked'")
        assert service.summary(uow, CUSTOMER, "en").cards == []


@pytest.mark.parametrize(("enabled", "shown"), [(True, 1), (False, 0)])
def test_a_goal_beside_ordinary_points_is_found_in_the_rules(
    shop: TestShop, member: UUID, enabled: bool, shown: int
) -> None:
    goal = rule("goal", 500, kind="goal_spend", step="250", enabled=enabled)
    change(shop, rules=of_rule(rule("more"), goal))
    with shop.work() as uow:
        found = service.summary(uow, CUSTOMER, "en").cards
    assert [card.progress_text for card in found] == ["$0.00 of $250.00 spent"] * shown


def test_the_tag_follows_the_ledger_the_codes_and_the_language(shop: TestShop, member: UUID) -> None:
    tags = []
    with shop.work() as uow:
        tags.append(service.summary(uow, CUSTOMER, "en").version)
        assert service.summary(uow, CUSTOMER, "en").version == tags[0]
        assert service.summary(uow, CUSTOMER, "ar").version != tags[0]
        points.adjust(uow, member, 5, key="more", reason="kindness")
        tags.append(service.summary(uow, CUSTOMER, "en").version)
        made = service.redeem(uow, CUSTOMER, reward_costing(shop, 300), "key-12345", "en")
        tags.append(service.summary(uow, CUSTOMER, "en").version)
    settle(shop, str(made.id), "issued")
    with shop.work() as uow:
        tags.append(service.summary(uow, CUSTOMER, "en").version)
    assert len(set(tags)) == 4


@pytest.mark.parametrize(
    ("status", "state"), [("blocked", "blocked"), ("erased", "blocked"), ("merged", "blocked")]
)
def test_who_may_not_take_part_sees_no_numbers(shop: TestShop, member: UUID, status: str, state: str) -> None:
    with shop.work() as uow:
        uow.execute("UPDATE members SET status = %(status)s", {"status": status})
        found = service.summary(uow, CUSTOMER, "en")
    assert (found.state, found.balance, found.rewards, found.activity) == (state, None, [], [])


def test_without_an_active_program_there_is_nothing_to_show(shop: TestShop, member: UUID) -> None:
    with shop.work() as uow:
        uow.execute("UPDATE programs SET status = 'paused'")
        found = service.summary(uow, CUSTOMER, "en")
        assert (found.state, found.rewards, found.earning) == ("closed", [], [])
        assert service.summary(uow, None, "en").state == "closed"


def test_points_about_to_expire_are_told(shop: TestShop, member: UUID) -> None:
    with shop.work() as uow:
        uow.execute("UPDATE points_lots SET expires_at = now() + interval '10 days'")
        found = service.summary(uow, CUSTOMER, "en")
        assert found.balance is not None and (found.balance.expiring_text or "").startswith(
            "1,200 points expire on "
        )
        uow.execute("UPDATE points_lots SET expires_at = now() + interval '300 days'")
        found = service.summary(uow, CUSTOMER, "en")
        assert found.balance is not None and found.balance.expiring_text is None


def test_the_same_key_spends_once(shop: TestShop, member: UUID) -> None:
    reward = reward_costing(shop, 500)
    with shop.work() as uow:
        first = service.redeem(uow, CUSTOMER, reward, "one-wish-1", "en")
    with shop.work() as uow:
        again = service.redeem(uow, CUSTOMER, reward, "one-wish-1", "en")
        assert again == first and first.code is None
        assert points.balance(uow, member).available == 700
        assert service.redeem(uow, CUSTOMER, reward, "two-wishes", "en").id != first.id


def test_two_shoppers_may_have_the_same_key(shop: TestShop, member: UUID) -> None:
    enroll(shop, 600, customer=78)
    reward = reward_costing(shop, 500)
    with shop.work() as uow:
        mine = service.redeem(uow, CUSTOMER, reward, "the-same-key", "en")
        theirs = service.redeem(uow, 78, reward, "the-same-key", "en")
        assert mine.id != theirs.id


def test_what_cannot_be_redeemed_changes_nothing(shop: TestShop, member: UUID) -> None:
    with shop.work() as uow:
        uow.execute("UPDATE rewards SET points_cost = 5000 WHERE points_cost = 1000")
    with pytest.raises(InsufficientPoints), shop.work() as uow:
        service.redeem(uow, CUSTOMER, reward_costing(shop, 5000), "too-much", "en")
    with pytest.raises(RewardNotFound), shop.work() as uow:
        service.redeem(uow, CUSTOMER, ids.new_id(), "not-there", "en")
    with pytest.raises(MemberBeingPrepared), shop.work() as uow:
        service.redeem(uow, 4711, reward_costing(shop, 300), "too-early", "en")
    with shop.work() as uow:
        assert points.balance(uow, member).available == 1_200
        assert uow.scalar("SELECT count(*) FROM redemptions") == 0


def test_a_redemption_shows_its_code_once_it_works_and_to_its_owner_only(
    shop: TestShop, member: UUID
) -> None:
    with shop.work() as uow:
        made = service.redeem(uow, CUSTOMER, reward_costing(shop, 300), "key-12345", "en")
        assert service.summary(uow, CUSTOMER, "en").codes[0].code is None
    settle(shop, str(made.id), "issued")
    with shop.work() as uow:
        found = service.redemption(uow, CUSTOMER, made.id, "en")
        assert found.code and found.code.startswith("LN-") and found.message is None
        assert service.summary(uow, CUSTOMER, "en").codes[0].code == found.code
        with pytest.raises(RedemptionUnknown):
            service.redemption(uow, 78, made.id, "en")
    settle(shop, str(made.id), "failed")
    with shop.work() as uow:
        found = service.redemption(uow, CUSTOMER, made.id, "en")
        assert (
            found.code is None
            and found.message == "The code could not be created. Your points were given back."
        )
        assert service.summary(uow, CUSTOMER, "en").codes == []


def test_used_and_expired_codes_are_not_offered_again(shop: TestShop, member: UUID) -> None:
    with shop.work() as uow:
        used = service.redeem(uow, CUSTOMER, reward_costing(shop, 300), "key-used1", "en")
        service.redeem(uow, CUSTOMER, reward_costing(shop, 300), "key-old11", "en")
        uow.execute("UPDATE redemptions SET expires_at = now() - interval '1 day'")
    settle(shop, str(used.id), "used")
    with shop.work() as uow:
        assert service.summary(uow, CUSTOMER, "en").codes == []
        assert service.redemption(uow, CUSTOMER, used.id, "en").code


def test_the_history_names_the_reward_in_the_shoppers_language(shop: TestShop, member: UUID) -> None:
    reward = reward_costing(shop, 300)
    with shop.work() as uow:
        uow.execute(
            "UPDATE rewards SET name = 'Free mug', names = '{\"fr\": \"Tasse offerte\"}' WHERE id = %(id)s",
            {"id": reward},
        )
        made = service.redeem(uow, CUSTOMER, reward, "key-12345", "en")
        named = {"reward_name": "Free mug", "reward_names": {"fr": "Tasse offerte"}}
        hold = uow.scalar("SELECT hold_entry_id FROM redemptions WHERE id = %(id)s", {"id": made.id})
        points.settle(uow, hold, "spend", key="spent", reason="redemption", trace=named)
        assert "Free mug" in service.summary(uow, CUSTOMER, "en").activity[0].reason
        assert "Tasse offerte" in service.summary(uow, CUSTOMER, "fr").activity[0].reason
        assert service.summary(uow, CUSTOMER, "fr").rewards[0].name == "Tasse offerte"


def test_the_config_is_made_of_the_real_program(shop: TestShop) -> None:
    with shop.work() as uow:
        found = service.widget_config(uow, "ar-EG")
        ids_of_rewards = {str(row["id"]) for row in uow.all("SELECT id FROM rewards")}
        assert (found.language, found.rtl) == ("ar", True)
        assert set(found.translations.rewards) == ids_of_rewards
        uow.execute("UPDATE programs SET status = 'paused'")
        empty = service.widget_config(uow, "de")
        assert (empty.language, empty.rtl, empty.translations.rewards) == ("en", False, {})
