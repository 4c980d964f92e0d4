"""The line "Earn 129 points" on product and cart pages: what it asks, what it shows, and that it never disturbs."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from devstore import catalog
from devstore.runtime import DevStore
from devstore.settings import DEMO_SHOP
from tests.extensions.conftest import ROOT, Open, Proxy

pytestmark = pytest.mark.e2e
LINE = "loyalnest-earn [data-text]"


def promise(points: int = 300, **changes: Any) -> tuple[int, dict[str, Any]]:
    """What the app answers."""
    return 200, {
        "points": points,
        "text": f"Earn {points} points",
        "why": "Because.",
        "language": "en",
    } | changes


def baskets(proxy: Proxy) -> list[dict[str, Any]]:
    """What was asked for."""
    return [body for _, path, body in proxy.asked if path == "earn"]


def shift_of(page: Page) -> float:
    moved: float = page.evaluate(
        "() => new Promise((done) => { let sum = 0;"
        " new PerformanceObserver((list) => list.getEntries().forEach((one) => { sum += one.value; }))"
        ".observe({type: 'layout-shift', buffered: true}); setTimeout(() => done(sum), 300); })"
    )
    return moved


def test_a_product_says_what_it_earns_and_follows_variant_and_quantity(
    visit: Open, proxy: Proxy, shop_store: DevStore
) -> None:
    tee = catalog.by_handle(shop_store, DEMO_SHOP, "organic-tee")
    proxy.plan = {"earn": [promise(320), promise(340), promise(1020)]}
    page = visit("/products/organic-tee")
    expect(page.locator(LINE)).to_have_text("Earn 320 points")
    page.get_by_label("Variant").select_option(index=2)
    expect(page.locator(LINE)).to_have_text("Earn 340 points")
    page.get_by_label("Quantity").fill("3")
    expect(page.locator(LINE)).to_have_text("Earn 1020 points")
    asked = [basket["lines"][0] for basket in baskets(proxy)]
    large = tee["variants"][2]["id"]
    assert [(line["variant_id"], line["price"], line["quantity"]) for line in asked[1:]] == [
        (large, 3400, 1),
        (large, 3400, 3),
    ]
    assert (asked[0]["product_id"], asked[0]["vendor"], asked[0]["type"], asked[0]["collections"]) == (
        tee["id"],
        "Twig & Co",
        "Apparel",
        tee["collections"],
    )
    page.locator("loyalnest-earn summary").click()
    expect(page.get_by_text("Because.")).to_be_visible()


def test_the_cart_is_asked_again_when_a_script_changes_it(
    visit: Open, proxy: Proxy, shop_store: DevStore
) -> None:
    mug = catalog.by_handle(shop_store, DEMO_SHOP, "stoneware-mug")
    proxy.plan = {"earn": [promise(100), promise(300), promise(1500)]}
    page = visit("/products/stoneware-mug")
    expect(page.locator(LINE)).to_have_text("Earn 100 points")
    page.get_by_role("button", name="Add to cart").click()
    expect(page.locator(LINE)).to_have_text("Earn 300 points")
    variant = mug["variants"][0]["id"]
    page.evaluate(
        "([path, id]) => fetch(path, {method: 'POST', headers: {'Content-Type': 'application/json'},"
        " body: JSON.stringify({updates: {[id]: 5}})})",
        [f"{ROOT}/cart/update.js", variant],
    )
    expect(page.locator(LINE)).to_have_text("Earn 1500 points")
    assert [
        (line["variant_id"], line["quantity"], line["price"]) for line in baskets(proxy)[-1]["lines"]
    ] == [(variant, 5, 3000)]


@pytest.mark.parametrize("answer", [None, (500, {}), (200, "nonsense"), promise(0, text=None, why=None)])
def test_without_an_answer_there_is_no_line_no_complaint_and_no_shift(
    visit: Open, proxy: Proxy, answer: Any
) -> None:
    proxy.plan = {"earn": [answer]}
    page = visit("/products/stoneware-mug")
    page.wait_for_timeout(400)
    expect(page.locator("loyalnest-earn summary")).to_be_hidden()
    assert len(baskets(proxy)) == 1
    assert shift_of(page) == 0


def test_the_answer_moves_nothing(visit: Open, proxy: Proxy) -> None:
    proxy.plan = {"earn": [promise()]}
    page = visit("/products/stoneware-mug", width=360)
    page.locator("loyalnest-earn").scroll_into_view_if_needed()
    expect(page.locator(LINE)).to_be_visible()
    assert shift_of(page) == 0


@pytest.mark.parametrize(("who", "side"), [("Noura", "rtl"), ("Yael", "rtl"), ("Camille", "ltr")])
def test_it_reads_in_its_direction_and_axe_finds_nothing(
    visit: Open, proxy: Proxy, who: str, side: str
) -> None:
    proxy.plan = {"earn": [promise(text="1,299 نقطة عند الشراء")]}
    page = visit("/products/stoneware-mug", who=who, width=360)
    page.locator("loyalnest-earn").scroll_into_view_if_needed()
    expect(page.locator(LINE)).to_be_visible()
    page.locator("loyalnest-earn summary").click()
    assert page.locator("loyalnest-earn").evaluate("(e) => getComputedStyle(e).direction") == side
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = Axe().run(page, {"include": [["loyalnest-earn"]]}).response["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []
