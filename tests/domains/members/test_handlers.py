"""What Shopify says about customers, and what becomes of members."""

from typing import Any

import pytest

from app.domains.members import service as members
from app.domains.points import service as points
from app.domains.points.schemas import Credit
from tests.factories import payloads
from tests.fixtures.shop import TestShop


def profile(shop: TestShop, customer_id: int = 77) -> Any:
    with shop.work() as uow:
        member = members.by_customer(uow, customer_id)
        assert member is not None
        return members.profile(uow, member.id)


def test_a_registration_enrolls_once_with_the_bonus(shop: TestShop) -> None:
    for _ in range(3):
        shop.tell("customers/create", payloads.customer())
        shop.drain()
    with shop.work() as uow:
        member = members.by_customer(uow, 77)
        assert member is not None
        assert points.balance(uow, member.id).available == 200
    assert (profile(shop).name, profile(shop).email) == ("Noura Haddad", "shopper77@example.com")


def test_personal_data_is_sealed_in_the_database(shop: TestShop) -> None:
    shop.tell("customers/create", payloads.customer())
    shop.drain()
    with shop.work() as uow:
        row = uow.one("SELECT row_to_json(m)::text AS all FROM members m")
    assert row is not None
    assert "Noura" not in row["all"] and "example.com" not in row["all"]


def test_older_news_do_not_undo_newer_ones(shop: TestShop) -> None:
    shop.tell("customers/create", payloads.customer(updated_at=payloads.at(0)))
    shop.tell("customers/update", payloads.customer(first_name="Nora", updated_at=payloads.at(9)))
    shop.drain()
    shop.tell("customers/update", payloads.customer(first_name="Old", updated_at=payloads.at(5)))
    shop.drain()
    assert profile(shop).first_name == "Nora"


@pytest.mark.parametrize("topic", ["customers/create", "customers/delete", "customers/merge"])
@pytest.mark.parametrize(
    "body", [{}, {"id": "x"}, {"id": -1}, {"admin_graphql_api_customer_kept_id": "gid://x"}]
)
def test_another_shape_is_ignored_with_a_reason(shop: TestShop, topic: str, body: dict[str, Any]) -> None:
    shop.tell(topic, body)
    shop.drain()
    assert shop.undone()[0]["outcome"].startswith("not a ")


def test_a_deleted_customer_is_forgotten_and_the_ledger_stays(shop: TestShop) -> None:
    shop.tell("customers/create", payloads.customer())
    shop.drain()
    shop.tell("customers/delete", {"id": 77})
    shop.drain()
    with shop.work() as uow:
        assert members.by_customer(uow, 77) is None
        assert uow.all("SELECT status, email_sealed, first_name_sealed FROM members") == [
            {"status": "erased", "email_sealed": None, "first_name_sealed": None}
        ]
        assert uow.scalar("SELECT sum(points)::bigint FROM points_entries") == 200


def test_merged_customers_keep_their_points_once(shop: TestShop) -> None:
    for customer in (77, 78):
        shop.tell("customers/create", payloads.customer(customer))
    shop.drain()
    with shop.work() as uow:
        other = members.by_customer(uow, 78)
        assert other is not None
        points.credit(uow, [Credit(other.id, 300, "extra", "thanks", kind="adjust")])
    for _ in range(2):
        shop.tell(
            "customers/merge",
            {
                "admin_graphql_api_customer_kept_id": "gid://shopify/Customer/77",
                "admin_graphql_api_customer_deleted_id": "gid://shopify/Customer/78",
                "status": "completed",
            },
        )
        shop.drain()
    with shop.work() as uow:
        kept = members.by_customer(uow, 77)
        assert kept is not None
        assert points.balance(uow, kept.id).available == 500
        assert members.by_customer(uow, 78) == kept


def test_a_blocked_member_earns_nothing_more(shop: TestShop) -> None:
    shop.tell("customers/create", payloads.customer())
    shop.drain()
    with shop.work() as uow:
        member = members.by_customer(uow, 77)
        assert member is not None
        members.set_status(uow, member.id, "blocked")
    shop.tell("orders/paid", payloads.order())
    shop.drain()
    with shop.work() as uow:
        assert points.balance(uow, member.id).total == 200
