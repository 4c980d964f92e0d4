"""A furnished shop's admin, and what every page of it is looked at for: both themes and widths, in place of a document."""

from collections.abc import Callable

from tests.e2e.axe import violations
from tests.e2e.merchant import MILLISECONDS, Merchant
from tests.e2e.stack import Stack
from tests.e2e.watch import outside

WIDE, NARROW = 1280, 320
_SIDEBAR = 240  # of the dev store, beside the frame
_PEOPLE = (
    ("Noura", "Haddad", "ar"),
    ("Camille", "Laurent", "fr"),
    ("Grace", "Featherstonehaugh-Wolverhampton", "en"),
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


def look_at(merchant: Merchant, what: str) -> list[object]:
    """What is wrong with the present view in both themes and widths. Of a theme only the contrast differs."""
    document = merchant.document
    wrong: list[object] = []
    for width in (WIDE, NARROW):
        resize(merchant, width)
        for theme, rule in (("light", None), ("dark", "color-contrast")):
            document.evaluate("(theme) => (document.documentElement.dataset.theme = theme)", theme)
            document.wait_for_function(SETTLED)
            wrong += [(what, width, theme, one) for one in violations(document, only=rule)]
    merchant.picture(what, "narrow-dark")
    wrong += [(what, NARROW, "scrolls sideways", one) for one in outside(document)]
    document.evaluate("document.documentElement.dataset.theme = 'light'")
    resize(merchant, WIDE)
    merchant.picture(what, "wide-light")
    return wrong
