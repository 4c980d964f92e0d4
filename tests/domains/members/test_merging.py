"""Members who are one: what they have is united, can be proven, and parts again."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core import ids
from app.core.db import UnitOfWork
from app.domains.members import service as members
from app.domains.members.errors import MemberNotFound, MergeNotFound, MergeRefused
from app.domains.members.schemas import Member, Person
from app.domains.points import service as points
from app.domains.points.schemas import Balance, Credit, Reversal
from app.domains.programs import service as programs
from app.domains.programs.schemas import EarningRule
from app.domains.rewards import service as rewards
from app.domains.tiers import service as tiers
from tests.domains.points.invariants import broken
from tests.domains.points.terms import rule
from tests.factories import payloads
from tests.fixtures.shop import TestShop


def join(uow: UnitOfWork, customer: int) -> Member:
    return members.enroll(uow, [Person(customer, f"{customer}@example.com", "Ana", "Ruiz")])[customer]


def credit(uow: UnitOfWork, member_id: UUID, count: int, **more: Any) -> None:
    points.credit(uow, [Credit(member_id, count, f"key:{ids.new_id()}", "thanks", **more)])


def merged(kept: int, removed: int) -> dict[str, str]:
    return {
        "admin_graphql_api_customer_kept_id": f"gid://shopify/Customer/{kept}",
        "admin_graphql_api_customer_deleted_id": f"gid://shopify/Customer/{removed}",
        "status": "completed",
    }


def lots(uow: UnitOfWork, member_id: UUID) -> list[tuple[Any, ...]]:
    rows = uow.all(
        "SELECT points, remaining, held, pending, earned_at, activates_at, expires_at::text, order_id FROM points_lots"
        " WHERE member_id = %(member)s AND remaining + held > 0 ORDER BY points_lots.expires_at, points, activates_at, id",
        {"member": member_id},
    )
    return [tuple(row.values()) for row in rows]


@pytest.fixture
def pair(shop: TestShop) -> tuple[UUID, UUID]:
    with shop.work() as uow:
        return join(uow, 1).id, join(uow, 2).id


def test_a_merge_unites_every_status_and_keeps_the_dates(shop: TestShop, pair: tuple[UUID, UUID]) -> None:
    kept, removed = pair
    with shop.work() as uow:
        later = uow.now.replace(year=uow.now.year + 1)
        credit(uow, removed, 300, expires_at=later)
        credit(uow, removed, 40, activates_at=later, order_id=ids.new_id())
        points.hold(uow, removed, 100, key="hold", reason="redemption")
        credit(uow, kept, 7)
        was = lots(uow, removed)
    with shop.work() as uow:
        assert members.merge(uow, kept, removed) is not None
    with shop.work() as uow:
        have = points.balance(uow, kept)
        assert (have.available, have.pending, have.held, have.debt) == (207, 40, 100, 0)
        assert have.qualifying == 347
        assert points.balance(uow, removed) == Balance()
        assert {row[4:] for row in was} < {row[4:] for row in lots(uow, kept)}
        assert broken(uow) == {}
        names = uow.all(
            "SELECT DISTINCT trace->>'from' AS source FROM points_entries WHERE member_id = %(kept)s AND kind = 'move_in'",
            {"kept": kept},
        )
        assert names == [{"source": str(removed)}]


def test_a_second_merge_of_the_same_two_does_nothing(shop: TestShop, pair: tuple[UUID, UUID]) -> None:
    with shop.work() as uow:
        credit(uow, pair[1], 300)
        assert members.merge(uow, *pair) is not None
        assert members.merge(uow, *pair) is None
        assert points.balance(uow, pair[0]).available == 300


def test_a_debt_is_paid_from_what_the_other_has(shop: TestShop, pair: tuple[UUID, UUID]) -> None:
    kept, removed = pair
    with shop.work() as uow:
        points.reverse(uow, Reversal(removed, 50, "refund", "refund"))
        credit(uow, kept, 30)
        merge_id = members.merge(uow, kept, removed)
        assert merge_id is not None
        assert points.balance(uow, kept).debt == 20
        assert broken(uow) == {}
        members.unmerge(uow, merge_id)
        assert (points.balance(uow, kept).available, points.balance(uow, removed).debt) == (30, 50)
        assert broken(uow) == {}


def test_signing_up_twice_counts_once(shop: TestShop) -> None:
    for customer in (77, 78):
        shop.tell("customers/create", payloads.customer(customer))
    shop.drain()
    for _ in range(2):
        shop.tell("customers/merge", merged(77, 78))
        shop.drain()
    shop.tell("customers/create", payloads.customer(78))
    shop.drain()
    with shop.work() as uow:
        kept = members.by_customer(uow, 77)
        assert kept is not None
        assert members.by_customer(uow, 78) == kept
        assert points.balance(uow, kept.id).available == points.balance(uow, kept.id).qualifying == 200
        reasons = uow.all("SELECT points FROM points_entries WHERE reason = 'duplicate_bonus'")
        assert reasons == [{"points": -200}]
        assert broken(uow) == {}


def test_a_bonus_that_was_spent_becomes_a_debt_that_the_other_pays(
    shop: TestShop, pair: tuple[UUID, UUID]
) -> None:
    kept, removed = pair
    with shop.work() as uow:
        for number, member in enumerate(pair):
            points.credit(uow, [Credit(member, 200, f"signup:{number}", "signup")])
        points.spend(uow, removed, 150, key="spend", reason="redemption")
        merge_id = members.merge(uow, kept, removed)
        assert points.balance(uow, kept).available == 50
        assert merge_id is not None
        members.unmerge(uow, merge_id)
        assert [points.balance(uow, one).available for one in pair] == [200, 50]
        assert broken(uow) == {}


def test_three_accounts_of_one_person_and_only_one_bonus(shop: TestShop) -> None:
    with shop.work() as uow:
        people = [join(uow, customer).id for customer in (1, 2, 3)]
        for number, member in enumerate(people):
            points.credit(uow, [Credit(member, 200, f"signup:{number}", "signup")])
        members.merge(uow, people[1], people[0])
        members.merge(uow, people[2], people[1])
        assert points.balance(uow, people[2]).available == 200
        assert members.by_customer(uow, 1) == members.by_customer(uow, 3)
        assert sorted(members.family(uow, people[2])) == sorted(people)


def test_orders_follow_and_their_refunds_find_the_points(shop: TestShop) -> None:
    shop.tell("orders/paid", payloads.order(5, customer=payloads.customer(78)))
    shop.tell("customers/create", payloads.customer(77))
    shop.drain()
    shop.tell("customers/merge", merged(77, 78))
    shop.drain()
    shop.tell("refunds/create", payloads.refund(1, 5, amount="129.90"))
    shop.drain()
    with shop.work() as uow:
        kept = members.by_customer(uow, 77)
        assert kept is not None
        assert uow.scalar("SELECT member_id FROM orders") == kept.id
        balance = points.balance(uow, kept.id)
        assert (balance.available, balance.debt) == (200, 0)
        assert uow.scalar("SELECT sum(debt)::bigint FROM points_accounts") == 0
        assert broken(uow) == {}


def test_tiers_come_from_the_united_points(shop: TestShop, pair: tuple[UUID, UUID]) -> None:
    kept, removed = pair
    with shop.work() as uow:
        credit(uow, kept, 600)
        credit(uow, removed, 600)
        members.merge(uow, kept, removed)
    with shop.work() as uow:
        level = tiers.standing(uow, kept).tier
        assert level is not None and level.name == "Silver"
        assert uow.all("SELECT member_id, direction FROM tier_changes") == [
            {"member_id": kept, "direction": "up"}
        ]


def test_a_reservation_goes_along_and_ends_there(shop: TestShop, pair: tuple[UUID, UUID]) -> None:
    kept, removed = pair
    with shop.work() as uow:
        credit(uow, removed, 5_000)
        reward = uow.scalar("SELECT id FROM rewards ORDER BY points_cost LIMIT 1")
        redemption = rewards.redeem(uow, removed, reward, key="r", channel="widget")
    with shop.work() as uow:
        members.merge(uow, kept, removed)
        assert points.balance(uow, kept).held == redemption.points
        hold = uow.scalar("SELECT hold_entry_id FROM redemptions WHERE member_id = %(kept)s", {"kept": kept})
        assert points.settle(uow, hold, "spend", key="used", reason="redemption") is not None
        assert points.balance(uow, kept).held == 0
        assert broken(uow) == {}


def test_what_comes_back_after_the_merge_is_the_kept_members(shop: TestShop, pair: tuple[UUID, UUID]) -> None:
    kept, removed = pair
    with shop.work() as uow:
        credit(uow, removed, 500)
        hold = points.hold(uow, removed, 100, key="hold", reason="redemption")
        points.settle(uow, hold.id, "spend", key="spent", reason="redemption")
        members.merge(uow, kept, removed)
        points.settle(uow, hold.id, "restore", key="back", reason="reward_cancelled")
        assert points.balance(uow, kept).available == 500
        assert points.balance(uow, removed).total == 0
        assert broken(uow) == {}


def test_a_blocked_person_stays_blocked(shop: TestShop, pair: tuple[UUID, UUID]) -> None:
    kept, removed = pair
    with shop.work() as uow:
        members.set_status(uow, removed, "blocked")
        merge_id = members.merge(uow, kept, removed)
        assert members.by_ids(uow, [kept])[kept].status == "blocked"
        assert merge_id is not None
        members.unmerge(uow, merge_id)
        assert members.by_ids(uow, [kept])[kept].status == "active"


def test_who_may_earn_follows_every_change_within_one_transaction(
    shop: TestShop, pair: tuple[UUID, UUID]
) -> None:
    kept, removed = pair
    with shop.work() as uow:
        assert members.earning(uow, pair) == {kept, removed}
        members.set_status(uow, removed, "blocked")
        assert members.earning(uow, pair) == {kept}
        members.set_status(uow, removed, "active")
        merge_id = members.merge(uow, kept, removed)
        assert members.earning(uow, pair) == {kept}
        assert merge_id is not None
        members.unmerge(uow, merge_id)
        assert members.earning(uow, pair) == {kept, removed}
        members.erase(uow, removed)
        assert members.earning(uow, pair) == {kept}


def test_merges_part_in_the_reverse_of_their_order(shop: TestShop) -> None:
    with shop.work() as uow:
        one, two, three = (join(uow, customer).id for customer in (1, 2, 3))
        credit(uow, one, 10)
        first = members.merge(uow, two, one)
        second = members.merge(uow, three, two)
        assert first is not None and second is not None
        with pytest.raises(MergeRefused):
            members.unmerge(uow, first)
        members.unmerge(uow, second)
        assert members.family(uow, two) == [two, one]
        members.unmerge(uow, first)
        assert points.balance(uow, one).available == 10
        members.unmerge(uow, first)
        assert points.balance(uow, one).available == 10
        assert members.merge(uow, two, one) not in (None, first)
        assert points.balance(uow, two).available == 10


def test_tags_are_united_and_part_again(shop: TestShop) -> None:
    with shop.work() as uow:
        kept, one, two = (join(uow, customer).id for customer in (1, 2, 3))
        members.tag(uow, {kept: ["old"], one: ["old", "vip"], two: ["vip", "wholesale"]})
        first = members.merge(uow, kept, one)
        second = members.merge(uow, kept, two)
        assert first is not None and second is not None
        assert members.tags_of(uow, [kept]) == {kept: ["old", "vip", "wholesale"]}
        members.unmerge(uow, first)
        assert members.tags_of(uow, [kept]) == {kept: ["old", "vip", "wholesale"]}
        members.unmerge(uow, second)
        assert members.tags_of(uow, [kept, one, two]) == {
            kept: ["old"],
            one: ["old", "vip"],
            two: ["vip", "wholesale"],
        }


def test_a_tag_that_staff_took_off_meanwhile_stays_off(shop: TestShop, pair: tuple[UUID, UUID]) -> None:
    kept, removed = pair
    with shop.work() as uow:
        members.tag(uow, {removed: ["vip"]})
        merge_id = members.merge(uow, kept, removed)
        assert merge_id is not None
        members.untag(uow, {kept: ["vip"]})
        members.unmerge(uow, merge_id)
        assert members.tags_of(uow, pair) == {removed: ["vip"]}


def test_a_customer_met_after_the_merge_is_the_kept_one(shop: TestShop) -> None:
    shop.tell("customers/create", payloads.customer(77))
    shop.drain()
    shop.tell("customers/merge", merged(77, 78))
    shop.drain()
    shop.tell("customers/create", payloads.customer(78))
    shop.drain()
    with shop.work() as uow:
        assert uow.scalar("SELECT sum(points)::bigint FROM points_entries") == 200
    shop.tell("orders/paid", payloads.order(5, customer=payloads.customer(78)))
    shop.drain()
    with shop.work() as uow:
        kept = members.by_customer(uow, 77)
        assert kept is not None
        assert uow.scalar("SELECT member_id FROM orders") == kept.id
        assert points.balance(uow, kept.id).available > 200


def test_deleting_the_removed_customer_leaves_the_kept_one(shop: TestShop) -> None:
    for customer in (77, 78):
        shop.tell("customers/create", payloads.customer(customer))
    shop.drain()
    shop.tell("customers/merge", merged(77, 78))
    shop.tell("customers/delete", {"id": 78})
    shop.drain()
    with shop.work() as uow:
        kept = members.by_customer(uow, 77)
        assert kept is not None and kept.active
        assert members.profile(uow, kept.id).first_name == "Noura"
        assert uow.scalar("SELECT count(*) FROM members WHERE email_sealed IS NOT NULL") == 1


def test_erasing_the_kept_one_forgets_both(shop: TestShop, pair: tuple[UUID, UUID]) -> None:
    with shop.work() as uow:
        members.merge(uow, *pair)
        members.erase(uow, pair[0])
        assert uow.scalar("SELECT count(*) FROM members WHERE email_sealed IS NOT NULL") == 0


def test_another_shops_members_are_out_of_reach(
    shop: TestShop, other_shop: TestShop, pair: tuple[UUID, UUID]
) -> None:
    with shop.work() as uow:
        merge_id = members.merge(uow, *pair)
        assert merge_id is not None
    with other_shop.work() as uow:
        with pytest.raises(MemberNotFound):
            members.merge(uow, pair[0], join(uow, 9).id)
        with pytest.raises(MergeNotFound):
            members.unmerge(uow, merge_id)


AMOUNTS = st.integers(0, 400)
HISTORY = st.fixed_dictionaries(
    {
        "credits": st.lists(
            st.tuples(st.integers(1, 300), st.sampled_from([None, 30, 60]), st.booleans()), max_size=4
        ),
        "signup": st.booleans(),
        "spend": AMOUNTS,
        "hold": AMOUNTS,
        "refund": AMOUNTS,
    }
)


def live(uow: UnitOfWork, member_id: UUID, history: dict[str, Any]) -> None:
    if history["signup"]:
        points.credit(uow, [Credit(member_id, 200, f"signup:{member_id}", "signup")])
    for count, days, waits in history["credits"]:
        later = uow.now.replace(year=uow.now.year + 1)
        credit(
            uow,
            member_id,
            count,
            expires_at=later.replace(day=days % 28 + 1) if days else None,
            activates_at=later if waits else None,
        )
    for verb, name in ((points.spend, "spend"), (points.hold, "hold")):
        count = min(history[name], points.balance(uow, member_id).available)
        if count:
            verb(uow, member_id, count, key=f"{name}:{member_id}", reason="redemption")  # type: ignore[operator]
    if history["refund"]:
        points.reverse(uow, Reversal(member_id, history["refund"], f"refund:{member_id}", "refund"))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(one=HISTORY, two=HISTORY)
def test_parting_at_once_restores_both_exactly(
    shop: TestShop, one: dict[str, Any], two: dict[str, Any]
) -> None:
    with shop.work() as uow:
        kept, removed = (join(uow, ids.new_id().int % 10**15).id for _ in range(2))
        live(uow, kept, one)
        live(uow, removed, two)
        was = [(points.balance(uow, member), lots(uow, member)) for member in (kept, removed)]
        merge_id = members.merge(uow, kept, removed)
        assert merge_id is not None
        assert broken(uow) == {}
        twice = 200 if one["signup"] and two["signup"] else 0
        assert points.balance(uow, kept).total == sum(balance.total for balance, _ in was) - twice
        assert points.balance(uow, removed).total == 0
        members.unmerge(uow, merge_id)
        assert broken(uow) == {}
        now = [(points.balance(uow, member), lots(uow, member)) for member in (kept, removed)]
    for (balance, open_lots), (balance_now, lots_now) in zip(was, now, strict=True):
        assert _amounts(balance) == _amounts(balance_now)
        assert open_lots == lots_now


def _amounts(balance: Balance) -> tuple[int, ...]:
    return balance.available, balance.pending, balance.held, balance.debt, balance.qualifying


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(one=HISTORY, two=HISTORY, spent=AMOUNTS, refund=AMOUNTS)
def test_parting_later_loses_and_invents_nothing(
    shop: TestShop, one: dict[str, Any], two: dict[str, Any], spent: int, refund: int
) -> None:
    with shop.work() as uow:
        kept, removed = (join(uow, ids.new_id().int % 10**15).id for _ in range(2))
        live(uow, kept, one | {"signup": False})
        live(uow, removed, two | {"signup": False})
        merge_id = members.merge(uow, kept, removed)
        assert merge_id is not None
        spent = min(spent, points.balance(uow, kept).available)
        if spent:
            points.spend(uow, kept, spent, key=f"after:{kept}", reason="redemption")
        if refund:
            points.reverse(uow, Reversal(kept, refund, f"refund-after:{kept}", "refund"))
        before = points.balance(uow, kept).total
        members.unmerge(uow, merge_id)
        assert points.balance(uow, kept).total + points.balance(uow, removed).total == before
        assert broken(uow) == {}


def buy(shop: TestShop, customer: int, order: int, amount: int) -> None:
    lines = [payloads.line(order * 10 + 1, f"{amount}.00")]
    shop.tell("orders/paid", payloads.order(order, lines, customer=payloads.customer(customer)))
    shop.drain()


def give_back(shop: TestShop, order: int, refund: int, amount: int) -> None:
    shop.tell("refunds/create", payloads.refund(refund, order, amount=f"{amount}.00"))
    shop.drain()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    amounts=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    refunds=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    spent=st.integers(0, 600),
    own=st.integers(0, 400),
    place=st.sampled_from(["before", "between", "after", "around"]),
)
def test_a_refund_ends_alike_before_between_and_after_a_merge_that_is_taken_back(
    shop: TestShop, amounts: tuple[int, int], refunds: tuple[int, int], spent: int, own: int, place: str
) -> None:
    """Two orders of the removed member, some of their points spent before: whoever is refunded alone ends the same."""
    start = ids.new_id().int % 10**9
    ends = []
    for nth, where in enumerate(("never merged", place)):
        kept, removed = (start * 100 + nth * 10 + side for side in (1, 2))
        orders = [start * 100 + nth * 10 + 3 + n for n in range(2)]
        for order, amount in zip(orders, amounts, strict=True):
            buy(shop, removed, order, amount)
        with shop.work() as uow:
            pair = [join(uow, kept).id, members.resolve(uow, str(removed)).id]
            if own:
                credit(uow, pair[0], own)
            spend = min(spent, points.balance(uow, pair[1]).available)
            if spend:
                points.spend(uow, pair[1], spend, key=f"s:{removed}", reason="redemption")
        todo = [
            lambda n=n, orders=orders: give_back(shop, orders[n], orders[n], min(refunds[n], amounts[n]))
            for n in range(2)
        ]
        early = {"before": 2, "between": 0, "after": 0, "around": 1}.get(where, 2)
        late = {"after": 2, "around": 0}.get(where, 0)
        for one in todo[:early]:
            one()
        if where != "never merged":
            with shop.work() as uow:
                merge_id = members.merge(uow, *pair)
                assert merge_id is not None
            for one in todo[early : 2 - late]:
                one()
            with shop.work() as uow:
                members.unmerge(uow, merge_id)
            for one in todo[2 - late :]:
                one()
        with shop.work() as uow:
            assert broken(uow) == {}
            ends.append([_amounts(points.balance(uow, one)) for one in pair])
    assert ends[0] == ends[1]


@pytest.mark.parametrize(
    ("spent_by_removed", "spent_since", "ends"),
    [
        (1000, 0, [(0, 0), (0, 1000)]),  # who spent before the merge owes
        (0, 1000, [(0, 1000), (0, 0)]),  # who spent since owes
        (400, 600, [(0, 600), (0, 400)]),  # each owes what they spent
    ],
)
def test_a_debt_made_between_is_theirs_who_had_the_points(
    shop: TestShop, spent_by_removed: int, spent_since: int, ends: list[tuple[int, int]]
) -> None:
    buy(shop, 78, 5, 100)
    with shop.work() as uow:
        pair = [join(uow, 77).id, members.resolve(uow, "78").id]
        if spent_by_removed:
            points.spend(uow, pair[1], spent_by_removed, key="before", reason="redemption")
        merge_id = members.merge(uow, *pair)
        assert merge_id is not None
        if spent_since:
            points.spend(uow, pair[0], spent_since, key="since", reason="redemption")
    give_back(shop, 5, 1, 100)
    with shop.work() as uow:
        assert points.balance(uow, pair[0]).debt == 1000
        members.unmerge(uow, merge_id)
        assert [(points.balance(uow, one).available, points.balance(uow, one).debt) for one in pair] == ends
        assert broken(uow) == {}


def test_orders_made_since_stay_with_the_kept_member_and_so_do_their_debts(shop: TestShop) -> None:
    with shop.work() as uow:
        pair = [join(uow, 77).id, join(uow, 78).id]
        merge_id = members.merge(uow, *pair)
        assert merge_id is not None
    buy(shop, 78, 5, 100)
    with shop.work() as uow:
        points.spend(uow, pair[0], 1000, key="since", reason="redemption")
    give_back(shop, 5, 1, 100)
    with shop.work() as uow:
        members.unmerge(uow, merge_id)
        assert [points.balance(uow, one).debt for one in pair] == [1000, 0]
        assert broken(uow) == {}


def test_birthdays_and_events_count_once_for_a_person_and_other_ones_stay(
    shop: TestShop, pair: tuple[UUID, UUID]
) -> None:
    kept, removed = pair

    def deed(member_id: UUID, kind: str, what: str, count: int) -> Credit:
        return Credit(member_id, count, f"{kind}:rule:{member_id}:{what}", kind)

    with shop.work() as uow:
        points.credit(uow, [deed(kept, "birthday", "2026", 50), deed(removed, "birthday", "2026", 60)])
        points.credit(uow, [deed(removed, "birthday", "2025", 7), deed(kept, "custom_event", "quiz", 5)])
        points.credit(uow, [deed(removed, "custom_event", "quiz", 5), deed(removed, "review", "r1", 3)])
        points.credit(
            uow,
            [Credit(removed, 11, f"gift:{removed}", "thanks"), Credit(kept, 11, f"gift:{kept}", "thanks")],
        )
        for _ in range(2):
            merge_id = members.merge(uow, kept, removed)
            assert merge_id
            assert points.balance(uow, kept).available == 50 + 7 + 5 + 3 + 11 + 11
            assert broken(uow) == {}
            members.unmerge(uow, merge_id)
            assert [points.balance(uow, one).available for one in pair] == [66, 86]
            assert broken(uow) == {}


def test_what_a_merged_account_got_is_not_given_again(shop: TestShop, pair: tuple[UUID, UUID]) -> None:
    kept, removed = pair
    quiz = EarningRule.model_validate(rule("quiz", 25, "custom_event", event="quiz"))
    with shop.work() as uow:
        program = programs.active(uow)
        assert program
        programs.update(uow, program.id, {"rules": [quiz]}, version=program.version)
    with shop.work() as uow:
        one, two = (members.by_ids(uow, pair)[member] for member in pair)
        assert points.earn(uow, two, "custom_event", event="quiz")[0].points == 25
        members.merge(uow, kept, removed)
        assert points.give(uow, [points.Deed(kept, "custom_event", f"{kept}:quiz", "quiz")]) == []
        assert points.balance(uow, one.id).available == 25
