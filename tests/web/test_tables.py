"""The rows of a table and the marks in them: what is written for each kind, escaped, and where it stands on a phone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from markupsafe import Markup, escape

from app.core.clock import use_clock
from app.core.i18n import LOCALES, mark_plural
from app.web import buttons, filters, marks
from app.web.locale import sentence, sentences
from app.web.tables import table_columns, table_rows
from app.web.weaving import apart

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
POINTS = mark_plural("point", "points")


@pytest.fixture(autouse=True)
def arabic_or_english(app: Flask, request: pytest.FixtureRequest) -> Iterator[None]:
    """A request in the language of the test's parameter, at noon."""
    locale = getattr(request, "param", "en")
    with use_clock(lambda: NOW), app.test_request_context("/app", headers={"X-Locale": locale}):
        yield


def cell(kind: str, value: Any, **column: Any) -> str:
    """What the second cell of a row holds."""
    columns = table_columns(
        [{"key": "name", "label": "Name"}, {"key": "it", "label": "It", "kind": kind, **column}]
    )
    written = table_rows("t", columns, [{"id": 1, "name": "x", "it": value}], "id", "USD")
    return written.partition("<td ")[2].partition(">")[2].partition("</td>")[0]


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("text", "<b>", "<bdi>&lt;b&gt;</bdi>"),
        ("text", None, "–"),
        ("number", 1234, "<bdi>1,234</bdi>"),
        ("money", 1250, "<bdi>$12.50</bdi>"),
        ("percent", 0.061, "<bdi>6.1%</bdi>"),
        ("code", "<A>", '<bdi class="code" dir="ltr">&lt;A&gt;</bdi>'),
        ("status", "on_hold", '<span class="badge tone-warning">On hold</span>'),
        ("status", "<new>", '<span class="badge">&lt;new&gt;</span>'),
        ("date", NOW.date(), "Nov 21, 2026"),
        ("actions", "kept", ""),
    ],
)
def test_a_value_is_said_by_its_kind(kind: str, value: Any, said: str) -> None:
    assert cell(kind, value) == said


def test_words_come_before_the_kind() -> None:
    assert cell("text", "a", words={"a": "Active"}) == "Active"
    assert cell("status", "a", words={"a": "Live"}) == '<span class="badge">Live</span>'
    assert cell("status", "b", words={"a": "Active"}) == '<span class="badge">b</span>'
    assert cell("text", ["unhashable"]) == "<bdi>[&#39;unhashable&#39;]</bdi>"


@pytest.mark.parametrize("arabic_or_english", ["ar"], indirect=True)
def test_states_are_said_in_the_readers_language() -> None:
    assert "نشط" in marks.status("active") and "مفتوح" in marks.status("open")


def test_own_cells_win_and_what_they_leave_empty_is_said() -> None:
    def own(row: Any, key: str) -> Markup:
        return Markup("  <i>mine</i>\n") if key == "name" else Markup(" \n")

    columns = table_columns([{"key": "name", "label": "Name"}, {"key": "n", "label": "N", "kind": "number"}])
    written = table_rows("t", columns, [{"id": 1, "n": 5}], "id", own=own)
    assert '"rowheader" class="cell-text cell-main on-phone-main"><i>mine</i></th>' in written
    assert "<bdi>5</bdi></td>" in written


def test_a_column_may_write_the_cells_of_all_rows_at_once() -> None:
    columns = table_columns(
        [
            {
                "key": "name",
                "label": "Name",
                "cells": lambda rows: ("<i>", [row["name"] for row in rows], "</i>"),
            },
            {"key": "n", "label": "N", "kind": "number"},
        ]
    )
    written = table_rows(
        "t", columns, [{"id": 1, "name": "A", "n": 5}, {"id": 2, "name": "B", "n": None}], "id"
    )
    first, second = written.split("</tr>")[:2]
    assert "<i>A</i></th>" in first and "<bdi>5</bdi></td>" in first
    assert "<i>B</i></th>" in second and ">–</td>" in second
    assert table_rows("t", columns, [], "id") == ""


