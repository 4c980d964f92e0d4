"""A shop's first day, as merchant and shopper live it: install, first order, redemption, refunds, and a look at all of it."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.merchant import Merchant, number, plain
from tests.e2e.pictures import RIGHT_TO_LEFT, Album
from tests.e2e.shopper import Shopper
from tests.e2e.stack import Stack
from tests.e2e.watch import Watch

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

_NAMES = {"en": ("Ada", "Marsh"), "ar": ("ليلى", "حداد")}
_SCRIPT = {"en": re.compile("[A-Za-z]{3}"), "ar": re.compile("[\u0621-\u064a]{3}")}
_ORDER = 1299  # goods for 129.90 at 10 points for each unit; 4.90 for shipping earn nothing
_SIGNUP = 200
_REWARD = 500
_SILVER = {"en": "Silver", "ar": "فضي"}
_BRONZE = {"en": "Bronze", "ar": "برونزي"}
_SECOND = 168  # 18.50 less 5.00, at 10 points for each unit and Silver's 1.25, rounded down


@dataclass
class Day:
    """The people of one run, and what they learned on the way."""

    stack: Stack
    watch: Watch
    shop: str
    locale: str
    merchant: Merchant
    shopper: Shopper
    email: str

    def member_row(self) -> str:
        """The address of the shopper's page in the admin."""
        self.merchant.open("/members")
        link = self.merchant.rows("members-table").locator("th a").first
        return (link.get_attribute("href") or "").removeprefix("/app")

    def speaks(self, text: str) -> None:
        """Raises AssertionError when the text has no word of the run's language."""
        assert _SCRIPT[self.locale].search(text), f"not in {self.locale}: {text}"

    def ledger_after(self, first: int) -> list[tuple[int, str]]:
        """The ledger, as soon as its newest entry has these points."""
        self.stack.settled(self.shop)

        def look() -> list[tuple[int, str]]:
            entries = self.merchant.ledger()
            return entries if entries and entries[0][0] == first else []

        found: list[tuple[int, str]] = self.stack.until(f"an entry of {first} points is the newest", look)
        return found

    def check(self) -> None:
        """Raises AssertionError for whatever went wrong so far, in browser or server."""
        self.watch.check()
        self.stack.check()


@pytest.fixture(params=["en", "ar"])
def day(request: pytest.FixtureRequest, stack: Stack, watch: Watch, visit: Visit, pictures: Path) -> Day:
    locale: str = request.param
    handle = f"first-day-{locale}"
    shop = f"{handle}.myshopify.com"
    stack.control("POST", "/shops", json={"shop": shop, "name": "Nestwork", "locale": locale})
    album = Album(pictures, locale)
    merchant = Merchant(visit(), stack, handle, locale, album)
    shopper = Shopper(visit(), stack, handle, locale, album)
    return Day(stack, watch, shop, locale, merchant, shopper, f"first.day.{locale}@example.com")


def test_first_day(day: Day) -> None:
    install(day)
    order = first_order(day)
    code = redemption(day)
    second = use_of_the_code(day, code)
    refunds(day, order)
    everything_is_seen(day, second)


def install(day: Day) -> None:
    merchant = day.merchant
    merchant.choose_language()
    merchant.install()
    expect(merchant.main.locator(".steps li")).not_to_have_count(0)
    merchant.look("home-new")
    shop = next(one for one in day.stack.control("GET", "/shops")["shops"] if one["domain"] == day.shop)
    assert shop["installed_at"]

    merchant.open("/loyalty-programs")
    (program,) = merchant.rows("programs").all()
    assert number(merchant.cell(program, 2).split(".")[0]) == 10
    assert number(merchant.cell(program, 3)) == _SIGNUP
    merchant.go("reward-catalog")
    expect(merchant.rows("rewards")).to_have_count(3)
    merchant.go("tier-management")
    expect(merchant.rows("tiers")).to_have_count(3)
    assert [number(merchant.cell(row, 1)) for row in merchant.rows("tiers").all()] == [0, 1000, 5000]
    merchant.go("members")
    merchant.look("members-empty")
    merchant.go("points-ledger")
    merchant.look("ledger-empty")
    day.check()


