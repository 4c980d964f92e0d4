"""What a referral gives besides points, whom it tells, and what becomes of it when members become one and part."""

from typing import Any
from uuid import UUID

import pytest

from app.core.db import UnitOfWork
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.notifications import service as notifications
from app.domains.points import service as points
from app.domains.referrals import queries, rules, service
from app.domains.referrals.schemas import Referral
from app.domains.rewards import service as rewards
from app.domains.rewards.schemas import Redemption, RewardForm
from tests.domains.points.invariants import broken
from tests.factories import payloads
from tests.fixtures.shop import TestShop
from tests.flows.test_referral import ADVOCATE, FRIEND, advocate, campaign, order, outcome, referral


def prepared(shop: TestShop, **changes: Any) -> tuple[str, UUID]:
    """A campaign with a coupon for each side; the advocate's code and the reward."""
    with shop.work() as uow:
        form = RewardForm.model_validate(
            {"names": {"en": "Five off"}, "kind": "amount_off", "points_cost": 500, "amount": 5}
        )
        reward_id = rewards.create_reward(uow, form).id
        campaign(uow, **({"advocate_reward_id": reward_id, "friend_reward_id": reward_id} | changes))
        return advocate(uow)[1], reward_id


def coupons(shop: TestShop) -> dict[str, Redemption | None]:
    """What the referral's coupons are now."""
    with shop.work() as uow:
        found = referral(uow)
        assert found is not None
        sides = {"advocate": found.advocate_redemption_id, "friend": found.friend_redemption_id}
        return {side: rewards.get_redemption(uow, one) if one else None for side, one in sides.items()}


def make(shop: TestShop) -> None:
    """Shopify has made every code that waits for it."""
    with shop.work() as uow:
        for row in uow.all("SELECT id FROM redemptions WHERE status = 'reserved'"):
            rewards.settle_issued(uow, row["id"], f"gid://shopify/DiscountCodeNode/{row['id'].int % 10**9}")


def buy(shop: TestShop, code: str | None, **changes: Any) -> None:
    shop.tell("orders/paid", order(code, **changes))
    shop.drain()
    assert shop.undone() == []


def cancel(shop: TestShop, code: str | None) -> None:
    late = {"cancelled_at": payloads.at(3), "updated_at": payloads.at(3)}
    shop.tell("orders/cancelled", order(code, **late))
    shop.drain()
    assert shop.undone() == []


def member(uow: UnitOfWork, customer_id: int) -> UUID:
    found = members.by_customer(uow, customer_id)
    assert found is not None
    return found.id


def test_the_friends_coupon_comes_with_the_invitation_and_the_advocates_with_the_reward(
    shop: TestShop,
) -> None:
    code, _ = prepared(shop)
    shop.tell("orders/create", order(code, financial_status="pending"))
    shop.drain()
    first = coupons(shop)
    assert (first["advocate"], first["friend"] is not None) == (None, True)
    for _ in range(2):
        buy(shop, code)
    both = coupons(shop)
    assert both["friend"] == first["friend"]
    assert both["advocate"] is not None and both["friend"] is not None
    with shop.work() as uow:
        owners = [both["advocate"].member_id, both["friend"].member_id]
        assert owners == [member(uow, ADVOCATE), member(uow, FRIEND)]
        assert both["advocate"].points == 0
        assert uow.scalar("SELECT count(*) FROM redemptions") == 2
        assert uow.scalar("SELECT count(*) FROM outbox WHERE kind = %(kind)s", {"kind": rewards.CREATE}) == 2


@pytest.mark.parametrize("made", [True, False])
def test_an_unused_coupon_goes_back_when_the_order_does(shop: TestShop, made: bool) -> None:
    code, _ = prepared(shop)
    buy(shop, code)
    if made:
        make(shop)
    cancel(shop, code)
    assert outcome(shop)[:2] == ("reversed", "order_taken_back")
    assert coupons(shop) == {"advocate": None, "friend": None}
    make(shop)
    with shop.work() as uow:
        assert uow.scalar("SELECT count(*) FROM outbox WHERE kind = %(kind)s", {"kind": rewards.DISABLE}) == 2
        for row in uow.all("SELECT id FROM redemptions"):
            rewards.settle_cancelled(uow, row["id"], was_used=False)
        assert {row["status"] for row in uow.all("SELECT status FROM redemptions")} == {"cancelled"}
        assert broken(uow) == {}


