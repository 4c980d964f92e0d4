"""Every declared tab, page and action: in five languages, empty and forbidden, and against bad input."""

from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from app.admin_menu import GROUPS
from app.core import ids
from app.core.i18n import LOCALES, direction
from app.core.permissions import ALL
from app.web.menu import differences
from app.web.rendering import action_url, page_url
from app.web.tabs import HOME, Action, Tab, TabPage, path_names
from tests.contract.conftest import TABS, Callers
from tests.contract.specimens import fingerprint
from tests.fixtures.web import Caller

ALL_TABS, ALL_PAGES, ALL_ACTIONS = list(TABS), list(TABS.pages.values()), list(TABS.actions.values())
GROUP_SIZES = {
    "manage": 8,
    "optimize": 7,
    "advanced": 6,
    "tools": 5,
    "monitoring": 6,
    "settings": 6,
    "world-class": 6,
}


def named(found: Any) -> str:
    return getattr(found, "full_name", None) or getattr(found, "name", None) or str(found.key)


def place(route: str) -> dict[str, Any]:
    """Path parameters that name nothing."""
    return {name: ids.new_id() for name in path_names(route)}


def page_address(app: Flask, page: TabPage) -> str:
    with app.test_request_context():
        return page_url(page.name, **place(page.path))


def action_address(app: Flask, action: Action) -> str:
    with app.test_request_context():
        return action_url(action.full_name, **place(TABS.path_of(action)))


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("tab", ALL_TABS, ids=named)
def test_an_empty_tab_opens(as_staff: Callers, shop_id: UUID, tab: Tab, locale: str) -> None:
    caller, before = as_staff(locale=locale), fingerprint(shop_id)
    page, fragment = caller.get(tab.path), caller.fragment(tab.path)
    assert (page.status_code, fragment.status_code) == (200, 200)
    assert f'lang="{locale}" dir="{direction(locale)}"' in page.text
    assert page.text.count("<h1") == fragment.text.count("<h1") == 1
    assert "<html" not in fragment.text
    assert fingerprint(shop_id) == before, "a GET wrote something"


@pytest.mark.parametrize("tab", ALL_TABS, ids=named)
def test_a_forbidden_tab_says_which_permission(as_staff: Callers, tab: Tab) -> None:
    answer = as_staff(ALL - {tab.permission}).get(tab.path)
    assert answer.status_code == 403
    assert str(tab.permission) in answer.text


@pytest.mark.parametrize("tab", ALL_TABS, ids=named)
def test_a_tab_survives_a_strange_link(as_staff: Callers, tab: Tab) -> None:
    query = "?limit=-1&cursor=%00&cursor=x&sort=drop&open=zzz&q=" + "%F0%9F%8E%81" * 50
    assert as_staff().get(tab.path + query).status_code == 200
    if tab.query is not None:
        for name in tab.query.model_fields:
            for value in ("x" * 3000, "-1", "%00", "NaN", "2026-13-45", "'"):
                answer = as_staff().get(f"{tab.path}?{name}={value}")
                assert answer.status_code in (200, 400), (name, value)


@pytest.mark.parametrize("page", ALL_PAGES, ids=named)
def test_pages_are_guarded_and_bounded(app: Flask, as_staff: Callers, page: TabPage) -> None:
    path = page_address(app, page)
    assert as_staff(ALL - {page.permission}).get(path).status_code == 403
    assert as_staff().get(path).status_code == (404 if path_names(page.path) else 200)
    assert Caller(app).fragment(path).status_code == 401


@pytest.mark.parametrize("action", ALL_ACTIONS, ids=named)
def test_actions_are_guarded(app: Flask, as_staff: Callers, shop_id: UUID, action: Action) -> None:
    path, before = action_address(app, action), fingerprint(shop_id)
    assert Caller(app).submit(path, {}).status_code == 401
    assert as_staff(ALL - {action.permission}).submit(path, {}).status_code == 403
    assert fingerprint(shop_id) == before


@pytest.mark.parametrize("action", ALL_ACTIONS, ids=named)
def test_a_bad_form_comes_back_and_leaves_nothing(
    app: Flask, as_staff: Callers, shop_id: UUID, action: Action
) -> None:
    path, before = action_address(app, action), fingerprint(shop_id)
    if action.form is None:
        assert as_staff().submit(path, {}).status_code < 500
        return
    missing = 404 if path_names(TABS.path_of(action)) else 422
    refused = 200 if action.live else 422
    for fields in ({"surprise_field": "1"}, *({name: "a\x00b"} for name in action.form.model_fields)):
        answer = as_staff().submit(path, fields)
        assert answer.status_code in (refused, missing), (fields, answer.text)
    assert as_staff().submit(path, {"surprise_field": "x" * action.max_body_bytes}).status_code == 413
    assert fingerprint(shop_id) == before


@pytest.mark.parametrize("found", [*ALL_TABS, *ALL_PAGES], ids=named)
def test_every_tab_and_page_has_its_template(app: Flask, found: Tab | TabPage) -> None:
    assert app.jinja_env.get_template(found.template)


@pytest.mark.parametrize("found", [*ALL_TABS, *ALL_PAGES, *ALL_ACTIONS], ids=named)
def test_everything_in_the_admin_has_a_permission(found: Tab | TabPage | Action) -> None:
    assert found.permission in ALL


def test_the_menu_has_the_44_tabs_in_their_groups() -> None:
    assert {group.key: len(group.tabs) for group in GROUPS} == GROUP_SIZES
    assert not [
        key for key, times in Counter(key for group in GROUPS for key in group.tabs).items() if times > 1
    ]


def test_declared_tabs_stand_in_the_menu() -> None:
    assert [
        line for line in differences(GROUPS, TABS) if line.endswith(("no group",)) or " listed in " in line
    ] == []
    assert HOME in TABS.tabs


def test_the_style_guide_opens(as_staff: Callers) -> None:
    assert as_staff().get("/app/styleguide").status_code == 200
    assert as_staff(locale="ar").fragment("/app/styleguide").status_code == 200
