"""Every sentence of the product in every language it speaks."""

import re
from functools import cache
from gettext import c2py

import pytest
from babel.messages.catalog import Catalog, Message

from app.core.i18n import LOCALES
from scripts import catalogues

TRANSLATED = LOCALES[1:]
_NAME = re.compile(r"%\((\w+)\)[a-z]|\{(\w+)\}")
_LATIN = re.compile(r"(?<![#0-9A-Za-z])[A-Za-z][A-Za-z.]*")  # not what stands in a color such as #4f46e5
# Names, formats and examples that stay as they are in Arabic and Hebrew.
_KEPT = frozenset(
    {
        *("LoyalNest", "Shopify", "Flow", "Klaviyo", "Meta", "Google", "Judge.me", "myshopify.com"),
        *("Europe", "Paris", "quiz", "done", "web", "pos", "FR", "EUR", "staff", "employee"),
        *("wholesale", "Bean", "Club", "Enter"),
        *(
            "API",
            "APIs",
            "ASCII",
            "CSV",
            "HTTP",
            "UTF",
            "VIP",
            "vip",
            "HTTPS",
            "https",
            "ID",
            "JSON",
            "PDF",
            "RFM",
            "SMS",
            "UTC",
            "URL",
            "POS",
        ),
        *("gid", "T", "Z", "A", "B"),
    }
)


@cache
def template() -> Catalog:
    return catalogues.extracted()


def forms(language: str) -> list[tuple[Message, str]]:
    """Each message with each of its forms in a language."""
    catalog = catalogues.read(catalogues.path_of(language), language)
    return [
        (message, str(form))
        for message in catalogues.sources(catalog)
        for form in (message.string if isinstance(message.string, tuple | list) else (message.string,))
    ]


def test_the_template_is_what_the_sources_say() -> None:
    def said(catalog: Catalog) -> set[tuple[str | None, str]]:
        return {(one.context, str(one.id)) for one in catalogues.sources(catalog)}

    assert said(catalogues.read(catalogues.TEMPLATE)) == said(template()), (
        "run `python scripts/catalogues.py update`"
    )
    assert catalogues.LANGUAGES == TRANSLATED


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_is_translated_with_its_placeholders_and_plurals(language: str) -> None:
    assert catalogues.problems(language, template()) == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_translation_can_be_filled(language: str) -> None:
    for message, form in forms(language):
        names = [percent or brace for percent, brace in _NAME.findall(form)]
        data = dict.fromkeys(names, "1")
        if message.python_format:
            assert "%(" not in form % data
        elif names:
            assert "{" not in form.format(**data)


@pytest.mark.parametrize(("language", "letters"), [("ar", "[\u0621-\u064a]"), ("he", "[\u05d0-\u05ea]")])
def test_no_english_is_left_where_letters_are_not_latin(language: str, letters: str) -> None:
    for message, form in forms(language):
        text = _NAME.sub(" ", form)
        left = {word.rstrip(".") for word in _LATIN.findall(text)} - _KEPT
        assert not left, (message.id, form)
        source = _NAME.sub(" ", str(message.id))
        if re.search("[A-Za-z]{4}", source) and not {*_LATIN.findall(source)} <= _KEPT:
            assert re.search(letters, text), (message.id, form)


@pytest.mark.parametrize(
    ("language", "counts", "chosen"),
    [
        ("es", (0, 1, 2, 11), (1, 0, 1, 1)),
        ("fr", (0, 1, 2, 11), (0, 0, 1, 1)),
        ("ar", (0, 1, 2, 3, 10, 11, 99, 100, 102, 103), (0, 1, 2, 3, 3, 4, 4, 5, 5, 3)),
        ("he", (0, 1, 2, 3, 20), (2, 0, 1, 2, 2)),
    ],
)
def test_which_plural_form_a_count_takes(
    language: str, counts: tuple[int, ...], chosen: tuple[int, ...]
) -> None:
    catalog = catalogues.read(catalogues.path_of(language), language)
    choose = c2py(catalog.plural_expr)
    assert tuple(choose(count) for count in counts) == chosen
    assert catalog.num_plurals == {"es": 2, "fr": 2, "ar": 6, "he": 3}[language]


@pytest.mark.parametrize("language", TRANSLATED)
def test_files_say_nothing_of_the_place_where_they_were_made(language: str) -> None:
    text = catalogues.path_of(language).read_text(encoding="utf-8")
    header = text.partition("\n\n")[0]
    assert "Date" not in header and "@" not in header and "Last-Translator" not in header
    assert not re.search(r"^#: .*(:\d|[ ]/)", text, re.MULTILINE)
    assert "#, fuzzy" not in text and "#~" not in text


@pytest.mark.parametrize(
    ("source", "translation", "fault"),
    [
        (Message("Save"), Message("Save", "حفظ"), ""),
        (Message("Save"), Message("Save", ""), "not translated"),
        (Message("Save"), Message("Save", "حفظ", flags=["fuzzy"]), "not translated"),
        (Message("{n} of %(m)s"), Message("x", "%(m)s: {n}"), ""),
        (Message("{n} left"), Message("x", "{m} متبقية"), "other placeholders"),
        (Message("Error: "), Message("x", "خطأ:"), "other edges"),
        (Message("Half", locations=[("app/a.py", 1)]), Message("x", "50 %"), ""),
        (Message("50%%", locations=[("a.html", 1)]), Message("x", "50 %%"), ""),
        (
            Message("Half", locations=[("a.html", 1)]),
            Message("x", "50 %"),
            "a lone percent sign, which templates write %%",
        ),
        (Message(("%(n)s day", "%(n)s days")), Message(("", ""), ("%(n)s يوم",) * 6), ""),
        (Message(("Once", "%(n)s times")), Message(("", ""), ("مرة", *("%(n)s مرات",) * 5)), ""),
        (Message(("%(n)s day", "%(n)s days")), Message(("", ""), ("%(n)s يوم",) * 2), "2 forms"),
        (Message(("%(n)s day", "%(n)s days")), Message(("", ""), ("%(n)s يوم", "") * 3), "not translated"),
        (Message(("%(n)s day", "%(n)s days")), Message(("", ""), ("يوم",) * 6), "other placeholders"),
        (
            Message(("%(n)s day of %(m)s", "%(n)s days of %(m)s")),
            Message(("", ""), ("%(n)s %(m)s", "يوم %(m)s", "يومان %(m)s", *("%(n)s %(m)s",) * 3)),
            "",
        ),
        (
            Message(("%(n)s day of %(m)s", "%(n)s days of %(m)s")),
            Message(("", ""), ("%(n)s %(m)s", "يوم", *("%(n)s %(m)s",) * 4)),
            "other placeholders",
        ),
        (Message("%(n)s days"), Message("x", "أيام"), "other placeholders"),
    ],
)
def test_what_the_check_finds(source: Message, translation: Message, fault: str) -> None:
    assert catalogues.fault_of(translation, source, 6) == fault
