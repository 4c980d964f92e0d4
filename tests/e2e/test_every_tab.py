"""Every tab of the admin with all that opens above it, in each language, theme and width: accessible, nothing sticks out."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.desk import PLACES, SETTLED, Arrive, furnish, go, look_at
from tests.e2e.merchant import MILLISECONDS, Merchant
from tests.e2e.pictures import RIGHT_TO_LEFT
from tests.e2e.stack import Stack
from tests.e2e.watch import Watch

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SHOP = "every-tab"
GUIDE = "/app/styleguide"
LANGUAGES = pytest.mark.parametrize("locale", ["en", "es", "fr", "ar", "he"])
_RECORDS = """[...document.querySelectorAll('#main table tbody tr:first-child th a')]
  .map((one) => one.getAttribute('href')).filter((href) => href?.startsWith('/app/'))"""
_OPENERS = """[...document.querySelectorAll("#main :is([data-open], [hx-target='#overlay'], [data-disclosure] > button)")]"""
_NAMED = "one.dataset.open || one.getAttribute('hx-get') || one.getAttribute('aria-controls')"
_NAMES = f"{_OPENERS}.map((one) => {_NAMED})"
_PRESS = f"""(name) => {{
  const opener = {_OPENERS}.find((one) => ({_NAMED}) === name);
  opener.focus();
  opener.click();
}}"""
_ABOVE = "dialog[open], .menu-list:not([hidden])"


@pytest.fixture(scope="module")
def shop(stack: Stack) -> str:
    """A shop with a program, members and orders, one of them refunded."""
    furnish(stack, SHOP)
    return SHOP


def _kind(name: str) -> str:
    """What an opener opens, whichever row, list, rule, template or task it belongs to."""
    name = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\?.*", "*", name)
    return re.sub(r"/(lists|rules|templates|quick-actions)/[\w-]+", r"/\1/*", name)


def _overlays(merchant: Merchant, seen: set[str]) -> list[object]:
    """What is wrong with the dialogs, drawers and menus of the present tab that were not seen yet."""
    document, wrong = merchant.document, []
    for name in document.evaluate(_NAMES):
        kind = _kind(name)
        if kind in seen:
            continue
        seen.add(kind)
        document.evaluate(_PRESS, name)
        document.wait_for_selector(_ABOVE, timeout=MILLISECONDS)
        wrong += look_at(merchant, f"above {kind}", above=_ABOVE)
        merchant.page.keyboard.press("Escape")
        document.wait_for_selector(_ABOVE, state="detached", timeout=MILLISECONDS)
    return wrong


@LANGUAGES
def test_every_tab_and_what_opens_above_it_is_accessible(arrive: Arrive, locale: str) -> None:
    merchant = arrive(locale=locale)
    document = merchant.document
    assert document.evaluate("document.documentElement.dir") == ("rtl" if locale in RIGHT_TO_LEFT else "ltr")
    waiting: list[str] = ["/app", *document.evaluate(PLACES)]
    seen: list[str] = []
    opened: set[str] = set()
    wrong: list[object] = []
    while waiting:
        url = waiting.pop(0)
        if url in seen:
            continue
        seen.append(url)
        go(merchant, url)
        waiting += document.evaluate(_RECORDS)
        wrong += look_at(merchant, url)
        wrong += _overlays(merchant, opened)
    assert wrong == []
    assert len(seen) >= 15, seen
    assert len(opened) >= 15, opened


@LANGUAGES
def test_the_shell_and_what_goes_wrong_is_accessible(arrive: Arrive, watch: Watch, locale: str) -> None:
    """Menus of the bar, the search, chosen rows, no match, a question, a refused form, a missing page, no connection."""
    merchant = arrive("/members", locale=locale)
    app, main, page, document = merchant.app, merchant.main, merchant.page, merchant.document
    wrong: list[object] = []

    def see(name: str, opener: Locator, above: str) -> None:
        nonlocal wrong
        opener.click()
        wrong += look_at(merchant, name, above=above)
        page.keyboard.press("Escape")

    see("all tabs", app.locator("#bar-category"), "#all-tabs")
    see("theme menu", app.locator(".bar-theme > button"), "#theme-menu")
    app.locator(".bar-search").click()
    wrong += look_at(merchant, "search", above="#palette")
    app.locator("#palette-q").fill("zzzz")
    expect(app.locator(".palette-none")).to_be_visible()
    wrong += look_at(merchant, "search finds nothing", above="#palette")
    page.keyboard.press("Escape")
    main.locator("[data-select-all]").check()
    wrong += look_at(merchant, "chosen rows", above="[data-bulk]")
    main.locator("[data-search]").fill("zzzz")
    expect(main.locator(".empty")).to_be_visible()
    wrong += look_at(merchant, "no member matches")

    go(merchant, "/app/points-ledger")
    app.locator("[hx-get$='/points-ledger/adjust']").click()
    with watch.provoked("422"):
        app.locator("dialog#adjust [type=submit]").last.click()
        expect(app.locator("dialog#adjust .problem").first).to_be_visible()
    wrong += look_at(merchant, "a refused form", above="dialog[open]")
    page.keyboard.press("Escape")
    with watch.provoked("404"):
        go(merchant, "/app/members/00000000-0000-7000-8000-000000000000")
        expect(main.locator("h1")).to_be_visible()
    wrong += look_at(merchant, "a missing page")
    go(merchant, "/app/tier-management")
    main.locator("#tiers tbody th a").first.click()
    see("a question", main.locator("[hx-confirm]").first, "#confirm")
    page.route(f"{merchant.stack.app}/app/**", lambda route: route.abort())
    with watch.provoked("ERR_FAILED|Failed to fetch"):
        app.locator("#bar-tabs a[href='/app/members']").click()
        expect(app.locator("#page-alert [data-retry]")).to_be_visible()
    wrong += look_at(merchant, "no connection")
    page.unroute_all()
    document.wait_for_function(SETTLED)
    assert wrong == []


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_the_style_guide_is_accessible(arrive: Arrive, locale: str) -> None:
    """It has no translations and leads nowhere; it shows each direction once, with its dialogs, charts as tables and an
    Arabic text."""
    merchant = arrive(locale=locale)
    go(merchant, GUIDE)
    wrong = look_at(merchant, GUIDE)
    wrong += _overlays(merchant, {_kind(name) for name in merchant.document.evaluate(_NAMES) if "/" in name})
    for view in merchant.main.locator("[data-chart-view=table]").all():
        view.click()
    merchant.main.locator("#sg-members-all").check()
    merchant.main.locator("[id$=name-ar-tab]").click()
    wrong += look_at(merchant, "charts as tables, rows chosen, Arabic text")
    assert wrong == []
