"""The launcher and the panel in a browser, as a shopper meets them."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

from devstore.pages import theme
from devstore.runtime import DevStore
from devstore.settings import DEMO_SHOP
from tests.extensions.conftest import Open, Proxy, guest_summary, member_summary

pytestmark = pytest.mark.e2e
CODE = {"id": "redemption-1", "name": "Free shipping", "status": "issued", "code": "LN-ABCD", "note": "Once."}
RESERVED = {
    "id": "redemption-1",
    "status": "reserved",
    "name": "Free shipping",
    "code": None,
    "message": None,
}
ISSUED = {**RESERVED, "status": "issued", "code": "LN-ABCD"}


def open_panel(page: Page) -> None:
    page.locator("loyalnest-launcher button").first.click()
    expect(page.locator("loyalnest-panel [data-phase=content]")).to_be_visible()


def focused(page: Page) -> str:
    """The text of what has the focus, shadow roots included."""
    text: str = page.evaluate(
        "() => { let at = document.activeElement; while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;"
        " return at.textContent.trim(); }"
    )
    return text


def ask_for_first(page: Page) -> None:
    page.get_by_role("button", name="Redeem: Free shipping").click()
    page.get_by_role("button", name="Use points").click()


def test_a_closed_panel_costs_a_guest_no_request_and_no_shift(visit: Open, proxy: Proxy) -> None:
    page = visit("/products/stoneware-mug")
    loaded: list[str] = page.evaluate(
        "() => performance.getEntriesByType('resource').map((one) => one.name.split('/').pop())"
    )
    assert "loyalnest-launcher.js" in loaded and "loyalnest-panel.js" not in loaded
    assert [path for _, path, _ in proxy.asked if path != "earn"] == []
    shift: float = page.evaluate(
        "() => new Promise((done) => { let sum = 0;"
        " new PerformanceObserver((list) => list.getEntries().forEach((one) => { sum += one.value; }))"
        ".observe({type: 'layout-shift', buffered: true}); setTimeout(() => done(sum), 300); })"
    )
    assert shift == 0


def test_a_guest_is_invited(visit: Open, proxy: Proxy) -> None:
    proxy.summary = guest_summary()
    page = visit()
    open_panel(page)
    assert focused(page) == "Rewards"
    expect(page.get_by_role("link", name="Create an account")).to_have_attribute(
        "href", "/store/loyalnest-demo/account/register"
    )
    expect(page.get_by_text("10 points for every $1 spent")).to_be_visible()
    expect(page.locator("loyalnest-panel [data-list=rewards] > li")).to_have_count(2)
    expect(page.locator("loyalnest-panel [data-action=ask]:visible")).to_have_count(0)
    expect(page.locator("loyalnest-panel .balance:visible")).to_have_count(0)


def test_the_keyboard_opens_walks_and_closes(visit: Open) -> None:
    page = visit(who="Grace")
    page.locator("loyalnest-launcher button").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("loyalnest-panel [data-phase=content]")).to_be_visible()
    seen = []
    for _ in range(6):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("() => document.activeElement?.tagName ?? ''"))
    assert set(seen) <= {"LOYALNEST-PANEL", "BODY"}, "the focus left the open panel"
    page.keyboard.press("Escape")
    expect(page.locator("loyalnest-panel dialog")).not_to_have_attribute("open", "")
    assert focused(page).startswith("Rewards") and page.evaluate("document.activeElement.tagName") == "BUTTON"


def test_a_click_beside_the_panel_and_a_link_on_the_page_work(visit: Open) -> None:
    page = visit("/products/stoneware-mug")
    page.get_by_role("link", name="See rewards").click()
    expect(page.locator("loyalnest-panel dialog")).to_be_visible()
    page.mouse.click(10, 400)
    expect(page.locator("loyalnest-panel dialog")).to_be_hidden()


def test_a_member_sees_everything_as_text(visit: Open) -> None:
    page = visit(who="Grace")
    open_panel(page)
    panel = page.locator("loyalnest-panel")
    expect(panel.get_by_role("heading", name="Hello, Grace")).to_be_visible()
    expect(panel.locator(".balance")).to_have_text("1,000 points")
    assert panel.get_by_role("progressbar").evaluate("(bar) => [bar.value, bar.max]") == [50, 100]
    expect(panel.get_by_text("500 more points to reach Silver")).to_be_visible()
    expect(panel.get_by_text("<img src=x onerror=alert(1)>")).to_be_visible()
    expect(panel.locator("img")).to_have_count(0)
    expect(panel.get_by_text("1,000 points for joining.")).to_be_visible()


def test_a_reward_shows_its_picture_and_its_terms(visit: Open, proxy: Proxy) -> None:
    first, second = member_summary()["rewards"]
    picture = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="
    proxy.summary = member_summary(rewards=[first | {"terms": "Once a day.", "image_url": picture}, second])
    page = visit(who="Grace")
    open_panel(page)
    cards = page.locator("loyalnest-panel [data-list=rewards] > li")
    expect(cards.nth(0).locator("img")).to_have_attribute("alt", "")
    expect(cards.nth(1).locator("img")).to_have_count(0)
    expect(cards.nth(1).locator("summary")).to_be_hidden()
    expect(cards.nth(0).get_by_text("Once a day.")).to_be_hidden()
    cards.nth(0).get_by_text("Terms").click()
    expect(cards.nth(0).get_by_text("Once a day.")).to_be_visible()
    cards.nth(0).get_by_role("button", name="Redeem: Free shipping").click()
    expect(cards.nth(0).get_by_role("button", name="Use points")).to_be_visible()


STAMPS = {
    "name": "Coffee card",
    "unit": "stamp",
    "filled": 3,
    "size": 10,
    "missing": 7,
    "points": 100,
    "progress_percent": 30,
    "progress_text": "3 of 10 stamps",
    "missing_text": "7 more orders until 100 points",
    "period_text": None,
}


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1000, "light")])
def test_a_punch_card_shows_how_full_it_is(visit: Open, proxy: Proxy, width: int, scheme: Any) -> None:
    unnamed = STAMPS | {"name": None, "progress_percent": 100, "progress_text": "Goal reached: 100 points"}
    proxy.summary = member_summary(tier=None, cards=[STAMPS, unnamed | {"missing_text": None}])
    page = visit(who="Grace", width=width, color_scheme=scheme)
    open_panel(page)
    panel = page.locator("loyalnest-panel")
    bars = panel.get_by_role("progressbar")
    expect(bars).to_have_count(2)
    expect(bars.first).to_have_accessible_name("3 of 10 stamps")
    assert bars.evaluate_all("(bars) => bars.map((bar) => bar.value)") == [30, 100]
    expect(panel.get_by_text("Coffee card")).to_be_visible()
    expect(panel.get_by_text("7 more orders until 100 points")).to_be_visible()
    assert Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"] == []
    sideways = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not page.evaluate(sideways)


def test_without_a_counting_rule_no_card_is_shown(visit: Open) -> None:
    page = visit(who="Grace")
    open_panel(page)
    expect(page.locator("loyalnest-panel [data-list=cards]")).to_be_hidden()


def test_redeeming_asks_again_waits_and_shows_the_code(visit: Open, proxy: Proxy) -> None:
    page = visit(who="Grace")
    open_panel(page)
    page.get_by_role("button", name="Redeem: Free shipping").click()
    assert focused(page) == "Use points"
    page.get_by_role("button", name="Cancel").click()
    assert focused(page) == "Redeem"
    proxy.plan = {"redeem": [(200, RESERVED)], "redemptions": [(200, RESERVED), None, (200, ISSUED)]}
    proxy.summary = member_summary(codes=[CODE])
    page.evaluate("() => document.addEventListener('loyalnest:changed', () => (window.changed = true))")
    ask_for_first(page)
    busy = page.locator("loyalnest-panel [data-action=redeem]:visible")
    expect(busy).to_have_attribute("aria-busy", "true")
    busy.dispatch_event("click")
    expect(page.locator("loyalnest-panel [data-list=codes] code")).to_have_text("LN-ABCD")
    expect(page.locator("loyalnest-panel [data-status]")).to_have_text("Your code is ready.")
    assert "LN-ABCD" in focused(page) and page.evaluate("window.changed") is True
    assert len(proxy.keys()) == 1, "a second press while busy sent a second request"
    expect(page.locator("loyalnest-panel [data-apply]")).to_have_attribute(
        "href", "/store/loyalnest-demo/discount/LN-ABCD?redirect=%2Fstore%2Floyalnest-demo%2Fcart"
    )


def test_a_lost_answer_is_tried_again_under_the_same_key(visit: Open, proxy: Proxy) -> None:
    page = visit(who="Grace")
    open_panel(page)
    busy = {"error": {"code": "unavailable", "message": "Later.", "fields": {}, "request_id": "1"}}
    proxy.plan = {"redeem": [None, (503, busy), (200, ISSUED)]}
    ask_for_first(page)
    problem = page.locator("loyalnest-panel [data-list=rewards] .problem:visible")
    expect(problem).to_contain_text("only once")
    for _ in range(2):
        page.get_by_role("button", name="Use points").click()
        page.wait_for_timeout(200)
    expect(page.locator("loyalnest-panel [data-status]")).to_have_text("Your code is ready.")
    assert len(proxy.keys()) == 3 and len(set(proxy.keys())) == 1


def test_a_refusal_is_told_in_the_apps_words_and_ends_the_key(visit: Open, proxy: Proxy) -> None:
    page = visit(who="Grace")
    open_panel(page)
    refusal = {"code": "insufficient_points", "message": "300 points are needed and 10 are available."}
    proxy.plan = {"redeem": [(409, {"error": refusal}), (409, {"error": refusal})]}
    ask_for_first(page)
    problem = page.locator("loyalnest-panel [data-list=rewards] .problem:visible")
    expect(problem).to_have_text("300 points are needed and 10 are available.")
    page.get_by_role("button", name="Use points").click()
    page.wait_for_timeout(200)
    assert len(set(proxy.keys())) == 2


def test_a_redemption_that_fails_gives_the_points_back(visit: Open, proxy: Proxy) -> None:
    page = visit(who="Grace")
    open_panel(page)
    lost = {
        **RESERVED,
        "status": "failed",
        "message": "The code could not be created. Your points were given back.",
    }
    proxy.plan = {"redeem": [(200, lost)]}
    ask_for_first(page)
    expect(page.locator("loyalnest-panel [data-status]")).to_contain_text("given back")


def test_a_failed_load_can_be_tried_again(visit: Open, proxy: Proxy) -> None:
    proxy.plan = {"summary": [None, (500, {}), (200, "nonsense")]}
    page = visit("/account/register")
    page.locator("loyalnest-launcher button").first.click()
    for _ in range(2):
        expect(page.get_by_role("alert")).to_contain_text("Your points are safe")
        page.get_by_role("button", name="Try again").click()
    page.wait_for_timeout(200)


def test_a_panel_that_did_not_arrive_can_be_opened_again(visit: Open) -> None:
    page = visit("/products/stoneware-mug")
    page.route("**/loyalnest-panel.js", lambda route: route.abort(), times=1)
    launcher = page.locator("loyalnest-launcher button").first
    launcher.click()
    expect(launcher).to_contain_text("Select to try again")
    open_panel(page)
    expect(launcher).to_have_text("Rewards")


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("closed", "The rewards program is paused"),
        ("blocked", "Your rewards account is on hold"),
        ("preparing", "Your rewards account is being prepared"),
    ],
)
def test_other_states_are_explained(visit: Open, proxy: Proxy, state: str, told: str) -> None:
    proxy.summary = member_summary(state=state, tier=None, rewards=[], activity=[])
    page = visit(who="Grace")
    open_panel(page)
    expect(page.locator("loyalnest-panel").get_by_text(told)).to_be_visible()


def test_empty_lists_say_so(visit: Open, proxy: Proxy) -> None:
    proxy.summary = member_summary(rewards=[], activity=[], earning=[])
    page = visit(who="Grace")
    open_panel(page)
    expect(page.get_by_text("There are no rewards yet.")).to_be_visible()
    expect(page.get_by_text("Nothing yet.")).to_be_visible()
    expect(page.get_by_role("heading", name="Ways to earn")).to_be_hidden()


def test_the_panel_waits_for_its_style_sheet(visit: Open) -> None:
    page = visit(who="Grace")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/loyalnest-panel.css*", hold)
    with page.expect_request("**/loyalnest-panel.css*"):
        page.locator("loyalnest-launcher button").first.click()
    expect(page.locator("loyalnest-panel dialog")).to_be_hidden()
    held[0].continue_()
    expect(page.locator("loyalnest-panel [data-phase=content]")).to_be_visible()


def test_a_theme_may_insert_the_block_again(visit: Open) -> None:
    page = visit(who="Grace")
    open_panel(page)
    page.evaluate(
        "() => { const block = document.querySelector('#shopify-block-loyalnest-embed');"
        " const again = block.cloneNode(true); again.querySelector('loyalnest-panel').remove(); block.replaceWith(again); }"
    )
    open_panel(page)
    expect(page.locator("loyalnest-panel")).to_have_count(1)


def test_the_balance_line_follows(visit: Open, proxy: Proxy) -> None:
    page = visit("/products/stoneware-mug", who="Grace")
    line = page.locator("loyalnest-balance [data-sentence]")
    expect(line).to_have_text("You have 1,000 points.")
    proxy.summary = member_summary(
        balance={**member_summary()["balance"], "sentence": "You have 700 points."}
    )
    page.evaluate("document.dispatchEvent(new CustomEvent('loyalnest:changed'))")
    expect(line).to_have_text("You have 700 points.")


@pytest.mark.parametrize(("who", "width"), [("Noura", 320), ("Yael", 1000), ("Camille", 320), ("Ana", 360)])
def test_every_language_fits_in_its_direction(visit: Open, proxy: Proxy, who: str, width: int) -> None:
    proxy.summary = member_summary(codes=[CODE])
    page = visit(who=who, width=width)
    open_panel(page)
    right_to_left = who in {"Noura", "Yael"}
    dialog = page.locator("loyalnest-panel dialog")
    box = dialog.bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= width
    if width > 480:
        assert (box["x"] < 100) == right_to_left
    assert dialog.evaluate("(e) => getComputedStyle(e).direction") == ("rtl" if right_to_left else "ltr")
    assert dialog.evaluate("(e) => e.scrollWidth <= e.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("loyalnest-panel code").evaluate("(e) => getComputedStyle(e).direction") == "ltr"


@pytest.mark.parametrize(
    ("appearance", "accent"), [("light", "#4338ca"), ("dark", "#ffe600"), ("light", "#777777")]
)
def test_axe_finds_nothing(
    visit: Open, proxy: Proxy, shop_store: DevStore, appearance: str, accent: str
) -> None:
    changed: dict[str, Any] = theme.settings(shop_store, DEMO_SHOP)
    before = {handle: {**block, "settings": {**block["settings"]}} for handle, block in changed.items()}
    changed["loyalnest-embed"]["settings"].update(appearance=appearance, accent=accent)
    theme.save(shop_store, DEMO_SHOP, changed)
    try:
        proxy.summary = member_summary(codes=[CODE])
        page = visit("/products/stoneware-mug", who="Noura", reduced_motion="reduce")
        open_panel(page)
        page.locator("loyalnest-panel [data-action=ask]:visible").click()
        found = Axe().run(page).response["violations"]
        assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []
    finally:
        theme.save(shop_store, DEMO_SHOP, before)


def test_switched_off_in_the_theme_it_is_gone(visit: Open, shop_store: DevStore) -> None:
    chosen = theme.settings(shop_store, DEMO_SHOP)
    theme.save(
        shop_store, DEMO_SHOP, {**chosen, "loyalnest-embed": {**chosen["loyalnest-embed"], "on": False}}
    )
    try:
        page = visit("/products/stoneware-mug")
        expect(page.locator("loyalnest-launcher")).to_have_count(0)
        expect(page.get_by_role("link", name="See rewards")).to_be_hidden()
    finally:
        theme.save(shop_store, DEMO_SHOP, chosen)