@pytest.mark.parametrize("arabic_or_english", LOCALES, indirect=True)
def test_many_sentences_are_the_same_as_one_after_the_other() -> None:
    names = ["Noura", "<b>", Markup("<i>x</i>"), 7]
    message = "Quick view: %(name)s"
    assert apart(sentences(message, name=names), 4) == [sentence(message, name=name) for name in names]


def test_rows_are_named_chosen_and_reached_by_keys() -> None:
    columns = table_columns([{"key": "name", "label": "Name"}])
    rows = [{"id": 1, "who": 7, "name": 'A"'}, {"id": 2, "who": 8, "name": "B"}]
    written = table_rows("t", columns, rows, "id", select=("ids", "who", "name"))
    assert written.count('tabindex="0"') == 1 and 'id="t-1" tabindex="0"' in written
    assert 'id="t-1-box" name="ids" value="7" form="t-chosen"' in written
    assert '<span class="sr">Select A&#34;</span>' in written


def test_rows_may_be_objects() -> None:
    class Row:
        id = 3
        name = "C"

    written = table_rows(
        "t", table_columns([{"key": "name", "label": "Name"}, {"key": "no", "label": "No"}]), [Row()], "id"
    )
    assert 'id="t-3"' in written and "<bdi>C</bdi>" in written and ">–</td>" in written


def test_where_columns_stand_on_a_phone() -> None:
    columns = table_columns(
        [
            {"key": "a", "label": "A"},
            {"key": "b", "label": "B", "kind": "number", "unit": "debit"},
            {"key": "c", "label": "C", "kind": "money", "priority": 2},
            {"key": "d", "label": "D", "kind": "status"},
            {"key": "e", "label": "E", "kind": "date", "phone": "hide"},
            {"key": "f", "label": "F", "kind": "date"},
            {"key": "g", "label": "G", "kind": "actions"},
        ]
    )
    assert [one.classes for one in columns] == [
        "cell-text cell-main on-phone-main",
        "cell-number cell-key on-phone-key",
        "cell-number cell-second",
        "cell-status on-phone-mark",
        "cell-date",
        "cell-date on-phone-note",
        "cell-actions",
    ]
    assert ' data-unit="debit"' in columns[1].opening


_FORMS: dict[str, list[tuple[Any, str]]] = {
    "en": [(0, "points"), (1, "point"), (2, "points"), (Decimal("1.5"), "points"), (-1, "point")],
    "es": [(1, "punto"), (2, "puntos"), (Decimal("1.5"), "puntos")],
    "fr": [(0, "point"), (1, "point"), (2, "points")],
    "ar": [(0, "نقطة"), (1, "نقطة"), (2, "نقطتان"), (3, "نقاط"), (11, "نقطة"), (100, "نقطة"), (103, "نقاط")],
    "he": [(1, "נקודה"), (2, "נקודות"), (10, "נקודות")],
}


@pytest.mark.parametrize("arabic_or_english", _FORMS, indirect=True)
def test_a_unit_takes_the_form_of_its_number(request: pytest.FixtureRequest) -> None:
    columns = table_columns(
        [{"key": "id", "label": "A"}, {"key": "n", "label": "N", "kind": "number", "unit": POINTS}]
    )
    for number, word in _FORMS[request.node.callspec.params["arabic_or_english"]]:
        assert f' data-unit="{word}"><bdi>' in table_rows("t", columns, [{"id": 1, "n": number}], "id")


def test_a_unit_stands_only_beside_a_number() -> None:
    def own(row: Any, key: str) -> Markup:
        return Markup("counting") if key == "n" and row["n"] == 5 else Markup("")

    columns = table_columns(
        [{"key": "id", "label": "A"}, {"key": "n", "label": "N", "kind": "number", "unit": POINTS}]
    )
    rows = [{"id": 1, "n": None}, {"id": 2, "n": 5}, {"id": 3, "n": 6}]
    written = table_rows("t", columns, rows, "id", own=own)
    assert written.count("data-unit") == 1 and ">counting</td>" in written and ">–</td>" in written


