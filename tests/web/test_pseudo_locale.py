"""A language in which every sentence stands in brackets: what is outside of them was never marked for translation."""

import re
from collections.abc import Callable
from html.parser import HTMLParser

import flask_babel
import pytest
from babel.support import NullTranslations

from app.core import i18n, mail
from app.core.permissions import ALL
from app.web import tabs
from app.web.tabs import path_names
from tests.factories import payloads
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, staff

CallAs = Callable[..., Caller]
_READ = frozenset(
    {"aria-label", "alt", "title", "placeholder", "data-confirm-label", "data-confirm-detail", "hx-confirm"}
)
_SILENT = frozenset({"script", "style", "code", "template"})
_WORD = re.compile(r"[^\W\d_]{3,}")
# Names, data of the shop, and what Babel says in a language of its own.
_KNOWN = re.compile(
    r"LoyalNest|Shopify|WhatsApp|Facebook|Demo|Noura|Haddad|Rewards|Bronze|Silver|Gold|Free shipping|\boff\b|"
    r"shopper\d+@example\.com|USD|JSON|CSV|English|Español|Français|العربية|עברית|#[0-9a-f]{6}|Ctrl|Esc|"
    r"\b\d+ (?:seconds?|minutes?) ago|in \d+ \w+|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\w*|"
    r"https?:\S*|[0-9a-f]{8}-[0-9a-f-]{27}"
)


# The names of countries are Babel's, so one is looked for that does not exist.
_ASKED = {"/app/home/choices": "?q=atlantis"}


class Pseudo(NullTranslations):
    """Every message in brackets."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"

    def pgettext(self, context: str, message: str) -> str:
        return self.gettext(message)

    def npgettext(self, context: str, msgid1: str, msgid2: str, n: int) -> str:
        return self.ngettext(msgid1, msgid2, n)

    ugettext, ungettext, upgettext, unpgettext = gettext, ngettext, pgettext, npgettext


class Words(HTMLParser):
    """What a person reads or hears of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.silent = 0
        self.said: list[str] = []
        self.attributes: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in _SILENT
        self.attributes += [value or "" for name, value in attrs if name in _READ]

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in _SILENT

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.said.append(data)


def outside(text: str) -> str:
    """The text outside of all brackets; a sentence may hold others."""
    depth, kept = 0, []
    for sign in text:
        depth += sign == "⟦"
        if depth == 0:
            kept.append(sign)
        depth -= sign == "⟧"
    return "".join(kept)


def unmarked(html: str) -> list[str]:
    """Words of a page that no translator would see."""
    page = Words(html)
    texts = [outside("\n".join(page.said)), *map(outside, page.attributes)]
    return [word for text in texts for word in _WORD.findall(_KNOWN.sub(" ", text))]


@pytest.fixture
def pseudo(monkeypatch: pytest.MonkeyPatch) -> None:
    """The brackets are the language of the application."""
    monkeypatch.setattr(flask_babel.Domain, "get_translations", lambda self: Pseudo())
    monkeypatch.setattr(i18n, "translations", lambda locale: Pseudo())
    monkeypatch.setattr(mail, "_environment", mail._environment.__wrapped__)


def test_what_the_brackets_find() -> None:
    assert unmarked("<p>⟦Hello <b>Noura ⟦of⟧ x</b>⟧ <i title='bare'>word</i></p>") == ["word", "bare"]


def test_every_sentence_of_the_admin_is_marked(shop: TestShop, call_as: CallAs, pseudo: None) -> None:
    shop.tell("customers/create", payloads.customer())
    shop.drain()
    with shop.work() as uow:
        uow.execute("UPDATE tier_ladders SET name = 'Demo' WHERE shop_id = %(shop)s", {"shop": uow.shop})
    caller = call_as(staff(shop.id, ALL, label="owner"))
    found = tabs.registry()
    places = [tab.path for tab in found]
    places += [found.path_of(page) for page in found.pages.values() if not path_names(page.path)]
    wrong = {place: unmarked(caller.fragment(place + _ASKED.get(place, "")).text) for place in places}
    wrong["the shell"] = unmarked(caller.get("/app").text)
    assert {place: words for place, words in wrong.items() if words} == {}
