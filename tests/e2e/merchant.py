"""The merchant in front of the dev store's admin, with the app in its frame."""

import re
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Frame, FrameLocator, Locator, Page, expect

from tests.e2e.pictures import Album
from tests.e2e.stack import PATIENCE, Stack

MILLISECONDS = PATIENCE * 1000


@dataclass
class Merchant:
    """One staff member of one shop. `locale` is the language of the admin."""

    page: Page
    stack: Stack
    handle: str
    locale: str
    album: Album

    @property
    def admin(self) -> str:
        return f"{self.stack.devstore}/admin/store/{self.handle}"

    @property
    def app(self) -> FrameLocator:
        return self.page.frame_locator("#app-frame")

    @property
    def main(self) -> Locator:
        return self.app.locator("#main")

    @property
    def document(self) -> Frame:
        """The frame's document, for what looks at it as a whole."""
        found = self.page.locator("#app-frame").element_handle().content_frame()
        assert found is not None
        return found

    def choose_language(self) -> None:
        """Set the language of the admin."""
        self.page.goto(self.admin)
        self.page.locator("#admin-locale").select_option(self.locale)
        self.page.locator("form.who button").click()
        expect(self.page.locator("html")).to_have_attribute("lang", self.locale)

    def become(self, name: str) -> None:
        """Work as another staff member of the shop from now on."""
        self.page.goto(self.admin)
        person = self.page.locator("#staff option", has_text=name).get_attribute("value")
        self.page.locator("#staff").select_option(person)
        self.page.locator("form.who button").click()
        expect(self.page.locator("#staff")).to_have_value(person or "")

    def install(self) -> None:
        """Install the app from the admin and wait for its home page."""
        self.page.goto(f"{self.admin}/apps/loyalnest")
        self.page.locator("form[action$='/install'] button").click()
        expect(self.main.locator("h1")).to_be_visible(timeout=MILLISECONDS)

    def open(self, path: str = "") -> None:
        """Open a place of the app, written as behind /app, and wait for its heading."""
        self.page.goto(f"{self.admin}/apps/loyalnest{path}")
        expect(self.main.locator(".page h1")).to_be_visible(timeout=MILLISECONDS)
        expect(self.main.locator("[aria-busy=true]")).to_have_count(0)

    def go(self, tab: str) -> None:
        """Change to a tab of the present category by the app bar, without a new document."""
        self.app.locator(f'#bar-tabs a[href^="/app/{tab}"]').click()
        expect(self.app.locator("#bar-tabs")).to_have_attribute("data-tab", tab)
        expect(self.main.locator(".page h1")).to_be_visible()

    def look(self, name: str) -> None:
        """Look at the present view as this issue asks: direction, widths, contrast, pictures."""
        self.album.take(self.page, f"admin-{name}", frame=self.document)

    def picture(self, what: str, look: str) -> None:
        """Keep a picture of the window, named after what is seen."""
        self.album.taken += 1
        name = re.sub(r"[^a-z0-9]+", "-", re.sub("[0-9a-f]{8}-[0-9a-f-]{27}", "", what.lower())).strip("-")[
            :40
        ]
        self.page.screenshot(path=self.album.folder / f"{self.album.taken:03}-{name}-{look}.png")

    def rows(self, table: str) -> Locator:
        """The rows of a table."""
        return self.main.locator(f"#{table} tbody tr")

    def cell(self, row: Locator, column: int) -> str:
        """The text of a cell, counted from 0."""
        return row.locator("th, td").nth(column).inner_text().strip()

    def toast(self) -> str:
        """Wait for the newest toast, close it, and return what it said."""
        toast = self.page.locator("#toasts .toast").last
        expect(toast).to_be_visible()
        words = toast.locator("span").inner_text()
        toast.locator("button").last.click()
        return words

    def confirm(self) -> None:
        """Say yes in the app's dialog."""
        dialog = self.app.locator("dialog#confirm")
        expect(dialog).to_be_visible()
        dialog.locator("[data-ok]").click()
        expect(dialog).to_be_hidden()

    def save(self) -> None:
        """Press Save in Shopify's save bar, once it is there."""
        bar = self.page.locator("#save-bar")
        expect(bar).to_be_visible()
        bar.locator("[data-action=save]").click()
        expect(bar).to_be_hidden()

    def ledger(self) -> list[tuple[int, str]]:
        """Points and reasons of the ledger's newest page, newest first; 0 where points were only set aside."""
        self.open("/points-ledger")
        texts: list[list[str]] = self.rows("ledger").evaluate_all(
            "(rows) => rows.map((row) => [...row.querySelectorAll('th, td')].map((cell, at) =>"
            " at === 3 && cell.querySelector('.muted') ? '0' : cell.textContent.trim()))"
        )
        return [(number(cells[3]), cells[1]) for cells in texts if len(cells) > 3]

    def refund(self, order_id: str, line: int) -> None:
        """Give back one unit of a line of an order."""
        self.page.goto(f"{self.admin}/orders/{order_id}")
        self.page.locator(f'[data-line="{line}"]').fill("1")
        self.page.get_by_role("button", name="Refund units").click()
        expect(self.page.locator(".notice")).to_be_visible()


def number(text: str) -> int:
    """The whole number in a text of any of our languages."""
    plain = re.sub(r"[^\d−+-]", "", text).replace("−", "-")
    return int(plain)


def plain(text: Any) -> str:
    """A text without the invisible marks that isolate directions."""
    return re.sub("[\u200e\u200f\u061c\u2066-\u2069]", "", str(text)).replace("\u00a0", " ")