def test_a_used_coupon_stays_and_no_second_is_given(shop: TestShop) -> None:
    code, _ = prepared(shop)
    buy(shop, code)
    make(shop)
    with shop.work() as uow:
        mine = coupons(shop)["advocate"]
        assert mine is not None
        rewards.mark_used(uow, {mine.code: 99})
    cancel(shop, code)
    kept = coupons(shop)
    assert kept["advocate"] is not None and kept["advocate"].status == "used"
    assert kept["friend"] is None
    buy(shop, None, order_id=8, created_at=payloads.at(60), updated_at=payloads.at(61))
    again = coupons(shop)
    assert again["advocate"] == kept["advocate"]
    assert again["friend"] is not None


def test_a_reward_that_was_deleted_or_retired(shop: TestShop) -> None:
    code, reward_id = prepared(shop)
    with shop.work() as uow:
        rewards.retire(uow, reward_id, version=1)
    buy(shop, code)
    assert coupons(shop)["advocate"] is not None
    with shop.work() as uow:
        other = rewards.give(uow, member(uow, ADVOCATE), UUID(int=1), key="gone")
        assert other is None


def told(shop: TestShop) -> dict[str, int]:
    with shop.work() as uow:
        return {
            row["kind"]: row["n"]
            for row in uow.all(
                "SELECT kind, count(*) AS n FROM messages WHERE kind <> 'points_earned' GROUP BY kind"
            )
        }


def letter(uow: UnitOfWork, kind: str) -> Any:
    row = uow.one("SELECT id, member_id, kind FROM messages WHERE kind = %(kind)s", {"kind": kind})
    assert row is not None
    sent = uow.one(
        "SELECT payload FROM outbox WHERE kind = %(send)s AND key = %(id)s",
        {"send": notifications.SEND, "id": str(row["id"])},
    )
    assert sent is not None
    return notifications.compose(uow, row, sent["payload"])


def test_both_sides_are_told_once_in_their_language(shop: TestShop) -> None:
    code, _ = prepared(shop)
    with shop.work() as uow:
        uow.execute("UPDATE members SET locale = 'es'")
    for _ in range(3):
        buy(shop, code)
    assert told(shop) == {"referral_joined": 1, "referral_advocate": 1, "referral_friend": 1}
    make(shop)
    with shop.work() as uow:
        mine = letter(uow, "referral_advocate")
        assert mine.locale == "es" and mine.to == f"advocate{ADVOCATE}@example.com"
        assert "500" in mine.content.text and "Five off" in mine.content.text
        theirs = letter(uow, "referral_friend")
        assert "200" in theirs.content.text and theirs.to != mine.to
        assert mine.to not in theirs.content.html and theirs.to not in mine.content.html


def test_nobody_is_told_what_no_longer_counts_nor_after_erasure(shop: TestShop) -> None:
    code, _ = prepared(shop)
    buy(shop, code)
    cancel(shop, code)
    with shop.work() as uow:
        assert letter(uow, "referral_advocate") == "it no longer holds"
    with shop.work() as uow:
        members.erase(uow, member(uow, ADVOCATE))
        assert letter(uow, "referral_joined") == "the member was erased"


