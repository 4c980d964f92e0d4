"""A furnished shop's admin, and what every page of it is looked at for: both themes and widths, in place of a document."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.e2e.axe import violations
from tests.e2e.merchant import MILLISECONDS, Merchant, number
from tests.e2e.stack import Stack
from tests.e2e.watch import outside

WIDE, NARROW = 1280, 320
_WORDS = {"en": re.compile("[A-Za-z]{3}"), "ar": re.compile("[\u0621-\u064a]{3}")}
_SIDEBAR = 240  # of the dev store, beside the frame
_PEOPLE = (
    ("Noura", "Haddad", "ar"),
    ("Camille", "Laurent", "fr"),
    ("Grace", "Featherstonehaugh-Wolverhampton", "en"),
)
PLACES = (
    "[...document.querySelectorAll('#all-tabs a, [data-shortcuts] a')].map((one) => one.getAttribute('href'))"
)
_GO = """(url) => htmx.ajax("GET", url, {target: "#main", swap: "innerHTML show:top showTarget:window", push: "true"})"""
SETTLED = """() => !document.querySelector("#main[aria-busy=true], #main :is(div, section)[aria-busy=true]")
  && document.getAnimations().every((one) => one.playState !== "running" || one.effect.getTiming().iterations === Infinity)"""

Arrive = Callable[..., Merchant]


def furnish(stack: Stack, handle: str) -> None:
    """A shop with a program, three members and an order of each, one of them refunded in part."""
    domain = f"{handle}.myshopify.com"
    stack.control("POST", "/shops", json={"shop": domain, "name": "Alder & Oat Coffee"})
    stack.control("POST", "/app/install", json={"shop": domain})
    for first, last, locale in _PEOPLE:
        person = {"email": f"{first}@example.com".lower(), "first_name": first, "last_name": last}
        customer = stack.control(
            "POST", "/customers", json={"shop": domain, "locale": locale, "registered": True, **person}
        )["id"]
        lines = [{"sku": "THROW-1", "quantity": 1}, {"sku": "MUG-1", "quantity": 2}]
        order = stack.control(
            "POST", "/orders", json={"shop": domain, "customer_id": customer, "lines": lines, "paid": True}
        )["id"]
    # An order whose refund is told in the same batch is priced once, as it is by then: nothing would be taken back.
    stack.until(
        "the last order has earned",
        lambda: stack.control("GET", "/messages", params={"to": person["email"]})["messages"],
    )
    stack.control(
        "POST", f"/orders/{order}/refund", json={"shop": domain, "lines": [{"index": 1, "quantity": 1}]}
    )
    stack.settled(domain)


def resize(merchant: Merchant, width: int) -> None:
    """Give the frame this width."""
    merchant.page.set_viewport_size({"width": width + (_SIDEBAR if width >= 768 else 0), "height": 900})


def go(merchant: Merchant, url: str) -> None:
    """Swap to a place of the app, as a link does."""
    merchant.document.evaluate(_GO, url)
    merchant.document.wait_for_function(SETTLED, timeout=MILLISECONDS)


def said(merchant: Merchant) -> str:
    """The toast, in the merchant's language."""
    words = merchant.toast()
    assert _WORDS[merchant.locale].search(words), words
    return words


def member(merchant: Merchant, email: str) -> None:
    """Find a member in the list by their e-mail and open their page."""
    merchant.open("/members")
    merchant.main.locator("[data-search]").fill(email)
    person = merchant.main.locator("[data-rows] tbody tr").filter(has_text=email)
    expect(person).to_have_count(1)
    person.locator("th a").first.click()
    expect(merchant.main.locator(".page h1")).to_be_focused()


def balance(merchant: Merchant) -> int:
    """Available points of the member whose page is open."""
    return number(merchant.main.locator("#member-points dl.legend dd").first.inner_text())


def look_at(merchant: Merchant, what: str, above: str | None = None) -> list[object]:
    """What is wrong with the present view in both themes and widths. Of a theme only the contrast differs; of what opened
    above a page that was looked at, only the part that `above` selects differs."""
    document = merchant.document
    wrong: list[object] = []
    for width in (WIDE, NARROW):
        resize(merchant, width)
        for theme, rule in (("light", None), ("dark", "color-contrast")):
            document.evaluate("(theme) => (document.documentElement.dataset.theme = theme)", theme)
            document.wait_for_function(SETTLED)
            within = above if (width, theme) != (WIDE, "light") else None
            wrong += [(what, width, theme, one) for one in violations(document, only=rule, within=within)]
    merchant.picture(what, "narrow-dark")
    wrong += [(what, NARROW, "scrolls sideways", one) for one in outside(document)]
    document.evaluate("document.documentElement.dataset.theme = 'light'")
    resize(merchant, WIDE)
    merchant.picture(what, "wide-light")
    return wrong
