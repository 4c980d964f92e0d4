"""Segments follow orders, refunds, points, merges and erasures; slices may stop anywhere and are done again."""

from typing import Any
from uuid import UUID

import pytest

from app.domains.compliance import service as compliance
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.points import service as points
from app.domains.points.schemas import Credit
from app.domains.segments import jobs, queries, service
from app.domains.segments.schemas import Condition, SegmentIn, SegmentUpdate
from app.domains.segments.service import following
from tests.domains.segments.people import one, rules
from tests.factories import payloads
from tests.fixtures.shop import TestShop


def make(shop: TestShop, *asked: Condition, name: str = "Some", **more: Any) -> UUID:
    with shop.work() as uow:
        return service.create(uow, SegmentIn(name=name, rules=rules(*asked, **more))).id


def manual(shop: TestShop, name: str = "By hand") -> UUID:
    with shop.work() as uow:
        return service.create(uow, SegmentIn(name=name, kind="manual")).id


def join(shop: TestShop, customer: int) -> UUID:
    with shop.work() as uow:
        return members.enroll(uow, [Person(customer, f"{customer}@example.com", "Ana", "Ruiz")])[customer].id


def inside(shop: TestShop, segment_id: UUID) -> set[UUID]:
    with shop.work() as uow:
        found = set(service.member_ids(uow, segment_id, None, 1_000))
        assert service.get(uow, segment_id).size == len(found)
    return found


def facts(shop: TestShop, member_id: UUID) -> dict[str, Any]:
    with shop.work() as uow:
        row = uow.one("SELECT * FROM segment_facts WHERE member_id = %(id)s", {"id": member_id})
    assert row is not None
    return row


def built(shop: TestShop) -> None:
    jobs.build(str(shop.id))


def follow(shop: TestShop) -> None:
    jobs.follow(str(shop.id))


def test_an_order_its_refund_and_its_cancellation_move_a_buyer(shop: TestShop) -> None:
    spenders = make(shop, one("spent", "at_least", 10_000))
    built(shop)
    assert inside(shop, spenders) == set()
    shop.tell("orders/paid", payloads.order())
    shop.drain()
    follow(shop)
    with shop.work() as uow:
        buyer = members.by_customer(uow, 77)
    assert buyer is not None
    assert inside(shop, spenders) == {buyer.id}
    known = facts(shop, buyer.id)
    assert (known["orders"], known["spent_minor"]) == (1, 12_990)
    assert known["last_order_at"] is not None and known["last_earned_at"] is not None

    shop.tell("refunds/create", payloads.refund(1, 5, [(1, 1, "100.00")]))
    shop.drain()
    follow(shop)
    assert facts(shop, buyer.id)["spent_minor"] == 2_990
    assert inside(shop, spenders) == set()

    shop.tell("orders/cancelled", payloads.order(cancelled_at=payloads.at(30)))
    shop.drain()
    follow(shop)
    assert facts(shop, buyer.id)["orders"] == 0


@pytest.mark.parametrize("included", [False, True])
def test_spend_counts_tax_shipping_and_tip_once(shop: TestShop, included: bool) -> None:
    tax = [{"price": "20.00", "price_set": payloads.money("20.00", "USD")}]
    body = payloads.order(
        lines=[payloads.line(1, "120.00" if included else "100.00", tax_lines=tax)],
        taxes_included=included,
        total_tip_received="3.00",
        shipping_lines=[{"price": "10.00", "price_set": payloads.money("10.00", "USD"), "tax_lines": []}],
    )
    shop.tell("orders/paid", body)
    shop.drain()
    built(shop)
    with shop.work() as uow:
        buyer = members.by_customer(uow, 77)
    assert buyer is not None and facts(shop, buyer.id)["spent_minor"] == 13_300


def test_tags_of_the_shop_and_of_staff_are_both_known(shop: TestShop) -> None:
    tagged = make(shop, one("tags", "is", None, "Gold", "vip"))
    built(shop)
    member = join(shop, 1)
    with shop.work() as uow:
        members.tag(uow, {member: ["VIP"]})
    follow(shop)
    assert inside(shop, tagged) == {member}
    with shop.work() as uow:
        members.untag(uow, {member: ["VIP"]})
    follow(shop)
    assert inside(shop, tagged) == set()
    body = payloads.customer(1) | {"tags": "gold, early"}
    shop.tell("orders/paid", payloads.order(5, customer=body))
    shop.drain()
    follow(shop)
    assert inside(shop, tagged) == {member}


def test_test_orders_and_unpaid_orders_are_no_purchases(shop: TestShop) -> None:
    shop.tell("orders/paid", payloads.order(5, test=True))
    shop.tell("orders/create", payloads.order(6, financial_status="pending"))
    shop.drain()
    built(shop)
    with shop.work() as uow:
        buyer = members.by_customer(uow, 77)
    assert buyer is not None and facts(shop, buyer.id)["orders"] == 0


def test_points_and_expiry_are_known(shop: TestShop) -> None:
    rich, ending = (
        make(shop, one("available", "at_least", 500)),
        make(shop, one("next_expiry", "within", 30), name="Ending"),
    )
    built(shop)
    member = join(shop, 1)
    with shop.work() as uow:
        points.credit(uow, [Credit(member, 500, "k", "thanks")])
    follow(shop)
    assert inside(shop, rich) == {member} and inside(shop, ending) == set()
    assert facts(shop, member)["lifetime"] == 500


