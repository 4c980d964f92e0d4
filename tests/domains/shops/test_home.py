"""The home tab: facts of every domain, what needs the merchant, in every state, language and role."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from app.core import clock, inbox
from app.core.db import UnitOfWork
from app.core.permissions import ALL, Permission
from app.domains.shops import service
from app.domains.shops.schemas import HomeFact, HomeFigure, HomeNotice, HomeStep, HomeView
from app.web.principals import ShopInfo
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, Door, open_door, staff


@pytest.fixture
def no_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what shops itself knows."""
    monkeypatch.setattr(service.home_facts, "_providers", {})


@pytest.fixture
def door() -> Iterator[Door]:
    """Issues credentials."""
    with open_door() as opened:
        yield opened


def look(shop: TestShop) -> HomeView:
    with shop.work() as uow:
        return service.home(uow)


def visit(
    shop: TestShop, app: Flask, door: Door, locale: str = "en", permissions: frozenset[Permission] = ALL
) -> Caller:
    info = ShopInfo(shop.domain, "Shop", "USD", "UTC")
    return Caller(app, door.token(staff(shop.id, permissions, locale=locale, shop=info)))


def test_a_quiet_shop_has_steps_and_no_notices(shop: TestShop, no_facts: None) -> None:
    view = look(shop)
    assert [step.key for step in view.steps] == ["app-embed"] and view.steps[0].done is None
    assert view.steps[0].current and view.steps_done == 0
    assert "/store/first/themes/" in view.steps[0].url
    assert view.notices == [] and view.oldest_waiting is None


def test_domains_add_facts_in_order_with_the_start_of_the_shops_day(shop: TestShop, no_facts: None) -> None:
    with shop.work() as uow:
        uow.execute("UPDATE shops SET timezone = 'Pacific/Auckland'")
    asked: list[datetime] = []

    def facts(uow: UnitOfWork, since: datetime) -> list[HomeFact]:
        asked.append(since)
        return [
            HomeFigure("b", "B", None, "number", 20),
            HomeFigure("a", "A", 5, "points", 10),
            HomeStep("last", "Last", "", False, "/app", 90),
            HomeStep("first", "First", "", True, "/app", 1),
            HomeNotice("n", "Look", "info", {}),
        ]

    service.register_home_facts("test", facts)
    with clock.use_clock(lambda: datetime(2026, 11, 21, 12, 30, tzinfo=UTC)):
        view = look(shop)
    assert asked == [datetime(2026, 11, 21, 11, tzinfo=UTC)]
    assert [figure.key for figure in view.figures] == ["a", "b"]
    assert [(step.key, step.current) for step in view.steps] == [
        ("first", False),
        ("app-embed", True),
        ("last", False),
    ]
    assert view.steps_done == 1 and [notice.key for notice in view.notices] == ["n"]


def test_an_unknown_zone_counts_as_utc() -> None:
    now = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
    for zone in ("Mars/Base", "", "../etc"):
        assert service.home_facts.day_start(now, zone) == datetime(2026, 11, 21, tzinfo=UTC)


def test_what_needs_the_merchant_is_said(shop: TestShop, no_facts: None) -> None:
    inbox.put(shop.id, "orders/paid", "w1", "", None, b"{}")
    inbox.put(shop.id, "orders/paid", "w2", "", None, b"{}")
    with shop.work() as uow:
        uow.execute("UPDATE shops SET needs_reopening = true")
        uow.execute("UPDATE inbox SET state = 3 WHERE webhook_id = 'w1'")
        uow.execute("UPDATE inbox SET received_at = received_at - interval '3 minutes'")
    view = look(shop)
    assert [(notice.key, notice.tone) for notice in view.notices] == [
        ("needs-reopening", "critical"),
        ("parked", "warning"),
        ("waiting", "warning"),
    ]
    assert view.notices[1].data == {"count": 1}
    assert view.oldest_waiting is not None and view.oldest_waiting > timedelta(minutes=3)


