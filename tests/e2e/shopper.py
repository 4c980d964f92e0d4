"""The shopper on the dev store's storefront, with the widget that the theme renders."""

from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

from tests.e2e.merchant import MILLISECONDS
from tests.e2e.pictures import Album
from tests.e2e.stack import Stack


@dataclass
class Shopper:
    """One visitor of one shop. `locale` is the language of the storefront and of the account."""

    page: Page
    stack: Stack
    handle: str
    locale: str
    album: Album

    @property
    def store(self) -> str:
        return f"{self.stack.devstore}/store/{self.handle}"

    def enter(self) -> None:
        """Open the storefront in the shopper's language."""
        self.page.goto(f"{self.store}/")
        self.page.locator("#store-locale").select_option(self.locale)
        self.page.locator("form.language button").click()
        expect(self.page.locator("html")).to_have_attribute("lang", self.locale)

    def register(self, first: str, last: str, email: str) -> None:
        """Create an account."""
        self.page.goto(f"{self.store}/account/register")
        for name, value in {"first_name": first, "last_name": last, "email": email}.items():
            self.page.locator(f"main input[name={name}]").fill(value)
        self.page.locator("main select[name=locale]").select_option(self.locale)
        self.page.locator("main form button.primary").click()
        expect(self.page.locator("header")).to_contain_text(first)

    def put_in_cart(self, product: str) -> None:
        """Put one unit of a product into the cart."""
        self.page.goto(f"{self.store}/products/{product}")
        self.page.locator("form[action$='/cart/add'] button.primary").click()
        self.page.wait_for_url("**/cart**")

    def check_out(self, *, total: str, code: str | None = None) -> str:
        """Pay for the cart, with a discount code or without; returns the order's number. `total` is in minor units."""
        self.page.goto(f"{self.store}/checkout")
        if code:
            self.page.locator("#discount-code").fill(code)
            self.page.locator("#discount-code").press("Enter")
            expect(self.page.locator(f'[data-applied="{code}"]')).to_be_visible()
        expect(self.page.locator("[data-total]")).to_have_attribute("data-total", total)
        self.page.locator("button[name=pay]").click()
        order = self.page.locator("#order-name")
        expect(order).to_be_visible()
        found = order.get_attribute("data-order-id")
        assert found is not None
        return found

    @property
    def panel(self) -> Locator:
        """The widget's dialog, while it is open."""
        return self.page.locator("loyalnest-panel dialog[open]")

    def open_widget(self) -> None:
        """Open the widget from its launcher and wait for what it says."""
        self.page.goto(f"{self.store}/")
        self.page.locator("loyalnest-launcher button").click()
        expect(self.panel.locator("[data-phase=content]")).to_be_visible(timeout=MILLISECONDS)

    def redeem(self, points: str) -> str:
        """Redeem the reward whose price names `points`; returns the code."""
        reward = self.panel.locator("[data-list=rewards] > li").filter(has_text=points)
        reward.locator("[data-action=ask]").click()
        self.look("widget-confirm")
        reward.locator("[data-action=redeem]").click()
        code = self.panel.locator("[data-list=codes] > li code").first
        expect(code).not_to_be_empty(timeout=MILLISECONDS)
        return code.inner_text().strip()

    def look(self, name: str) -> None:
        """Check and picture the present page."""
        self.album.take(self.page, f"store-{name}")