def first_order(day: Day) -> str:
    merchant, shopper, stack = day.merchant, day.shopper, day.stack
    shopper.enter()
    shopper.look("home")
    shopper.register(*_NAMES[day.locale], day.email)
    shopper.put_in_cart("merino-throw")
    shopper.put_in_cart("stoneware-mug")
    shopper.look("cart")
    order = shopper.check_out(total="13480")
    stack.settled(day.shop)
    topics = {
        one["topic"]: one["state"]
        for one in stack.control("GET", "/deliveries", params={"shop": day.shop, "limit": 200})["deliveries"]
    }
    assert {"customers/create", "orders/create", "orders/paid"} <= topics.keys()

    entries = day.ledger_after(_ORDER)
    assert [points for points, _ in entries] == [_ORDER, _SIGNUP]
    for _, why in entries:
        day.speaks(why)
    assert "1,299" in plain(entries[0][1]) or "129.90" in plain(entries[0][1])
    delay = merchant.main.locator(".stats .stat").last
    assert number(delay.locator("bdi").first.inner_text()) >= 0
    merchant.look("ledger")

    merchant.open(day.member_row())
    expect(merchant.main.locator("h1")).to_contain_text(_NAMES[day.locale][0])
    expect(merchant.main).to_contain_text(_SILVER[day.locale])
    merchant.look("member")
    merchant.open()
    assert re.search(r"\d", merchant.main.locator("#home-award-delay").inner_text())
    merchant.look("home")
    letter(day)
    day.check()
    return order


def letter(day: Day) -> None:
    def inbox() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = day.stack.control("GET", "/messages", params={"to": day.email})[
            "messages"
        ]
        return found

    day.stack.until("a letter arrives", inbox)
    (mail,) = inbox()
    day.speaks(mail["subject"])
    assert "1,299" in plain(mail["subject"])
    assert mail["language"] == day.locale
    page = day.shopper.page
    page.goto(f"{day.stack.devstore}/mailbox?to={day.email}")
    expect(page.locator("tbody tr")).to_have_count(1)
    # Where the mailbox shows it no script may run, not even one that measures.
    page.set_content(mail["html"])
    expect(page.locator("body")).to_contain_text("1,299")
    day.shopper.look("letter")


def redemption(day: Day) -> str:
    shopper = day.shopper
    shopper.open_widget()
    expect(shopper.panel.locator(".balance")).to_contain_text("1,499")
    expect(shopper.panel.locator("[data-tier]")).to_contain_text(_SILVER[day.locale])
    expect(shopper.panel.locator("progress")).to_be_visible()
    expect(shopper.panel.locator("[data-list=rewards] > li")).to_have_count(3)
    panel = shopper.panel.evaluate("(dialog) => getComputedStyle(dialog).direction")
    assert panel == ("rtl" if day.locale in RIGHT_TO_LEFT else "ltr")
    day.speaks(shopper.panel.inner_text())
    shopper.look("widget")
    code = shopper.redeem("500")
    expect(shopper.panel.locator(".balance")).to_contain_text("999")
    shopper.look("widget-code")

    customers = day.stack.control("GET", "/customers", params={"shop": day.shop, "email": day.email})
    found = day.stack.control("GET", "/discounts", params={"shop": day.shop})["discounts"]
    (discount,) = [one for one in found if code in [each["code"] for each in one["codes"]]]
    assert discount["usage_limit"] == 1
    assert discount["status"].lower() == "active"
    assert discount["context"] == {"customers": [customers["customers"][0]["id"]]}
    day.check()
    return code


def use_of_the_code(day: Day, code: str) -> str:
    shopper = day.shopper
    shopper.put_in_cart("beeswax-candle")
    order = shopper.check_out(total="1840", code=code)
    entries = day.ledger_after(_SECOND)
    assert [points for points, _ in entries][-2:] == [_ORDER, _SIGNUP]
    assert sum(points for points, _ in entries) == _ORDER + _SIGNUP - _REWARD + _SECOND
    used = day.stack.control("GET", "/discounts", params={"shop": day.shop})["discounts"]
    assert [one["used"] for one in used] == [1]

    merchant = day.merchant
    merchant.open("/reward-catalog/redemptions")
    expect(merchant.rows("redemptions")).to_have_count(1)
    expect(merchant.main.locator("#redemptions")).to_contain_text(code)
    merchant.look("redemptions")
    day.check()
    return order


def refunds(day: Day, order: str) -> None:
    merchant = day.merchant
    merchant.refund(order, line=1)
    mug = day.ledger_after(-300)
    assert sum(points for points, _ in mug) == _ORDER + _SIGNUP - _REWARD + _SECOND - 300
    merchant.refund(order, line=0)
    both = day.ledger_after(-999)
    assert sum(points for points, _ in both) == _SIGNUP - _REWARD + _SECOND
    assert _ORDER + both[0][0] + both[1][0] == 0
    for _, why in both[:2]:
        day.speaks(why)
    merchant.look("ledger-refunded")
    merchant.open(day.member_row())
    expect(merchant.main).to_contain_text(_BRONZE[day.locale])
    merchant.look("member-refunded")
    day.check()


def everything_is_seen(day: Day, order: str) -> None:
    change_the_program(day)
    look_at_the_catalog(day)
    change_a_tier(day)
    adjust_points(day)
    explain_an_entry(day)
    block_a_member(day)
    day.check()