def test_a_visitor_counts_once_and_a_link_only_so_often(
    shop: TestShop, other_shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _ = prepared(shop)
    with shop.work() as uow:
        assert [service.visit(uow, code, cart) for cart in ("cart-one", "cart-one", "cart-two")] == [
            True,
            False,
            True,
        ]
        assert not service.visit(uow, "NOBODY22", "cart-one")
        monkeypatch.setattr(rules, "MOST_VISITS", 2)
        assert not service.visit(uow, code, "cart-three")
        found = queries.active(uow)
        assert found is not None
        assert queries.visits(uow, [found.id]) == {found.id: 2}
    with other_shop.work() as uow:
        assert not service.visit(uow, code, "cart-one")


def friends_of(shop: TestShop) -> list[Referral]:
    with shop.work() as uow:
        return queries.of_advocate(uow, member(uow, ADVOCATE))


def balance(shop: TestShop, customer_id: int) -> int:
    with shop.work() as uow:
        assert broken(uow) == {}
        found = points.balance(uow, member(uow, customer_id))
        return found.available - found.debt


@pytest.mark.parametrize("parted", [False, True])
def test_what_was_given_goes_back_after_the_friend_was_merged(shop: TestShop, parted: bool) -> None:
    code, _ = prepared(shop)
    buy(shop, code)
    with shop.work() as uow:
        kept = members.enroll(uow, [Person(88, "kept@example.com")])[88].id
        merge_id = members.merge(uow, kept, member(uow, FRIEND))
        assert merge_id is not None
    assert friends_of(shop)[0].status == "rewarded"
    if parted:
        with shop.work() as uow:
            members.unmerge(uow, merge_id)
    cancel(shop, code)
    assert friends_of(shop)[0].status == "reversed"
    assert balance(shop, ADVOCATE) == 0
    assert balance(shop, FRIEND if parted else 88) == 0


@pytest.mark.parametrize("parted", [False, True])
def test_what_was_given_goes_back_after_the_advocate_was_merged(shop: TestShop, parted: bool) -> None:
    code, _ = prepared(shop)
    buy(shop, code)
    with shop.work() as uow:
        kept = members.enroll(uow, [Person(88, "kept@example.com")])[88].id
        merge_id = members.merge(uow, kept, member(uow, ADVOCATE))
        assert merge_id is not None
    if parted:
        with shop.work() as uow:
            members.unmerge(uow, merge_id)
    cancel(shop, code)
    assert outcome_of_friend(shop) == "reversed"
    assert balance(shop, ADVOCATE if parted else 88) == 0


def outcome_of_friend(shop: TestShop) -> str:
    with shop.work() as uow:
        found = referral(uow)
        assert found is not None
        return found.status


def test_an_advocate_who_turns_out_to_be_the_friend_gets_nothing_until_they_part(shop: TestShop) -> None:
    code, _ = prepared(shop)
    buy(shop, code)
    bought = balance(shop, FRIEND) - 200
    with shop.work() as uow:
        merge_id = members.merge(uow, member(uow, ADVOCATE), member(uow, FRIEND))
        assert merge_id is not None
    assert balance(shop, ADVOCATE) == bought
    assert friends_of(shop)[0].reason == "same_person"
    with shop.work() as uow:
        members.unmerge(uow, merge_id)
    assert friends_of(shop)[0].status == "rewarded"
    assert (balance(shop, ADVOCATE), balance(shop, FRIEND)) == (500, bought + 200)


def test_of_two_friends_who_are_one_person_the_first_counts(shop: TestShop) -> None:
    code, _ = prepared(shop)
    buy(shop, code)
    buy(
        shop,
        code,
        order_id=9,
        created_at=payloads.at(50),
        customer=payloads.customer(88, email="b@example.com"),
    )
    assert [one.status for one in friends_of(shop)] == ["rewarded", "rewarded"]
    with shop.work() as uow:
        assert members.merge(uow, member(uow, 88), member(uow, FRIEND)) is not None
    assert {(one.status, one.reason) for one in friends_of(shop)} == {
        ("rewarded", ""),
        ("rejected", "came_before"),
    }
    assert balance(shop, ADVOCATE) == 500


def statements(shop: TestShop, friends: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many statements settle a batch with this many friends' orders."""
    counted = 0
    before = UnitOfWork.execute

    def execute(self: UnitOfWork, sql: str, params: Any = None) -> Any:
        nonlocal counted
        counted += 1
        return before(self, sql, params)

    code = f"x{friends}"
    with shop.work() as uow:
        code = service.link(uow, member(uow, ADVOCATE))
    for number in range(friends):
        customer = payloads.customer(1000 * friends + number, email=f"f{friends}-{number}@example.com")
        shop.tell("orders/paid", order(code, order_id=1000 * friends + number, customer=customer))
    with monkeypatch.context() as patched:
        patched.setattr(UnitOfWork, "execute", execute)
        shop.drain()
    return counted


def test_a_batch_costs_the_same_statements_for_any_number_of_friends(
    shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop.work() as uow:
        campaign(uow)
        advocate(uow)
    few = statements(shop, 3, monkeypatch)
    # The advocate's credits of one batch take turns, because each entry of a member stands on the one before.
    assert statements(shop, 12, monkeypatch) - few <= 9 + 3
