"""Inviting friends on the storefront: what a shopper sees, and codes that friends bring."""

from typing import Any

import pytest

from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.referrals import service as referrals
from app.domains.referrals.schemas import CampaignCreate
from tests.domains.storefront.conftest import CUSTOMER, Storefront, Visit, enroll
from tests.fixtures.shop import TestShop

FRIEND = 78


def campaign(shop: TestShop, **changes: Any) -> None:
    with shop.work() as uow:
        wanted = {"name": "Bring a friend", "status": "active", "advocate_points": 500, "friend_points": 200}
        referrals.create(uow, CampaignCreate.model_validate(wanted | changes))


def friend(shop: TestShop) -> None:
    with shop.work() as uow:
        members.enroll(uow, [Person(FRIEND, "grace@example.com", "Grace", "Hopper")])


def claim(storefront: Storefront, body: Any) -> Any:
    address = f"/proxy/referral?{storefront.query(locale='en')}"
    return storefront.app.test_client().post(address, json=body)


def test_a_member_gets_one_code_and_a_guest_the_offer(shop: TestShop, visit: Visit) -> None:
    campaign(shop, minimum_purchase_minor=5_000, share_texts={"es": "Ven conmigo"})
    enroll(shop)
    first, second = (visit(CUSTOMER).get("referral").json for _ in range(2))
    assert first["code"] == second["code"] and len(first["code"]) == 8
    assert first["promise"] == "You get 500 points for every friend who buys for the first time."
    assert visit(CUSTOMER).get("referral", "es").json["share_text"] == "Ven conmigo"
    guest = visit().get("referral").json
    assert (guest["code"], guest["offer"]) == (None, "You get 200 points with your first order from $50.00.")


def test_nothing_is_offered_while_nothing_runs(shop: TestShop, visit: Visit) -> None:
    enroll(shop)
    found = visit(CUSTOMER).get("referral").json
    assert (found["running"], found["code"], found["offer"]) == (False, None, None)


def test_a_friend_claims_and_the_advocate_sees_it_without_a_name(shop: TestShop, visit: Visit) -> None:
    campaign(shop)
    enroll(shop)
    friend(shop)
    code = visit(CUSTOMER).get("referral").json["code"]
    for _ in range(2):
        answer = claim(visit(FRIEND), {"code": code.lower()})
        assert (answer.status_code, answer.json["status"]) == (200, "recorded")
    found = visit(CUSTOMER).get("referral")
    assert [one["status"] for one in found.json["friends"]] == ["recorded"]
    assert "Grace" not in found.text and "grace@" not in found.text


def test_what_is_refused(shop: TestShop, other_shop: TestShop, visit: Visit) -> None:
    assert claim(visit(FRIEND), {"code": "ABCDEFGH"}).json["error"]["code"] == "member_being_prepared"
    friend(shop)
    enroll(shop)
    assert claim(visit(FRIEND), {"code": "ABCDEFGH"}).json["error"]["code"] == "referrals_not_running"
    campaign(shop)
    assert claim(visit(FRIEND), {"code": "ABCDEFGH"}).status_code == 404
    assert claim(visit(), {"code": "ABCDEFGH"}).status_code == 401
    assert (
        claim(visit(CUSTOMER), {"code": visit(CUSTOMER).get("referral").json["code"]}).json["status"]
        == "rejected"
    )
    campaign(other_shop)
    with other_shop.work() as uow:
        stranger = members.enroll(uow, [Person(CUSTOMER, "x@example.com")])[CUSTOMER]
        foreign = referrals.link(uow, stranger.id)
    assert claim(visit(FRIEND), {"code": foreign}).status_code == 404


@pytest.mark.parametrize(
    "body", [{}, {"code": 5}, {"code": "a"}, {"code": "<script>"}, {"code": "A" * 33}, [], "x"]
)
def test_bad_codes_are_refused(shop: TestShop, visit: Visit, body: Any) -> None:
    friend(shop)
    assert claim(visit(FRIEND), body).status_code == 422
