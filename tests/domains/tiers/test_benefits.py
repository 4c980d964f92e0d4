"""What tiers give: once on entering, a code in each period, rewards before others; and who is told that a tier ends."""

import re
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest

from app.core import clock, ids
from app.core.i18n import LOCALES
from app.core.mail import render
from app.domains.members import service as members
from app.domains.notifications import service as notifications
from app.domains.notifications.schemas import TierNews
from app.domains.points import service as points
from app.domains.rewards import service as rewards
from app.domains.storefront import service as storefront
from app.domains.tiers import service
from tests.domains.tiers.conftest import Club


def available(club: Club, member: UUID) -> int:
    with club.work() as uow:
        return points.balance(uow, member).available


def given(club: Club, member: UUID) -> list[str]:
    rows = club.rows(
        "SELECT key, channel FROM redemptions WHERE member_id = %(member)s ORDER BY key", member=member
    )
    assert {row["channel"] for row in rows} <= {"tier"}
    return [row["key"].rsplit(":", 1)[1] for row in rows]


def test_entering_gives_once_however_often_a_member_comes_back(club: Club) -> None:
    club.tier("Silver", entry_points=150)
    member, order = club.join(), ids.new_id()
    club.earn(member, 1_000, order)
    assert available(club, member) == 1_150
    club.take_back(member, 1, order)
    club.tier("Silver", entry_points=300)
    club.earn(member, 1)
    assert club.name(member) == "Silver"
    assert available(club, member) == 1_150
    with club.work() as uow:
        why = [row["why"] for row in points.recent(uow, member, "en") if row["reason"] == "tier_entry"]
    assert why == ["150 points for reaching Silver."]
    assert points_count(club, member) == 1_000, "points for entering do not count for tiers"


def points_count(club: Club, member: UUID) -> int:
    with club.work() as uow:
        return points.balance(uow, member).qualifying


def test_climbing_two_tiers_at_once_misses_nothing(club: Club) -> None:
    club.tier("Silver", entry_points=10)
    club.tier("Gold", entry_points=20)
    member = club.join()
    club.earn(member, 9_000)
    assert available(club, member) == 9_030


def test_a_gift_comes_as_a_code_once_in_each_period(club: Club) -> None:
    with club.work() as uow:
        reward = service.givable(uow)[0][0]
    club.tier("Silver", entry_reward_id=reward, gift_reward_id=reward, gift_every="month")
    member, other = club.join(), club.join()
    club.earn(member, 1_000)
    assert given(club, member) == ["2026-03", "entry"]
    club.review()
    assert given(club, member) == ["2026-03", "entry"]
    club.wait(days=30)
    club.review()
    club.review()
    assert given(club, member) == ["2026-03", "2026-04", "entry"]
    assert given(club, other) == []


def test_a_gift_s_code_is_sent_because_nobody_asked_for_it(club: Club) -> None:
    with club.work() as uow:
        reward = service.givable(uow)[0][0]
    club.tier("Silver", entry_reward_id=reward)
    club.earn(club.join(), 1_000)
    with club.work() as uow:
        rewards.settle_issued(
            uow, uow.scalar("SELECT id FROM redemptions"), "gid://shopify/DiscountCodeNode/1"
        )
    assert [row["kind"] for row in club.rows("SELECT kind FROM messages WHERE kind = 'reward_code'")] == [
        "reward_code"
    ]


def test_early_access_shows_and_redeems_a_reward_before_others(club: Club) -> None:
    club.now = clock.now()
    club.tier("Silver", early_days=3)
    silver, bronze = club.join(), club.join()
    club.earn(silver, 2_000)
    club.earn(bronze, 900)
    with club.work() as uow:
        reward: UUID = uow.scalar("SELECT id FROM rewards WHERE kind = 'free_shipping'")
        uow.execute(
            "UPDATE rewards SET starts_at = %(at)s WHERE shop_id = %(shop)s AND id = %(id)s",
            {"shop": uow.shop, "id": reward, "at": club.now + timedelta(days=2)},
        )
    with club.work() as uow:
        seen = {number: storefront.summary(uow, number, "en") for number in (1, 2)}
        assert reward in [one.id for one in seen[1].rewards] and reward not in [
            one.id for one in seen[2].rewards
        ]
        assert seen[1].tier is not None
        assert seen[1].tier.perks_text == "1.25 × points on orders · New rewards 3 days early"
    with club.work() as uow:
        assert rewards.redeem(uow, silver, reward, key="early", channel="api").reward_id == reward
    assert not [item for item in catalog(club, bronze) if item[0] == reward and item[1]]


def catalog(club: Club, member: UUID) -> list[tuple[UUID, bool]]:
    with club.work() as uow:
        return [(item.id, item.redeemable) for item in rewards.catalog(uow, member)]


