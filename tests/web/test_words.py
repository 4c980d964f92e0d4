"""Words for keys, in each language."""

import pytest
from flask import Flask, get_template_attribute
from flask_babel import force_locale
from werkzeug.datastructures import MultiDict

from app.core.permissions import ROLES
from app.web.forms import STALE, Form
from app.web.locale import translated
from app.web.words import actor_name, language_name

REFUSAL = "A program that is {status} cannot become {wanted}."


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("en", "A program that is draft cannot become archived."),
        ("es", "Un programa no puede pasar de «borrador» a «archivado»."),
    ],
)
def test_states_in_a_refusal_are_words(web_app: Flask, locale: str, expected: str) -> None:
    with web_app.test_request_context(headers={"Accept-Language": locale}):
        assert translated(REFUSAL, {"status": "draft", "wanted": "archived"}) == expected
        assert "brand-new" in translated(REFUSAL, {"status": "brand-new", "wanted": "archived"})


@pytest.mark.parametrize("locale", ["ar", "he"])
def test_states_are_isolated_where_they_could_turn_the_sentence(web_app: Flask, locale: str) -> None:
    with web_app.test_request_context(headers={"Accept-Language": locale}):
        sentence = translated(REFUSAL, {"status": "draft", "wanted": "archived"})
    assert sentence.count("\u2068") == 2 and "draft" not in sentence and "archived" not in sentence


def test_every_role_has_a_word(web_app: Flask) -> None:
    for role in ROLES:
        with web_app.test_request_context(headers={"Accept-Language": "ar"}):
            assert actor_name(role) != role
    with web_app.test_request_context():
        assert actor_name("Till 3") == "Till 3"


@pytest.mark.parametrize(
    ("locale", "tag", "expected"),
    [
        ("en", "ar", "Arabic"),
        ("es", "en", "Inglés"),
        ("fr", "pt-BR", "Portugais (Brésil)"),
        ("he", "he", "עברית"),
        ("en", "xx-nonsense-", "xx-nonsense-"),
        ("en", "", "–"),
        ("en", None, "–"),
    ],
)
def test_languages_have_names(web_app: Flask, locale: str, tag: str | None, expected: str) -> None:
    with web_app.test_request_context(headers={"Accept-Language": locale}), force_locale(locale):
        assert language_name(tag) == expected


@pytest.mark.parametrize(
    ("locale", "listed"),
    [("en", "Gold, Plum, and Silver"), ("ar", "Gold وPlum وSilver"), ("he", "Gold, Plum וSilver")],
)
def test_a_late_save_lists_several_values_as_the_language_does(
    web_app: Flask, locale: str, listed: str
) -> None:
    typed = MultiDict([("tiers", "g"), ("tiers", "p"), ("tiers", "s"), ("_as_read", '{"tiers": ["g", "s"]}')])
    form = Form("save", "/", locale, "UTC", None, typed, code=STALE)
    names = {"g": "Gold", "p": "Plum", "s": "Silver"}
    [change] = form.differences({"tiers": ["g", "s"]}, ["tiers"])
    assert change == {"name": "tiers", "was": ["g", "s"], "theirs": ["g", "s"], "yours": ["g", "p", "s"]}
    with web_app.test_request_context(headers={"Accept-Language": locale}):
        table = get_template_attribute("macros/records.html", "stale_diff")
        shown = table("d", form, {"tiers": ["g", "s"]}, [("tiers", "Tiers", names)])
    assert f"<ins><bdi>{listed}</bdi></ins>" in shown
