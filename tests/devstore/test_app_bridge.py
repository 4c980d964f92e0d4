"""The App Bridge stand-in in a browser: a small app in the admin's frame, whose server the test plays."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import jwt
import pytest
from playwright.sync_api import Browser, FrameLocator, Page, Route, expect

from tests.devstore.conftest import SECRET
from tests.extensions.conftest import APP, browser, origin, shop_store

__all__ = ["browser", "origin", "shop_store"]
pytestmark = pytest.mark.e2e
PLACE = "/admin/store/loyalnest-demo/apps/loyalnest"
RETRY = {"X-Shopify-Retry-Invalid-Session-Request": "1"}
HTML = """<!doctype html><html lang="en"><head><title>{path}</title><meta name="shopify-api-key" content="key">
<script src="{bridge}"></script></head><body><h1>{path}</h1>
<s-app-nav><s-link href="/app" rel="home">Home</s-link><s-link href="/app/members">Members</s-link></s-app-nav>
<form id="settings" data-save-bar action="/app/saved"><label>Name <input name="name" value="old"></label></form>
<a id="out" href="shopify:admin/orders" target="_top">Orders</a></body></html>"""


@dataclass
class App:
    """The app's server: pages for every path, `refusals` fetches answered 401 first, and what it was asked."""

    bridge: str
    refusals: int = 0
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def serve(self, route: Route) -> None:
        """Answer one request."""
        request = route.request
        path = request.url.removeprefix(APP).split("?")[0]
        self.asked.append((path, request.headers))
        if path == "/app/api":
            if self.refusals:
                self.refusals -= 1
                route.fulfill(status=401, headers=RETRY, body="")
            else:
                route.fulfill(
                    json={"token": request.headers.get("authorization", "").removeprefix("Bearer ")}
                )
            return
        route.fulfill(content_type="text/html", body=HTML.format(path=path, bridge=self.bridge))

    def headers_of(self, path: str) -> list[dict[str, str]]:
        """The headers of the requests for a path."""
        return [headers for asked, headers in self.asked if asked == path]


@dataclass
class Admin:
    """The admin page and the app's frame in it."""

    page: Page
    app: App

    @property
    def frame(self) -> FrameLocator:
        return self.page.frame_locator("#app-frame")

    def run(self, script: str) -> object:
        """Run a script in the app's frame."""
        return self.frame.locator("body").evaluate(script)


@pytest.fixture
def admin(browser: Browser, origin: str) -> Iterator[Callable[..., Admin]]:
    """Opens the app in the admin: admin("/members?x=1")."""
    contexts, problems = [], []

    def go(path: str = "") -> Admin:
        context = browser.new_context(viewport={"width": 1200, "height": 800})
        contexts.append(context)
        context.set_default_timeout(5_000)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        app = App(f"{origin}/app-bridge.js")
        page.route(f"{APP}/**", app.serve)
        page.goto(f"{origin}{PLACE}{path}")
        opened = Admin(page, app)
        opened.frame.locator("h1").wait_for()
        return opened

    yield go
    for context in contexts:
        context.close()
    assert problems == []


Opened = Callable[..., Admin]


def claims(token: str) -> dict[str, object]:
    found: dict[str, object] = jwt.decode(token, SECRET, algorithms=["HS256"], audience="key")
    return found


def test_the_frame_knows_its_shop_and_gets_real_tokens(admin: Opened) -> None:
    opened = admin()
    config = opened.run("() => shopify.ready.then(() => shopify.config)")
    assert isinstance(config, dict)
    assert (config["shop"], config["apiKey"], config["locale"]) == (
        "loyalnest-demo.myshopify.com",
        "key",
        "en",
    )
    token = opened.run("() => shopify.idToken()")
    assert isinstance(token, str) and claims(token)["dest"] == "https://loyalnest-demo.myshopify.com"


def test_fetches_to_the_app_carry_a_token_and_are_repeated_once(admin: Opened) -> None:
    opened = admin()
    answer = opened.run("() => fetch('/app/api').then((one) => one.json())")
    assert isinstance(answer, dict) and claims(answer["token"])
    opened.app.refusals = 1
    again = opened.run("() => fetch('/app/api').then((one) => one.json())")
    assert isinstance(again, dict) and again["token"] != answer["token"]
    opened.app.refusals = 5
    assert opened.run("() => fetch('/app/api').then((one) => one.status)") == 401
    assert len(opened.app.headers_of("/app/api")) == 5
    opened.app.refusals = 0
    own = opened.run(
        "() => fetch('/app/api', {headers: {Authorization: 'Bearer mine'}}).then((one) => one.json())"
    )
    assert own == {"token": "mine"}


def test_a_bounced_page_comes_back_with_a_token(admin: Opened) -> None:
    opened = admin()
    opened.run(
        "() => location.assign('/app/session-token-bounce?shopify-reload=%2Fapp%2Fmembers%3Fpage%3D2')"
    )
    expect(opened.frame.locator("h1")).to_have_text("/app/members")
    headers = opened.app.headers_of("/app/members")[-1]
    assert headers["x-shopify-bounce"] == "1" and claims(headers["authorization"].removeprefix("Bearer "))
    opened.page.wait_for_url(f"**{PLACE}/members?page=2")
    assert isinstance(opened.run("() => shopify.idToken()"), str), (
        "the stand-in still works after the page was replaced"
    )


