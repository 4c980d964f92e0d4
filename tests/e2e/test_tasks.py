"""Tasks that cross several tabs and the store, from the merchant's first click to what a shopper gets."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.desk import Arrive, balance, furnish, look_at, member, said
from tests.e2e.merchant import Merchant, number
from tests.e2e.pictures import Album
from tests.e2e.shopper import Shopper
from tests.e2e.stack import Stack

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SHOP = "tasks"
LOCALES = pytest.mark.parametrize("locale", ["en", "ar"])
_NAMES = {"en": ("Ada", "Marsh"), "ar": ("ليلى", "حداد")}
_THROW = "10480"  # the throw for 99.90 and 4.90 for shipping


@pytest.fixture(scope="module")
def shop(stack: Stack) -> str:
    furnish(stack, SHOP)
    return SHOP


def opened(stack: Stack, visit: Visit, pictures: Path, task: str, locale: str) -> tuple[Merchant, Shopper]:
    """A shop of its own for one task, and the people in front of it; the app is not installed yet."""
    handle = f"{task}-{locale}"
    stack.control(
        "POST", "/shops", json={"shop": f"{handle}.myshopify.com", "name": "Nestwork", "locale": locale}
    )
    album = Album(pictures, locale)
    merchant = Merchant(visit(), stack, handle, locale, album)
    merchant.choose_language()
    return merchant, Shopper(visit(), stack, handle, locale, album)


def buys_the_throw(shopper: Shopper) -> None:
    """Somebody new registers and buys one product."""
    shopper.enter()
    shopper.register(*_NAMES[shopper.locale], f"{shopper.handle}@example.com")
    shopper.put_in_cart("merino-throw")
    shopper.check_out(total=_THROW)


@LOCALES
def test_the_set_up_is_walked_from_install_to_the_first_order(
    stack: Stack, visit: Visit, pictures: Path, locale: str
) -> None:
    merchant, shopper = opened(stack, visit, pictures, "set-up", locale)
    merchant.page.goto(f"{merchant.admin}/themes")
    merchant.page.locator("[name='loyalnest-embed.on']").uncheck()
    merchant.page.locator("main form button.primary").click()
    merchant.install()
    steps = merchant.main.locator("#setup .steps > li")
    current = merchant.main.locator("#setup [aria-current=step]")
    left = merchant.app.locator("#steps-left > [aria-hidden]")
    home = merchant.app.locator("#bar-home")
    expect(steps).not_to_have_count(0)
    everything = steps.count()

    current.locator("a.button").click()
    merchant.main.locator("[name='names.en']").fill("Bean Club")
    merchant.save()
    said(merchant)
    home.click()
    expect(merchant.main.locator("#setup .step-done")).to_have_count(everything - 2)
    expect(left).to_have_text("2")
    assert look_at(merchant, f"set-up under way, {locale}") == []

    with merchant.page.context.expect_page() as editor:
        current.locator("a[target=_blank]").click()
    theme = editor.value
    expect(theme.locator("[name='loyalnest-embed.on']")).to_be_checked()
    theme.locator("main form button.primary").click()
    expect(theme.locator(".notice")).to_be_visible()
    theme.close()
    current.locator("[data-check-widget]").click()
    expect(left).to_have_text("1")

    buys_the_throw(shopper)

    def all_done() -> bool:
        merchant.open()
        return merchant.main.locator("#setup .step-done").count() == everything

    stack.until("the order has finished the set-up", all_done)
    expect(left).to_have_count(0)
    assert look_at(merchant, f"set-up done, {locale}") == []


@LOCALES
def test_a_template_goes_live_with_a_changed_rule_and_an_order_earns_by_it(
    stack: Stack, visit: Visit, pictures: Path, locale: str
) -> None:
    merchant, shopper = opened(stack, visit, pictures, "template", locale)
    merchant.install()
    merchant.open("/loyalty-programs")
    merchant.rows("programs").locator("th a").first.click()
    merchant.main.locator("[aria-controls=program-more]").click()
    merchant.main.locator("""[hx-vals*='"paused"']""").click()
    merchant.confirm()
    said(merchant)

    merchant.open("/loyalty-programs/templates")
    merchant.main.locator("[data-open-id=pets]").click()
    merchant.app.locator("dialog#template [type=submit]").last.click()
    said(merchant)
    rules = merchant.rows("rules")
    expect(rules).not_to_have_count(0)
    merchant.main.locator("#rules [data-open-id=purchase]").click()
    drawer = merchant.app.locator("dialog.drawer[open]")
    drawer.locator("[name='rule.points']").fill("٢٠" if locale == "ar" else "20")
    expect(drawer.locator("#rule-preview")).to_contain_text("2,000")
    assert look_at(merchant, f"an earning rule, {locale}", above="dialog[open]") == []
    drawer.locator("[type=submit]").last.click()
    said(merchant)
    expect(rules.first).to_contain_text("2,000")
    merchant.main.locator("[data-open-id=launch]").first.click()
    expect(drawer.locator("[name=rewards]")).to_be_checked()
    assert look_at(merchant, f"a launch, {locale}", above="dialog[open]") == []
    drawer.locator("[type=submit]").last.click()
    said(merchant)
    expect(drawer).to_have_count(0)

    buys_the_throw(shopper)

    def earned() -> list[int]:
        points = [points for points, _ in merchant.ledger()]
        return points if len(points) >= 2 else []

    assert stack.until("sign-up and order have earned", earned) == [1998, 100]
    shopper.open_widget()
    expect(shopper.panel.locator(".balance")).to_contain_text("2,098")


def test_a_member_who_enters_a_tier_is_given_its_reward(arrive: Arrive, stack: Stack) -> None:
    merchant = arrive("/tier-management")
    merchant.rows("tiers").last.locator("th a").click()
    merchant.main.locator("[name=entry_reward_id]").select_option(index=1)
    merchant.save()
    said(merchant)

    member(merchant, "grace@example.com")
    merchant.main.locator("#member-tier .card-tools button").click()
    dialog = merchant.app.locator("dialog[open]")
    dialog.locator("[name=tier]").select_option(label="Gold")
    dialog.locator("[name=reason]").fill("Speaks at our tasting")
    dialog.locator("[type=submit]").click()
    said(merchant)
    expect(merchant.main.locator("#member-tier")).to_contain_text("Gold")

    def codes() -> list[str]:
        merchant.open("/reward-catalog/redemptions")
        return merchant.rows("redemptions").locator(".code").all_inner_texts()

    (code,) = stack.until("the code is in the list", codes)
    expect(merchant.rows("redemptions")).to_contain_text("Grace")
    discounts = stack.control("GET", "/discounts", params={"shop": f"{SHOP}.myshopify.com"})["discounts"]
    assert code in [each["code"] for one in discounts for each in one["codes"]]


@LOCALES
def test_a_segment_is_made_and_given_points(arrive: Arrive, locale: str) -> None:
    merchant = arrive("/members/segments/new", locale)
    name = {"en": "Spent more than 150", "ar": "أنفقوا أكثر من 150"}[locale]
    main = merchant.main
    main.locator("[name=name]").fill(name)
    main.locator("[name$='.fact']").select_option("spent")
    amount = main.locator("[name$='.amount']")
    amount.fill("١٥٠" if locale == "ar" else "150")
    share = main.locator("#segment-share")
    expect(share).to_have_attribute("value", "2")
    expect(share).to_have_attribute("max", "3")
    assert look_at(merchant, f"a segment's conditions, {locale}") == []
    main.locator("#members-create-segment-submit").click()
    said(merchant)
    expect(main.locator(".page h1")).to_have_text(name)
    member(merchant, "noura@example.com")
    before = balance(merchant)

    merchant.open("/bulk-actions/new")
    main.locator("a[href*='kind=award']").click()
    main.locator(".segments a[href*='who=segment']").click()
    main.locator("[name=segment_id]").select_option(label=name)
    main.locator("[name=points]").fill("١٥" if locale == "ar" else "15")
    main.locator("form[data-form] [type=submit]").last.click()
    totals = main.locator("#bulk-totals .stat bdi")
    expect(totals).to_have_count(4)
    assert [number(text) for text in totals.all_inner_texts()] == [2, 0, 2, 30]
    assert look_at(merchant, f"a dry run for a segment, {locale}") == []
    main.locator("#bulk-totals form [type=submit]").click()
    expect(main.locator("[hx-post$='/undo']")).to_be_visible()
    said(merchant)
    member(merchant, "noura@example.com")
    assert balance(merchant) == before + 15
