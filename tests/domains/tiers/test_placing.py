"""Members move with what they earn, lose what lapsed, and keep what staff locked: on the real ledger and real orders."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from app.core import clock, ids
from app.domains.members import service as members
from app.domains.points import service as points
from app.domains.tiers import service
from app.domains.tiers.errors import LockInThePast, TierNotFound
from app.domains.tiers.queries import values
from app.domains.tiers.rules import window
from app.domains.tiers.rules.windows import EVER
from app.domains.tiers.schemas import Window
from tests.domains.tiers.conftest import Club
from tests.factories import payloads


def multiplier(club: Club, member: UUID) -> int:
    with club.work() as uow:
        return points.balance(uow, member).multiplier_bp


def test_points_lead_up_at_once_and_a_refund_leads_down(club: Club) -> None:
    member, order = club.join(), ids.new_id()
    club.earn(member, 1_000, order)
    assert (club.name(member), multiplier(club, member)) == ("Silver", 12_500)
    club.take_back(member, 1, order)
    assert (club.name(member), multiplier(club, member)) == ("Bronze", 10_000)
    moves = club.rows("SELECT direction, reason FROM tier_changes ORDER BY id")
    assert moves == [{"direction": "up", "reason": "earned"}, {"direction": "down", "reason": "refund"}]


def test_a_sliding_window_forgets_and_grace_keeps(club: Club) -> None:
    club.ladder(period="rolling", months=6, grace_days=10)
    member = club.join()
    club.earn(member, 600)
    club.wait(days=60)
    club.earn(member, 500)
    assert club.name(member) == "Silver"
    with club.work() as uow:
        ends = service.standing(uow, member).ends_at
    assert ends is not None and ends.date().isoformat() == "2026-09-21", (
        "10 March leaves in September, then grace"
    )
    club.wait(days=130)
    club.review()
    assert club.name(member) == "Silver", "in grace"
    club.earn(member, 50)
    assert club.name(member) == "Silver"
    club.wait(days=11)
    club.review()
    assert club.name(member) == "Bronze"
    with club.work() as uow:
        assert service.standing(uow, member).value == 550


def test_earning_in_the_grace_keeps_the_tier(club: Club) -> None:
    club.ladder(period="rolling", months=6, grace_days=30)
    member = club.join()
    club.earn(member, 1_000)
    club.wait(days=190)
    club.review()
    assert club.rows("SELECT grace_until FROM member_tiers")[0]["grace_until"] is not None
    club.earn(member, 1_000)
    assert club.rows("SELECT grace_until FROM member_tiers")[0]["grace_until"] is None
    club.wait(days=60)
    club.review()
    assert club.name(member) == "Silver"


def test_a_year_s_tier_lives_through_the_next_year_and_a_late_refund_cannot_keep_it(club: Club) -> None:
    club.ladder(period="calendar")
    kept, sent_back, order = club.join(), club.join(), ids.new_id()
    club.earn(kept, 5_000)
    club.earn(sent_back, 5_000, order)
    club.wait(days=300)
    club.review()
    assert (club.name(kept), club.name(sent_back)) == ("Gold", "Gold")
    with club.work() as uow:
        found = service.standing(uow, kept)
        assert (found.value, found.keeps) == (0, 5_000)
        assert found.ends_at is not None and found.ends_at.date().isoformat() == "2028-01-01"
    club.take_back(sent_back, 5_000, order)
    assert club.name(sent_back) == "Bronze"
    club.wait(days=365)
    club.review()
    assert club.name(kept) == "Bronze"


def test_spend_counts_paid_goods_less_refunds(club: Club) -> None:
    levels = {"Bronze": 0, "Silver": 10_000, "Gold": 12_000}
    with club.work() as uow:
        before = service.ladders(uow)[0]
        changed = tuple(replace(one, threshold=levels[one.name]) for one in before.levels)
        service.save(
            uow, replace(before, metric="spend", period="rolling", levels=changed), version=before.version
        )
    shop = club.shop
    shop.tell("orders/paid", payloads.order())
    shop.drain()
    with shop.work() as uow:
        member = members.by_customer(uow, 77)
        assert member is not None
        found = service.standing(uow, member.id)
        assert (found.tier.name if found.tier else None, found.value, found.metric) == (
            "Gold",
            12_990,
            "spend",
        )
        assert points.balance(uow, member.id).multiplier_bp == 15_000
    shop.tell("refunds/create", payloads.refund(900, 5, [(52, 1, "29.90")]))
    shop.drain()
    with shop.work() as uow:
        found = service.standing(uow, member.id)
        assert (found.tier.name if found.tier else None, found.value) == ("Silver", 10_000)


def test_past_orders_are_read_once_for_a_new_ladder(club: Club) -> None:
    shop = club.shop
    shop.tell("orders/paid", payloads.order())
    shop.drain()
    with shop.work() as uow:
        before = service.ladders(uow)[0]
        levels = tuple(replace(one, threshold=rank) for rank, one in enumerate(before.levels))
        service.save(uow, replace(before, metric="orders", levels=levels), version=before.version)
    club.now = clock.now()
    club.place()
    club.place()
    with shop.work() as uow:
        member = members.by_customer(uow, 77)
        assert member is not None
        found = service.standing(uow, member.id)
        assert (found.tier.name if found.tier else None, found.value) == ("Silver", 1)


def test_windowed_points_add_up_to_the_account(club: Club) -> None:
    """Over all time the windowed sum is the ledger's own number, whatever was given and taken back."""
    member, order = club.join(), ids.new_id()
    for amount in (5, 700, 31):
        club.earn(member, amount)
        club.wait(days=20)
    club.earn(member, 90, order)
    club.wait(days=400)
    club.take_back(member, 40, order)
    with club.work() as uow:
        windows = {member: Window(EVER, EVER)}
        total = values.values(uow, "points", windows, lifetime=False)[member]
        assert total.now == points.balance(uow, member).qualifying == 786
        year = window("rolling", 12, service.zone(uow), None, uow.now)
        assert values.values(uow, "points", {member: year}, lifetime=False)[member].now == 0