def change_the_program(day: Day) -> None:
    merchant = day.merchant
    merchant.open("/loyalty-programs")
    merchant.look("programs")
    merchant.rows("programs").locator("th a").first.click()
    bonus = merchant.main.locator("input[name=signup_bonus]")
    expect(bonus).to_have_value("200")
    merchant.look("program")
    bonus.fill("250")
    expect(merchant.page.locator("#save-bar")).to_be_visible()
    merchant.look("program-changed")
    merchant.save()
    day.speaks(merchant.toast())
    expect(merchant.main.locator("input[name=signup_bonus]")).to_have_value("250")
    versions = merchant.main.locator("table.diff")
    expect(versions).to_have_count(1)
    expect(versions.locator("ins")).to_contain_text("250")
    merchant.look("program-saved")


def look_at_the_catalog(day: Day) -> None:
    merchant = day.merchant
    merchant.go("reward-catalog")
    merchant.look("rewards")
    merchant.rows("rewards").locator("th a").nth(1).click()
    price = merchant.main.locator("input[name=points_cost]")
    expect(price).to_have_value("500")
    price.fill("450")
    merchant.save()
    day.speaks(merchant.toast())
    expect(merchant.main.locator("#reward-preview")).to_contain_text("450")
    expect(merchant.main.locator(".timeline li")).not_to_have_count(0)
    merchant.look("reward")


def change_a_tier(day: Day) -> None:
    merchant = day.merchant
    merchant.go("tier-management")
    merchant.look("tiers")
    merchant.rows("tiers").locator("th a").nth(1).click()
    threshold = merchant.main.locator("input[name=threshold]")
    expect(threshold).to_have_value(re.compile("^1,?000$"))
    threshold.fill("1200")
    merchant.look("tier")
    merchant.save()
    expect(merchant.main.locator(".stat")).to_have_count(4)
    merchant.look("tier-preview")
    merchant.main.locator("[data-confirm-label]").first.click()
    merchant.confirm()
    day.speaks(merchant.toast())
    expect(merchant.rows("tiers")).to_have_count(3)
    assert number(merchant.cell(merchant.rows("tiers").nth(1), 1)) == 1200


def adjust_points(day: Day) -> None:
    merchant = day.merchant
    merchant.go("points-ledger")
    merchant.app.locator("[hx-get$='/points-ledger/adjust']").click()
    dialog = merchant.app.locator("dialog#adjust")
    with day.watch.provoked("status of 422"):
        dialog.locator("input[name=member]").fill(day.email)
        dialog.locator("input[name=points]").fill("-5")
        dialog.locator("[name=note]").fill("Sorry for the wait")
        dialog.locator("[type=submit]").click()
        expect(dialog.locator(".problem").first).to_be_visible()
        merchant.look("adjust-refused")
        dialog.locator("input[name=points]").fill("400")
    dialog.locator("[type=submit]").click()
    expect(dialog).to_be_hidden()
    day.speaks(merchant.toast())
    newest = merchant.rows("ledger").first
    expect(newest).to_contain_text("400")
    expect(newest).to_contain_text("Sorry for the wait")


def explain_an_entry(day: Day) -> None:
    merchant = day.merchant
    award = merchant.rows("ledger").filter(has_text=str(_SECOND)).first
    award.locator("[data-open-id]").click()
    drawer = merchant.app.locator("dialog#entry")
    expect(drawer).to_be_visible()
    steps = ["13.50", "135", "1.25", "168.75", ".", str(_SECOND), str(_SECOND)]
    expect(drawer.locator("dl").nth(1).locator("dd")).to_have_text([re.compile(step) for step in steps])
    day.speaks(drawer.locator("h2").inner_text())
    merchant.look("entry")
    drawer.locator("[data-close]").first.click()
    expect(drawer).to_be_hidden()


def block_a_member(day: Day) -> None:
    merchant = day.merchant
    merchant.go("members")
    merchant.look("members")
    merchant.rows("members-table").first.locator("[data-open-id]").click()
    drawer = merchant.app.locator("dialog#member-peek")
    expect(drawer).to_contain_text(day.email)
    merchant.look("member-peek")
    drawer.locator("a.button").click()
    merchant.main.locator("[aria-controls=member-more]").click()
    merchant.main.locator("[data-open=block]").click()
    merchant.app.locator("dialog#block textarea").fill("Returns everything.")
    merchant.app.locator("dialog#block [type=submit]").click()
    day.speaks(merchant.toast())
    expect(merchant.main.locator("[hx-vals*=active]")).to_be_visible()
    expect(merchant.main.locator("#member-timeline").first).to_be_visible()
    merchant.look("member-blocked")
    day.shopper.open_widget()
    expect(day.shopper.panel.locator("[data-when=blocked]")).to_be_visible()
    merchant.main.locator("[hx-vals*=active]").click()
    day.speaks(merchant.toast())
    expect(merchant.main.locator("[data-open=block]")).to_have_count(1)
