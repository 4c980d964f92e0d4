"""A list as people use it: rows by keys, chosen columns, filters in any digits, a saved view, the file."""

import pytest
from playwright.sync_api import expect

from tests.e2e.desk import Arrive, furnish
from tests.e2e.stack import Stack

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SHOP = "lists"


@pytest.fixture(scope="module")
def shop(stack: Stack) -> str:
    furnish(stack, SHOP)
    return SHOP


def test_rows_answer_keys(arrive: Arrive) -> None:
    merchant = arrive("/members")
    rows = merchant.main.locator("#members-table tbody tr")
    rows.first.focus()
    page = merchant.page
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("End")
    expect(rows.last).to_be_focused()
    page.keyboard.press("Home")
    expect(rows.first).to_be_focused()
    page.keyboard.press("Enter")
    expect(merchant.main.locator("#members-table")).to_have_count(0)


def test_a_view_keeps_columns_and_filters_typed_in_arabic_digits(arrive: Arrive) -> None:
    merchant = arrive("/members", "ar")
    main, app = merchant.main, merchant.app
    main.locator(".list-tools > [hx-get*='/columns']").click()
    app.locator("#list-columns input[value=pending]").check()
    app.locator("#list-columns [type=submit]").last.click()
    expect(main.locator("#members-table thead th")).to_have_count(9)
    main.locator("[data-open=members-table-more]").click()
    app.locator("dialog[open] [name=points_from]").fill("١")
    app.locator("dialog[open] [type=submit]").click()
    expect(main.locator(".chip")).to_have_count(1)
    main.locator(".views-line > [hx-get*='/save']").click()
    app.locator("#list-save-view [name=name]").fill("لديهم نقاط")
    app.locator("#list-save-view [type=submit]").click()
    expect(main.locator(".views [aria-current]")).to_contain_text("لديهم نقاط")
    with merchant.page.expect_download() as loaded:
        main.locator("[data-download]").click()
    assert loaded.value.suggested_filename == "members.csv"
