"""A list as people use it: rows by keys, chosen columns, filters in any digits, saved views, the file, chosen rows."""

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.desk import Arrive, furnish, look_at, member
from tests.e2e.merchant import Merchant, number
from tests.e2e.stack import Stack

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SHOP = "lists"
LOCALES = pytest.mark.parametrize("locale", ["en", "ar"])
_MANY = 52  # and three: a page of 50, and five on the next


@pytest.fixture(scope="module")
def shop(stack: Stack) -> str:
    furnish(stack, SHOP)
    for number_ in range(_MANY):
        person = {"email": f"many{number_}@example.com", "first_name": f"Many{number_}", "last_name": "Ruiz"}
        stack.control(
            "POST", "/customers", json={"shop": f"{SHOP}.myshopify.com", "registered": True, **person}
        )
    stack.settled(f"{SHOP}.myshopify.com")
    return SHOP


def members(merchant: Merchant) -> Locator:
    """The rows of the list of members, once it is whole."""
    rows = merchant.main.locator("#members-table tbody tr")

    def whole() -> bool:
        merchant.open("/members?status=active")
        return rows.count() == 50

    merchant.stack.until("everybody is a member", whole)
    return rows


def turn(merchant: Merchant) -> None:
    """Go to the next page of the list."""
    merchant.main.locator(".pager a[data-page]").last.click()
    expect(merchant.main.locator("#members-table tbody tr")).to_have_count(5)


def turn_back(merchant: Merchant) -> None:
    """Go back to the first page of the list with the keyboard."""
    back = merchant.main.get_by_role("link", name="Previous page")
    back.focus()
    merchant.page.keyboard.press("Enter")
    expect(back).to_have_count(0)
    expect(merchant.main.locator("caption")).to_be_focused()
    expect(merchant.main.get_by_role("button", name="Previous page")).to_be_disabled()


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


def test_a_view_is_renamed_and_deleted(arrive: Arrive) -> None:
    merchant = arrive("/members?status=blocked")
    main, app = merchant.main, merchant.app
    shown = main.locator(".views [aria-current]")
    main.locator(".views-line > [hx-get*='/save']").click()
    app.locator("#list-save-view [name=name]").fill("Kept out")
    app.locator("#list-save-view [type=submit]").click()
    expect(shown).to_have_text("Kept out")
    main.locator("select[name=status]").select_option("guest")
    expect(main.locator(".views-changed")).to_be_visible()
    main.locator(".views-line > [hx-get*='/lists/views/']").click()
    dialog = app.locator("dialog[open]")
    expect(dialog.locator("[name=name]")).to_have_value("Kept out")
    dialog.locator("[name=name]").fill("Guests & <b>")
    dialog.locator("[name=as_shown]").check()
    dialog.locator("form[data-form] [type=submit]").last.click()
    expect(dialog).to_have_count(0)
    expect(shown).to_have_text("Guests & <b>")
    merchant.open("/members")
    main.get_by_role("link", name="Guests & <b>").click()
    expect(main.locator("select[name=status]")).to_have_value("guest")
    main.locator(".views-line > [hx-get*='/lists/views/']").click()
    app.locator("dialog[open] [hx-post$='/delete']").click()
    merchant.confirm()
    expect(main.get_by_role("link", name="Guests & <b>")).to_have_count(0)


def test_the_file_has_what_is_shown(arrive: Arrive) -> None:
    merchant = arrive()
    rows = members(merchant)
    merchant.main.locator("select[name=sort]").select_option("available")
    expect(merchant.page).to_have_url(re.compile("sort=available"))
    expect(rows).to_have_count(50)
    said = rows.evaluate_all(
        "(rows) => rows.map((row) => [row.querySelector('.who a').textContent, row.querySelector('.cell-key').textContent])"
    )
    with merchant.page.expect_download() as loaded:
        merchant.main.locator("[data-download]").click()
    assert loaded.value.suggested_filename == "members.csv"
    with Path(loaded.value.path()).open(encoding="utf-8-sig", newline="") as file:
        heads, *lines = csv.reader(file)
    assert (
        heads
        == merchant.main.locator("#members-table thead th:not(.cell-select, .cell-actions)").all_inner_texts()
    )
    assert len(lines) == 55
    assert [(line[0], int(line[3])) for line in lines[:50]] == [
        (name, number(points)) for name, points in said
    ]


def test_rows_of_two_pages_are_given_points_approved_and_taken_back(arrive: Arrive) -> None:
    merchant = arrive("/points-ledger/adjustments")
    main, app = merchant.main, merchant.app
    main.locator("[data-open=adjust-rules]").click()
    app.locator("dialog#adjust-rules [name=approval_above]").fill("100")
    app.locator("dialog#adjust-rules [type=submit]").click()
    merchant.toast()
    rows = members(merchant)
    rows.nth(3).locator("[data-select]").check()
    turn(merchant)
    rows.nth(0).locator("[data-select]").check()
    chosen = main.locator("[data-bulk-count]")
    expect(chosen).to_have_text("2 selected")
    turn_back(merchant)
    expect(rows).to_have_count(50)
    expect(rows.nth(3).locator("[data-select]")).to_be_checked()
    expect(chosen).to_have_text("2 selected")
    merchant.page.go_back()
    expect(rows).to_have_count(5)
    expect(rows.nth(0).locator("[data-select]")).to_be_checked()
    expect(chosen).to_have_text("2 selected")
    main.locator(".bulk [hx-post$='/select']").click()
    main.locator("a[href*='kind=award']").click()
    expect(main.locator("#bulk-who")).to_contain_text("2 members")
    main.locator("[name=points]").fill("75")
    main.locator("form[data-form] [type=submit]").last.click()
    totals = main.locator("#bulk-totals .stat bdi")
    expect(totals.first).to_have_text("2")
    expect(main.locator("#bulk-rows tbody tr")).to_have_count(2)
    main.locator("#bulk-totals form [type=submit]").click()
    expect(main.locator("[hx-post$='/cancel']")).to_be_visible()
    expect(main.locator("[hx-post$='/approve']")).to_have_count(0)
    run = merchant.document.evaluate("location.pathname").removeprefix("/app")

    merchant.become("Owen")
    merchant.open(run)
    main.locator("[hx-post$='/approve']").click()
    merchant.confirm()
    undo = main.locator("[hx-post$='/undo']")
    expect(undo).to_be_visible()
    expect(totals.first).to_have_text("2")

    merchant.become("Maya")
    merchant.open(run)
    undo.click()
    merchant.confirm()
    expect(totals.nth(3)).to_have_text("2")
    expect(main.locator("#bulk-rows")).to_contain_text("Undone")


@LOCALES
def test_what_happened_to_a_member_and_their_lots_are_lists(arrive: Arrive, locale: str) -> None:
    merchant = arrive("/members", locale)
    member(merchant, "grace@example.com")
    expect(merchant.main.locator("#member-timeline")).to_be_visible()
    path = merchant.document.evaluate("location.pathname").removeprefix("/app")
    merchant.open(f"{path}/timeline")
    assert look_at(merchant, f"a timeline, {locale}") == []
    rows = merchant.rows("member-timeline")
    everything = rows.count()
    merchant.main.locator("select[name=kind]").select_option("orders")
    expect(rows).not_to_have_count(everything)
    merchant.open(path.replace("/members/", "/points-ledger/lots/"))
    assert look_at(merchant, f"lots, {locale}") == []
    expect(merchant.rows("member-lots")).not_to_have_count(0)
