"""What shoppers do with a code they have: give it back, have it sent again; and what of their points ends when."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from app.core import ids
from app.domains.points import service as points
from app.domains.points.schemas import Credit
from app.domains.rewards import service as rewards
from tests.domains.storefront.conftest import CUSTOMER, Storefront, Visit, enroll, reward_costing, settle
from tests.fixtures.shop import TestShop


def post(storefront: Storefront, path: str, locale: str = "en") -> TestResponse:
    return storefront.app.test_client().post(f"/proxy/{path}?{storefront.query(locale=locale)}")


@pytest.fixture
def code(shop: TestShop, visit: Visit, member: UUID) -> str:
    """A code that works."""
    wish = {"reward_id": str(reward_costing(shop, 300)), "idempotency_key": f"key-{ids.new_id()}"}
    made: str = visit(CUSTOMER).redeem(wish).json["id"]
    with shop.work() as uow:
        rewards.settle_issued(uow, UUID(made), "gid://shopify/DiscountCodeNode/1")
    return made


def returned(shop: TestShop, code: str, *, was_used: bool = False) -> None:
    with shop.work() as uow:
        rewards.settle_cancelled(uow, UUID(code), was_used=was_used)


def rows(shop: TestShop, sql: str) -> Any:
    with shop.work() as uow:
        return uow.scalar(sql)


def test_points_return_after_the_code_is_switched_off(shop: TestShop, visit: Visit, code: str) -> None:
    shopper = visit(CUSTOMER)
    (shown,) = shopper.get("summary").json["codes"]
    assert shown["return_text"].startswith("Give ") and "300 points" in shown["return_text"]
    answer = post(shopper, f"redemptions/{code}/return")
    assert (answer.status_code, answer.json["status"], answer.json["code"]) == (202, "returning", None)
    waiting = shopper.get("summary").json
    assert waiting["balance"]["available"] == 900
    assert [(one["status"], one["code"], one["return_text"]) for one in waiting["codes"]] == [
        ("returning", None, None)
    ]
    returned(shop, code)
    assert shopper.get("summary").json["balance"]["available"] == 1_200
    assert shopper.get(f"redemptions/{code}").json["status"] == "cancelled"


def test_asking_again_changes_nothing(shop: TestShop, visit: Visit, code: str) -> None:
    shopper = visit(CUSTOMER)
    for _ in range(2):
        assert post(shopper, f"redemptions/{code}/return").json["status"] == "returning"
    returned(shop, code)
    assert post(shopper, f"redemptions/{code}/return").json["status"] == "cancelled"
    assert rows(shop, "SELECT count(*) FROM outbox WHERE kind = 'rewards.disable_discount'") == 1
    assert rows(shop, "SELECT count(*) FROM points_entries WHERE kind = 'restore'") == 1


def test_a_code_that_an_order_used_meanwhile_stays_used(shop: TestShop, visit: Visit, code: str) -> None:
    shopper = visit(CUSTOMER)
    post(shopper, f"redemptions/{code}/return")
    returned(shop, code, was_used=True)
    assert shopper.get(f"redemptions/{code}").json["status"] == "used"
    refused = post(shopper, f"redemptions/{code}/return")
    assert (refused.status_code, refused.json["error"]["code"]) == (409, "reward_already_used")
    assert shopper.get("summary").json["balance"]["available"] == 900


@pytest.mark.parametrize("column", ["terms", "points", "expires_at"])
def test_what_stays_cannot_be_given_back(shop: TestShop, visit: Visit, code: str, column: str) -> None:
    value = {
        "terms": 'terms || \'{"kind": "gift_card"}\'',
        "points": "0",
        "expires_at": "now() - interval '1 day'",
    }[column]
    with shop.work() as uow:
        uow.execute(f"UPDATE redemptions SET {column} = {value}")
    refused = post(visit(CUSTOMER), f"redemptions/{code}/return")
    assert (refused.status_code, refused.json["error"]["code"]) == (409, "reward_not_returnable")
    assert rows(shop, "SELECT count(*) FROM outbox WHERE kind = 'rewards.disable_discount'") == 0


@pytest.mark.parametrize("verb", ["return", "resend"])
def test_only_its_owner_does_anything_with_a_code(
    shop: TestShop, other_shop: TestShop, visit: Visit, code: str, verb: str
) -> None:
    enroll(shop, customer=78)
    enroll(other_shop)
    path = f"redemptions/{code}/{verb}"
    assert post(visit(), path).status_code == 401
    assert post(visit(78), path).status_code == 404
    assert post(visit(CUSTOMER, other_shop), path).status_code == 404
    assert post(visit(CUSTOMER), f"redemptions/{ids.new_id()}/{verb}").status_code == 404
    assert post(visit(CUSTOMER), f"redemptions/x/{verb}").status_code == 404


def test_a_code_is_sent_again_once_however_often_it_is_asked_for(
    shop: TestShop, visit: Visit, code: str
) -> None:
    for _ in range(2):
        answer = post(visit(CUSTOMER), f"redemptions/{code}/resend", "es")
        assert answer.status_code == 202 and answer.json["message"]
    assert rows(shop, "SELECT count(*) FROM messages WHERE kind = 'reward_code'") == 1
    settle(shop, code, "used")
    assert post(visit(CUSTOMER), f"redemptions/{code}/resend").json["error"]["code"] == "code_not_usable"


def test_a_shopper_without_an_address_is_told(shop: TestShop, visit: Visit, code: str) -> None:
    with shop.work() as uow:
        uow.execute("UPDATE members SET email_sealed = NULL")
    answer = post(visit(CUSTOMER), f"redemptions/{code}/resend")
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "member_without_email")


def test_what_ends_when_is_listed_soonest_first(shop: TestShop, visit: Visit, member: UUID) -> None:
    assert visit(CUSTOMER).get("endings").json == {"endings": [], "more": False}
    with shop.work() as uow:
        for day in range(14, 0, -1):
            ends = uow.now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=day)
            points.credit(uow, [Credit(member, 10 * day, f"end:{day}", "gift", expires_at=ends)])
        first = uow.now.date()
    found = visit(CUSTOMER).get("endings").json
    assert found["more"] is True
    assert [one["points"] for one in found["endings"]] == [10 * day for day in range(1, 13)]
    assert found["endings"][0]["last_day"] == str(first)
    assert found["endings"][0]["text"].startswith("10 points on ")
    assert "10" in visit(CUSTOMER).get("endings", "ar").json["endings"][0]["text"]
    assert visit().get("endings").status_code == 401
