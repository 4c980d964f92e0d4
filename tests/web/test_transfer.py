"""How much travels: the first load of the shell, and a change of tab, as the application compresses it."""

import gzip
import re
from collections.abc import Callable

import brotli
import pytest
from werkzeug.test import TestResponse

from app.core.permissions import ALL
from app.web import tabs
from tests.factories import payloads
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, staff

SHELL, CHANGE = 100_000, 20_000
CallAs = Callable[..., Caller]
_NOT_THE_SHELL = re.compile(
    r"vendor/(inter|chart)|^https?:"
)  # the font counts apart; charts come where they are


def travels(answer: TestResponse) -> int:
    """Bytes of the body as it was sent; the oldest of the encodings is the largest."""
    assert answer.status_code == 200 and answer.headers["Content-Encoding"] == "gzip", answer.request.path
    return len(answer.data)


GZIP = {"Accept-Encoding": "gzip"}


@pytest.fixture
def caller(shop: TestShop, call_as: CallAs) -> Caller:
    """The owner of a shop with more members and entries than a page shows."""
    for number in range(1, 61):
        shop.tell(
            "customers/create",
            payloads.customer(number, email=f"person.{number}@example.com", last_name=f"Haddad {number}"),
        )
    shop.drain()
    return call_as(staff(shop.id, ALL))


def test_the_first_load_of_the_shell(caller: Caller) -> None:
    page = caller.get("/app")
    parts = {"document": travels(caller.get("/app", headers=GZIP))}
    for address in re.findall(r'(?:href|src)="([^"]+\.(?:css|js|svg)[^"]*)"', page.text):
        place = address.partition("#")[0]
        if not _NOT_THE_SHELL.search(place) and place not in parts:
            parts[place] = travels(caller.get(place, headers=GZIP))
    assert len(parts) > 12, parts
    assert sum(parts.values()) <= SHELL, parts


def test_a_change_of_tab(caller: Caller) -> None:
    pages = {tab.key: caller.fragment(tab.path, headers=GZIP) for tab in tabs.registry()}
    assert len(pages) > 5
    assert {key: travels(page) for key, page in pages.items() if travels(page) > CHANGE} == {}
    members = caller.fragment("/app/members", headers=GZIP)
    assert b"Haddad" in gzip.decompress(members.data) and b"<html" not in gzip.decompress(members.data)


@pytest.mark.parametrize(
    ("asked", "answered"), [("gzip, deflate, br, zstd", "zstd"), ("gzip, br", "br"), ("", None)]
)
def test_the_encoding_is_the_callers_choice(caller: Caller, asked: str, answered: str | None) -> None:
    answer = caller.get("/app", headers={"Accept-Encoding": asked})
    assert answer.headers.get("Content-Encoding") == answered
    assert "Accept-Encoding" in answer.headers["Vary"] and "HX-Request" in answer.headers["Vary"]
    assert int(answer.headers["Content-Length"]) == len(answer.data)


def test_who_comes_with_a_cookie_gets_plain_text(caller: Caller) -> None:
    client = caller.client
    client.set_cookie("session", "1")
    headers = {**GZIP, "Authorization": f"Bearer {caller.bearer}"}
    page = client.get("/app", headers=headers)
    assert page.status_code == 200 and "Content-Encoding" not in page.headers
    with client.get("/static/css/tokens.css", headers=headers) as file:
        assert file.headers["Content-Encoding"] == "gzip"


def test_a_refused_form_and_a_small_answer_travel_plain(caller: Caller) -> None:
    refused = caller.submit("/app/tier-management/create", {}, headers=GZIP)
    assert refused.status_code == 422 and "<form" in refused.text
    assert "Content-Encoding" not in caller.get("/healthz", headers=GZIP).headers


def test_a_static_file_is_kept_for_a_year_only_under_its_own_mark(caller: Caller) -> None:
    page = caller.get("/app").text
    (marked,) = set(re.findall(r"/static/css/tokens\.css\?v=[0-9a-f]{12}", page))
    brotlied = {"Accept-Encoding": "br"}
    first = caller.get(marked, headers=brotlied)
    assert brotli.decompress(first.data) == caller.get(marked).data
    assert "immutable" in first.headers["Cache-Control"]
    again = caller.get(marked, headers={**brotlied, "If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304 and not again.data
    other = caller.get(marked.partition("?")[0] + "?v=" + "0" * 12)
    assert other.status_code == 200 and "immutable" not in other.headers["Cache-Control"]
    font = re.search(r"/static/vendor/inter[^\"]+", page)
    assert font and "immutable" in caller.get(font[0]).headers["Cache-Control"]


def test_the_api_document_is_asked_for_again_by_its_tag(caller: Caller) -> None:
    first = caller.get("/openapi.json", headers=GZIP)
    again = caller.get("/openapi.json", headers={**GZIP, "If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code, again.data) == (200, 304, b"")
