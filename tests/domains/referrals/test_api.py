"""Referral campaigns through the REST API."""

from typing import Any
from uuid import UUID

import pytest

from app.core.permissions import Permission
from app.domains.rewards import service as rewards
from tests.fixtures.shop import TestShop
from tests.fixtures.web import api_key

PATH = "/api/loyalty-referral/referrals"
ALL = {Permission.REFERRALS_READ, Permission.REFERRALS_WRITE}


@pytest.fixture
def call(shop: TestShop, call_as: Any) -> Any:
    return call_as(api_key(shop.id, ALL))


def create(call: Any, **changes: Any) -> dict[str, Any]:
    body = {"name": "Bring a friend", "advocate_points": 500, "friend_points": 200, **changes}
    answer = call.post(PATH, json=body)
    assert answer.status_code == 201, answer.json
    return answer.json["campaign"]


def test_a_campaign_lives_from_draft_to_completed(call: Any) -> None:
    campaign = create(call)
    assert (campaign["status"], campaign["referrals_rewarded"], campaign["currency"]) == ("draft", 0, "USD")
    version = campaign["version"]
    for status in ("active", "paused", "active", "completed"):
        answer = call.open("PUT", f"{PATH}/{campaign['id']}", json={"version": version, "status": status})
        assert answer.json["campaign"]["status"] == status
        version = answer.json["campaign"]["version"]
    refused = call.open("PUT", f"{PATH}/{campaign['id']}", json={"version": version, "status": "active"})
    assert (refused.status_code, refused.json["error"]["code"]) == (409, "status_not_allowed")


def test_a_second_active_campaign_is_refused(call: Any) -> None:
    create(call, status="active")
    answer = call.post(PATH, json={"name": "Another", "status": "active"})
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "another_campaign_active")


def test_a_stale_version_is_refused_and_changes_nothing(call: Any) -> None:
    campaign = create(call)
    address = f"{PATH}/{campaign['id']}"
    call.open("PUT", address, json={"version": campaign["version"], "friend_points": 300})
    answer = call.open("PUT", address, json={"version": campaign["version"], "friend_points": 400})
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "stale_version")
    assert call.get(address).json["campaign"]["friend_points"] == 300


@pytest.mark.parametrize(
    "changes",
    [
        {"advocate_points": -1},
        {"name": ""},
        {"sharing_channels": ["pigeon"]},
        {"sharing_channels": []},
        {"maximum_per_advocate": 0},
        {"extra": 1},
    ],
)
def test_bad_values_are_named(call: Any, changes: dict[str, Any]) -> None:
    answer = call.post(PATH, json={"name": "Bring a friend", **changes})
    assert answer.status_code == 422
    assert set(answer.json["error"]["fields"]) >= set(changes) or answer.json["error"]["fields"]
    assert call.get(PATH).json["campaigns"] == []


def test_a_coupon_is_a_discount_of_the_own_catalog(call: Any, shop: TestShop, other_shop: TestShop) -> None:
    with shop.work() as uow:
        mine = rewards.givable(uow)[0].id
    with other_shop.work() as uow:
        foreign = rewards.givable(uow)[0].id
    made = create(call, friend_reward_id=str(mine))
    assert made["friend_reward_id"] == str(mine)
    for wrong in (foreign, UUID(int=1)):
        address = f"{PATH}/{made['id']}"
        body = {"version": made["version"], "advocate_reward_id": str(wrong)}
        answer = call.open("PUT", address, json=body)
        assert (answer.status_code, answer.json["error"]["code"]) == (400, "reward_not_givable")
        assert set(answer.json["error"]["fields"]) == {"advocate_reward_id"}
        assert call.get(address).json["campaign"]["advocate_reward_id"] is None


def test_campaigns_are_paged_and_deleted(call: Any) -> None:
    names = [create(call, name=f"Campaign {number}")["name"] for number in range(3)]
    first = call.get(f"{PATH}?limit=2").json
    rest = call.get(f"{PATH}?limit=2&cursor={first['next_cursor']}").json
    assert [one["name"] for one in first["campaigns"] + rest["campaigns"]] == names[::-1]
    assert call.open("DELETE", f"{PATH}/{first['campaigns'][0]['id']}").status_code == 200
    assert len(call.get(PATH).json["campaigns"]) == 2


def test_another_shop_sees_nothing(call: Any, other_shop: TestShop, call_as: Any) -> None:
    campaign = create(call)
    stranger = call_as(api_key(other_shop.id, ALL))
    assert stranger.get(f"{PATH}/{campaign['id']}").status_code == 404
    assert stranger.get(PATH).json["campaigns"] == []
