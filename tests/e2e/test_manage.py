"""The main task of each Manage tab, as a merchant does it in Shopify's frame, and what it leaves to be seen."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.desk import Arrive, balance, furnish, look_at, member, said
from tests.e2e.merchant import number
from tests.e2e.stack import Stack
from tests.e2e.watch import Watch

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SHOP = "manage"
LOCALES = pytest.mark.parametrize("locale", ["en", "ar"])


@pytest.fixture(scope="module")
def shop(stack: Stack) -> str:
    furnish(stack, SHOP)
    return SHOP


@LOCALES
def test_members_are_found_credited_and_noted(arrive: Arrive, locale: str) -> None:
    merchant = arrive(locale=locale)
    member(merchant, "noura@example.com")
    before = balance(merchant)
    merchant.main.locator("#member-points .card-tools :is(a, button)").click()
    dialog = merchant.app.locator("dialog[open]")
    dialog.locator("input[name=points]").fill("٧٥" if locale == "ar" else "75")
    dialog.locator("[name=note]").fill("Broken mug <b>replaced</b>")
    expect(dialog.locator("#adjust-preview dd")).not_to_have_count(0)
    assert look_at(merchant, f"adjusting a member, {locale}") == []
    dialog.locator("[type=submit]").click()
    said(merchant)
    member(merchant, "noura@example.com")
    assert balance(merchant) == before + 75

    merchant.main.locator("[data-open=note]").click()
    note = merchant.app.locator("dialog#note")
    note.locator("textarea").fill("Prefers the phone <i>")
    note.locator("[type=submit]").click()
    expect(note).to_be_hidden()
    said(merchant)
    expect(merchant.main).to_contain_text("Prefers the phone <i>")
    assert look_at(merchant, f"member with a note, {locale}") == []


def test_a_preview_is_quiet_while_somebody_types(arrive: Arrive) -> None:
    """The watch fails this test for anything red in the console."""
    merchant = arrive("/points-ledger")
    merchant.app.locator("[hx-get$='/points-ledger/adjust']").click()
    dialog = merchant.app.locator("dialog#adjust")
    points = dialog.locator("input[name=points]")
    for text in ("", "1", "12x", "999999999999999999999"):
        with merchant.page.expect_response(lambda answer: "adjust-preview" in answer.url) as answer:
            points.fill(text)
            dialog.locator("[name=member]").fill(f"noura@example.com{text[:0]}")
        assert answer.value.status == 200
    expect(dialog.locator("#adjust-preview")).to_contain_text("too large")


@LOCALES
def test_erasing_somebody_asks_for_the_name(arrive: Arrive, locale: str) -> None:
    merchant = arrive("/members", locale=locale)
    merchant.app.locator("[hx-get$='/members/enroll']").click()
    form = merchant.app.locator("dialog#enroll")
    form.locator("input[type=text]").first.fill(f"gone.{locale}@example.com")
    form.locator("[type=submit]").click()
    expect(form).to_be_hidden()
    merchant.main.locator("[aria-controls=member-more]").click()
    merchant.main.locator("#member-more [data-confirm-typed]").click()
    question = merchant.app.locator("dialog#confirm")
    typed, erase = question.locator("input"), question.locator("[data-ok]")
    expect(erase).to_be_disabled()
    assert look_at(merchant, f"erasing somebody, {locale}") == []
    typed.fill("somebody else")
    typed.press("Enter")
    expect(question).to_be_visible()
    expect(erase).to_be_disabled()
    typed.fill(f" GONE.{locale}@example.com")
    expect(erase).to_be_enabled()
    typed.press("Enter")
    expect(question).to_be_hidden()
    expect(merchant.main.locator("[aria-controls=member-more]")).to_have_count(0)


def test_the_ledger_is_filtered_and_an_entry_explained(arrive: Arrive) -> None:
    merchant = arrive()
    rows = merchant.main.locator("#ledger tbody tr")

    def is_refunded() -> bool:
        merchant.open("/points-ledger?kind=reverse")
        return merchant.main.locator("#ledger [data-open-id]").count() == 1

    merchant.stack.until("the refund is in the ledger", is_refunded)
    merchant.open("/points-ledger")
    everything = rows.count()
    assert everything >= 7
    merchant.main.locator("[name=kind]").select_option("reverse")
    expect(rows).to_have_count(1)
    expect(merchant.page).to_have_url(re.compile("kind=reverse"))
    rows.first.locator("[data-open-id]").click()
    drawer = merchant.app.locator("dialog.drawer[open]")
    expect(drawer.locator("dl dd")).not_to_have_count(0)
    assert look_at(merchant, "an entry's drawer") == []
    merchant.page.keyboard.press("Escape")
    merchant.main.locator("[data-search]").fill("nobody@example.com")
    expect(merchant.main.locator(".empty")).to_be_visible()
    assert look_at(merchant, "no entry matches") == []
    merchant.main.locator(".empty-acts a").first.click()
    expect(rows).to_have_count(everything)


@LOCALES
def test_a_reward_is_made_and_shows_what_members_see(arrive: Arrive, locale: str) -> None:
    merchant = arrive("/reward-catalog/new", locale)
    form = merchant.main.locator("form[data-form]")
    form.locator("[name=kind][value=percentage_off]").check()
    form.locator("[name=percent]").fill("١٠" if locale == "ar" else "10")
    form.locator("[name=points_cost]").fill("800")
    form.locator("[id$=names-en-tab]").click()
    form.locator("[name='names.en']").fill("A tenth off & more")
    expect(merchant.main.locator("#reward-preview")).to_contain_text("800")
    assert look_at(merchant, f"a new reward, {locale}") == []
    form.locator("[type=submit]").last.click()
    said(merchant)
    merchant.open("/reward-catalog")
    expect(merchant.main.locator("#rewards")).to_contain_text("A tenth off & more")


def test_a_referral_campaign_is_made(arrive: Arrive, watch: Watch) -> None:
    merchant = arrive("/referral-campaigns/new")
    form = merchant.main.locator("form[data-form]")
    form.locator("[name=advocate_points]").fill("-5")
    with watch.provoked("422"):
        form.locator("[type=submit]").last.click()
        expect(merchant.main.locator(".problem").first).to_be_visible()
    assert look_at(merchant, "a refused campaign") == []
    form.locator("[name=name]").fill("Bring a friend")
    form.locator("[name=advocate_points]").fill("150")
    form.locator("[name=friend_points]").fill("100")
    form.locator("[type=submit]").last.click()
    said(merchant)
    merchant.open("/referral-campaigns")
    expect(merchant.main.locator("[data-rows]").first).to_contain_text("Bring a friend")
    assert look_at(merchant, "referral campaigns") == []


def test_a_program_is_made_from_a_template(arrive: Arrive) -> None:
    merchant = arrive("/loyalty-programs/templates")
    assert look_at(merchant, "program templates") == []
    merchant.main.locator("[data-open-id]").first.click()
    drawer = merchant.app.locator("dialog.drawer[open]")
    expect(drawer.locator("dl dd")).not_to_have_count(0)
    assert look_at(merchant, "a program template") == []
    drawer.locator("[type=submit]").click()
    said(merchant)
    expect(merchant.main.locator("[name=signup_bonus]")).to_be_visible()
    merchant.open("/loyalty-programs?status=draft")
    expect(merchant.main.locator("#programs tbody tr")).to_have_count(1)


def test_a_tier_is_tried_before_it_is_saved(arrive: Arrive) -> None:
    merchant = arrive("/tier-management")
    merchant.main.locator("#tiers tbody tr").nth(1).locator("th a").click()
    merchant.main.locator("[name=threshold]").fill("1100")
    merchant.save()
    apply = merchant.main.locator("[data-confirm-label]").first
    expect(apply).to_be_visible()
    expect(merchant.main.locator(".stat")).to_have_count(4)
    assert look_at(merchant, "what a tier would change") == []
    apply.click()
    merchant.confirm()
    said(merchant)
    assert number(merchant.cell(merchant.rows("tiers").nth(1), 1)) == 1100


def test_a_file_is_rehearsed_awarded_and_taken_back(arrive: Arrive) -> None:
    merchant = arrive("/bulk-actions")
    assert look_at(merchant, "no bulk action yet") == []
    member(merchant, "grace@example.com")
    before = balance(merchant)
    merchant.open("/bulk-actions/new?kind=award&who=file")
    rows = "email,points\ngrace@example.com,40\ncamille@example.com,٢٠\nnobody@example.com,5\ngrace@example.com,-1\n"
    merchant.main.locator("input[type=file]").set_input_files(
        {"name": "points.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    )
    assert look_at(merchant, "a bulk action for a file") == []
    merchant.main.locator("form[data-form] [type=submit]").last.click()
    totals = merchant.main.locator("#bulk-totals .stat")
    expect(totals).to_have_count(4)
    assert [number(text) for text in totals.locator("bdi").all_inner_texts()][:2] == [2, 2]
    expect(merchant.main.locator("#bulk-rows tbody tr")).to_have_count(4)
    assert look_at(merchant, "a dry run") == []
    merchant.main.locator("#bulk-totals form [type=submit]").click()
    undo = merchant.main.locator("[hx-post$='/undo'], [action$='/undo'] button").first
    expect(undo).to_be_visible()
    merchant.toast()
    assert look_at(merchant, "a finished bulk action") == []
    run = merchant.document.evaluate("location.pathname").removeprefix("/app")
    member(merchant, "grace@example.com")
    assert balance(merchant) == before + 40
    merchant.open(run)
    undo.click()
    merchant.confirm()
    expect(totals.locator("bdi").nth(3)).to_have_text("2")
    member(merchant, "grace@example.com")
    assert balance(merchant) == before


@LOCALES
def test_a_quick_action_shows_what_it_will_do_and_is_undone(arrive: Arrive, locale: str) -> None:
    merchant = arrive("/quick-actions", locale)
    assert look_at(merchant, f"quick actions, {locale}") == []
    merchant.main.locator(".tile a[href$='/award-points']").click()
    dialog = merchant.app.locator("dialog#quick-dialog")
    dialog.locator("[name=member]").fill("camille@example.com")
    dialog.locator("[name=points]").fill("٣٠")
    dialog.locator("[type=submit]").last.click()
    expect(dialog.locator("dl dd")).not_to_have_count(0)
    assert look_at(merchant, f"what a quick action will do, {locale}") == []
    dialog.locator("[name=_back]").click()
    expect(dialog.locator("[name=points]")).to_have_value("30")
    dialog.locator("[type=submit]").last.click()
    expect(dialog.locator("dl dd")).not_to_have_count(0)
    dialog.locator("[type=submit]").last.click()
    expect(dialog).to_be_hidden()
    said(merchant)
    newest = merchant.rows("quick-runs").first
    expect(newest).to_contain_text("30")
    newest.locator("td.cell-actions button").click()
    merchant.confirm()
    said(merchant)
    expect(newest.locator(".badge")).to_be_visible()


def _turned_round(route: Route) -> None:
    answer = route.fetch()
    summary = re.search(r'(?<=<ul class="problem-list">).*?(?=</ul>)', answer.text(), re.DOTALL)
    assert summary is not None
    lines = re.findall(r"<li>.*?</li>", summary[0])
    route.fulfill(response=answer, body=answer.text().replace(summary[0], "".join(reversed(lines))))


def test_what_is_to_mend_is_listed_in_the_order_of_the_fields(arrive: Arrive, watch: Watch) -> None:
    merchant = arrive("/quick-actions")
    merchant.main.locator(".tile a[href$='/give-tier']").click()
    merchant.page.route("**/app/quick-actions/give-tier", _turned_round)
    dialog = merchant.app.locator("dialog#quick-dialog")
    links = dialog.locator(".problem-list a")
    with watch.provoked("422"):
        dialog.locator("[type=submit]").last.click()
        expect(links.nth(1)).to_be_visible()
    names = [link.partition(":")[0] for link in links.all_inner_texts()]
    assert names == ["Member", "Tier"]
