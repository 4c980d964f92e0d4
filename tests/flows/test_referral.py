"""An advocate brings a friend: what both get, and what goes back, whatever order the news arrive in and how often."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.db import UnitOfWork
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.points import queries as ledger
from app.domains.points import service as points
from app.domains.programs import service as programs
from app.domains.referrals import queries, service
from app.domains.referrals.schemas import CampaignCreate, Referral
from tests.domains.points.invariants import broken
from tests.factories import payloads
from tests.fixtures.shop import TestShop

ADVOCATE, FRIEND = 10, 77


def campaign(uow: UnitOfWork, **changes: Any) -> None:
    wanted: dict[str, Any] = {"name": "Bring a friend", "status": "active"}
    wanted |= {"advocate_points": 500, "friend_points": 200, "minimum_purchase_minor": 5_000}
    service.create(uow, CampaignCreate(**(wanted | changes)))


def advocate(uow: UnitOfWork, customer_id: int = ADVOCATE, email: str | None = None) -> tuple[UUID, str]:
    person = Person(customer_id, email or f"advocate{customer_id}@example.com")
    member = members.enroll(uow, [person])[customer_id]
    return member.id, service.link(uow, member.id)


def prepared(shop: TestShop, **changes: Any) -> str:
    with shop.work() as uow:
        campaign(uow, **changes)
        return advocate(uow)[1]


def order(code: str | None, **changes: Any) -> dict[str, Any]:
    attributes = [{"name": "gift", "value": "yes"}]
    if code:
        attributes.append({"name": "_loyalnest_ref", "value": code})
    return payloads.order(**({"note_attributes": attributes} | changes))


def referral(uow: UnitOfWork, customer_id: int = FRIEND) -> Referral | None:
    friend = members.by_customer(uow, customer_id)
    found = queries.lock_of_friends(uow, [friend.id]) if friend else []
    return found[0] if found else None


def given_to(uow: UnitOfWork, customer_id: int) -> int:
    member = members.by_customer(uow, customer_id)
    assert member is not None
    rows = ledger.history(uow, member.id, 100, None).items
    return sum(row["points"] for row in rows if row["reason"].startswith("referral_"))


def outcome(shop: TestShop, friend: int = FRIEND) -> tuple[str | None, str, int, int]:
    with shop.work() as uow:
        found = referral(uow, friend)
        assert broken(uow) == {}
        known = members.by_customer(uow, friend)
        return (
            found.status if found else None,
            found.reason if found else "",
            given_to(uow, ADVOCATE),
            given_to(uow, friend) if known else 0,
        )


def test_a_friends_first_paid_order_rewards_both_once(shop: TestShop) -> None:
    code = prepared(shop)
    for _ in range(2):
        shop.tell("orders/create", order(code, financial_status="pending"))
        shop.drain()
    assert outcome(shop) == ("recorded", "", 0, 0)
    for _ in range(2):
        shop.tell("orders/paid", order(code))
        shop.drain()
    assert outcome(shop) == ("rewarded", "", 500, 200)


def test_a_claim_at_registration_needs_no_attribute_on_the_order(shop: TestShop) -> None:
    code = prepared(shop)
    with shop.work() as uow:
        friend = members.enroll(uow, [Person(FRIEND, "friend@example.com")])[FRIEND]
        assert service.claim(uow, friend.id, code).status == "recorded"
        assert service.claim(uow, friend.id, code).id == service.claim(uow, friend.id, "OTHER").id
    late = "2099-01-01T00:00:00+00:00"
    shop.tell("orders/paid", order(None, created_at=late))
    shop.drain()
    assert outcome(shop) == ("rewarded", "", 500, 200)


def test_a_claim_after_an_order_is_rejected(shop: TestShop) -> None:
    code = prepared(shop)
    shop.tell("orders/paid", order(None))
    shop.drain()
    with shop.work() as uow:
        friend = members.by_customer(uow, FRIEND)
        assert friend is not None
        found = service.claim(uow, friend.id, code)
        assert (found.status, found.reason) == ("rejected", "not_new")


@pytest.mark.parametrize(
    ("terms", "changes", "expected"),
    [
        ({"minimum_purchase_minor": 12_990}, {}, "rewarded"),
        ({"minimum_purchase_minor": 12_991}, {}, "recorded"),
        ({"minimum_purchase_minor": 0}, {"lines": [payloads.line(51, "9.00", gift_card=True)]}, "recorded"),
        ({"status": "draft"}, {}, None),
        ({"ends_at": "2026-11-01T12:00:00+00:00"}, {}, None),
        ({"ends_at": "2026-11-01T12:00:01+00:00"}, {}, "rewarded"),
        ({"starts_at": "2026-11-01T12:00:01+00:00"}, {}, None),
        ({}, {"test": True}, None),
        ({"reward_on": "account"}, {"financial_status": "pending"}, "rewarded"),
    ],
)
def test_what_the_campaign_asks_for(
    shop: TestShop, terms: dict[str, Any], changes: dict[str, Any], expected: str | None
) -> None:
    code = prepared(shop, **terms)
    topic = "orders/create" if "financial_status" in changes else "orders/paid"
    shop.tell(topic, order(code, **changes))
    shop.drain()
    assert outcome(shop)[0] == expected


@pytest.mark.parametrize(
    ("mine", "theirs", "same"),
    [
        ("ada@example.com", "ADA+shop@example.com", True),
        ("a.da@gmail.com", "ada+x@googlemail.com", True),
        ("a.da@example.com", "ada@example.com", False),
    ],
)
def test_nobody_is_their_own_friend(shop: TestShop, mine: str, theirs: str, same: bool) -> None:
    with shop.work() as uow:
        campaign(uow)
        _, code = advocate(uow, email=mine)
    shop.tell("orders/paid", order(code, customer=payloads.customer(email=theirs)))
    shop.drain()
    assert outcome(shop)[:2] == (("rejected", "same_person") if same else ("rewarded", ""))


def test_the_advocates_own_order_with_their_code_gives_nothing(shop: TestShop) -> None:
    code = prepared(shop)
    shop.tell("orders/paid", order(code, customer=payloads.customer(ADVOCATE)))
    shop.drain()
    assert outcome(shop, ADVOCATE) == ("rejected", "same_person", 0, 0)


def test_an_advocate_is_rewarded_no_more_often_than_the_campaign_says(shop: TestShop) -> None:
    code = prepared(shop, maximum_per_advocate=1)
    for number in (1, 2):
        shop.tell("orders/paid", order(code, order_id=number, customer=payloads.customer(70 + number)))
    shop.drain()
    assert {outcome(shop, 71)[0], outcome(shop, 72)[0]} == {"rewarded", "rejected"}
    assert outcome(shop, 71)[2] == 500


def test_points_wait_for_the_holding_period(shop: TestShop) -> None:
    with shop.work() as uow:
        program = programs.active(uow)
        assert program is not None
        programs.update(uow, program.id, {"holding_days": 14}, version=program.version)
    code = prepared(shop)
    shop.tell("orders/paid", order(code))
    shop.drain()
    assert outcome(shop)[0] == "qualified"
    with shop.work() as uow:
        member = members.by_customer(uow, ADVOCATE)
        assert member is not None
        assert (points.balance(uow, member.id).pending, points.balance(uow, member.id).available) == (500, 0)
        assert service.reward_due(uow, 10) == 0
        uow.execute("UPDATE referrals SET due_at = now() - interval '1 second'")
    with shop.work() as uow:
        assert service.reward_due(uow, 10) == 1
        assert service.reward_due(uow, 10) == 0
    assert outcome(shop)[0] == "rewarded"


def test_a_code_of_another_shop_or_of_nobody_is_nothing(shop: TestShop, other_shop: TestShop) -> None:
    prepared(shop)
    foreign = prepared(other_shop)
    for number, code in enumerate((foreign, "NOBODY22", "<b>", "x" * 500), start=1):
        shop.tell("orders/paid", order(code, order_id=number, customer=payloads.customer(70 + number)))
    shop.drain()
    assert shop.undone() == []
    assert [outcome(shop, 70 + number)[0] for number in (1, 2, 3, 4)] == [None] * 4


def test_what_a_friend_spent_before_the_refund_becomes_a_debt(shop: TestShop) -> None:
    code = prepared(shop)
    shop.tell("orders/paid", order(code))
    shop.drain()
    with shop.work() as uow:
        member = members.by_customer(uow, ADVOCATE)
        assert member is not None
        points.spend(uow, member.id, 400, key="spent", reason="test")
    shop.tell("orders/cancelled", order(code, cancelled_at=payloads.at(3), updated_at=payloads.at(3)))
    shop.drain()
    assert outcome(shop) == ("reversed", "order_taken_back", 0, 0)
    with shop.work() as uow:
        assert points.balance(uow, member.id).debt == 400


def _refunded(code: str) -> dict[str, Any]:
    return order(
        code,
        updated_at=payloads.at(2),
        financial_status="partially_refunded",
        lines=[
            payloads.line(51, "100.00", current_quantity=0),
            payloads.line(52, "29.90", current_quantity=1),
        ],
        refunds=[payloads.refund(900, 5, [(51, 1, "100.00")])],
    )


def news(code: str, other: str) -> dict[str, tuple[str, dict[str, Any]]]:
    second = {"order_id": 6, "created_at": payloads.at(30), "updated_at": payloads.at(31)}
    return {
        "registered": ("customers/create", payloads.customer()),
        "created": ("orders/create", order(code, financial_status="pending")),
        "paid": ("orders/paid", order(code, updated_at=payloads.at(1))),
        "refund": ("refunds/create", payloads.refund(900, 5, [(51, 1, "100.00")])),
        "refunded": ("orders/updated", _refunded(code)),
        "later order by another's code": (
            "orders/create",
            order(other, financial_status="pending", **second),
        ),
    }


NAMES = list(news("", ""))
_made = iter(range(10**9))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    sequence=st.permutations(NAMES),
    repeats=st.lists(st.sampled_from(NAMES), max_size=4),
    pauses=st.sets(st.integers(0, 10)),
    taken_back=st.booleans(),
)
def test_any_order_any_number_of_times_ends_in_the_same_place(
    new_shop: Callable[..., TestShop],
    sequence: list[str],
    repeats: list[str],
    pauses: set[int],
    taken_back: bool,
) -> None:
    shop = new_shop(f"referral{next(_made)}.myshopify.com")
    code = prepared(shop)
    with shop.work() as uow:
        _, other = advocate(uow, 11)
    told = news(code, other)
    chosen = [one for one in [*sequence, *repeats] if taken_back or not one.startswith("refund")]
    for number, name in enumerate(chosen):
        shop.tell(*told[name])
        if number in pauses:
            shop.drain()
    shop.drain()
    assert outcome(shop) == (
        ("reversed", "order_taken_back", 0, 0) if taken_back else ("rewarded", "", 500, 200)
    )
    with shop.work() as uow:
        assert given_to(uow, 11) == 0
    assert shop.undone() == []
