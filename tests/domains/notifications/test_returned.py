"""What members hear when points come back from a reward, or are taken back with an order; and codes sent again."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from app.core import outbox
from app.core.i18n import LOCALES, direction
from app.core.mail import render
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.notifications.schemas import CodeNews, InvitationNews, ReturnNews, ReversalNews
from app.domains.points import service as points
from app.domains.points.schemas import Credit
from app.domains.rewards import service as rewards
from tests.domains.notifications.postbox import Postbox
from tests.domains.notifications.test_templates import read
from tests.factories import payloads
from tests.fixtures.shop import TestShop

RETURNED = ReturnNews("Tea & <Sons>", "Nou<b>ra", "Five & more", 500, "staff", 1_200)
REVERSED = ReversalNews("Tea & <Sons>", "Noura", "#1001", 120, "refund", 80, 40)


def reward_of(shop: TestShop) -> UUID:
    with shop.work() as uow:
        member = members.enroll(uow, [Person(77, "noura@example.com", "Noura", locale="ar")])[77]
        points.credit(uow, [Credit(member.id, 1_000, "start", "gift")])
        reward = uow.scalar("SELECT id FROM rewards ORDER BY points_cost LIMIT 1")
        made = rewards.redeem(uow, member.id, reward, key="k", channel="widget")
        rewards.settle_issued(uow, made.id, "gid://shopify/DiscountCodeNode/1")
    return made.id


def drain(shop: TestShop) -> None:
    for _ in range(3):
        with shop.work() as uow:
            uow.execute(
                "UPDATE outbox SET not_before = now() WHERE state = 0 AND kind LIKE 'notifications%%'"
            )
        outbox.drain()


def kinds(shop: TestShop) -> list[str]:
    with shop.work() as uow:
        return [row["kind"] for row in uow.all("SELECT kind FROM messages ORDER BY created_at, kind")]


@pytest.mark.parametrize("ending", ["staff", "member"])
def test_a_returned_reward_is_told_once_in_the_members_language(
    shop: TestShop, postbox: Postbox, ending: Any
) -> None:
    redemption = reward_of(shop)
    with shop.work() as uow:
        rewards.cancel(uow, redemption, ending=ending)
    assert kinds(shop) == [], "told before the code was switched off"
    for _ in range(2):
        with shop.work() as uow:
            rewards.settle_cancelled(uow, redemption, was_used=False)
    assert kinds(shop) == ["reward_returned"]
    drain(shop)
    (mail,) = postbox.mails
    assert (mail["To"], mail["Content-Language"]) == ("noura@example.com", "ar")


def test_a_code_that_was_used_meanwhile_is_not_sent_again(shop: TestShop, postbox: Postbox) -> None:
    redemption = reward_of(shop)
    with shop.work() as uow:
        rewards.resend(uow, redemption)
        uow.execute("UPDATE redemptions SET status = 'used'")
    drain(shop)
    assert postbox.mails == [] and kinds(shop) == ["reward_code"]


def test_points_that_a_refund_took_back_are_told_with_the_reason(shop: TestShop, postbox: Postbox) -> None:
    shop.tell("orders/paid", payloads.order(5))
    shop.drain()
    drain(shop)
    assert kinds(shop) == ["points_earned"]
    shop.tell("orders/cancelled", payloads.order(5, cancelled_at="2026-11-20T12:00:00Z"))
    shop.drain()
    drain(shop)
    assert sorted(kinds(shop)) == ["points_earned", "points_reversed"]
    last = postbox.mails[-1].get_body(("plain",))
    assert last is not None and "was canceled" in last.get_content()


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("reason", ["staff", "member", "expired", "order_canceled", "failed"])
def test_every_reason_is_told_in_every_language(locale: str, reason: str) -> None:
    letter = render("notifications/reward_returned", locale, replace(RETURNED, reason=reason))
    seen = read(letter.html)
    assert seen.tags[0] == ("html", {"lang": locale, "dir": direction(locale)})
    assert "Nou<b>ra" in seen.text and "500" in seen.text and "Five & more" in seen.text
    assert "%(" not in letter.text + letter.html + letter.subject


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("reason", ["refund", "order_cancelled", "order_edited", "order_deleted"])
def test_what_was_taken_back_names_the_order_and_the_debt(locale: str, reason: str) -> None:
    letter = render("notifications/points_reversed", locale, replace(REVERSED, reason=reason))
    assert "#1001" in letter.subject and "120" in letter.text and "40" in letter.text
    assert "%(" not in letter.text + letter.html


@pytest.mark.parametrize("locale", LOCALES)
def test_codes_and_invitations_in_every_language(locale: str) -> None:
    news = CodeNews("Tea", None, "Five off", "LN-ABCD", None)
    letter = render("notifications/reward_code", locale, news)
    assert "LN-ABCD" in letter.text and "LN-ABCD" in read(letter.html).text
    words = InvitationNews("Tea", "Ada", "Come <in>", ("One & two", "Three"))
    invitation = render("notifications/invitation", locale, words)
    assert invitation.subject == "Come <in>" and "One & two" in read(invitation.html).text