def test_rfm_scores_compare_members(club: Club) -> None:
    with club.work() as uow:
        before = service.ladders(uow)[0]
        levels = tuple(
            replace(one, threshold=low) for one, low in zip(before.levels, (0, 8, 14), strict=True)
        )
        service.save(
            uow, replace(before, metric="rfm", period="rolling", levels=levels), version=before.version
        )
    club.now = clock.now()
    who = [club.join() for _ in range(5)]
    for rank, member in enumerate(who):
        for _ in range(rank + 1):
            club.rows(
                "INSERT INTO tier_orders (shop_id, order_id, member_id, placed_at, orders, net_minor)"
                " VALUES (%(shop)s, gen_random_uuid(), %(member)s, %(at)s, 1, 1000) RETURNING order_id",
                member=member,
                at=club.now - timedelta(days=50 - 10 * rank),
            )
    club.review()
    assert [club.name(member) for member in who] == ["Bronze", "Bronze", "Silver", "Silver", "Gold"]


def test_the_review_runs_once_a_local_day_and_goes_on_where_it_stopped(
    club: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.domains.tiers.service.reviewing.SLICE", 2)
    who = sorted(club.join() for _ in range(5))
    with club.work() as uow:
        assert service.begin(uow)
        assert service.review_slice(uow)
    assert {row["member_id"] for row in club.rows("SELECT member_id FROM member_tiers")} == set(who[:2])
    club.review()
    assert {row["member_id"] for row in club.rows("SELECT member_id FROM member_tiers")} == set(who)
    with club.work() as uow:
        assert not service.begin(uow), "done for today"
    club.wait(days=1)
    with club.work() as uow:
        assert service.begin(uow)


def test_a_lock_holds_until_its_day_is_over(club: Club) -> None:
    club.ladder(period="rolling", months=1)
    member = club.join()
    with club.work() as uow:
        gold = service.ladder(uow)[2].id
        until = service.end_of_day(uow, (club.now + timedelta(days=40)).date())
        assert service.assign(uow, {member: gold}, reason="Friend of the house", lock_until=until) == {member}
    assert (club.name(member), multiplier(club, member)) == ("Gold", 15_000)
    club.wait(days=39)
    club.review()
    assert club.name(member) == "Gold"
    club.wait(days=2)
    club.review()
    assert club.name(member) == "Bronze"
    audit = club.rows("SELECT action, after FROM audit_entries WHERE action = 'tier.assigned'")
    assert audit[0]["after"]["reason"] == "Friend of the house"


def test_ending_a_lock_lets_the_ladder_decide_at_once(club: Club) -> None:
    member = club.join()
    with club.work() as uow:
        ladder = service.ladders(uow)[0]
        until = club.now + timedelta(days=9)
        service.assign(uow, {member: ladder.levels[1].id}, reason="x", lock_until=until)
        service.release(uow, member, ladder.id)
    assert club.name(member) == "Bronze"


def test_what_assign_refuses(club: Club, other_shop: object) -> None:
    member = club.join()
    with club.work() as uow, pytest.raises(TierNotFound):
        service.assign(uow, {member: ids.new_id()}, reason="x")
    with club.work() as uow:
        gold = service.ladder(uow)[2].id
    with club.work() as uow, pytest.raises(LockInThePast):
        service.assign(uow, {member: gold}, reason="x", lock_until=club.now)


def test_two_ladders_and_only_the_main_one_multiplies(club: Club) -> None:
    with club.work() as uow:
        main = service.ladders(uow)[0]
        levels = (
            replace(main.levels[0], id=ids.new_id()),
            replace(main.levels[1], id=ids.new_id(), threshold=10),
        )
        second = replace(service.empty(main.program_id), name="Collectors", levels=levels)
        service.save(uow, second, version=0)
    member = club.join()
    club.earn(member, 50)
    with club.work() as uow:
        first, other = service.standings(uow, member)
        assert (first.main, first.tier and first.tier.name) == (True, "Bronze")
        assert (other.main, other.tier and other.tier.name) == (False, "Silver")
    assert multiplier(club, member) == 10_000
    with club.work() as uow:
        second = service.ladders(uow)[1]
        service.make_main(uow, second.id, version=second.version)
    club.place()
    assert multiplier(club, member) == 12_500
    assert club.name(member) == "Silver"


def test_a_member_whose_orders_were_merged_keeps_them(club: Club) -> None:
    with club.work() as uow:
        before = service.ladders(uow)[0]
        levels = tuple(replace(one, threshold=rank) for rank, one in enumerate(before.levels))
        service.save(uow, replace(before, metric="orders", levels=levels), version=before.version)
    kept, removed = club.join(), club.join()
    club.rows(
        "INSERT INTO tier_orders (shop_id, order_id, member_id, placed_at, orders, net_minor)"
        " VALUES (%(shop)s, gen_random_uuid(), %(member)s, now(), 1, 1000) RETURNING order_id",
        member=removed,
    )
    with club.work() as uow:
        members.merge(uow, kept, removed)
    club.review()
    assert club.name(kept) == "Silver"
