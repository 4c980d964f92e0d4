"""Fields that find members and goods while one types, with the keyboard alone, in both directions; and what they keep."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.desk import Arrive, furnish, look_at
from tests.e2e.merchant import Merchant
from tests.e2e.stack import Stack

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SHOP = "found"


@pytest.fixture(scope="module")
def shop(stack: Stack) -> str:
    furnish(stack, SHOP)
    return SHOP


def option(merchant: Merchant, field: Locator, text: str) -> Locator:
    """Type into a field and wait for the option that its list gets."""
    field.press_sequentially(text)
    found = merchant.app.locator("[role=listbox]:not([hidden]) [role=option]")
    expect(found).to_have_count(1)
    expect(field).to_have_attribute("aria-expanded", "true")
    return found


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_a_member_is_chosen_with_the_keyboard(arrive: Arrive, locale: str) -> None:
    merchant = arrive("/quick-actions/award-points", locale=locale)
    field = merchant.app.locator("#quick-actions-award-points-member")
    field.focus()
    noura = option(merchant, field, "nou")
    assert look_at(merchant, f"a member is found, {locale}") == []
    field.press("ArrowDown")
    expect(field).to_have_attribute("aria-activedescendant", str(noura.get_attribute("id")))
    field.press("Escape")
    expect(field).to_have_attribute("aria-expanded", "false")
    expect(field).to_have_value("nou")
    field.press("ArrowDown")
    field.press("Enter")
    expect(field).to_have_value("Noura Haddad")
    expect(field).to_be_focused()
    chosen = merchant.app.locator("input[type=hidden][name=member]")
    assert len(str(chosen.get_attribute("value"))) == 36, "the id is posted, not the name"
    merchant.app.locator("[name=points]").fill("5")
    merchant.main.locator("form [type=submit]").last.click()
    expect(merchant.main.locator("dl")).to_contain_text("Noura Haddad")
    merchant.app.locator("[name=_back]").click()
    expect(field).to_have_value("Noura Haddad")
    field.press("End")
    field.press("Backspace")
    expect(field).to_have_value("Noura Hadda")
    expect(chosen).to_have_count(0)  # what is typed on counts again
    expect(field).to_have_attribute("name", "member")


def test_a_dialog_stays_open_when_its_list_is_closed(arrive: Arrive) -> None:
    merchant = arrive("/points-ledger")
    merchant.app.locator("[hx-get$='/points-ledger/adjust']").click()
    dialog = merchant.app.locator("dialog#adjust")
    field = dialog.locator("[name=member]")
    option(merchant, field, "cam")
    field.press("Escape")
    expect(field).to_have_attribute("aria-expanded", "false")
    expect(dialog).to_be_visible()
    field.fill("camille@example.com")
    dialog.locator("[name=points]").fill("5")
    expect(dialog.locator("#adjust-preview dd")).not_to_have_count(0)


def test_goods_are_chosen_by_name_and_kept_by_number(arrive: Arrive, stack: Stack) -> None:
    merchant = arrive("/loyalty-programs")
    merchant.main.locator("tbody th a").first.click()
    merchant.main.locator("#campaigns .card-tools :is(a, button)").click()
    drawer = merchant.app.locator("dialog[open]")
    drawer.locator("[name='campaign.name']").fill("Mugs")
    field = drawer.locator("#loyalty-programs-save-campaign-campaign-conditions-products")
    option(merchant, field, "mug")
    assert look_at(merchant, "goods are found") == []
    field.press("ArrowDown")
    field.press("Enter")
    chosen = drawer.locator("[name='campaign.conditions.products']")
    expect(chosen).to_have_value(str(_number(stack)))
    expect(drawer.locator(".tag bdi")).to_have_text(["Stoneware Mug"])
    expect(field).to_be_focused()
    drawer.locator("[type=submit]").last.click()
    expect(drawer).to_have_count(0)
    merchant.main.locator("#campaigns-table tbody [data-open-id]").click()
    expect(drawer.locator(".tag bdi")).to_have_text(["Stoneware Mug"])


def _number(stack: Stack) -> int:
    found = stack.control("GET", "/products", params={"shop": f"{SHOP}.myshopify.com"})["products"]
    return int(next(one["id"] for one in found if "Mug" in one["title"]))


def test_a_reward_keeps_a_variant_and_shows_its_name(arrive: Arrive) -> None:
    merchant = arrive("/reward-catalog/new")
    merchant.main.locator("[name=kind][value=free_product]").check()
    merchant.main.locator("[name='names.en']").fill("A mug for you")
    merchant.main.locator("[name=points_cost]").fill("500")
    field = merchant.main.locator("input[id$=-variant]")
    option(merchant, field, "stone")
    field.press("ArrowDown")
    field.press("Enter")
    merchant.main.locator("form button.button-primary").last.click()
    expect(merchant.main.locator("h1")).to_contain_text("A mug for you")
    expect(merchant.main.locator("input[id$=-variant]")).to_have_value("Stoneware Mug")
    expect(merchant.main.locator("input[type=hidden][name=variant]")).to_have_value(
        re.compile(r"ProductVariant/\d+$")
    )


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_a_zone_and_countries_are_chosen_with_the_keyboard(arrive: Arrive, locale: str) -> None:
    merchant = arrive("/loyalty-programs", locale=locale)
    merchant.main.locator("tbody th a").first.click()
    zone, kept = merchant.main.locator("input[id$=-zone]"), merchant.main.locator("input[name=zone]")
    expect(kept).to_have_value("")
    own = zone.input_value()
    zone.focus()
    zone.press("ArrowDown")
    options = merchant.app.locator("[role=listbox]:not([hidden]) [role=option]")
    expect(options.first).to_have_attribute("aria-selected", "true")  # the one that is kept
    assert options.count() > 400
    zone.fill("")
    zone.press_sequentially("tokyo")
    expect(options).to_have_count(1)
    # Narrow, other fields lie half below the bar: only the list is looked at.
    assert look_at(merchant, f"a zone is found, {locale}", ".combobox:has([aria-expanded='true'])") == []
    zone.press("Enter")
    expect(kept).to_have_value("Asia/Tokyo")
    expect(zone).to_have_value(re.compile(r"UTC\+09:00"))
    countries = merchant.main.locator("input[id$=-eligibility-countries]")
    chosen = merchant.main.locator("[name='eligibility.countries']")
    countries.focus()
    countries.press_sequentially("japan")
    expect(options).to_have_count(1)
    countries.press("Tab")  # the only one is taken by going on
    expect(chosen).to_have_value("JP")
    merchant.main.locator("form[data-save-bar]").first.evaluate("(form) => form.reset()")
    expect(chosen).to_have_count(0)
    expect(zone).to_have_value(own)
    expect(kept).to_have_value("")
