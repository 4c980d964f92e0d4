"""Tabs, pages and actions: page and fragment agree, refused forms come back, finished ones say what happens next."""

import json
import re
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from flask import Flask, render_template_string

from app.core import ids
from app.core.i18n import LOCALES
from app.core.permissions import Permission
from app.web.menu import MenuGroup, differences
from app.web.tabs import Done, TabRegistry, action, tab, tab_page, use_registry
from tests.fixtures.web import PARTIAL, Caller, Door, staff
from tests.web.conftest import GROUPS, without
from tests.web.sample import READ, TABS, THINGS, WRITE

ADD = "/app/things/add"
CUP = {"name": "cup", "amount": "3"}


def count(caller: Caller) -> int:
    found: int = caller.get(THINGS + "/sum").json["total"]
    return found


def main_of(page: str) -> str:
    found = re.search(r'<main id="main">(.*)</main>', page, re.DOTALL)
    assert found
    return re.sub(r'value="[0-9a-f]{32}"', "", found[1]).strip()


def test_page_and_fragment_agree(merchant: Caller) -> None:
    page, fragment = merchant.get("/app/things"), merchant.fragment("/app/things")
    assert page.text.startswith("<!doctype html>")
    assert fragment.text.startswith("<title>Things</title>")
    inside = re.sub(r'value="[0-9a-f]{32}"', "", fragment.text.split("</title>")[1]).strip()
    assert inside == main_of(page.text)


@pytest.mark.parametrize(
    "headers",
    [
        {"HX-History-Restore-Request": "true", "HX-Request-Type": "full"},
        {"HX-Request": "true", "HX-Request-Type": "full"},
        {**PARTIAL, "X-Shopify-Bounce": "1"},
        {},
    ],
)
def test_who_else_asks_gets_the_whole_page(merchant: Caller, headers: dict[str, str]) -> None:
    assert merchant.get("/app/things", headers=headers).text.startswith("<!doctype html>")


def test_html_is_kept_by_nobody(merchant: Caller) -> None:
    for answer in (merchant.get("/app/things"), merchant.fragment("/app/things"), merchant.submit(ADD, CUP)):
        assert answer.headers["Vary"] == "HX-Request, HX-Request-Type, Accept-Encoding"
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("query", "limit"), [("?limit=7", 7), ("", 50), ("?limit=0", 50), ("?limit=x&names=a", 50)]
)
def test_a_stale_link_still_opens(merchant: Caller, query: str, limit: int) -> None:
    assert f'<p id="limit">{limit}</p>' in merchant.get(f"/app/things{query}").text


def test_shopifys_own_parameters_are_no_filters(merchant: Caller) -> None:
    assert merchant.get("/app/things?shop=x&host=y&hmac=z&limit=3").status_code == 200


def test_a_page_has_the_title_of_its_view(merchant: Caller) -> None:
    thing_id = merchant.post(THINGS, json={"name": "cup", "amount": 1}).json["thing"]["id"]
    assert "<title>cup</title>" in merchant.get(f"/app/things/{thing_id}").text


def test_another_shops_page_does_not_exist(merchant: Caller, app: Flask, door: Door) -> None:
    thing_id = merchant.post(THINGS, json={"name": "cup", "amount": 1}).json["thing"]["id"]
    other = Caller(app, door.token(staff()))
    assert other.get(f"/app/things/{thing_id}").status_code == 404
    other.submit(f"/app/things/{thing_id}/rename", {})
    assert "<h1>cup</h1>" in merchant.get(f"/app/things/{thing_id}").text


@pytest.mark.parametrize("locale", LOCALES)
def test_every_locale_has_its_direction(app: Flask, door: Door, locale: str) -> None:
    answer = Caller(app, door.token(staff(locale=locale))).get("/app/things")
    expected = "rtl" if locale in ("ar", "he") else "ltr"
    assert f'<html lang="{locale}" dir="{expected}"' in answer.text


def test_the_menu_holds_what_may_be_opened(app: Flask, door: Door) -> None:
    allowed = Caller(app, door.token(staff())).get("/app/things").text
    assert '<a href="/app/things" aria-current="page">' in allowed
    refused = Caller(app, door.token(staff(permissions=without(READ)))).get("/app/things")
    assert refused.status_code == 403
    assert "/app/things" not in refused.text


