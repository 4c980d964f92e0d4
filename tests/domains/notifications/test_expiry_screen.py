"""The merchant's view of expiry warnings: settings, who is told when, the words, and a test to oneself."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core import ids, outbox
from app.core.i18n import LOCALES
from app.core.permissions import ALL, Permission
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.notifications import service
from app.domains.notifications.schemas import Notices
from app.domains.points import service as points
from app.domains.points.schemas import Credit
from tests.domains.notifications.postbox import Postbox
from tests.fixtures.paging import there_and_back
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, staff

PAGE = "/app/points-ledger/expiry-warnings"
Call = Callable[..., Caller]


def give(shop: TestShop, customer: int, *days: int) -> UUID:
    """A member with 10 points that end at noon so many days from now, for each."""
    with shop.work() as uow:
        name = f"Member{customer}"
        member = members.enroll(uow, [Person(customer, f"m{customer}@example.com", name)])[customer].id
        noon = uow.now.replace(hour=12, minute=0, second=0, microsecond=0)
        for day in days:
            ends = noon + timedelta(days=day)
            points.credit(uow, [Credit(member, 10, f"{customer}:{day}", "purchase", expires_at=ends)])
    return member


def fields(**given: Any) -> dict[str, Any]:
    return {**given, "idempotency_key": ids.new_id().hex}


def today(shop: TestShop) -> date:
    with shop.work() as uow:
        return uow.now.date()


def test_the_forecast_counts_each_message_on_its_day(shop: TestShop) -> None:
    give(shop, 1, 40, 45)
    give(shop, 2, 40)
    with shop.work() as uow:
        found = {day: (first, last) for day, first, last in service.forecast(uow) if first or last}
    start = today(shop)
    assert found == {
        start + timedelta(days=10): (2, 0),
        start + timedelta(days=15): (1, 0),
        start + timedelta(days=37): (0, 2),
        start + timedelta(days=42): (0, 1),
    }
    with shop.work() as uow:
        service.save_notices(uow, Notices(enabled=False))
        assert not any(first or last for _, first, last in service.forecast(uow))


def test_the_list_goes_on_where_it_stopped(shop: TestShop, call_as: Call) -> None:
    for customer in range(1, 6):
        give(shop, customer, 40 - customer, 60)
    with shop.work() as uow:
        found = there_and_back(lambda cursor: service.upcoming(uow, 3, cursor))
        seen = [(one.ends_at - uow.now).days for one, _ in found]
    assert len(seen) == 10 and seen == sorted(seen)
    merchant = call_as(staff(shop.id))
    assert merchant.get(PAGE).text.count("Member") >= 5
    assert merchant.get(f"{PAGE}?cursor=nonsense").status_code == 400
    file = "/v1/api/points/endings.csv"
    assert len(merchant.get(f"{file}?limit=3").text.splitlines()) == 11, "the file has every page"
    assert merchant.get(f"{PAGE}?limit=200").text.count('id="points-ending-') >= 10
    blind = call_as(staff(shop.id, ALL - {Permission.MEMBERS_READ}))
    assert "Ruiz" not in blind.get(f"{file}?columns=name").text
    assert call_as(staff(shop.id, ALL - {Permission.POINTS_READ})).get(file).status_code == 403


def test_settings_are_saved_once_seen_and_guarded(shop: TestShop, call_as: Call) -> None:
    merchant = call_as(staff(shop.id))
    given = fields(enabled="true", warn_days="٤٥", last_days="5", version="0")
    arabic = call_as(staff(shop.id, locale="ar"))
    assert arabic.submit(f"{PAGE}/save", given).status_code == 200
    with shop.work() as uow:
        saved = service.notices(uow)
    assert (saved.enabled, saved.warn_days, saved.last_days) == (True, 45, 5)
    stale = merchant.submit(
        f"{PAGE}/save", fields(enabled="true", warn_days="60", last_days="5", version="0")
    )
    assert stale.status_code == 409 and "60" in stale.text and "45" in stale.text
    for wrong in ({"warn_days": "5", "last_days": "5"}, {"warn_days": "x", "last_days": "5"}):
        refused = merchant.submit(f"{PAGE}/save", fields(enabled="true", version=str(saved.version), **wrong))
        assert refused.status_code == 422
    viewer = call_as(staff(shop.id, ALL - {Permission.SETTINGS_WRITE}))
    assert "save_notices" not in viewer.get(PAGE).text
    assert viewer.submit(f"{PAGE}/save", fields(warn_days="9", last_days="2")).status_code == 403


def test_the_words_are_shown_in_every_language(shop: TestShop, call_as: Call) -> None:
    page = call_as(staff(shop.id)).get(PAGE).text
    for locale in LOCALES:
        assert page.count(f'<div lang="{locale}"') == 2
    assert "120 of your 480 points" in page


def test_a_test_goes_to_the_store_itself(shop: TestShop, call_as: Call, postbox: Postbox) -> None:
    give(shop, 1, 40)
    with shop.work() as uow:
        uow.execute(
            "UPDATE shops SET email_sealed = %(to)s", {"to": uow.seal("me@shop.example", "shops.email")}
        )
    merchant = call_as(staff(shop.id))
    answer = merchant.submit(f"{PAGE}/test", fields(kind="last_chance", locale="ar"))
    assert answer.status_code == 200, answer.text
    outbox.drain()
    (mail,) = postbox.mails
    assert (mail["To"], mail["Content-Language"]) == ("me@shop.example", "ar")
    with shop.work() as uow:
        assert uow.scalar("SELECT count(*) FROM messages") == 0


@pytest.mark.parametrize("missing", ["mail", "address"])
def test_a_test_that_cannot_be_sent_says_why(
    shop: TestShop, call_as: Call, request: pytest.FixtureRequest, missing: str
) -> None:
    if missing == "address":
        request.getfixturevalue("postbox")
        with shop.work() as uow:
            uow.execute("UPDATE shops SET email_sealed = NULL")
    answer = call_as(staff(shop.id)).submit(f"{PAGE}/test", fields(kind="last_chance", locale="en"))
    sentence = {"mail": "No mail server is set up", "address": "no contact e-mail address"}[missing]
    assert answer.status_code == 409 and sentence in answer.text
