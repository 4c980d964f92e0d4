"""Figures of days on Home, the name and look, and the mark of the steps that are left."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from app.core import clock, mail
from app.core.db import UnitOfWork
from app.core.permissions import Permission
from app.domains.points import queries as points
from app.domains.shops import jobs, service
from app.domains.shops.schemas import DayFigure, DayTotal
from app.domains.shops.service import days
from tests.domains.points.test_earning import pay
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, staff

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
LOOK = {
    "version": 0,
    "accent": "#AA3355",
    "logo_url": "https://cdn.example/logo.png",
    "names.en": "Bean Club",
}


def totals(
    shop: TestShop, first: date, last: date, before: tuple[date, date] | None = None
) -> dict[str, DayTotal]:
    with shop.work() as uow:
        return {one.figure.key: one for one in service.day_totals(uow, first, last, before)}


@pytest.fixture
def asked(shop: TestShop, monkeypatch: pytest.MonkeyPatch) -> list[tuple[date, date, str]]:
    """One figure that counts 1 for each day it is asked about."""
    spans: list[tuple[date, date, str]] = []

    def sums(uow: UnitOfWork, first: date, last: date, zone: str) -> dict[str, dict[date, int]]:
        spans.append((first, last, zone))
        return {"visits": {first + timedelta(days=n): 1 for n in range((last - first).days + 1)}}

    monkeypatch.setattr(days, "_sums", {"test": sums})
    monkeypatch.setattr(days, "_figures", {"visits": DayFigure("visits", "Visits", "number", 1)})
    with shop.work() as uow:
        uow.execute("UPDATE shops SET installed_at = '2026-01-01'")
    return spans


def test_days_that_are_over_are_added_up_once(shop: TestShop, asked: list[tuple[date, date, str]]) -> None:
    today = NOON.date()
    with clock.use_clock(lambda: NOON):
        for _ in range(3):
            found = totals(shop, today, today, (today - timedelta(days=7), today - timedelta(days=7)))
            assert (found["visits"].value, found["visits"].before) == (1, 1)
            assert len(found["visits"].trend) == 14
    start = today - timedelta(days=13)
    assert asked == [(start, today - timedelta(days=1), "UTC")] + [(today, today, "UTC")] * 3
    with clock.use_clock(lambda: NOON + timedelta(days=1)):
        assert totals(shop, start, today + timedelta(days=1))["visits"].value == 15
    assert asked[-2:] == [(today, today, "UTC"), (today + timedelta(days=1),) * 2 + ("UTC",)]


def test_days_are_added_up_before_somebody_asks(shop: TestShop, asked: list[tuple[date, date, str]]) -> None:
    with clock.use_clock(lambda: NOON):
        jobs.keep_days()
        assert [(last - first).days + 1 for first, last, _ in asked] == [31] * 10 + [14]
        assert asked[0][1] == NOON.date() - timedelta(days=1) and asked[-1][0] == date(2026, 1, 1)
        jobs.keep_days()
        totals(shop, date(2026, 2, 1), date(2026, 10, 30), (date(2026, 1, 1), date(2026, 1, 31)))
    assert len(asked) == 11, "nothing is asked twice, and Home asks for nothing"


def test_a_day_is_kept_only_when_late_work_has_settled(
    shop: TestShop, asked: list[tuple[date, date, str]]
) -> None:
    midnight = datetime(2026, 11, 22, tzinfo=UTC)
    with clock.use_clock(lambda: midnight + timedelta(minutes=9)):
        totals(shop, midnight.date(), midnight.date())
    assert asked[-1] == (date(2026, 11, 21), date(2026, 11, 22), "UTC")
    with shop.work() as uow:
        assert uow.scalar("SELECT max(day) FROM shop_days") == date(2026, 11, 20)


def test_another_zone_adds_up_anew(shop: TestShop, asked: list[tuple[date, date, str]]) -> None:
    from app.domains.shops.schemas import ShopContext

    with clock.use_clock(lambda: NOON):
        totals(shop, NOON.date(), NOON.date())
        with shop.work() as uow:
            kept = service.get(uow)
            service.update(uow, ShopContext(kept.name, None, kept.currency, "Asia/Tokyo"))
            assert uow.scalar("SELECT count(*) FROM shop_days") == 0
        totals(shop, NOON.date(), NOON.date())
    assert asked[-1][2] == "Asia/Tokyo"


def test_what_happened_today_is_counted_in_the_shops_zone(
    shop: TestShop, other_shop: TestShop, call_as: Callable[..., Caller]
) -> None:
    with clock.use_clock(lambda: NOON):
        pay(shop, 5)
        today = NOON.date()
        found = {key: one.value for key, one in totals(shop, today, today).items()}
        assert found["points-given"] == 1_000 and found["orders-earning"] == 1
        assert found["member-sales"] == 10_000 and found["members-enrolled"] == 1
        assert found["points-spent"] == found["redemptions"] == found["referrals"] == 0
        assert totals(other_shop, today, today)["points-given"].value == 0
        page = call_as(staff(shop.id)).get("/app").text
        assert "1,000" in page and "$100.00" in page and "Points given and redeemed" in page
        month = call_as(staff(shop.id)).get(f"/app?start={today - timedelta(days=29)}&end={today}")
        assert month.status_code == 200
        with shop.work() as uow:
            rows = points.of_days(uow, today, today, "Pacific/Kiritimati")
            moved = points.of_days(
                uow, today + timedelta(days=1), today + timedelta(days=1), "Pacific/Kiritimati"
            )
            assert sum(row["given"] for row in [*rows, *moved]) == 1_000


def test_name_and_look_are_saved_and_stand_in_mails(shop: TestShop, call_as: Callable[..., Caller]) -> None:
    merchant = call_as(staff(shop.id))
    assert "Name of the program" in merchant.get("/app/home/brand").text
    assert merchant.submit("/app/brand/save-brand", LOOK).status_code == 200
    with shop.work() as uow:
        kept = service.brand(uow)
        assert (kept.accent, kept.name("fr"), kept.version, kept.chosen) == ("#aa3355", "Bean Club", 1, True)
        noted = uow.one("SELECT before, after FROM audit_entries WHERE action = 'brand.changed'")
        assert noted is not None and noted["after"]["accent"] == "#aa3355"
    late = merchant.submit("/app/brand/save-brand", LOOK | {"accent": "#000000"})
    assert late.status_code == 409 and "brand-differences" in late.text
    same = merchant.submit("/app/brand/save-brand", LOOK | {"version": 1})
    assert same.status_code == 200
    with shop.work() as uow:
        assert service.brand(uow).version == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"accent": "red"}, "Enter a color such as #4f46e5."),
        ({"accent": ""}, "Fill in this field."),
        ({"logo_url": "http://cdn.example/logo.png"}, "begins with https://"),
        ({"logo_url": 'https://x/"onerror='}, "begins with https://"),
        ({"names.en": " "}, "Give the English name"),
        ({"names.en": "x" * 81}, "Use at most 80 characters."),
    ],
)
def test_a_look_that_cannot_be_shown_is_refused_at_its_field(
    shop: TestShop, call_as: Callable[..., Caller], changes: dict[str, str], sentence: str
) -> None:
    answer = call_as(staff(shop.id)).submit("/app/brand/save-brand", LOOK | changes)
    (field,) = changes
    shown = re.search(rf'<p class="problem" id="[^"]*-{field.replace(".", "-")}-error">.*?</p>', answer.text)
    assert answer.status_code == 422 and shown is not None and sentence in shown[0]
    with shop.work() as uow:
        assert service.brand(uow).version == 0


def test_the_look_needs_a_permission_and_is_the_shops_own(
    shop: TestShop, other_shop: TestShop, call_as: Callable[..., Caller]
) -> None:
    reader = call_as(staff(shop.id, frozenset({Permission.SETTINGS_READ})))
    assert reader.submit("/app/brand/save-brand", LOOK).status_code == 403
    assert reader.get("/app/home/brand").status_code == 403
    assert call_as(staff(shop.id)).submit("/app/brand/save-brand", LOOK).status_code == 200
    with other_shop.work() as uow:
        assert service.brand(uow).version == 0


def test_the_bar_says_how_many_steps_are_left(shop: TestShop, call_as: Callable[..., Caller]) -> None:
    merchant = call_as(staff(shop.id))
    assert 'hx-get="/app/home/steps"' in merchant.get("/app").text
    before = merchant.get("/app/home/steps").text
    assert "steps of the set-up are left" in before
    merchant.submit("/app/brand/save-brand", LOOK)
    after = merchant.get("/app/home/steps").text
    assert before != after


def test_a_letter_carries_the_look_and_none_is_no_problem() -> None:
    from app.domains.notifications.schemas import PointsNews

    news = PointsNews("Shop", None, "#1", 5, 5, 0, None)
    look = mail.Look("Bean <Club>", "#aa3355", "https://cdn.example/logo.png")
    html = mail.render("notifications/points_earned", "en", news, look).html
    assert "Bean &lt;Club&gt;" in html and "4px solid #aa3355" in html and "logo.png" in html
    plain = mail.render("notifications/points_earned", "en", news).html
    assert "<img" not in plain and "4px solid" not in plain