def test_marks_escape_texts_and_keep_markup() -> None:
    assert marks.person("<Noura>", "a&b", "/x?a=1&b=2") == (
        '<span class="who"><span class="avatar avatar-4" aria-hidden="true">&lt;</span><span><a href="/x?a=1&amp;b=2">'
        '<bdi>&lt;Noura&gt;</bdi></a><small class="cut muted ltr">a&amp;b</small></span></span>'
    )
    assert marks.badge(Markup("<b>1</b>")) == '<span class="badge"><b>1</b></span>'
    assert marks.status("paused", "<b>") == '<span class="badge tone-warning">&lt;b&gt;</span>'
    assert marks.status("paused", Markup("<b></b>")) == '<span class="badge tone-warning"><b></b></span>'
    assert marks.avatar("  ") == '<span class="avatar avatar-4" aria-hidden="true">?</span>'
    assert 'aria-label="&lt;x&gt;"' in marks.icon("gift", "<x>")


def test_moments_are_near_and_exact() -> None:
    said = marks.moment(NOW - timedelta(minutes=5))
    assert 'datetime="2026-11-21T11:55+00:00"' in said and "5 minutes ago</time>" in said
    assert marks.moment(None) == "–"
    assert marks.amount(5) == '<span class="amount amount-gain"><bdi>+5</bdi></span>'
    assert marks.amount(-5) == '<span class="amount"><bdi>−5</bdi></span>'


@pytest.mark.parametrize("arabic_or_english", LOCALES, indirect=True)
def test_what_filters_say_needs_no_escape() -> None:
    """Marks and cells write these texts as they are."""
    days = [NOW - timedelta(days=31 * months) for months in range(12)]
    near = [NOW - timedelta(seconds=so_many) for so_many in (0, 1, 59, 60, 3_600, 7_200, 36_000)]
    said = [
        filters.number(-1234.5, signed=True),
        filters.points(7, unit=True),
        filters.percent(0.061, signed=True),
    ]
    said += [
        filters.money(-123_456, currency) for currency in ("USD", "EUR", "ILS", "SAR", "JPY", "KWD", "XXX")
    ]
    said += [filters.date_text(day, style) for day in days for style in ("short", "medium", "long", "full")]
    said += [filters.datetime_text(day, seconds=True) for day in days] + [
        filters.reltime(one) for one in near
    ]
    assert [text for text in said if escape(text) != text] == []


def test_buttons_say_what_they_do_and_why_not() -> None:
    assert buttons.button("Go", kind="primary", attrs={"data-open": "x", "hidden": None}) == (
        '<button class="button button-primary" type="button" data-open="x"><span>Go</span></button>'
    )
    refused = buttons.button("<Go>", small=True, refused="Not <now>", attrs={"data-open": "x"})
    assert refused == (
        '<button class="button button-small" type="button" aria-disabled="true" title="Not &lt;now&gt;">'
        '<span>&lt;Go&gt;</span><span class="sr">Not &lt;now&gt;</span></button>'
    )
    assert 'target="_blank" rel="noopener"' in buttons.link_button("Out", "https://x?a=1&b=2", external=True)
    assert buttons.icon_button("x", "Close", url="/a?b&c").startswith(
        '<a class="button button-plain button-icon" href="/a?b&amp;c"'
    )
    assert 'hx-include="#t [data-select]:checked, #t-chosen"' in buttons.opener("Open", "/x", chosen="t")


def test_a_page_may_write_a_value_that_is_no_word() -> None:
    columns = table_columns([{"key": "name", "label": "Name", "words": {"file": "A file"}}])
    rows = [{"id": 1, "name": {"kind": "file"}}, {"id": 2, "name": "file"}]
    written = table_rows("t", columns, rows, "id", "USD", lambda row, _: "mine" if row["id"] == 1 else "")
    assert ">mine<" in written and ">A file<" in written