def test_a_merge_does_not_give_again(club: Club) -> None:
    club.tier("Silver", entry_points=150)
    kept, removed = club.join(), club.join()
    club.earn(removed, 1_000)
    with club.work() as uow:
        members.merge(uow, kept, removed)
    assert club.name(kept) == "Silver"
    assert available(club, kept) == 1_150


def test_members_are_told_once_that_a_tier_ends(club: Club) -> None:
    club.ladder(period="calendar", notice_days=14)
    member = club.join()
    club.earn(member, 1_000)
    club.wait(days=600)
    club.review()
    assert messages(club) == 0, "too early"
    club.wait(days=55)
    club.review()
    for _ in range(2):
        with club.work() as uow:
            assert notifications.tell_endings(uow, None) is None
    assert messages(club) == 1
    with club.work() as uow:
        found = uow.one("SELECT payload FROM outbox WHERE payload ? 'tier_id'")
        assert found is not None
        message = uow.one("SELECT id, member_id, kind FROM messages WHERE kind = 'tier_ending'")
        assert message is not None
        letter = notifications.compose(uow, message, found["payload"])
        assert not isinstance(letter, str)
        assert "Silver" in letter.content.subject and "Earn 1,000 more points" in letter.content.text
    club.earn(member, 1_000)
    with club.work() as uow:
        assert notifications.compose(uow, message, found["payload"]) == "it no longer holds"


def test_a_ladder_by_spend_tells_the_amount_that_keeps_the_tier(club: Club) -> None:
    with club.work() as uow:
        before = service.ladders(uow)[0]
        changed = replace(before, metric="spend", period="calendar", notice_days=30)
        service.save(uow, changed, version=before.version)
    member = club.join()
    club.rows(
        "INSERT INTO tier_orders (shop_id, order_id, member_id, placed_at, orders, net_minor)"
        " VALUES (%(shop)s, gen_random_uuid(), %(member)s, %(at)s, 1, 1500) RETURNING order_id",
        member=member,
        at=club.now,
    )
    club.review()
    assert club.name(member) == "Silver"
    club.wait(days=650)
    club.review()
    with club.work() as uow:
        notifications.tell_endings(uow, None)
        message = uow.one("SELECT id, member_id, kind FROM messages WHERE kind = 'tier_ending'")
        found = uow.one("SELECT payload FROM outbox WHERE payload ? 'tier_id'")
        assert message is not None and found is not None
        letter = notifications.compose(uow, message, found["payload"])
    assert not isinstance(letter, str) and "Spend $10.00 more by then" in letter.content.text


def messages(club: Club) -> int:
    return len(club.rows("SELECT 1 AS one FROM messages WHERE kind = 'tier_ending'"))


def test_the_storefront_says_until_when_a_tier_is_kept(club: Club) -> None:
    club.ladder(period="calendar")
    member = club.join()
    club.earn(member, 1_000)
    with club.work() as uow:
        tier = storefront.summary(uow, 1, "en").tier
    assert tier is not None
    assert (tier.name, tier.keeps_text) == ("Silver", "Silver is yours until December 31, 2027.")
    assert tier.progress_text == "4,000 more points to reach Gold"
    club.ladder(period="lifetime")
    club.place()
    with club.work() as uow:
        tier = storefront.summary(uow, 1, "en").tier
    assert tier is not None and tier.keeps_text is None


def test_a_ladder_by_spend_speaks_of_money(club: Club) -> None:
    with club.work() as uow:
        before = service.ladders(uow)[0]
        service.save(uow, replace(before, metric="spend", period="rolling"), version=before.version)
    club.join()
    club.review()
    with club.work() as uow:
        tier = storefront.summary(uow, 1, "en").tier
    assert tier is not None and tier.progress_text == "Spend $10.00 more to reach Silver"


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(
    ("metric", "keeps", "amount"),
    [
        ("points", 1, ""),
        ("points", 1_200, ""),
        ("spend", None, "€50.00"),
        ("orders", 2, ""),
        ("rfm", None, ""),
    ],
)
def test_the_notice_is_whole_in_every_language(
    locale: str, metric: str, keeps: int | None, amount: str
) -> None:
    news = TierNews("Tea & <Sons>", "Nou<b>ra", "Gold & more", date(2026, 12, 31), metric, keeps, amount)
    found = render("notifications/tier_ending", locale, news)
    for text in (found.subject, found.text, found.html):
        assert not re.search(r"%\(|\{[{%]|\{\w+\}|None|&amp;(amp|lt|gt|#)", text)
    assert "Nou<b>ra" not in found.html and "Gold & more" in found.text
    assert amount in found.text and amount in found.html
    assert "2026" in found.subject and "\n" not in found.subject