def test_a_forbidden_page_names_the_permission_inside_the_shell(app: Flask, door: Door) -> None:
    answer = Caller(app, door.token(staff(permissions=without(READ)))).get("/app/things")
    assert str(READ) in answer.text
    assert '<main id="main">' in answer.text


def test_a_finished_action_shows_its_tab_again(merchant: Caller) -> None:
    answer = merchant.submit(ADD, CUP)
    assert answer.status_code == 200
    assert "<li>cup</li>" in answer.text
    assert (answer.headers["HX-Retarget"], answer.headers["HX-Reswap"]) == ("#main", "innerHTML")
    heard = json.loads(answer.headers["HX-Trigger"])
    assert heard == {"things:changed": {"count": 1}, "toast": {"text": "cup was added.", "error": False}}


def test_filters_survive_an_action(merchant: Caller) -> None:
    here = {"HX-Current-URL": "https://app.example/app/things?limit=7&id_token=secret"}
    assert '<p id="limit">7</p>' in merchant.submit(ADD, CUP, headers=here).text


def test_headers_are_ascii(merchant: Caller) -> None:
    answer = merchant.submit(ADD, {"name": "كوب ☕🎉", "amount": "3"})
    raw = answer.headers["HX-Trigger"]
    assert raw.isascii()
    assert json.loads(raw)["toast"]["text"] == "\u2068كوب ☕🎉\u2069 was added."


def test_a_refused_form_comes_back_with_what_was_typed(merchant: Caller) -> None:
    answer = merchant.submit(ADD, {"name": "a name that is far too long", "amount": "twelve"})
    assert answer.status_code == 422
    assert 'value="a name that is far too long"' in answer.text
    assert 'value="twelve"' in answer.text
    assert '<em id="name-error">Use at most 20 characters.</em>' in answer.text
    assert '<em id="amount-error">Enter a whole number.</em>' in answer.text
    assert "<!doctype" not in answer.text
    assert count(merchant) == 0


def test_a_refusal_of_the_domain_reaches_its_field(merchant: Caller) -> None:
    answer = merchant.submit(ADD, {"name": "later", "amount": "1"})
    assert (answer.status_code, "Choose an earlier name." in answer.text) == (422, True)


def test_a_conflict_is_said_in_the_form(merchant: Caller) -> None:
    answer = merchant.submit(ADD, {"name": "taken", "amount": "1"})
    assert answer.status_code == 409
    assert 'data-code="taken" data-message="There is a thing named taken."' in answer.text
    assert 'value="taken"' in answer.text


def test_what_was_typed_is_escaped(merchant: Caller) -> None:
    answer = merchant.submit(ADD, {"name": '"><script>alert(1)</script>', "amount": "0"})
    assert "<script>" not in answer.text


def test_a_refused_action_without_a_form_is_a_toast(merchant: Caller) -> None:
    answer = merchant.submit("/app/things/busy", {})
    assert answer.status_code == 409
    assert json.loads(answer.headers["HX-Trigger"])["toast"] == {
        "text": "There is a thing named x.",
        "error": True,
    }


def test_a_refused_button_is_a_toast(merchant: Caller) -> None:
    answer = merchant.submit("/app/things/button", {"name": "cup"})
    assert (answer.status_code, "toast" in answer.headers["HX-Trigger"]) == (422, True)


def test_other_answers_of_an_action(merchant: Caller) -> None:
    away, row, quiet = (merchant.submit(f"/app/things/{name}", {}) for name in ("leave", "row", "quiet"))
    assert json.loads(away.headers["HX-Location"]) == {"path": "/app", "target": "#main"}
    assert (row.text.strip(), row.headers["HX-Retarget"]) == ('<tr id="row">one</tr>', "#row")
    assert (quiet.status_code, quiet.data) == (204, b"")
    assert "toast" in quiet.headers["HX-Trigger"]


def test_an_action_of_a_page_shows_the_page_again(merchant: Caller) -> None:
    thing_id = merchant.post(THINGS, json={"name": "cup", "amount": 1}).json["thing"]["id"]
    assert f'action="/app/things/{thing_id}/rename"' in merchant.get(f"/app/things/{thing_id}").text
    answer = merchant.submit(f"/app/things/{thing_id}/rename", {})
    assert "<title>renamed</title>" in answer.text
    assert UUID(thing_id)


