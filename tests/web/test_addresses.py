"""Addresses of tabs and pages are those that Flask builds, whichever way they are made."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from flask import Flask, url_for
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.permissions import Permission
from app.core.settings import get_settings
from app.web.addresses import address
from app.web.application import make_application
from app.web.endpoints import EndpointRegistry
from app.web.rendering import page_url, page_urls, tab_url
from app.web.tabs import TabRegistry, tab, tab_page, use_registry
from app.web.weaving import apart

ONE, OTHER = UUID(int=1), UUID(int=2)


@pytest.fixture(scope="module")
def app() -> Flask:
    """An application with pages of every kind of path."""
    with use_registry(TabRegistry()) as tabs:

        @tab("shelf", title="Shelf", group="manage", icon="box", permission=Permission.PROGRAMS_READ)
        def shelf() -> dict[str, Any]:
            return {}

        @tab_page("shelf", "/new", "a/b.html", title="New", permission=Permission.PROGRAMS_READ)
        def new() -> dict[str, Any]:
            return {}

        @tab_page("shelf", "/<uuid:id>", "a/b.html", title="One", permission=Permission.PROGRAMS_READ)
        def one(id: UUID) -> dict[str, Any]:
            return {}

        @tab_page("shelf", "/<key>/<uuid:id>", "a/b.html", title="Two", permission=Permission.PROGRAMS_READ)
        def two(key: str, id: UUID) -> dict[str, Any]:
            return {}

    return make_application(get_settings(), EndpointRegistry(), tabs)


@pytest.fixture(autouse=True)
def request_of_somebody(app: Flask) -> Iterator[None]:
    """Flask builds addresses for a request."""
    with app.test_request_context("/app/shelf"):
        yield


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"at": "/app/shelf?a=1&b=%20", "none": None},
        {"text": "a b+c/é'()!$*,:;@[]\"<>#", "many": ["x", "y z"]},
        {"number": 7, "yes": True, "id_of": ONE, "empty": ""},
    ],
)
def test_addresses_are_those_of_flask(query: dict[str, Any]) -> None:
    assert tab_url("shelf", **query) == url_for("tab.shelf", **query)
    assert page_url("shelf.new", **query) == url_for("page.shelf.new", **query)
    assert page_url("shelf.one", id=ONE, **query) == url_for("page.shelf.one", id=ONE, **query)
    for key in ("members", "a.b_c-1", "a b", "a&b=c", "é", "..", 7):
        values = {"key": key, "id": ONE, **query}
        assert page_url("shelf.two", **values) == url_for("page.shelf.two", **values)


def test_a_slash_stays_out_of_a_path() -> None:
    assert page_url("shelf.two", key="a/b", id=ONE) == url_for("page.shelf.two", key="a/b", id=ONE)


def test_many_addresses_are_the_same_as_one_after_the_other() -> None:
    many = page_urls("shelf.one", id=[ONE, OTHER])
    assert apart(many, 2) == [page_url("shelf.one", id=one) for one in (ONE, OTHER)]
    assert apart(page_urls("shelf.one", id=[]), 0) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(["search", "sort", "a_b"]), st.text(min_size=1, max_size=8)))
def test_parameters_travel_as_a_form_would_send_them(values: dict[str, str]) -> None:
    assert address("/app/shelf", values) == "/app/shelf" + (f"?{urlencode(values)}" if values else "")
