"""People who order without an account earn, and have it once they prove who they are."""

from typing import Any
from uuid import UUID

import pytest

from app.domains.compliance import service as compliance
from app.domains.members import queries
from app.domains.members import service as members
from app.domains.points import service as points
from app.domains.storefront import service as storefront
from tests.domains.points.invariants import broken
from tests.factories import payloads
from tests.fixtures.shop import TestShop

ANA = "Ana@Example.com"


def order(number: int, **changes: Any) -> dict[str, Any]:
    """An order of somebody without an account, over 129.90."""
    return payloads.order(number, customer=None, **({"email": ANA, "phone": None} | changes))


def only_guest(shop: TestShop) -> UUID:
    with shop.work() as uow:
        rows = uow.all("SELECT id FROM members WHERE status = 'guest'")
    assert len(rows) == 1
    return UUID(str(rows[0]["id"]))


def available(shop: TestShop, member_id: UUID) -> int:
    with shop.work() as uow:
        assert broken(uow) == {}
        return points.balance(uow, member_id).available


def test_a_guest_earns_and_registration_claims_it_with_one_bonus(shop: TestShop) -> None:
    for number, email in ((5, ANA), (6, " ana@example.com")):
        shop.tell("orders/paid", order(number, email=email))
    shop.drain()
    guest = only_guest(shop)
    earned = available(shop, guest)
    assert earned > 200
    for _ in range(2):
        shop.tell("customers/create", payloads.customer(77, email="ana@example.com", verified_email=True))
        shop.drain()
    with shop.work() as uow:
        member = members.by_customer(uow, 77)
        assert member is not None
        orders = uow.all("SELECT DISTINCT member_id FROM orders")
        assert orders == [{"member_id": member.id}]
    assert available(shop, member.id) == earned + 200
    assert available(shop, guest) == 0


def test_an_unproven_e_mail_claims_nothing(shop: TestShop) -> None:
    shop.tell("orders/paid", order(5))
    shop.tell("customers/create", payloads.customer(77, email=ANA, verified_email=False))
    shop.drain()
    guest = only_guest(shop)
    assert available(shop, guest) > 0
    shop.tell(
        "customers/update",
        payloads.customer(77, email=ANA, verified_email=True, updated_at=payloads.at(9)),
    )
    shop.drain()
    assert available(shop, guest) == 0


def test_a_phone_is_enough_however_it_is_written(shop: TestShop) -> None:
    shop.tell("orders/paid", order(5, email=None, phone="+34 600 11 22 33"))
    shop.tell("orders/paid", order(6, email=None, phone="0034600112233"))
    shop.drain()
    guest = only_guest(shop)
    shop.tell("customers/create", payloads.customer(77, phone="+34600112233"))
    shop.drain()
    assert available(shop, guest) == 0


def test_orders_after_the_claim_go_straight_to_the_member(shop: TestShop) -> None:
    shop.tell("orders/paid", order(5))
    shop.drain()
    shop.tell("customers/create", payloads.customer(77, email=ANA))
    shop.drain()
    shop.tell("orders/paid", order(6))
    shop.drain()
    with shop.work() as uow:
        member = members.by_customer(uow, 77)
        assert member is not None
        assert uow.all("SELECT DISTINCT member_id FROM orders") == [{"member_id": member.id}]


def test_a_refund_after_the_claim_takes_from_the_member(shop: TestShop) -> None:
    shop.tell("orders/paid", order(5))
    shop.drain()
    shop.tell("customers/create", payloads.customer(77, email=ANA))
    shop.drain()
    shop.tell("refunds/create", payloads.refund(1, 5, amount="129.90"))
    shop.drain()
    with shop.work() as uow:
        member = members.by_customer(uow, 77)
        assert member is not None
    assert available(shop, member.id) == 200


@pytest.mark.parametrize("contact", [{"email": None}, {"email": ""}, {"email": None, "phone": "12"}])
def test_who_leaves_nothing_earns_nothing(shop: TestShop, contact: dict[str, Any]) -> None:
    shop.tell("orders/paid", order(5, **contact))
    shop.drain()
    with shop.work() as uow:
        assert uow.scalar("SELECT count(*) FROM members") == 0
        assert uow.scalar("SELECT count(*) FROM orders") == 1
    assert shop.undone() == []


def test_guests_of_two_shops_are_strangers(shop: TestShop, other_shop: TestShop) -> None:
    for one in (shop, other_shop):
        one.tell("orders/paid", order(5))
        one.drain()
    other_shop.tell("customers/create", payloads.customer(77, email=ANA))
    other_shop.drain()
    assert available(shop, only_guest(shop)) > 0


def test_nothing_readable_is_stored_of_a_guest_and_erasure_finds_them(shop: TestShop) -> None:
    shop.tell("orders/paid", order(5, phone="+34600112233"))
    shop.drain()
    with shop.work() as uow:
        row = uow.one("SELECT members::text AS text FROM members")
        assert row is not None and "ana" not in row["text"].lower() and "600112233" not in row["text"]
        assert [one.status for one in queries.by_email(uow, ANA)] == ["guest"]
        compliance.request_erasure(uow, external_id="redact", customer_id=4711, email=ANA)
        assert uow.all("SELECT status, email_sealed FROM members") == [
            {"status": "erased", "email_sealed": None}
        ]


def test_erasing_a_member_forgets_the_guest_of_the_same_mailbox(shop: TestShop) -> None:
    shop.tell("orders/paid", order(5))
    shop.tell("customers/create", payloads.customer(77, email=ANA, verified_email=False))
    shop.drain()
    shop.tell("customers/delete", {"id": 77})
    shop.drain()
    with shop.work() as uow:
        assert uow.scalar("SELECT count(*) FROM members WHERE status <> 'erased'") == 0


@pytest.mark.parametrize("proven", [True, False])
def test_who_logs_in_at_the_store_claims_what_they_ordered_as_a_guest(
    shop: TestShop, other_shop: TestShop, proven: bool
) -> None:
    shop.tell("customers/create", payloads.customer(77, email=ANA, verified_email=proven))
    shop.drain()
    shop.tell("orders/paid", order(5))
    shop.drain()
    guest = only_guest(shop)
    earned = available(shop, guest)
    with other_shop.work() as uow:
        storefront.summary(uow, 77, "en")
    with shop.work() as uow:
        storefront.summary(uow, None, "en")
        storefront.summary(uow, 78, "en")
    assert available(shop, guest) == earned
    for _ in range(2):
        with shop.work() as uow:
            found = storefront.summary(uow, 77, "en")
        assert found.balance is not None
        assert found.balance.available == 200 + (earned if proven else 0)