def test_small_shops_are_followed_when_somebody_looks(shop: TestShop) -> None:
    everybody = make(shop, one("status", "is", None, "active"))
    with shop.work() as uow:
        assert service.ready(uow)
    assert inside(shop, everybody) == set()
    member = join(shop, 1)
    with shop.work() as uow:
        assert service.ready(uow)
    assert inside(shop, everybody) == {member}


def test_blocking_and_erasing_take_members_out(shop: TestShop) -> None:
    active, chosen = make(shop, one("status", "is", None, "active")), manual(shop)
    member = join(shop, 1)
    with shop.work() as uow:
        service.add_members(uow, chosen, [member])
    built(shop)
    assert inside(shop, active) == inside(shop, chosen) == {member}
    with shop.work() as uow:
        members.set_status(uow, member, "blocked")
    follow(shop)
    assert inside(shop, active) == set() and inside(shop, chosen) == {member}
    with shop.work() as uow:
        compliance.request_erasure(
            uow, external_id="x", customer_id=1, member_id=member, requested_at=uow.now
        )
    assert inside(shop, chosen) == set()
    with shop.work() as uow:
        for table in ("segment_facts", "segment_members"):
            assert uow.scalar(f"SELECT count(*) FROM {table} WHERE member_id = %(id)s", {"id": member}) == 0


def test_a_merge_unites_facts_and_lists_made_by_hand(shop: TestShop) -> None:
    chosen = manual(shop)
    twice = make(shop, one("orders", "at_least", 2))
    shop.tell("orders/paid", payloads.order(5))
    shop.tell("orders/paid", payloads.order(6, customer=payloads.customer(78)))
    shop.drain()
    with shop.work() as uow:
        kept, removed = (members.by_customer(uow, one_) for one_ in (77, 78))
        assert kept and removed
        service.add_members(uow, chosen, [removed.id])
    built(shop)
    with shop.work() as uow:
        merge = members.merge(uow, kept.id, removed.id)
    assert merge is not None
    assert inside(shop, chosen) == {kept.id}, "the list follows at once"
    follow(shop)
    assert inside(shop, twice) == {kept.id}
    assert facts(shop, kept.id)["spent_minor"] == 25_980
    with shop.work() as uow:
        members.unmerge(uow, merge)
    follow(shop)
    assert inside(shop, twice) == set()
    assert facts(shop, removed.id)["orders"] == 1


def test_what_earning_rules_see_are_the_segments_of_now(shop: TestShop) -> None:
    chosen = manual(shop)
    member, other = join(shop, 1), join(shop, 2)
    with shop.work() as uow:
        service.add_members(uow, chosen, [member])
        assert service.of_members(uow, [member, other]) == {member: frozenset({chosen}), other: frozenset()}


def test_building_goes_on_where_it_was_stopped(shop: TestShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "SLICE", 2)
    everybody = make(shop, one("status", "is", None, "active"))
    people = {join(shop, number) for number in range(1, 6)}
    with shop.work() as uow:
        assert service.build(uow), "there is more"
    with shop.work() as uow:
        assert uow.scalar("SELECT count(*) FROM segment_facts") == 2
    late = join(shop, 9)
    built(shop)
    assert inside(shop, everybody) == people | {late}
    with shop.work() as uow:
        assert queries.facts.progress(uow)["after_id"] is None


def test_what_happens_while_slices_are_built_is_caught_up_with(
    shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "SLICE", 1)
    rich = make(shop, one("available", "at_least", 5))
    first = join(shop, 1)
    join(shop, 2)
    with shop.work() as uow:
        service.build(uow)
    with shop.work() as uow:
        points.credit(uow, [Credit(first, 5, "k", "thanks")])
    built(shop)
    follow(shop)
    assert inside(shop, rich) == {first}


def test_following_twice_changes_nothing(shop: TestShop) -> None:
    everybody = make(shop, one("status", "is", None, "active"))
    member = join(shop, 1)
    built(shop)
    since = "SELECT since FROM segment_members"
    with shop.work() as uow:
        before = uow.scalar(since)
    follow(shop)
    built(shop)
    with shop.work() as uow:
        assert uow.scalar(since) == before
    assert inside(shop, everybody) == {member}


def test_two_who_follow_at_once_do_not_disturb_each_other(shop: TestShop) -> None:
    join(shop, 1)
    built(shop)
    with shop.work() as holder:
        queries.facts.lock_progress(holder)
        with shop.work() as uow:
            assert service.changed(uow) is None
            assert not service.follow(uow, [])
            assert not service.build(uow)


def test_changed_conditions_are_counted_anew(shop: TestShop) -> None:
    member = join(shop, 1)
    built(shop)
    segment = make(shop, one("status", "is", None, "blocked"))
    assert inside(shop, segment) == set()
    with shop.work() as uow:
        changed = SegmentUpdate(version=1, rules=rules(one("status", "is", None, "active")))
        assert service.update(uow, segment, changed).size == 1
    assert inside(shop, segment) == {member}
    with shop.work() as uow:
        assert [row["members"] for row in queries.sizes(uow, segment, 30)] == [1]


def test_other_shops_see_nothing(shop: TestShop, other_shop: TestShop) -> None:
    segment = make(shop, one("status", "is", None, "active"))
    join(shop, 1)
    built(shop)
    with other_shop.work() as uow:
        assert service.options(uow) == []
        assert service.member_ids(uow, segment, None, 10) == []
        assert queries.get(uow, segment) is None
