"""What stands around the rows of a list: nothing that a person or a shop wrote becomes markup, and choices stay chosen."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from flask import Flask

from app.core.paging import Found, Page
from app.web import list_parts
from app.web.bars import bar_label, bar_tabs
from app.web.dialogs import modal
from app.web.filter_bar import filter_bar, kept_fields, more_filters
from app.web.list_parts import bulk_bar, counted, list_acts, list_bar, pager, views_line
from app.web.menu import MenuSection, MenuTab
from app.web.rendering import page_context
from app.web.styleguide import SampleView, sample_list
from app.web.tables import table_columns, table_head, table_rows

BAD, SAFE = "<script>'\"&", "&lt;script&gt;&#39;&#34;&amp;"
TODAY = date(2026, 11, 21)


@pytest.fixture(autouse=True)
def request_of_somebody(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Sentences are in the language of a request; this application has no pages of lists."""
    for name in ("page_url", "action_url"):
        monkeypatch.setattr(list_parts, name, lambda name, **values: f"/app/{name}?at={values.get('at')}")
    with app.test_request_context("/app"):
        yield
    for kept in (list_parts._usual_views, list_parts._usual_tools):
        kept.cache_clear()


def test_no_filter_becomes_markup() -> None:
    choices = [(BAD, BAD)]
    written = filter_bar(
        "f",
        f"/a?{BAD}",
        {"q": BAD, "kept": BAD, "one": BAD},
        search="q",
        placeholder=BAD,
        chips=[{"name": "c", "label": BAD, "value": BAD}],
        selects=[{"name": "one", "label": BAD, "options": choices}],
        sorts=choices,
        count=BAD,
    )
    assert "<script" not in written and f'<option value="{SAFE}" selected>{SAFE}</option>' in written
    between = [
        {"start": "from", "end": "to", "label": BAD, "kind": "number"},
        {"start": "first", "end": "last", "label": BAD, "kind": "date"},
    ]
    written = more_filters(
        "m",
        f"/a?{BAD}",
        {"to": BAD, "last": "2026-11-21", "one": BAD, "kept": BAD},
        between=between,
        choices=[("one", BAD, choices)],
        today=TODAY,
        zone=BAD,
        unread={"from": BAD},
    )
    assert "<script" not in written
    assert f'name="from" value="{SAFE}"' in written and 'aria-invalid="true"' in written
    assert f'<option value="{SAFE}" selected>{SAFE}</option>' in written


def test_no_name_in_a_list_becomes_markup() -> None:
    view = SampleView(UUID(int=9), BAD, {"tier": BAD}, True)
    shown = replace(
        sample_list([{"id": 1, "name": BAD}]),
        url=f"/a?{BAD}",
        params={"q": BAD},
        views=[view],
        view=view,
        options={"tier": [(BAD, BAD)]},
        csv=f"/v1?{BAD}",
        unread={"points_from": BAD},
    )
    columns = table_columns([{"key": "name", "label": BAD, "unit": BAD}, {"key": "id", "label": "Id"}])
    written = [
        views_line(shown),
        list_bar(shown, "t", TODAY, BAD),
        list_acts(shown, "t"),
        pager(shown.found.page, shown.url, shown.params, BAD),
        bulk_bar("t", BAD, caller=lambda: ""),
        modal("m", BAD, caller=lambda: ""),
        kept_fields({BAD: BAD}),
        table_head("t", columns, shown.url, shown.params),
        table_rows("t", columns, shown.found.page.items, "name", select=("ids", "name", "name")),
    ]
    assert [text for text in written if "<script" in text] == []
    assert f"<bdi>{SAFE}</bdi>" in written[0] and 'aria-current="true"' in written[0]


@pytest.mark.parametrize("csv", [None, "/v1/api/members.csv?columns=name"])
def test_what_is_kept_for_every_shop_is_what_would_be_written(
    csv: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = replace(sample_list([{"id": 1, "name": "Ada"}]), csv=csv, params={}, views=[], view=None)
    shown = replace(shown, query=shown.spec.query())
    assert shown.untouched
    kept = [(views_line(shown), list_bar(shown, "t", TODAY, "UTC")) for _ in range(2)]
    monkeypatch.setattr(type(shown), "untouched", False)
    assert kept == [(views_line(shown), list_bar(shown, "t", TODAY, "UTC"))] * 2


def test_what_a_shop_keeps_or_asks_is_not_kept_for_others() -> None:
    shown = replace(sample_list([]), params={}, views=[], view=None)
    view = SampleView(UUID(int=9), "Ours", {"tier": "gold"}, True)
    for touched in (
        replace(shown, views=[view]),
        replace(shown, params={"q": "Ours"}),
        replace(shown, unread={"points_from": "Ours"}),
    ):
        assert not touched.untouched
        views_line(touched), list_bar(touched, "t", TODAY, "UTC")
    assert list_parts._usual_views.cache_info().misses == list_parts._usual_tools.cache_info().misses == 0


def test_no_title_in_the_bar_becomes_markup() -> None:
    tab = MenuTab(BAD, BAD, "box", f"/a?{BAD}", True)
    ctx = replace(page_context(None), menu=[MenuSection("g", BAD, "box", tab.url, True, [tab])], tab=BAD)
    assert "<script" not in bar_label(ctx) + bar_tabs(ctx)
    assert 'aria-current="true"' in bar_tabs(ctx)
    assert 'aria-current="page"' in bar_tabs(replace(ctx, path=tab.url))
    assert bar_tabs(replace(ctx, menu=[])).startswith(
        '<nav class="bar-tabs" id="bar-tabs" aria-label="Categories"'
    )


def test_how_many_are_shown() -> None:
    rows = [{"id": number} for number in range(3)]
    assert counted(Found(Page(rows), 1_284)) == "3 of 1,284"
    assert counted(Found(Page(rows), 10_000, True)) == "3 of 10,000+"
    assert counted(Found(Page(rows))) == counted(Found(Page(rows), 0, True)) == "3 shown"


def test_an_empty_page_shows_a_pager_only_when_it_leads_somewhere() -> None:
    assert pager(Page([]), "/a") == ""
    assert 'href="/a?cursor=x"' in pager(Page([], "x"), "/a")
    assert pager(Page([1]), "/a").count(" disabled ") == 2
