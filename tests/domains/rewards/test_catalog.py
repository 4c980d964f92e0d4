"""Keeping the catalog: what is stored, who may collide with whom, and what the first three rewards are."""

from typing import Any
from uuid import UUID

import pytest

from app.core.db import UnitOfWork
from app.domains.programs import service as programs
from app.domains.programs.schemas import ProgramCreate
from app.domains.rewards import queries, service
from app.domains.rewards.errors import InvalidReward, NoProgram, RewardInUse, RewardNotFound, StaleReward
from app.domains.rewards.schemas import CatalogQuery, RewardForm, RewardsQuery
from app.domains.tiers import service as tiers
from tests.domains.rewards.counter import Counter
from tests.fixtures.shop import TestShop


def form(**changes: Any) -> RewardForm:
    """A form as it is typed."""
    return RewardForm.model_validate(
        {
            "names": {"en": "Five off", "fr": "Cinq de moins"},
            "kind": "amount_off",
            "points_cost": 500,
            "amount": "5",
        }
        | changes
    )


def pause(uow: UnitOfWork) -> None:
    """Pause the shop's program."""
    program = programs.active(uow)
    assert program is not None
    programs.update(uow, program.id, {"status": "paused"}, version=program.version)


def actions(uow: UnitOfWork, reward_id: UUID) -> list[str]:
    """What the audit trail says of a reward."""
    rows = uow.all(
        "SELECT action FROM audit_entries WHERE subject_id = %(id)s ORDER BY created_at, id",
        {"id": str(reward_id)},
    )
    return [row["action"] for row in rows]


def test_a_new_shop_starts_with_three_rewards(shop: TestShop) -> None:
    with shop.work() as uow:
        found = service.catalog(uow)
    assert [(one.name, one.kind, one.points_cost) for one in found] == [
        ("Free shipping", "free_shipping", 300),
        ("$5.00 off", "amount_off", 500),
        ("10% off", "percentage_off", 1000),
    ]
    assert all(one.missing == one.points_cost and not one.redeemable for one in found)


def test_another_programs_rewards_are_told_apart_and_are_not_within_reach(shop: TestShop) -> None:
    with shop.work() as uow:
        winter = programs.create(uow, ProgramCreate(name="Winter"))
        service.create_reward(uow, form(), program_id=winter.id)
        named = [name for _, name in service.choices(uow, "fr")]
        reach = queries.covered(uow, uow.now, 600)
    assert named[-1] == "Cinq de moins · Winter" and not any("·" in name for name in named[:-1])
    assert [row["name"] for row in reach] == ["$5.00 off", "Free shipping"]


def test_the_first_rewards_fit_the_currency(new_shop: Any) -> None:
    for domain, currency, minor in (("jp.myshopify.com", "JPY", 5), ("kw.myshopify.com", "KWD", 5000)):
        with new_shop(domain, currency=currency).work() as uow:
            [amount] = [one for one in service.catalog(uow) if one.kind == "amount_off"]
        assert amount.value_minor == minor
        assert amount.currency == currency


def test_a_later_program_does_not_repeat_them(shop: TestShop) -> None:
    with shop.work() as uow:
        programs.create(uow, ProgramCreate(name="Second"))
        assert len(queries.listed(uow, CatalogQuery()).items) == 3


def test_a_member_sees_what_is_short_and_what_is_used_up(counter: Counter) -> None:
    reward_id = counter.reward(points_cost=400, per_member_limit=1, names={"en": "Mug", "ar": "كوب"})
    counter.redeem(reward_id)
    with counter.shop.work() as uow:
        found = {
            one.kind + str(one.points_cost): one
            for one in service.catalog(uow, counter.member_id, locale="ar")
        }
    mug = found["amount_off400"]
    assert (mug.name, mug.limit_reached, mug.redeemable) == ("كوب", True, False)
    assert found["percentage_off1000"].missing == 400
    assert found["amount_off500"].redeemable


def test_saving_keeps_a_version_and_an_audit_entry(shop: TestShop) -> None:
    with shop.work() as uow:
        reward = service.create_reward(uow, form())
    with shop.work() as uow:
        saved = service.update_reward(uow, reward.id, form(version=1, points_cost=600, status="draft"))
        assert (saved.points_cost, saved.status, saved.version) == (600, "draft", 2)
    with shop.work() as uow:
        service.update_reward(uow, reward.id, form(version=2, points_cost=600, status="draft"))
        assert actions(uow, reward.id) == ["reward.created", "reward.updated"]


def test_a_stale_version_changes_nothing(shop: TestShop) -> None:
    with shop.work() as uow:
        reward = service.create_reward(uow, form())
    with shop.work() as uow:
        service.update_reward(uow, reward.id, form(version=1, points_cost=600))
    for attempt in (
        lambda uow: service.update_reward(uow, reward.id, form(version=1, points_cost=700)),
        lambda uow: service.retire(uow, reward.id, version=1),
        lambda uow: service.delete_reward(uow, reward.id, version=1),
    ):
        with pytest.raises(StaleReward), shop.work() as uow:
            attempt(uow)
    with shop.work() as uow:
        assert service.get_reward(uow, reward.id).points_cost == 600


def test_two_who_save_at_once_collide_in_the_database(shop: TestShop) -> None:
    with shop.work() as uow:
        reward = service.create_reward(uow, form())
    with shop.work() as slow:
        service.get_reward(slow, reward.id)
        with shop.work() as quick:
            service.update_reward(quick, reward.id, form(version=1, points_cost=600))
        with pytest.raises(StaleReward):
            service.update_reward(slow, reward.id, form(version=1, points_cost=700))
        slow.session.expunge_all()


def test_retiring_and_restoring(shop: TestShop) -> None:
    with shop.work() as uow:
        reward = service.create_reward(uow, form())
    with shop.work() as uow:
        service.retire(uow, reward.id, version=1)
    with shop.work() as uow:
        assert reward.id not in {one.id for one in service.catalog(uow)}
        saved = service.update_reward(uow, reward.id, form(version=2, status="active", points_cost=501))
        assert saved.status == "retired"
    with shop.work() as uow:
        service.restore(uow, reward.id, version=3)
        assert reward.id in {one.id for one in service.catalog(uow)}
        assert actions(uow, reward.id) == [
            "reward.created",
            "reward.retired",
            "reward.updated",
            "reward.restored",
        ]


def test_only_an_unused_reward_can_be_deleted(counter: Counter) -> None:
    used, unused = counter.reward(), counter.reward()
    counter.redeem(used)
    with pytest.raises(RewardInUse), counter.shop.work() as uow:
        service.delete_reward(uow, used, version=1)
    with counter.shop.work() as uow:
        service.delete_reward(uow, unused, version=1)
    with pytest.raises(RewardNotFound), counter.shop.work() as uow:
        service.get_reward(uow, unused)


def test_a_reward_needs_a_program_and_fitting_values(shop: TestShop) -> None:
    with pytest.raises(InvalidReward), shop.work() as uow:
        service.create_reward(uow, form(amount=None))
    with shop.work() as uow:
        pause(uow)
        assert service.catalog(uow) == []
        with pytest.raises(NoProgram):
            service.create_reward(uow, form())


def test_other_shops_rewards_are_not_there(shop: TestShop, other_shop: TestShop) -> None:
    with other_shop.work() as uow:
        foreign = service.create_reward(uow, form())
    with shop.work() as uow:
        assert foreign.id not in {one.id for one in queries.listed(uow, CatalogQuery()).items}
        for attempt in (
            lambda: service.get_reward(uow, foreign.id),
            lambda: service.retire(uow, foreign.id, version=1),
            lambda: service.update_reward(uow, foreign.id, form(version=1)),
        ):
            with pytest.raises(RewardNotFound):
                attempt()


def test_pages_and_counts(counter: Counter) -> None:
    reward_id = counter.reward(points_cost=10)
    for _ in range(3):
        counter.redeem(reward_id)
    with counter.shop.work() as uow:
        assert queries.redeemed_recently(uow, [reward_id]) == {reward_id: 3}
        first = queries.page(uow, RewardsQuery(limit=3))
        rest = queries.page(uow, RewardsQuery(limit=3, cursor=first.next_cursor))
    assert len(first.items) == 3
    assert [one.id for one in rest.items] == [reward_id]
    assert rest.next_cursor is None


def test_a_reward_stays_for_its_tier_while_another_program_runs(shop: TestShop) -> None:
    with shop.work() as uow:
        gold = tiers.ladder(uow)[-1].id
        made = service.create_reward(uow, form(tiers=[gold]))
        pause(uow)
        programs.create(uow, ProgramCreate(name="Points only", type="points", status="active"))
    with shop.work() as uow:
        assert tiers.ladder(uow) == []
        service.update_reward(uow, made.id, form(tiers=[gold], points_cost=600, version=made.version))
    with shop.work() as uow:
        assert service.get_reward(uow, made.id).tiers == [gold]


def test_a_new_reward_is_for_tiers_of_its_own_program_only(shop: TestShop) -> None:
    with shop.work() as uow:
        gold = tiers.ladder(uow)[-1].id
        winter = programs.create(uow, ProgramCreate(name="Winter"))
        with pytest.raises(InvalidReward) as refused:
            service.create_reward(uow, form(tiers=[gold]), program_id=winter.id)
        assert refused.value.fields.keys() == {"tiers"}


def test_a_reward_without_a_name_is_called_what_it_gives(shop: TestShop) -> None:
    with shop.work() as uow:
        made = service.create_reward(uow, form(names={}, kind="percentage_off", percent="12.5"))
        assert made.name == "12.5% off" and made.names.keys() == {"en", "es", "fr", "ar", "he"}
        assert "12,5" in made.names["fr"]
        saved = form(names=made.names, kind="percentage_off", percent="20", version=made.version)
        assert service.update_reward(uow, made.id, saved).name == "20% off", "the name follows what it gives"
        named = form(names={"en": "Summer"}, kind="percentage_off", percent="20", version=made.version)
        assert service.update_reward(uow, made.id, named).name == "Summer"
        kept = form(names={"en": "Summer"}, kind="percentage_off", percent="30", version=made.version)
        assert service.update_reward(uow, made.id, kept).names == {"en": "Summer"}
        for kind in ("custom", "free_product", "any_amount"):
            with pytest.raises(InvalidReward) as refused:
                service.create_reward(uow, form(names={}, kind=kind))
            assert "names.en" in refused.value.fields
