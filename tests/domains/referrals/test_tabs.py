"""Referral campaigns in the admin: the preview while typing, the coupons that can be chosen, one referral beside the list."""

from typing import Any
from uuid import UUID

import pytest

from app.core.permissions import ALL, Permission
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.referrals import service
from app.domains.referrals.schemas import CampaignCreate
from app.domains.rewards import service as rewards
from tests.fixtures.shop import TestShop
from tests.fixtures.web import staff

PATH = "/app/referral-campaigns"


@pytest.fixture
def referral_id(shop: TestShop) -> UUID:
    with shop.work() as uow:
        service.create(uow, CampaignCreate(name="Bring a friend", status="active", advocate_points=50))
        people = [Person(1, "ada@example.com", "Ada", "Byron"), Person(2, "grace@example.com", "Grace")]
        both = members.enroll(uow, people)
        return service.claim(uow, both[2].id, service.link(uow, both[1].id)).id


def test_a_referral_beside_the_list_masks_the_friend(shop: TestShop, call_as: Any, referral_id: UUID) -> None:
    page = call_as(staff(shop.id, ALL)).get(f"{PATH}/referrals/{referral_id}").text
    assert "Ada Byron" in page and "g•••@example.com" in page
    assert "grace@example.com" not in page and "Grace" not in page


def test_who_may_not_see_members_sees_no_names(shop: TestShop, call_as: Any, referral_id: UUID) -> None:
    answer = call_as(staff(shop.id, {Permission.REFERRALS_READ})).get(f"{PATH}/referrals/{referral_id}")
    assert answer.status_code == 200
    assert "Ada" not in answer.text and "example.com" not in answer.text


def test_another_shop_and_another_role_see_nothing(
    shop: TestShop, other_shop: TestShop, call_as: Any, referral_id: UUID
) -> None:
    assert call_as(staff(other_shop.id, ALL)).get(f"{PATH}/referrals/{referral_id}").status_code == 404
    stranger = call_as(staff(shop.id, {Permission.MEMBERS_READ}))
    assert stranger.get(f"{PATH}/referrals/{referral_id}").status_code == 403


def test_the_preview_says_what_is_typed_in_every_language(shop: TestShop, call_as: Any) -> None:
    with shop.work() as uow:
        coupon = rewards.givable(uow)[0]
    typed = {
        "name": "half-typed",
        "friend_points": "250",
        "friend_reward_id": str(coupon.id),
        "share_texts.es": "Ven conmigo",
    }
    answer = call_as(staff(shop.id, ALL)).post(f"{PATH}/preview", data=typed)
    assert answer.status_code == 200, answer.text
    assert "Ven conmigo" in answer.text and coupon.name in answer.text and "250" in answer.text
    assert answer.text.count('dir="rtl"') >= 2
