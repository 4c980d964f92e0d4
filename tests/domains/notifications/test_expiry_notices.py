"""Members hear that points end: once for each end, only of what they still have, and never when they are gone."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core import clock, mail
from app.core.db import UnitOfWork
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.notifications import jobs, service
from app.domains.notifications.schemas import Notices
from app.domains.points import service as points
from app.domains.points.schemas import Credit
from tests.fixtures.shop import TestShop

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ENDS = datetime(2026, 5, 21, tzinfo=UTC)


def give(shop: TestShop, ends: datetime = ENDS, locale: str = "en") -> UUID:
    """A member with two lots of 100 points that end at one instant."""
    with clock.use_clock(lambda: NOW), shop.work() as uow:
        person = Person(9_300_001, email="ana@example.com", first_name="Ana", locale=locale)
        member = members.enroll(uow, [person])[9_300_001].id
        for key in "ab":
            points.credit(uow, [Credit(member, 100, key, "purchase", expires_at=ends)])
    return member


def warn(at: datetime = NOW) -> None:
    with clock.use_clock(lambda: at):
        jobs.warn_of_expiry()


def told(uow: UnitOfWork) -> list[dict[str, Any]]:
    return uow.all("SELECT id, member_id, kind, status FROM messages ORDER BY created_at, kind")


def letter(uow: UnitOfWork, at: datetime = NOW) -> mail.Letter | str:
    return service.compose(uow, told(uow)[0], {"ends_at": ENDS.isoformat()})


def test_one_message_for_all_that_ends_together_and_one_shortly_before(shop: TestShop) -> None:
    give(shop)
    warn(ENDS - timedelta(days=31))
    with shop.work() as uow:
        assert told(uow) == []
    for at in (NOW, NOW + timedelta(hours=1), ENDS - timedelta(days=2), ENDS - timedelta(days=1)):
        warn(at)
    with shop.work() as uow:
        assert [one["kind"] for one in told(uow)] == ["expiry_warning", "last_chance"]
        sent = uow.scalar("SELECT count(*) FROM outbox WHERE kind = 'notifications.send'")
        assert sent == 2


@pytest.mark.parametrize("locale", ["en", "es", "fr", "ar", "he"])
def test_the_letter_says_how_much_ends_when(shop: TestShop, locale: str) -> None:
    give(shop, locale=locale)
    warn()
    with clock.use_clock(lambda: NOW), shop.work() as uow:
        written = letter(uow)
    assert isinstance(written, mail.Letter)
    assert written.locale == locale
    assert "200" in written.content.text and "2026" in written.content.text


def test_who_spent_the_points_meanwhile_gets_no_letter_and_who_spent_some_reads_the_rest(
    shop: TestShop,
) -> None:
    member = give(shop)
    warn()
    with clock.use_clock(lambda: NOW), shop.work() as uow:
        points.spend(uow, member, 150, key="s", reason="redemption")
        written = letter(uow)
        assert isinstance(written, mail.Letter) and "50" in written.content.text
        points.spend(uow, member, 50, key="t", reason="redemption")
        assert letter(uow) == "it no longer holds"


def test_switched_off_nobody_is_told_and_what_waits_is_not_sent(shop: TestShop) -> None:
    give(shop)
    warn()
    with clock.use_clock(lambda: NOW), shop.work() as uow:
        service.save_notices(uow, Notices(enabled=False))
        assert letter(uow) == "it no longer holds"
        uow.execute("DELETE FROM messages WHERE shop_id = %(shop)s", {"shop": uow.shop})
    warn()
    with shop.work() as uow:
        assert told(uow) == []


def test_another_shop_and_the_erased_hear_nothing(shop: TestShop, other_shop: TestShop) -> None:
    member = give(shop)
    with shop.work() as uow:
        uow.execute("UPDATE members SET status = 'erased' WHERE shop_id = %(shop)s AND id = %(id)s",
                    {"shop": uow.shop, "id": member})  # fmt: skip
    warn()
    for one in (shop, other_shop):
        with one.work() as uow:
            assert told(uow) == []
