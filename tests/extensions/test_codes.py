"""In the open panel: giving a reward back, having its code sent again, and the dates on which points end."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.extensions.conftest import Open, Proxy, member_summary
from tests.extensions.test_panel import focused, open_panel

pytestmark = pytest.mark.e2e
CODE: dict[str, Any] = {
    "id": "redemption-1",
    "name": "Free shipping",
    "status": "issued",
    "code": "LN-ABCD",
    "note": "Once.",
    "return_text": "Give Free shipping back for 300 points? Its code stops working.",
}
RETURNING = {
    "id": "redemption-1",
    "status": "returning",
    "name": "Free shipping",
    "code": None,
    "message": None,
}
CANCELLED = {**RETURNING, "status": "cancelled"}


def opened(visit: Open, proxy: Proxy, *codes: dict[str, Any], who: str = "Grace", width: int = 1000) -> Page:
    proxy.summary = member_summary(codes=list(codes))
    page = visit(who=who, width=width)
    open_panel(page)
    return page


def test_giving_back_asks_waits_and_tells(visit: Open, proxy: Proxy) -> None:
    page = opened(visit, proxy, CODE)
    page.get_by_role("button", name="Give back: Free shipping").first.press("Enter")
    expect(page.get_by_text("Give Free shipping back for 300 points?")).to_be_visible()
    assert focused(page) == "Give back"
    page.get_by_role("button", name="Keep it: Free shipping").press("Enter")
    assert focused(page) == "Give back"
    page.get_by_role("button", name="Give back: Free shipping").press("Enter")
    proxy.plan = {"redemptions": [(202, RETURNING), (200, RETURNING), (200, CANCELLED)]}
    proxy.summary = member_summary()
    page.keyboard.press("Enter")
    expect(page.locator("loyalnest-panel [data-status]")).to_have_text(
        "The reward was given back. Your points are there again."
    )
    expect(page.locator("loyalnest-panel [data-list=codes] > li")).to_have_count(0)
    assert focused(page) == "Rewards"
    asked = [path for method, path, _ in proxy.asked if method == "POST" and path != "earn"]
    assert asked == ["redemptions/redemption-1/return"]


def test_what_was_used_says_so_at_the_card(visit: Open, proxy: Proxy) -> None:
    page = opened(visit, proxy, CODE)
    sentence = "You have used this reward already, so it cannot be given back."
    proxy.plan = {"redemptions": [(409, {"error": {"code": "reward_already_used", "message": sentence}})]}
    page.get_by_role("button", name="Give back: Free shipping").click()
    page.get_by_role("button", name="Give back: Free shipping").click()
    expect(page.get_by_role("alert").get_by_text(sentence)).to_be_visible()


def test_a_lost_answer_is_told_as_unsure(visit: Open, proxy: Proxy) -> None:
    page = opened(visit, proxy, CODE)
    proxy.plan = {"redemptions": [None]}
    page.get_by_role("button", name="E-mail me the code: Free shipping").click()
    expect(page.get_by_text("The store did not answer. Look again in a moment")).to_be_visible()
    proxy.plan = {"redemptions": [(202, {**CODE, "message": "It is on its way."})]}
    page.get_by_role("button", name="E-mail me the code: Free shipping").click()
    expect(page.locator("loyalnest-panel [data-status]")).to_have_text("It is on its way.")


def test_a_coupon_that_cost_nothing_cannot_be_given_back(visit: Open, proxy: Proxy) -> None:
    page = opened(visit, proxy, {**CODE, "return_text": None})
    expect(page.get_by_role("button", name="E-mail me the code: Free shipping")).to_be_visible()
    expect(page.get_by_role("button", name="Give back: Free shipping")).to_have_count(0)


def test_the_next_three_dates_are_shown_and_the_others_on_request(visit: Open, proxy: Proxy) -> None:
    lines = [{"text": f"{one} points on March {one}, 2027"} for one in range(1, 6)]
    proxy.plan = {"endings": [(200, {"endings": lines, "more": False})] * 3}
    page = opened(visit, proxy)
    dates = page.locator("loyalnest-endings")
    expect(dates.locator("[data-soon] li")).to_have_text([line["text"] for line in lines[:3]])
    expect(dates.get_by_text(lines[4]["text"])).to_be_hidden()
    dates.get_by_text("More dates").click()
    expect(dates.get_by_text(lines[4]["text"])).to_be_visible()


def test_a_guest_asks_for_no_dates(visit: Open, proxy: Proxy) -> None:
    page = visit()
    open_panel(page)
    page.wait_for_timeout(200)
    assert "endings" not in [path for _, path, _ in proxy.asked]


@pytest.mark.parametrize("who", ["Grace", "Noura"])
def test_the_card_is_accessible_in_both_directions(visit: Open, proxy: Proxy, who: str) -> None:
    proxy.plan = {"endings": [(200, {"endings": [{"text": "5"}] * 5, "more": False})] * 3}
    page = opened(visit, proxy, CODE, who=who, width=360)
    page.locator("loyalnest-code [data-return]").click()
    found = Axe().run(page, context="loyalnest-panel", options={"runOnly": ["wcag2a", "wcag2aa", "wcag22aa"]})
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