def test_a_double_click_adds_once(merchant: Caller) -> None:
    fields = {**CUP, "idempotency_key": ids.new_id().hex}
    first = merchant.submit(ADD, fields, headers={"Idempotency-Key": "one"})
    second = merchant.submit(ADD, fields, headers={"Idempotency-Key": "two"})
    assert second.data == first.data
    assert second.headers["HX-Trigger"] == first.headers["HX-Trigger"]
    assert second.headers["Idempotency-Replayed"] == "true"
    assert count(merchant) == 1


def test_the_key_of_a_refused_form_stays_free(merchant: Caller) -> None:
    key = ids.new_id().hex
    assert merchant.submit(ADD, {"name": "taken", "amount": "1", "idempotency_key": key}).status_code == 409
    assert merchant.submit(ADD, {**CUP, "idempotency_key": key}).status_code == 200


def test_a_used_key_with_other_fields_is_refused_in_the_form(merchant: Caller) -> None:
    key = ids.new_id().hex
    merchant.submit(ADD, {**CUP, "idempotency_key": key})
    answer = merchant.submit(ADD, {**CUP, "amount": "4", "idempotency_key": key})
    assert (answer.status_code, 'data-code="idempotency_mismatch"' in answer.text) == (409, True)


def test_an_action_needs_its_permission(app: Flask, door: Door) -> None:
    answer = Caller(app, door.token(staff(permissions=without(WRITE)))).submit(ADD, CUP)
    assert answer.status_code == 403
    assert str(WRITE) in json.loads(answer.headers["HX-Trigger"])["toast"]["text"]


def test_an_oversized_form_is_413(merchant: Caller) -> None:
    answer = merchant.submit(ADD, {**CUP, "name": "a" * 2_000_000})
    assert (answer.status_code, count(merchant)) == (413, 0)


def test_a_form_is_a_form(merchant: Caller) -> None:
    assert merchant.post(ADD, json=CUP).status_code == 415


def test_an_upload(merchant: Caller) -> None:
    fields: dict[str, Any] = {"upload": (BytesIO(b"abc"), "C:\\dir\\list.csv")}
    assert merchant.submit("/app/things/upload", fields).status_code == 200
    assert "list.csv:3" in merchant.get("/app/things").text
    assert merchant.submit("/app/things/upload", {}).status_code == 422
    large: dict[str, Any] = {"upload": (BytesIO(b"a" * 20_000), "list.csv")}
    assert merchant.submit("/app/things/upload", large).status_code == 413


def test_static_files_carry_the_mark_of_their_content(merchant: Caller) -> None:
    url = re.search(r">(/static/css/tokens.css\?v=[0-9a-f]{12})<", merchant.get("/app").text)
    assert url
    assert "immutable" in merchant.get(url[1]).headers["Cache-Control"]
    assert "immutable" not in merchant.get("/static/css/tokens.css").headers["Cache-Control"]


def test_the_menu_and_the_registry_can_be_compared() -> None:
    assert differences(GROUPS, TABS) == []
    wrong = (MenuGroup("tools", "Tools", "x", ("things", "gone")),)
    assert len(differences(wrong, TABS)) == 2


def _declare(wrong: str) -> None:
    read = Permission.PROGRAMS_READ

    def view(ctx: Any) -> None: ...

    def odd(ctx: Any, surprise: int) -> None: ...

    def act(ctx: Any) -> Done:
        return Done()

    with use_registry(TabRegistry()) as registry:
        if wrong != "tab":
            tab("a", title="A", group="g", icon="i", permission=read)(odd if wrong == "argument" else view)
        if wrong == "twice":
            tab("a", title="A", group="g", icon="i", permission=read)(view)
        if wrong == "page":
            action("a", "x", page="nowhere", permission=read)(act)
        if wrong == "name":
            tab_page("a", "/<uuid:id>", "x.html", title="X", permission=read)(odd)
        if wrong == "tab":
            action("gone", "x", permission=read)(act)
        registry.check()


@pytest.mark.parametrize("wrong", ["tab", "page", "name", "twice", "argument"])
def test_a_wrong_declaration_fails_at_start(wrong: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        _declare(wrong)
    _declare("nothing")


def test_what_a_sentence_names_is_escaped(app: Flask) -> None:
    page = "{{ _('No %(what)s', what=what) }} {{ _('100%%') }}"
    with app.test_request_context():
        assert render_template_string(page, what="<b>%s") == "No &lt;b&gt;%s 100%"
