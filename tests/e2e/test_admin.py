"""The admin in the dev store's frame: still, moved through without a new document, and what goes wrong explained."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.desk import NARROW, PLACES, SETTLED, WIDE, Arrive, furnish, go, look_at, resize
from tests.e2e.merchant import Merchant
from tests.e2e.stack import Stack
from tests.e2e.watch import Watch

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SHOP = "moving"
_FOLLOW = """([within, href]) =>
  [...document.querySelectorAll(within)].find((one) => one.getAttribute('href') === href).click()"""
_LINKS = """[...document.querySelectorAll('#main a[href]:not([target])')]
  .map((one) => one.getAttribute('href')).filter((href) => href.startsWith('/app'))"""
_OBSERVE = """() => {
  window.shifts = [];
  new PerformanceObserver((list) => list.getEntries().forEach((one) => window.shifts.push(
    [one.value, ...one.sources.map((source) => source.node?.outerHTML?.slice(0, 120))]))).observe({type: "layout-shift"});
}"""


@pytest.fixture(scope="module")
def shop(stack: Stack) -> str:
    """A shop with a program, members and orders, one of them refunded."""
    furnish(stack, SHOP)
    return SHOP


_OUTLINE = """() => {
  const now = document.activeElement;
  return getComputedStyle(now.closest(".affixed, .tags") || now).outlineStyle;
}"""


def test_a_refused_form_is_accessible_and_says_it_at_the_field(arrive: Arrive, watch: Watch) -> None:
    merchant = arrive("/tier-management/new")
    name = merchant.main.locator("[id$=create-name]")
    with watch.provoked("422"):
        merchant.main.locator("form[data-form] button[type=submit]").last.click()
        expect(name).to_have_attribute("aria-invalid", "true")
    expect(name).to_be_focused()
    expect(merchant.main.locator(".problem").first).to_be_visible()
    assert merchant.document.title().startswith("Error: ")
    assert look_at(merchant, "a refused form") == []


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_nothing_moves_when_the_tab_changes(arrive: Arrive, width: int) -> None:
    merchant = arrive("/members")
    resize(merchant, width)
    document = merchant.document
    document.evaluate(_OBSERVE)
    for link in document.evaluate(PLACES):
        document.evaluate(_FOLLOW, ["#all-tabs a, [data-shortcuts] a", link])
        expect(merchant.main.locator(".page h1")).to_be_focused()
        document.wait_for_function(SETTLED)
        merchant.page.wait_for_timeout(150)
    assert document.evaluate("window.shifts") == []


def test_every_link_of_every_tab_keeps_the_document(arrive: Arrive) -> None:
    """One link of each kind is followed from each tab, and the way back taken."""
    merchant = arrive()
    document, page = merchant.document, merchant.page
    document.evaluate("window.kept = true")
    followed: set[str] = set()
    for place in ["/app", *document.evaluate(PLACES)]:
        go(merchant, place)
        for href in document.evaluate(_LINKS):
            kind = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\?.*", "*", href)
            if kind in followed:
                continue
            followed.add(kind)
            document.evaluate(_FOLLOW, ["#main a", href])
            document.wait_for_function(SETTLED)
            expect(merchant.main.locator(".page h1")).to_have_count(1)
            assert document.evaluate("window.kept") is True, f"{href} on {place} loaded a document"
            page.keyboard.press("Escape")
            go(merchant, place)
    assert len(followed) > 10, followed


def test_a_deep_link_opens_the_list_as_it_was_and_its_quick_view(arrive: Arrive) -> None:
    merchant = arrive("/members")
    merchant.main.locator("[data-search]").fill("noura@example.com")
    expect(merchant.main.locator("[data-open-id]")).to_have_count(1)
    merchant.main.locator("[data-open-id]").first.click()
    drawer = merchant.app.locator("dialog.drawer[open]")
    expect(drawer).to_contain_text("Noura")
    expect(merchant.page).to_have_url(re.compile("open="))
    address = merchant.page.url
    merchant.page.reload()
    expect(drawer).to_contain_text("Noura")
    expect(merchant.main.locator("[data-open-id]")).to_have_count(1)
    other = arrive()
    other.page.goto(address)
    expect(other.app.locator("dialog.drawer[open]")).to_contain_text("Noura")


def test_the_second_of_two_browser_tabs_is_told_and_sees_the_difference(arrive: Arrive, watch: Watch) -> None:
    first, second = arrive("/tier-management"), arrive("/tier-management")
    for one in (first, second):
        one.rows("tiers").first.locator("th a").click()
        expect(one.main.locator("[id$=save-name]")).to_be_visible()
    name = second.main.locator("[id$=save-name]").input_value()
    first.main.locator("[id$=save-name]").fill("Copper")
    first.save()
    first.toast()
    second.main.locator("[id$=save-name]").fill("Tin")
    with watch.provoked("409"):
        second.page.locator("#save-bar [data-action=save]").click()
        expect(second.main.locator(".diff")).to_be_visible()
    expect(second.main.locator(".diff")).to_contain_text("Copper")
    expect(second.main.locator(".diff")).to_contain_text("Tin")
    expect(second.main.locator("[id$=save-name]")).to_have_value("Tin")
    assert look_at(second, "a collision") == []
    second.main.locator("[id$=save-name]").fill(name)
    second.save()
    assert second.toast()


def test_an_expired_token_is_renewed_without_a_word(arrive: Arrive, watch: Watch) -> None:
    merchant = arrive("/members")
    sent = _with_old_tokens(merchant, times=1)
    with watch.provoked("401"):
        merchant.go("points-ledger")
    assert sent == ["old", "new"]
    expect(merchant.app.locator("#page-alert .banner")).to_have_count(0)


def test_an_ended_session_keeps_what_was_typed_and_says_what_to_do(arrive: Arrive, watch: Watch) -> None:
    merchant = arrive("/tier-management/new")
    name = merchant.main.locator("[id$=create-name]")
    name.fill("Diamond")
    _with_old_tokens(merchant, times=99)
    with watch.provoked("401"):
        merchant.main.locator("form[data-form] button[type=submit]").last.click()
        expect(merchant.app.locator("#page-alert [data-reload]")).to_be_visible()
    expect(name).to_have_value("Diamond")
    assert look_at(merchant, "an ended session") == []
    merchant.page.unroute_all()
    merchant.app.locator("#page-alert [data-reload]").click()
    expect(merchant.main.locator("[id$=create-name]")).to_have_value("")


def _with_old_tokens(merchant: Merchant, times: int) -> list[str]:
    """Let the next requests of the app carry a token that has run out. Gives what each one carried."""
    sent: list[str] = []
    old = merchant.stack.control("GET", "/id-token", params={"shop": f"{SHOP}.myshopify.com", "seconds": -30})

    def replace(route: Route) -> None:
        headers = dict(route.request.headers)
        if "authorization" not in headers:
            return route.continue_()
        sent.append("old" if len(sent) < times else "new")
        if sent[-1] == "old":
            headers["authorization"] = f"Bearer {old['id_token']}"
        return route.continue_(headers=headers)

    merchant.page.route(f"{merchant.stack.app}/app/**", replace)
    return sent


def test_moving_about_keeps_the_document(arrive: Arrive) -> None:
    """Tabs, Shopify's sidebar, the command search, back and forward; then a reload of a deep link."""
    merchant = arrive("/members")
    app, page = merchant.app, merchant.page
    merchant.document.evaluate("window.kept = true")
    heading = merchant.main.locator(".page h1")

    page.locator("#app-links a", has_text="Settings").click()
    expect(heading).to_have_text("Compliance")
    app.locator("#bar-home").click()
    expect(heading).to_have_text("Home")
    page.keyboard.press("Control+k")
    app.locator("#palette-q").fill("noura@example.com")
    expect(app.locator("#palette-list [role=option]")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(heading).to_have_text("Noura Haddad")
    expect(heading).to_be_focused()
    page.go_back()
    expect(heading).to_have_text("Home")
    page.go_back()
    expect(heading).to_have_text("Compliance")
    page.go_forward()
    page.go_forward()
    expect(heading).to_have_text("Noura Haddad")
    assert merchant.document.evaluate("window.kept") is True
    assert re.search(r"/apps/loyalnest/members/[0-9a-f-]{36}$", page.url)
    page.reload()
    expect(heading).to_have_text("Noura Haddad")


def test_unsaved_changes_are_guarded(arrive: Arrive) -> None:
    merchant = arrive("/tier-management")
    merchant.rows("tiers").first.locator("th a").click()
    name = merchant.main.locator("[id$=save-name]")
    name.fill("Copper")
    expect(merchant.page.locator("#save-bar")).to_be_visible()
    merchant.app.locator('#bar-tabs a[href="/app/members"]').click()
    leave = merchant.page.locator("#leave")
    expect(leave).to_be_visible()
    merchant.page.keyboard.press("Escape")
    expect(name).to_have_value("Copper")
    merchant.app.locator('#bar-tabs a[href="/app/members"]').click()
    leave.locator("button[value=yes]").click()
    expect(merchant.main.locator(".page h1")).to_have_text("Members")
    expect(merchant.page.locator("#save-bar")).to_be_hidden()


def test_a_task_needs_no_mouse(arrive: Arrive) -> None:
    """Add a tier: command search, form, save, with a visible focus all the way."""
    merchant = arrive()
    page, document = merchant.page, merchant.document
    merchant.app.locator("#bar-home").focus()

    def tab_to(selector: str) -> None:
        for _ in range(60):
            if document.evaluate("(selector) => document.activeElement.matches(selector)", selector):
                return
            page.keyboard.press("Tab")
            assert document.evaluate(_OUTLINE) != "none", document.evaluate(
                "document.activeElement.outerHTML"
            )
        raise AssertionError(f"{selector} cannot be reached by Tab")

    page.keyboard.press("Control+k")
    page.keyboard.type("new tier")
    expect(merchant.app.locator("#palette-list [aria-selected=true]")).to_contain_text("New tier")
    page.keyboard.press("Enter")
    expect(merchant.main.locator(".page h1")).to_be_focused()
    tab_to("[id$=create-name]")
    page.keyboard.type("Diamond")
    tab_to("[id$=create-threshold]")
    page.keyboard.press("Control+a")
    page.keyboard.type("٩٠٠٠")
    tab_to("form[data-form] [type=submit]")
    page.keyboard.press("Enter")
    expect(merchant.main.locator("#tier-preview .stat")).to_have_count(4)
    tab_to("#tier-preview [data-confirm-label]")
    page.keyboard.press("Enter")
    expect(merchant.app.locator("#confirm [data-ok]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(merchant.rows("tiers")).to_have_count(4)
    assert merchant.cell(merchant.rows("tiers").last, 1) == "9,000"
    expect(merchant.main.locator(".page h1")).to_be_focused()
