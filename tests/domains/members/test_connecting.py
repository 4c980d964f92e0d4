"""People enrolled by e-mail whom Shopify knows become members at once; nobody twice, and nobody else."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from app.domains.members import jobs
from app.domains.members import service as members
from app.domains.members.schemas import Guest, Newcomer
from app.domains.points import service as points
from app.shopify.errors import GraphQLFailed, ShopifyUnavailable
from app.shopify.operations import OPERATIONS
from tests.factories import payloads
from tests.fixtures.shop import TestShop


class Shopify:
    """Answers CustomersByEmail from a list of customers and keeps what it was asked."""

    def __init__(self) -> None:
        self.customers: dict[str, dict[str, Any]] = {}
        self.asked: list[list[str]] = []
        self.failures: list[Exception] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def add(self, number: int, email: str, **more: Any) -> None:
        self.customers[email] = {
            "legacyResourceId": str(number),
            "firstName": "Ada",
            "lastName": "Marsh",
            "locale": "fr",
            "updatedAt": "2026-11-20T10:00:00Z",
            "verifiedEmail": True,
            "defaultEmailAddress": {"emailAddress": email, "marketingState": "SUBSCRIBED"},
            "defaultPhoneNumber": None,
        } | more

    def __call__(self, shop_id: UUID, *, reserve_share: float) -> "Shopify":
        assert 0 < reserve_share < 1
        return self

    def run(self, operation: str, variables: dict[str, str]) -> dict[str, Any]:
        wanted = {f"$e{n}" for n in range(jobs.ASKED_AT_ONCE)}
        assert operation == "CustomersByEmail" and all(
            f"{one}:" in OPERATIONS[operation].text for one in wanted
        )
        assert {f"${name}" for name in variables} == wanted
        self.asked.append(list(dict.fromkeys(variables.values())))
        if self.failures:
            raise self.failures.pop(0)
        self.meanwhile()
        return {name: self.customers.get(email.lower()) for name, email in variables.items()}


@pytest.fixture
def shopify(monkeypatch: pytest.MonkeyPatch) -> Shopify:
    made = Shopify()
    monkeypatch.setattr(jobs, "AdminClient", made)
    return made


def enroll(shop: TestShop, *emails: str) -> dict[str, UUID]:
    with shop.work() as uow:
        made = members.enroll_newcomers(uow, [Newcomer(email, "Typed") for email in emails])
        points.welcome(uow, made.values())
        return made


def states(shop: TestShop) -> dict[str, tuple[int | None, str]]:
    with shop.work() as uow:
        found = uow.all(
            "SELECT id, customer_id, status FROM members WHERE status IN ('guest', 'active') ORDER BY id"
        )
        people = members.profiles(uow, [row["id"] for row in found])
        return {str(people[row["id"]].email): (row["customer_id"], row["status"]) for row in found}


def total(shop: TestShop, customer: int) -> int:
    with shop.work() as uow:
        member = members.by_customer(uow, customer)
        assert member is not None
        return points.balance(uow, member.id).total


def test_whom_shopify_knows_becomes_a_member_with_one_bonus(shop: TestShop, shopify: Shopify) -> None:
    enroll(shop, "ada@example.com", "nobody@example.com")
    shopify.add(501, "ada@example.com")
    jobs.find_customers(str(shop.id))
    assert states(shop) == {"ada@example.com": (501, "active"), "nobody@example.com": (None, "guest")}
    assert total(shop, 501) == 200
    with shop.work() as uow:
        member = members.by_customer(uow, 501)
        assert member is not None
        assert members.profile(uow, member.id).first_name == "Ada" and member.locale == "fr"
        assert members.consents(uow, [member.id]) == {member.id: True}
        assert [one.origin for one in members.merges_of(uow, member.id)] == ["claim"]


def test_nobody_is_asked_for_or_connected_twice(shop: TestShop, shopify: Shopify) -> None:
    enroll(shop, "ada@example.com", "nobody@example.com")
    shopify.add(501, "ada@example.com")
    for _ in range(2):
        jobs.find_customers(str(shop.id))
        jobs.find_everywhere()
    assert len(shopify.asked) == 1
    shop.tell("customers/create", payloads.customer(501, email="ada@example.com"))
    shop.drain()
    assert total(shop, 501) == 200
    with shop.work() as uow:
        assert uow.scalar("SELECT count(*) FROM member_merges") == 1


def test_two_jobs_at_once_connect_once(shop: TestShop, shopify: Shopify) -> None:
    enroll(shop, "ada@example.com")
    shopify.add(501, "ada@example.com")

    def second() -> None:
        shopify.meanwhile = lambda: None
        jobs.find_customers(str(shop.id))

    shopify.meanwhile = second
    jobs.find_customers(str(shop.id))
    assert len(shopify.asked) == 2 and total(shop, 501) == 200
    with shop.work() as uow:
        assert uow.scalar("SELECT count(*) FROM member_merges") == 1


def test_who_was_erased_while_shopify_answered_stays_erased(shop: TestShop, shopify: Shopify) -> None:
    made = enroll(shop, "ada@example.com")
    shopify.add(501, "ada@example.com")

    def erase() -> None:
        with shop.work() as uow:
            members.erase(uow, made["ada@example.com"])

    shopify.meanwhile = erase
    jobs.find_customers(str(shop.id))
    assert states(shop) == {}


def test_a_customer_with_another_email_is_nobody(shop: TestShop, shopify: Shopify) -> None:
    enroll(shop, "ada@example.com")
    other = {"emailAddress": "somebody.else@example.com", "marketingState": None}
    shopify.add(501, "ada@example.com", defaultEmailAddress=other)
    jobs.find_customers(str(shop.id))
    assert states(shop) == {"ada@example.com": (None, "guest")}


def test_an_unverified_email_claims_nothing_until_it_is_verified(shop: TestShop, shopify: Shopify) -> None:
    made = enroll(shop, "ada@example.com")
    shopify.add(501, "ada@example.com", verifiedEmail=False)
    jobs.find_customers(str(shop.id))
    with shop.work() as uow:
        assert members.by_ids(uow, made.values())[made["ada@example.com"]].status == "guest"
    late = payloads.customer(501, email="ada@example.com", verified_email=True)
    shop.tell("customers/update", late | {"updated_at": "2026-11-21T10:00:00Z"})
    shop.drain()
    assert states(shop) == {"ada@example.com": (501, "active")}


def test_who_is_a_member_under_an_older_email_is_not_registered_again(
    shop: TestShop, shopify: Shopify
) -> None:
    shop.tell("customers/create", payloads.customer(501, email="old@example.com", updated_at=payloads.at(0)))
    shop.drain()
    enroll(shop, "ada@example.com")
    shopify.add(501, "ada@example.com", updatedAt=datetime(2030, 1, 1, tzinfo=UTC).isoformat())
    jobs.find_customers(str(shop.id))
    assert states(shop) == {"ada@example.com": (501, "active")} and total(shop, 501) == 200


def test_many_are_asked_for_in_slices_and_a_long_turn_hands_over(
    shop: TestShop, shopify: Shopify, monkeypatch: pytest.MonkeyPatch
) -> None:
    emails = [f"m{n:03}@example.com" for n in range(45)]
    enroll(shop, *emails)
    for n in (0, 21, 44):
        shopify.add(600 + n, emails[n])
    monkeypatch.setattr(jobs, "_TURN_SECONDS", -1)
    jobs.find_customers(str(shop.id))
    assert shopify.asked == []
    monkeypatch.undo()
    monkeypatch.setattr(jobs, "AdminClient", shopify)
    jobs.find_customers(str(shop.id))
    assert [len(one) for one in shopify.asked] == [20, 20, 5]
    assert {customer for customer, _ in states(shop).values()} == {None, 600, 621, 644}


def test_after_a_failure_it_goes_on_where_it_stood(shop: TestShop, shopify: Shopify) -> None:
    emails = [f"m{n:03}@example.com" for n in range(25)]
    enroll(shop, *emails)
    shopify.add(601, emails[24])
    shopify.failures = [ShopifyUnavailable(sent=True)]
    with pytest.raises(ShopifyUnavailable):
        jobs.find_customers(str(shop.id))
    for_good = GraphQLFailed("CustomersByEmail", codes=["BAD"], partial=None, retryable=False)
    shopify.failures = [for_good]
    jobs.find_customers(str(shop.id))
    assert states(shop)[emails[24]] == (601, "active")
    shopify.add(602, emails[0])
    jobs.find_customers(str(shop.id))
    assert states(shop)[emails[0]] == (602, "active") and len(shopify.asked) == 4


def test_another_shops_people_are_not_asked_for(
    shop: TestShop, other_shop: TestShop, shopify: Shopify
) -> None:
    enroll(shop, "ada@example.com")
    jobs.find_customers(str(other_shop.id))
    assert shopify.asked == []


def test_no_email_is_logged(shop: TestShop, shopify: Shopify, caplog: pytest.LogCaptureFixture) -> None:
    enroll(shop, "ada@example.com")
    shopify.failures = [GraphQLFailed("CustomersByEmail", codes=["BAD"], partial=None, retryable=False)]
    with caplog.at_level("DEBUG"):
        jobs.find_customers(str(shop.id))
    assert "could not say" in caplog.text and "ada" not in caplog.text


def test_guests_who_are_enrolled_are_asked_for_too(shop: TestShop, shopify: Shopify) -> None:
    with shop.work() as uow:
        guest = members.welcome_guests(uow, [Guest("ada@example.com", None)])
        assert members.to_look_up(uow, None, 5) == {}
        members.enroll_guests(uow, guest.values())
    shopify.add(501, "ada@example.com")
    jobs.find_customers(str(shop.id))
    assert states(shop) == {"ada@example.com": (501, "active")}
