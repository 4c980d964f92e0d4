"""Redeeming over the REST API: the answer carries the code, a key counts once, refusals say why."""

from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from app.core import ids
from app.core.permissions import ALL, Permission
from app.domains.members import service as members
from tests.domains.rewards.counter import CUSTOMER, Counter, list_redemptions
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, Door, api_key

REDEEM = "/api/loyalty-referral/points/redeem"
REDEEM_V1 = "/v1/api/rewards/redeem"


def body(reward_id: UUID, **changes: Any) -> dict[str, Any]:
    """A request for the member."""
    return {"customer_id": str(CUSTOMER), "reward_id": str(reward_id)} | changes


def test_the_answer_carries_the_code(counter: Counter, key: Caller) -> None:
    answer = key.post(REDEEM, json=body(counter.reward()))
    assert answer.status_code == 201
    redemption = answer.json["redemption"]
    assert answer.json["status"] == "success"
    assert answer.json["error"] is None
    assert (redemption["state"], redemption["points"], redemption["failure"]) == ("issued", 500, None)
    assert counter.admin.works(redemption["discount_code"])
    assert counter.balance().available == 500


def test_the_first_version_answers_in_its_own_shape(counter: Counter, key: Caller) -> None:
    answer = key.post(REDEEM_V1, json=body(counter.reward(), locale="ar"))
    assert answer.status_code == 201
    assert set(answer.json) == {"status", "redemption_id", "discount_code", "state", "error"}
    assert counter.admin.works(answer.json["discount_code"])
    with counter.shop.work() as uow:
        assert members.by_ids(uow, [counter.member_id])[counter.member_id].locale == "ar"


@pytest.mark.parametrize("path", [REDEEM, REDEEM_V1])
def test_a_key_counts_once_and_shows_what_became_of_it(counter: Counter, key: Caller, path: str) -> None:
    reward_id = counter.reward()
    counter.admin.plan = ["before"]
    headers = {"Idempotency-Key": "one"}
    first = key.post(path, json=body(reward_id), headers=headers)
    counter.deliver()
    again = key.post(path, json=body(reward_id), headers=headers)
    found = [answer.json.get("redemption", answer.json) for answer in (first, again)]
    assert [answer.status_code for answer in (first, again)] == [201, 201]
    assert found[0]["redemption_id"] == found[1]["redemption_id"]
    assert (found[0]["state"], found[0]["discount_code"]) == ("reserved", None)
    assert found[1]["state"] == "issued"
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(list_redemptions(counter.shop)) == 1
    other = key.post(path, json=body(counter.reward()), headers=headers)
    assert (other.status_code, other.json["error"]["code"]) == (409, "idempotency_mismatch")


def test_a_bad_key_is_refused(counter: Counter, key: Caller) -> None:
    answer = key.post(REDEEM, json=body(counter.reward()), headers={"Idempotency-Key": "x" * 300})
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "bad_idempotency_key")


def test_a_refusal_by_shopify_is_told_with_the_points_back(counter: Counter, key: Caller) -> None:
    counter.admin.plan = ["refuse:INVALID"]
    headers = {"Idempotency-Key": "one"}
    reward_id = counter.reward()
    for _ in range(2):
        answer = key.post(REDEEM, json=body(reward_id), headers=headers)
        assert (answer.status_code, answer.json["error"]["code"]) == (409, "discount_refused")
        assert answer.json["status"] == "error"
    assert counter.balance().available == 1000


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"customer_id": "999"}, 404, "member_not_found"),
        ({"reward_id": str(ids.new_id())}, 404, "reward_not_found"),
        ({"reward_id": "five-off"}, 422, "malformed_payload"),
        ({"extra": 1}, 422, "malformed_payload"),
        ({"customer_id": 77}, 422, "malformed_payload"),
    ],
)
def test_bad_input_takes_nothing(
    counter: Counter, key: Caller, changes: dict[str, Any], status: int, code: str
) -> None:
    answer = key.post(REDEEM, json=body(counter.reward()) | changes)
    assert (answer.status_code, answer.json["error"]["code"]) == (status, code)
    assert list_redemptions(counter.shop) == []


def test_too_few_points_are_a_conflict(counter: Counter, key: Caller) -> None:
    answer = key.post(REDEEM, json=body(counter.reward(points_cost=5000)))
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "insufficient_points")


def test_other_shops_and_other_scopes(counter: Counter, app: Flask, door: Door, other_shop: TestShop) -> None:
    reward_id = counter.reward()
    foreign = Caller(app, door.api_key(api_key(other_shop.id)))
    assert foreign.post(REDEEM, json=body(reward_id)).status_code == 404
    weak = Caller(app, door.api_key(api_key(counter.shop.id, ALL - {Permission.POINTS_REDEEM})))
    assert weak.post(REDEEM, json=body(reward_id)).status_code == 403
    redemption = counter.redeem(reward_id)
    place = f"/api/loyalty-referral/redemptions/{redemption.id}"
    assert foreign.get(place).status_code == 404
    assert weak.get(place).status_code == 403


def test_a_redemption_can_be_asked_for(counter: Counter, key: Caller) -> None:
    redemption = counter.redeem(counter.reward())
    place = f"/api/loyalty-referral/redemptions/{redemption.id}"
    assert key.get(place).json["redemption"]["discount_code"] is None
    counter.deliver()
    assert key.get(place).json["redemption"]["discount_code"] == redemption.code


def test_rewards_are_listed_in_pages_and_in_a_language(counter: Counter, key: Caller) -> None:
    reward_id = counter.reward(names={"en": "Mug", "he": "ספל"})
    first = key.get("/api/loyalty-referral/rewards?limit=3&locale=he").json
    assert len(first["rewards"]) == 3
    rest = key.get(f"/api/loyalty-referral/rewards?locale=he&cursor={first['next_cursor']}").json
    [mug] = rest["rewards"]
    assert (mug["id"], mug["name"], mug["currency"], mug["value_minor"]) == (
        str(reward_id),
        "ספל",
        "USD",
        500,
    )
    assert key.get("/api/loyalty-referral/rewards?status=retired").json["rewards"] == []
    assert key.get("/api/loyalty-referral/rewards?cursor=nonsense").status_code == 400
