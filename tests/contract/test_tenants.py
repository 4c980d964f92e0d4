"""What belongs to one shop does not exist for another, on every address that takes an id."""

import re
from typing import Any

import orjson
import pytest
from flask import Flask

from app.web.endpoints import Endpoint
from app.web.principals import Principal
from app.web.rendering import action_url, page_url
from app.web.tabs import Action, TabPage, path_names
from tests.contract.conftest import TABS
from tests.contract.specimens import PARTS, fingerprint, furnished_shop, place_in
from tests.contract.test_endpoints import GUARDED, JSON, example
from tests.fixtures.web import Caller, Door, staff

WITH_IDS = [endpoint for endpoint in GUARDED if endpoint.parameters]
PAGES = [page for page in TABS.pages.values() if set(path_names(page.path)) - PARTS]
ACTIONS = [action for action in TABS.actions.values() if path_names(TABS.path_of(action))]


@pytest.fixture(scope="module")
def owner() -> Principal:
    """Who owns what is asked for."""
    return furnished_shop()


@pytest.fixture(scope="module")
def neighbor() -> Principal:
    """The owner of another shop that has one of everything, too."""
    return furnished_shop()


def of_another_label(principal: Principal) -> Principal:
    """Another staff member of the same shop, so that rate limits are fresh."""
    return staff(principal.shop_id)


def endpoint_address(endpoint: Endpoint, owner: Principal) -> str:
    values = place_in(endpoint.path, endpoint.parameters, owner)
    return re.sub(r"{(\w+)}", lambda found: str(values[found[1]]), endpoint.path)


def body_of(endpoint: Endpoint) -> dict[str, Any]:
    return {"data": orjson.dumps(example(endpoint.body)), "headers": JSON} if endpoint.body else {}


@pytest.mark.parametrize("endpoint", WITH_IDS, ids=lambda endpoint: endpoint.name)
def test_an_endpoint(
    app: Flask, door: Door, owner: Principal, neighbor: Principal, endpoint: Endpoint
) -> None:
    path = endpoint_address(endpoint, owner)
    assert owner.shop_id is not None
    before = fingerprint(owner.shop_id)
    stranger = Caller(app, door.token(of_another_label(neighbor)))
    assert stranger.open(endpoint.method, path, **body_of(endpoint)).status_code == 404
    assert fingerprint(owner.shop_id) == before
    if endpoint.method == "GET":
        assert Caller(app, door.token(of_another_label(owner))).get(path).status_code == 200


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page(app: Flask, door: Door, owner: Principal, neighbor: Principal, page: TabPage) -> None:
    values = place_in(TABS.path_of(page), path_names(page.path), owner)
    with app.test_request_context():
        path = page_url(page.name, **values)
    own = Caller(app, door.token(owner)).get(path)
    assert own.status_code == 200
    other = Caller(app, door.token(neighbor)).get(path)
    assert other.status_code == 404
    assert "Byron" not in other.text


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.full_name)
def test_an_action(app: Flask, door: Door, owner: Principal, neighbor: Principal, action: Action) -> None:
    route = TABS.path_of(action)
    values = place_in(route, path_names(route), owner)
    assert owner.shop_id is not None
    before = fingerprint(owner.shop_id)
    with app.test_request_context():
        path = action_url(action.full_name, **values)
    fields = {name: str(value) for name, value in (example(action.form) if action.form else {}).items()}
    for sent in (fields, {}):
        answer = Caller(app, door.token(neighbor)).submit(path, sent)
        assert answer.status_code in (404, 422), answer.text
        assert "Byron" not in answer.text
    assert fingerprint(owner.shop_id) == before
