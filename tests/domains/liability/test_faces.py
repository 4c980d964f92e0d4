"""Liability as merchants and their programs see it: the page, its settings, and the endpoints."""

from typing import Any

import pytest
from flask import Flask

from app.core.permissions import ALL, Permission
from app.domains.liability import service
from tests.domains.liability.history import History
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, Door, api_key, staff

PAGE = "/app/points-ledger/liability"
API = "/v1/api/points/liability"


def fields(**changes: Any) -> dict[str, Any]:
    """The settings as a browser posts them."""
    given = {
        "version": "0",
        "value": "100.00",
        "fallback": "100",
        "override": "85",
        "override_reason": "Policy of 2026",
        "sharing": "tenth",
        "accounts.sales": "4000",
        "accounts.deferred": "2400",
        "accounts.points": "4010",
    }
    return given | changes


@pytest.fixture
def booked(history: History) -> History:
    """The published example in a closed month."""
    history.sell(200_000, 2_000)
    history.redeem(850)
    history.go(2, 5)
    history.close()
    return history


def test_the_page_shows_what_was_saved(booked: History, merchant: Caller) -> None:
    assert "rest on an assumed value" in merchant.get(PAGE).text
    assert merchant.submit(f"{PAGE}/save", fields()).status_code == 200
    page = merchant.get(f"{PAGE}?month=2026-01").text
    assert "rest on an assumed value" not in page
    assert "$158.00" in page
    assert "$79.00" in page
    assert "January 2026" in page
    journal = merchant.get(f"{PAGE}/journal").text
    assert (
        'data-download="/v1/api/points/liability/journal.csv' in journal
        and "Points issued 2026-01" in journal
    )


def test_an_empty_ledger_explains_itself(shop: TestShop, merchant: Caller) -> None:
    page = merchant.get(PAGE)
    assert page.status_code == 200
    assert "No points yet" in page.text


@pytest.mark.parametrize("locale", ["en", "es", "fr", "ar", "he"])
def test_the_page_renders_in_every_locale(booked: History, app: Flask, door: Door, locale: str) -> None:
    page = Caller(app, door.token(staff(booked.shop.id, locale=locale))).get(PAGE)
    assert page.status_code == 200
    assert f'dir="{"rtl" if locale in ("ar", "he") else "ltr"}"' in page.text


@pytest.mark.parametrize("month", ["2025-01", "nonsense", "2026-99"])
def test_a_month_that_is_none_shows_the_present_one(booked: History, merchant: Caller, month: str) -> None:
    assert merchant.get(f"{PAGE}?month={month}").status_code == 200


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"value": "-1"}, "value"),
        ({"value": "x"}, "value"),
        ({"fallback": "101"}, "fallback"),
        ({"override_reason": ""}, "override_reason"),
        ({"accounts.sales": ""}, "accounts-sales"),
        ({"sharing": "half"}, "sharing"),
    ],
)
def test_a_refused_form_comes_back(
    shop: TestShop, merchant: Caller, changes: dict[str, str], field: str
) -> None:
    answer = merchant.submit(f"{PAGE}/save", fields(**changes))
    assert answer.status_code == 422
    assert f'href="#points-ledger-save_liability-{field}"' in answer.text
    with shop.work() as uow:
        assert service.get_settings(uow).assumed


def test_saving_over_somebody_elses_settings_is_refused(shop: TestShop, merchant: Caller) -> None:
    assert merchant.submit(f"{PAGE}/save", fields()).status_code == 200
    late = merchant.submit(f"{PAGE}/save", fields(value="70.00"))
    assert late.status_code == 409
    assert 'value="70.00"' in late.text
    assert merchant.submit(f"{PAGE}/save", fields(version="1", value="70.00")).status_code == 200


