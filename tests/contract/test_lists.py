"""Every declared list, in every order: page after page of one row there, and the same back, with cursors of its own only."""

import html
import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from app.core.paging import Page
from app.web.lists import ListSpec, declared
from app.web.rendering import page_url, tab_url
from app.web.tabs import path_names
from tests.contract.conftest import TABS
from tests.contract.specimens import furnished_shop, place_in
from tests.fixtures.paging import there_and_back
from tests.fixtures.web import Caller

_MOST = 12
# Shown as a whole, and not while it is checked.
_WITHOUT = frozenset({"duplicates", "bulk-rows"})
PAGED = [
    (spec, sort)
    for spec in declared().values()
    if "cursor" in spec.query.model_fields
    for sort in ([one.value for one in spec.sorts] or [None])
]


def address_of(app: Flask, spec: ListSpec, place: dict[str, str]) -> str:
    with app.test_request_context():
        return page_url(spec.place, **place) if "." in spec.place else tab_url(spec.place)


def cursors(page: str) -> dict[str, str | None]:
    """The cursors behind the two arrows, by their names."""
    found: dict[str, str | None] = {"Previous page": None, "Next page": None}
    for link, label in re.findall(r'<a class="button button-icon" href="([^"]*)" aria-label="([^"]*)"', page):
        if label in found:
            found[label] = parse_qs(urlsplit(html.unescape(link)).query)["cursor"][0]
    return found


@pytest.mark.parametrize(("spec", "sort"), PAGED, ids=lambda one: getattr(one, "key", one))
def test_a_list_leads_there_and_back(
    web_app: Flask, call_as: Callable[..., Caller], spec: ListSpec, sort: str | None
) -> None:
    owner = furnished_shop()
    names = path_names(TABS.pages[spec.place].path) if "." in spec.place else ()
    url = address_of(web_app, spec, dict.fromkeys(names, "0" * 8 + "-0000-0000-0000-" + "0" * 12))
    place = place_in(url, names, owner) if names else {}
    url, caller = address_of(web_app, spec, place), call_as(owner)
    asked = "&".join([f"sort={sort}"] if sort else [])
    seen = 0

    def read(cursor: str | None) -> Page[str]:
        nonlocal seen
        seen += 1
        answer = caller.get(f"{url}?limit=1&{asked}" + (f"&cursor={cursor}" if cursor else ""))
        assert answer.status_code == 200, answer.text
        arrows = cursors(answer.text)
        rows = re.findall(rf'<tr role="row" id="({spec.key}-[^"]+)"', answer.text)
        return Page(rows, arrows["Next page"] if seen < _MOST else None, arrows["Previous page"])

    there_and_back(read)
    if spec.key not in _WITHOUT:
        assert caller.get(f"{url}?cursor=nonsense").status_code == 400
