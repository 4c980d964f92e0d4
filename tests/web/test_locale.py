"""Sentences of the product with what is inserted into them."""

from decimal import Decimal

import pytest
from flask import Flask

from app.core.errors import Conflict
from app.web.locale import translated

OPEN, CLOSE = "\u2068", "\u2069"


@pytest.mark.parametrize(
    ("locale", "value", "shown"),
    [
        ("en", "cup", "cup"),
        ("en", "كوب", f"{OPEN}كوب{CLOSE}"),
        ("ar", "cup", f"{OPEN}cup{CLOSE}"),
        ("he", "כוס", f"{OPEN}כוס{CLOSE}"),
        ("en", 1240, "1,240"),
        ("fr", 1240, "1\u202f240"),
        ("es", Decimal("0.0001"), "0,0001"),
        ("en", Decimal("1E+3"), "1,000"),
        ("en", float("inf"), "inf"),
        ("en", True, "True"),
        ("en", ["one", "two", 1240], "one, two, and 1,240"),
        ("fr", ["un", "deux"], "un et deux"),
        ("ar", ["cup", "bag"], f"{OPEN}cup{CLOSE} و{OPEN}bag{CLOSE}"),
    ],
)
def test_inserted_values(app: Flask, locale: str, value: object, shown: str) -> None:
    with app.test_request_context(headers={"X-Locale": locale}):
        assert translated("<{value}>", {"value": value}) == f"<{shown}>"


def test_an_error_names_several_things_in_english_for_the_log() -> None:
    assert str(Conflict("Used by: {places}.", places=["A", "B"])) == "Used by: A and B."


def test_what_is_not_given_stays_visible_and_braces_do_no_harm(app: Flask) -> None:
    with app.test_request_context():
        assert translated("{a} {b.__class__} {", {"b": "x"}) == "{a} {b.__class__} {"
        assert translated("{a}", {"a": "{b}", "b": "secret"}) == "{b}"
        assert translated("") == ""


@pytest.mark.parametrize(
    ("headers", "locale"),
    [
        ({"Accept-Language": "fr-CA,en;q=0.5"}, "fr"),
        ({"Accept-Language": "iw"}, "he"),
        ({"Accept-Language": "de"}, "en"),
        ({"X-Locale": "ar-EG", "Accept-Language": "fr"}, "ar"),
        ({"X-Locale": "x" * 100, "Accept-Language": "es"}, "es"),
        ({}, "en"),
    ],
)
def test_the_language_of_a_caller_nobody_knows(app: Flask, headers: dict[str, str], locale: str) -> None:
    from app.web import current

    with app.test_request_context(headers=headers):
        assert current.locale() == locale