def test_the_sidebar_shows_the_apps_links_and_follows(admin: Opened) -> None:
    opened = admin()
    link = opened.page.locator("#app-links a")
    expect(link).to_have_text(["Members"])
    link.click()
    expect(opened.frame.locator("h1")).to_have_text("/app/members")
    opened.page.wait_for_url(f"**{PLACE}/members")
    expect(opened.page.locator("#app-links a")).to_have_attribute("aria-current", "page")
    opened.run("() => history.pushState(null, '', '/app/tiers?id=7')")
    opened.page.wait_for_url(f"**{PLACE}/tiers?id=7")


def test_an_app_may_handle_the_sidebar_itself(admin: Opened) -> None:
    opened = admin()
    opened.run(
        "() => document.addEventListener('shopify:navigate', (event) => {"
        " event.preventDefault(); document.querySelector('h1').textContent = event.target.getAttribute('href'); })"
    )
    opened.page.locator("#app-links a").click()
    expect(opened.frame.locator("h1")).to_have_text("/app/members")
    assert opened.app.headers_of("/app/members") == []


def test_the_save_bar_saves_and_discards(admin: Opened) -> None:
    opened = admin()
    bar, field_ = opened.page.locator("#save-bar"), opened.frame.get_by_label("Name")
    expect(bar).to_be_hidden()
    field_.fill("new")
    expect(bar).to_be_visible()
    bar.get_by_role("button", name="Discard").click()
    expect(bar).to_be_hidden()
    expect(field_).to_have_value("old")
    field_.fill("newer")
    bar.get_by_role("button", name="Save").click()
    expect(opened.frame.locator("h1")).to_have_text("/app/saved")
    expect(bar).to_be_hidden()


def test_leaving_with_unsaved_changes_is_asked_about(admin: Opened) -> None:
    opened = admin()
    opened.frame.get_by_label("Name").fill("new")
    expect(opened.page.locator("#save-bar")).to_be_visible()
    orders = opened.page.get_by_role("link", name="Orders")
    orders.click()
    opened.page.get_by_role("button", name="Stay").click()
    expect(opened.page.locator("#save-bar")).to_be_visible()
    orders.click()
    opened.page.get_by_role("button", name="Leave page").click()
    opened.page.wait_for_url("**/admin/store/loyalnest-demo/orders")


def test_toasts_are_shown_outside_the_frame(admin: Opened) -> None:
    opened = admin()
    opened.run(
        "() => shopify.toast.show('Saved', {action: 'Undo', onAction: () => { document.title = 'undone'; }})"
    )
    toast = opened.page.locator("#toasts .toast")
    expect(toast).to_contain_text("Saved")
    toast.get_by_role("button", name="Undo").click()
    expect(toast).to_have_count(0)
    opened.page.wait_for_function("document.title.length > 0")
    assert opened.run("() => document.title") == "undone"


def test_the_picker_gives_what_was_chosen(admin: Opened) -> None:
    opened = admin()
    opened.run(
        "() => { shopify.resourcePicker({type: 'product', multiple: true}).then((one) => (window.found = one)); }"
    )
    picker = opened.page.locator("#picker")
    picker.get_by_role("searchbox").fill("mug")
    expect(picker.locator("label:visible").filter(has_text="Merino")).to_have_count(0)
    picker.get_by_label("Stoneware Mug").check()
    picker.get_by_role("button", name="Select").click()
    opened.page.wait_for_timeout(100)
    found = opened.run(
        "() => window.found.map((one) => [one.title, one.id.split('/')[3], one.variants.length])"
    )
    assert found == [["Stoneware Mug", "Product", 1]]
    opened.run(
        "() => { window.found = 1; shopify.resourcePicker({type: 'variant'}).then((one) => (window.found = one)); }"
    )
    picker.get_by_role("button", name="Cancel").click()
    opened.page.wait_for_timeout(100)
    assert opened.run("() => window.found === undefined") is True


def test_facts_about_the_shop_are_answered(admin: Opened) -> None:
    opened = admin()
    found = opened.run("() => shopify.app.extensions()")
    assert isinstance(found, list) and found[0]["type"] == "theme_app_extension"
    scopes = opened.run("() => shopify.scopes.query()")
    assert isinstance(scopes, dict) and "read_orders" in scopes["granted"]
    user = opened.run("() => shopify.user()")
    assert isinstance(user, dict) and user["firstName"] == "Maya"


def test_links_out_of_the_frame_lead_to_the_admins_pages(admin: Opened) -> None:
    opened = admin()
    opened.frame.locator("#out").click()
    opened.page.wait_for_url("**/admin/store/loyalnest-demo/orders")


def test_strangers_are_not_answered(admin: Opened) -> None:
    opened = admin()
    opened.page.evaluate(
        "() => window.postMessage({devStore: 'app', type: 'open', url: 'https://evil.example'}, '*')"
    )
    opened.run(
        "() => window.postMessage({devStore: 'host', type: 'navigate', href: 'https://evil.example'}, '*')"
    )
    opened.page.wait_for_timeout(200)
    assert opened.page.url.endswith(PLACE)
    expect(opened.frame.locator("h1")).to_have_text("/app")
