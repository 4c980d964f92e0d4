"""Segments in action: earning rules that ask for one, and rewards that only its members see and get."""

from decimal import Decimal
from uuid import UUID

import pytest

from app.core.db import UnitOfWork
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.points import service as points
from app.domains.points.schemas import Credit
from app.domains.programs import service as programs
from app.domains.programs.schemas import Conditions, EarningRule
from app.domains.rewards import service as rewards
from app.domains.rewards.errors import InvalidReward, NotInSegment
from app.domains.rewards.schemas import RewardForm
from app.domains.segments import service
from app.domains.segments.schemas import SegmentIn
from app.domains.storefront import service as storefront
from tests.domains.segments.people import one, rules
from tests.factories import payloads
from tests.fixtures.shop import TestShop


def listed(uow: UnitOfWork, *member_ids: UUID) -> UUID:
    made = service.create(uow, SegmentIn(name="Friends", kind="manual"))
    service.add_members(uow, made.id, member_ids)
    return made.id


def join(uow: UnitOfWork, customer: int) -> UUID:
    member = members.enroll(uow, [Person(customer, f"{customer}@example.com", "Ana", "Ruiz")])[customer]
    points.credit(uow, [Credit(member.id, 5_000, f"start:{customer}", "thanks")])
    return member.id


def test_a_rule_for_a_segment_gives_only_its_members_more(shop: TestShop) -> None:
    with shop.work() as uow:
        inside, outside = join(uow, 77), join(uow, 78)
        segment = listed(uow, inside)
        assert (str(segment), "Friends") in programs.segments(uow)
        program = programs.active(uow)
        assert program is not None
        bonus = EarningRule(
            id="friends",
            kind="purchase",
            per="order",
            multiplied=False,
            points=Decimal(111),
            conditions=Conditions(segments=[str(segment)]),
        )
        wanted = programs.settings_with_rule(uow, program.id, bonus)
        programs.apply(uow, program.id, wanted, version=program.version)
    shop.tell("orders/paid", payloads.order(5))
    shop.tell("orders/paid", payloads.order(6, customer=payloads.customer(78)))
    shop.drain()
    with shop.work() as uow:
        rich, poor = (points.balance(uow, member).available for member in (inside, outside))
    assert rich - poor == 111


def test_a_reward_for_a_segment_is_hidden_from_others_and_refused(shop: TestShop) -> None:
    with shop.work() as uow:
        inside, outside = join(uow, 77), join(uow, 78)
        segment = listed(uow, inside)
        wanted = {
            "names": {"en": "Only for friends"},
            "kind": "amount_off",
            "points_cost": 500,
            "amount": "5",
            "segments": [str(segment)],
        }
        unknown = wanted | {"segments": [str(segment), str(UUID(int=9))]}
        with pytest.raises(InvalidReward) as refused:
            rewards.create_reward(uow, RewardForm.model_validate(unknown))
        assert list(refused.value.fields) == ["segments"]
        reward = rewards.create_reward(uow, RewardForm.model_validate(wanted))
        assert reward.segments == [segment]
        seen = {
            customer: {one_.name for one_ in storefront.summary(uow, customer, "en").rewards}
            for customer in (77, 78, None)
        }
        assert [customer for customer, names in seen.items() if "Only for friends" in names] == [77]
        found = {one_.name: one_ for one_ in rewards.catalog(uow, outside)}
        assert found["Only for friends"].refusal == "reward_for_other_segments"
        with pytest.raises(NotInSegment):
            rewards.redeem(uow, outside, reward.id, key="no", channel="api")
        assert rewards.redeem(uow, inside, reward.id, key="yes", channel="api").status == "reserved"


def test_a_segment_of_a_reward_on_offer_is_not_deleted(shop: TestShop) -> None:
    with shop.work() as uow:
        segment = service.create(uow, SegmentIn(name="Rich", rules=rules(one("spent", "at_least", 1))))
        uow.execute("UPDATE rewards SET segments = %(ids)s", {"ids": [segment.id]})
        assert {use.kind for use in service.uses(uow, segment.id)} == {"reward"}
        uow.execute("UPDATE rewards SET status = 'retired'")
        assert service.uses(uow, segment.id) == []