def test_staff_say_what_the_server_cannot_see(shop: TestShop, app: Flask, door: Door, no_facts: None) -> None:
    caller = visit(shop, app, door)
    page = caller.fragment("/app")
    assert "/app/home/finish-step" in page.text
    answer = caller.submit("/app/home/finish-step", {"step": "app-embed"})
    assert answer.status_code == 200 and "/app/home/finish-step" not in answer.text
    (step,) = look(shop).steps
    assert step.done and not step.ask and not step.current
    assert caller.submit("/app/home/finish-step", {"step": "app-embed"}).status_code == 200
    with shop.work() as uow:
        assert uow.scalar("SELECT count(*) FROM audit_entries WHERE action = 'setup_step.finished'") == 1


@pytest.mark.parametrize("step", ["program", "nothing", "X", "", "a" * 65])
def test_only_such_steps_can_be_said(shop: TestShop, app: Flask, door: Door, step: str) -> None:
    assert visit(shop, app, door).submit("/app/home/finish-step", {"step": step}).status_code in (404, 422)
    with shop.work() as uow:
        assert uow.scalar("SELECT setup_steps FROM shops") == {}


def test_saying_so_needs_a_permission(shop: TestShop, app: Flask, door: Door) -> None:
    caller = visit(shop, app, door, permissions=frozenset({Permission.SETTINGS_READ}))
    assert "/app/home/finish-step" not in caller.fragment("/app").text
    assert caller.submit("/app/home/finish-step", {"step": "app-embed"}).status_code == 403


def test_another_shops_guide_stays_as_it_is(shop: TestShop, other_shop: TestShop, no_facts: None) -> None:
    with shop.work() as uow:
        service.finish_step(uow, "app-embed")
    assert look(other_shop).steps[0].ask


@pytest.mark.parametrize("locale", ["en", "es", "fr", "ar", "he"])
def test_it_renders_in_every_language(shop: TestShop, app: Flask, door: Door, locale: str) -> None:
    inbox.put(shop.id, "orders/paid", "w1", "", None, b"{}")
    with shop.work() as uow:
        uow.execute("UPDATE shops SET needs_reopening = true")
        uow.execute("UPDATE inbox SET state = 3")

    def facts(uow: UnitOfWork, since: datetime) -> list[HomeFact]:
        return [
            HomeFigure("delay", "Delay", 850, "milliseconds", 10, detail="95th percentile", detail_value=1234)
        ]

    service.register_home_facts("test", facts)
    caller = visit(shop, app, door, locale)
    page, fragment = caller.get("/app"), caller.fragment("/app")
    assert page.status_code == fragment.status_code == 200
    assert f'dir="{"rtl" if locale in ("ar", "he") else "ltr"}"' in page.text
    assert "<h1" in fragment.text and "<html" not in fragment.text
    assert "0.85" in fragment.text or "0,85" in fragment.text
    assert "{count}" not in fragment.text
    service.home_facts._providers.pop("test")


def test_it_needs_a_permission(shop: TestShop, app: Flask, door: Door) -> None:
    caller = visit(shop, app, door, permissions=frozenset({Permission.POINTS_READ}))
    assert caller.get("/app").status_code == 403


def test_another_shop_sees_its_own(shop: TestShop, other_shop: TestShop, no_facts: None) -> None:
    with shop.work() as uow:
        uow.execute("UPDATE shops SET needs_reopening = true")
    assert look(other_shop).notices == []


def test_every_fact_is_named_once(shop: TestShop) -> None:
    view = look(shop)
    keys = [fact.key for fact in (*view.steps, *view.figures, *view.notices)]
    assert len(keys) == len(set(keys))


def test_it_asks_the_database_little_whatever_the_shop_holds(
    shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = UnitOfWork.execute

    def counting(self: UnitOfWork, sql: str, params: object = None) -> object:
        asked.append(sql)
        return real(self, sql, params)

    monkeypatch.setattr(UnitOfWork, "execute", counting)
    look(shop)
    assert len(asked) <= 20