def test_without_the_permission_nothing_is_seen_or_changed(booked: History, app: Flask, door: Door) -> None:
    blind = Caller(app, door.token(staff(booked.shop.id, ALL - {Permission.POINTS_READ})))
    reader = Caller(app, door.token(staff(booked.shop.id, ALL - {Permission.SETTINGS_WRITE})))
    assert blind.get(PAGE).status_code == 403
    assert "Save valuation" not in reader.get(PAGE).text
    assert reader.submit(f"{PAGE}/save", fields()).status_code == 403
    key = Caller(app, door.api_key(api_key(booked.shop.id, ALL - {Permission.POINTS_READ})))
    for path in ("", "/roll-forward", "/journal", "/journal.csv", "/roll-forward.csv"):
        assert key.get(API + path).status_code == 403


def test_the_endpoints_agree_with_each_other(booked: History, merchant: Caller, key: Caller) -> None:
    merchant.submit(f"{PAGE}/save", fields())
    found = key.get(f"{API}?month=2026-01").json["liability"]
    assert (found["deferred_minor"], found["outstanding"], found["estimate"]["rate_bp"]) == (
        7_900,
        1_150,
        8_500,
    )
    rows = key.get(f"{API}/roll-forward?last=2026-01").json["roll_forward"]["months"]
    assert [row["closing_minor"] for row in rows] == [7_900]
    lines = key.get(f"{API}/journal?first=2026-01&last=2026-01").json["journal"]["lines"]
    assert sum(line["debit_minor"] for line in lines) == sum(line["credit_minor"] for line in lines) == 23_700
    text = key.get(f"{API}/journal.csv?sort=oldest")
    assert text.headers["Content-Type"].startswith("text/csv")
    assert text.text.splitlines()[1] == "2026-01-31,4000,158.00,,USD,Points issued 2026-01"


def test_months_and_lines_are_lists(booked: History, merchant: Caller, app: Flask, door: Door) -> None:
    merchant.submit(f"{PAGE}/save", fields())
    file = merchant.get(
        f"{API}/roll-forward.csv?month=2026-01&columns=month,closing_points,closing_minor"
    ).text
    assert file.splitlines()[1:] == ["2026-01,1150,79.00"]
    assert merchant.get(f"{PAGE}?sort=oldest&limit=1").text.count('id="liability-months-2026-') == 1
    assert merchant.get(f"{PAGE}?cursor=nonsense").status_code == 400
    journal = f"{PAGE}/journal"
    assert merchant.get(f"{journal}?account=points").text.count('id="liability-journal-') > 0
    assert "No line matches" in merchant.get(f"{journal}?first=2026-02").text
    newest = merchant.get(f"{API}/journal.csv?account=deferred&columns=account,debit").text
    assert newest.splitlines()[1:] == ["2400,", "2400,79.00"], "lines of a month stand as they are booked"
    arabic = Caller(app, door.token(staff(booked.shop.id, locale="ar"))).get(journal)
    assert arabic.status_code == 200 and 'dir="rtl"' in arabic.text


def test_bad_months_and_empty_ledgers_are_refused(shop: TestShop, key: Caller) -> None:
    assert key.get(API).status_code == 404
    assert key.get(f"{API}?month=2026-13").status_code == 422
    assert key.get(f"{API}/roll-forward?first=x").status_code == 422
    assert key.get(f"{API}/journal").json["journal"]["lines"] == []


def test_another_shop_sees_its_own(booked: History, other_shop: TestShop, app: Flask, door: Door) -> None:
    stranger = Caller(app, door.api_key(api_key(other_shop.id)))
    assert stranger.get(f"{API}/roll-forward").json["roll_forward"]["months"] == []


def test_the_home_tab_shows_what_is_outstanding(booked: History, merchant: Caller) -> None:
    assert "Points outstanding at the end of last month" in merchant.get("/app").text


def test_account_names_cannot_be_formulas(booked: History, merchant: Caller, key: Caller) -> None:
    merchant.submit(f"{PAGE}/save", fields(**{"accounts.sales": "=1+1"}))
    assert ",'=1+1," in key.get(f"{API}/journal.csv").text
