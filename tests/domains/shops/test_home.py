"""The home tab: facts of every domain, what needs the merchant, in every state, language and role."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

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

ROOT = Path(__file__).parents[3]


@pytest.fixture
def no_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what shops itself knows."""
    monkeypatch.setattr(service.home_facts, "_providers", {})
    monkeypatch.setattr(service.days, "_sums", {})
    monkeypatch.setattr(service.days, "_figures", {})


@pytest.fixture
def door() -> Iterator[Door]:
    """Issues credentials."""
    with open_door() as opened:
        yield opened


def look(shop: TestShop) -> HomeView:
    with shop.work() as uow:
        return service.home(uow)


def embed_step(shop: TestShop) -> HomeStep:
    return next(step for step in look(shop).steps if step.key == "app-embed")


def visit(
    shop: TestShop, app: Flask, door: Door, locale: str = "en", permissions: frozenset[Permission] = ALL
) -> Caller:
    info = ShopInfo(shop.domain, "Shop", "USD", "UTC")
    return Caller(app, door.token(staff(shop.id, permissions, locale=locale, shop=info)))


def test_a_quiet_shop_has_steps_and_no_notices(shop: TestShop, no_facts: None) -> None:
    view = look(shop)
    assert [(step.key, step.done, step.current) for step in view.steps] == [
        ("connect", True, False),
        ("brand", False, True),
        ("app-embed", False, False),
    ]
    assert view.steps_done == 1 and not view.launched
    assert "/store/first/themes/" in view.steps[2].url
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
        ("connect", False),
        ("brand", True),
        ("app-embed", False),
        ("last", False),
    ]
    assert view.steps_done == 2 and [notice.key for notice in view.notices] == ["n"]


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


def test_what_app_bridge_says_of_the_widget_is_noted_once(
    shop: TestShop, app: Flask, door: Door, no_facts: None
) -> None:
    caller = visit(shop, app, door, permissions=frozenset({Permission.SETTINGS_READ}))
    assert 'data-widget="off"' in caller.fragment("/app").text
    answer = caller.submit("/app/home/see-widget", {"on": "true"})
    assert answer.status_code == 200 and 'data-widget="on"' in answer.text
    step = embed_step(shop)
    assert step.done and not step.current
    assert caller.submit("/app/home/see-widget", {"on": "true"}).status_code == 204
    assert caller.submit("/app/home/see-widget", {"on": "false"}).status_code == 200
    assert embed_step(shop).done is False
    with shop.work() as uow:
        noted = uow.all(
            "SELECT before, after FROM audit_entries WHERE action = 'widget.switched' ORDER BY id"
        )
    assert [(one["before"], one["after"]) for one in noted] == [
        ({"on": False}, {"on": True}),
        ({"on": True}, {"on": False}),
    ]


def test_the_widget_step_leads_to_the_switch_in_the_theme_editor(shop: TestShop, no_facts: None) -> None:
    step = embed_step(shop)
    path, _, query = step.url.partition("?")
    assert path.endswith("/themes/current/editor")
    block = parse_qs(query)["activateAppId"][0].partition("/")[2]
    assert (ROOT / "extensions/loyalnest-theme/blocks" / f"{block}.liquid").is_file()


@pytest.mark.parametrize("on", ["maybe", "2"])
def test_nonsense_about_the_widget_is_refused(shop: TestShop, app: Flask, door: Door, on: str) -> None:
    assert visit(shop, app, door).submit("/app/home/see-widget", {"on": on}).status_code == 422
    with shop.work() as uow:
        assert uow.scalar("SELECT setup_steps FROM shops") == {}


def test_seeing_the_widget_needs_a_permission(shop: TestShop, app: Flask, door: Door) -> None:
    caller = visit(shop, app, door, permissions=frozenset({Permission.MEMBERS_READ}))
    assert caller.submit("/app/home/see-widget", {"on": "true"}).status_code == 403


def finished(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step is done."""
    monkeypatch.setattr(
        service.home_facts, "_own_facts", lambda uow, shop: [HomeStep("one", "One", "", True, "/app", 1)]
    )


def test_the_finished_guide_is_put_away_for_the_shop_and_comes_back(
    shop: TestShop,
    other_shop: TestShop,
    app: Flask,
    door: Door,
    no_facts: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    finished(monkeypatch)
    caller, place = visit(shop, app, door), "/app/home/put-guide-away"
    assert 'id="setup"' in caller.fragment("/app").text
    for _again in range(2):
        answer = caller.submit(place, {"hidden": "true"})
        assert answer.status_code == 200 and 'id="setup"' not in answer.text
    shown = caller.fragment("/app").text
    assert 'id="setup"' not in shown and "Show the set-up guide" in shown
    assert re.search(r'hx-vals="{&#34;hidden&#34;: ?false}"', shown)
    reader = visit(shop, app, door, permissions=frozenset({Permission.SETTINGS_READ}))
    assert "Show the set-up guide" not in reader.fragment("/app").text
    assert not look(other_shop).put_away
    answer = caller.submit(place, {"hidden": "false"})
    assert 'id="setup"' in answer.text and "Hide the guide" in answer.text
    with shop.work() as uow:
        noted = uow.all("SELECT before, after FROM audit_entries WHERE action = 'guide.hidden' ORDER BY id")
    assert [(one["before"], one["after"]) for one in noted] == [
        ({"hidden": False}, {"hidden": True}),
        ({"hidden": True}, {"hidden": False}),
    ]


def test_a_guide_that_is_put_away_is_shown_while_a_step_is_left(
    shop: TestShop, app: Flask, door: Door, no_facts: None
) -> None:
    with shop.work() as uow:
        assert service.put_guide_away(uow, True)
    assert 'id="setup"' in visit(shop, app, door).fragment("/app").text


def test_putting_the_guide_away_is_guarded(shop: TestShop, app: Flask, door: Door) -> None:
    reader = visit(shop, app, door, permissions=frozenset({Permission.SETTINGS_READ}))
    assert reader.submit("/app/home/put-guide-away", {"hidden": "true"}).status_code == 403
    assert visit(shop, app, door).submit("/app/home/put-guide-away", {"hidden": "2"}).status_code == 422
    assert not look(shop).put_away


def test_another_shops_guide_stays_as_it_is(shop: TestShop, other_shop: TestShop, no_facts: None) -> None:
    with shop.work() as uow:
        assert service.see_widget(uow, True)
    assert not look(other_shop).widget_on and look(shop).widget_on


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
