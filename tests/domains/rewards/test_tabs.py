"""The reward catalog as merchants use it: lists, editor, preview, steps of a reward's life, cancelling a code."""

import re
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from app.core import ids
from app.core.permissions import ALL, Permission
from app.domains.programs import service as programs
from app.domains.programs.schemas import ProgramCreate
from app.domains.rewards import queries, service
from app.domains.rewards.schemas import CatalogQuery, RewardForm
from app.domains.tiers import service as tiers
from tests.domains.rewards.counter import Counter, enroll, list_redemptions
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, Door, staff

TAB = "/app/reward-catalog"


def fields(**changes: Any) -> dict[str, Any]:
    """The editor's fields as a browser posts them."""
    given = {
        "names.en": "Mug",
        "names.es": "",
        "names.fr": "",
        "names.ar": "كوب",
        "names.he": "",
        "descriptions.en": "",
        "conditions.en": "",
        "image_url": "",
        "least_points": "",
        "most_points": "",
        "access_tag": "",
        "limit_days": "",
        "stock": "",
        "starts_on": "",
        "ends_on": "",
        "cost": "",
        "returns_expired": "true",
        "points_cost": "1,500",
        "status": "active",
        "kind": "amount_off",
        "amount": "12.50",
        "percent": "",
        "variant": "",
        "minimum_subtotal": "",
        "combines_with": ["product", "shipping"],
        "valid_days": "30",
        "per_member_limit": "",
        "code_prefix": "mug",
        "position": "",
    }
    return given | changes


def form_of(**changes: Any) -> dict[str, Any]:
    """A reward as the service takes it."""
    return {"names": {"en": "Mug"}, "kind": "custom", "points_cost": 10} | changes


def toast(answer: Any) -> str:
    """The words of the toast."""
    return str(answer.headers.get("HX-Trigger", ""))


def test_the_list_shows_what_is_offered_and_how_often_it_was_redeemed(
    counter: Counter, merchant: Caller
) -> None:
    counter.redeem(counter.reward(names={"en": "<b>Mug</b>"}))
    page = merchant.get(TAB)
    assert page.status_code == 200
    assert "&lt;b&gt;Mug&lt;/b&gt;" in page.text
    assert "$5.00 off the order" in page.text
    assert "10% off the order" in page.text
    assert "Add reward" in page.text
    assert merchant.fragment(TAB).text.count("<html") == 0


def test_statuses_filter_and_empty_lists_explain_themselves(shop: TestShop, merchant: Caller) -> None:
    assert "No reward has this status" in merchant.get(f"{TAB}?status=retired").text
    with shop.work() as uow:
        for reward in queries.listed(uow, CatalogQuery()).items:
            service.delete_reward(uow, reward.id, version=1)
    assert "No reward yet" in merchant.get(TAB).text
    assert merchant.get(f"{TAB}?status=nonsense").status_code == 200


@pytest.mark.parametrize("locale", ["en", "es", "fr", "ar", "he"])
def test_every_page_renders_in_every_locale(counter: Counter, app: Flask, door: Door, locale: str) -> None:
    redemption = counter.redeem(counter.reward())
    counter.deliver()
    caller = Caller(app, door.token(staff(counter.shop.id, locale=locale)))
    for path in (
        "",
        "/new",
        f"/{redemption.reward_id}",
        "/redemptions",
        f"/redemptions?reward={redemption.reward_id}",
    ):
        page = caller.get(TAB + path)
        assert page.status_code == 200
        assert f'dir="{"rtl" if locale in ("ar", "he") else "ltr"}"' in page.text
        assert "{{" not in page.text


def test_without_the_permission_nothing_can_be_seen_or_changed(
    counter: Counter, app: Flask, door: Door
) -> None:
    reward_id = counter.reward()
    blind = Caller(app, door.token(staff(counter.shop.id, ALL - {Permission.REWARDS_READ})))
    assert blind.get(TAB).status_code == 403
    reader = Caller(app, door.token(staff(counter.shop.id, ALL - {Permission.REWARDS_WRITE})))
    assert "Add reward" not in reader.get(TAB).text
    assert "Retire reward" not in reader.get(f"{TAB}/{reward_id}").text
    for path in ("create", f"{reward_id}/save", f"{reward_id}/retire", f"{reward_id}/delete"):
        assert reader.submit(f"{TAB}/{path}", fields(version="1")).status_code == 403
    assert reader.get(f"{TAB}/new").status_code == 403


def test_a_reward_is_added(shop: TestShop, merchant: Caller) -> None:
    answer = merchant.submit(f"{TAB}/create", fields())
    assert answer.status_code == 200
    assert "added" in toast(answer)
    with shop.work() as uow:
        [made] = [one for one in queries.listed(uow, CatalogQuery()).items if one.name == "Mug"]
    assert (made.points_cost, made.value_minor, made.code_prefix, made.valid_days) == (1500, 1250, "MUG", 30)
    assert made.names == {"en": "Mug", "ar": "كوب"}
    assert made.combines_with == ["product", "shipping"]
    assert f"{TAB}/{made.id}" in answer.headers["HX-Location"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": ""}, "amount"),
        ({"amount": "12.505"}, "amount"),
        ({"amount": "twelve"}, "amount"),
        ({"points_cost": "0"}, "points_cost"),
        ({"names.en": ""}, "names-en"),
        ({"kind": "percentage_off"}, "percent"),
        ({"kind": "free_product", "variant": "mug"}, "variant"),
        ({"code_prefix": "a b"}, "code_prefix"),
    ],
)
def test_a_refused_form_comes_back_with_what_was_typed(
    shop: TestShop, merchant: Caller, changes: dict[str, str], field: str
) -> None:
    answer = merchant.submit(f"{TAB}/create", fields(**{"descriptions.en": "Blue & round"} | changes))
    assert answer.status_code == 422
    assert f'href="#reward-catalog-create-{field}"' in answer.text
    assert "Blue &amp; round" in answer.text
    with shop.work() as uow:
        assert len(queries.listed(uow, CatalogQuery()).items) == 3


def test_saving_and_a_collision(counter: Counter, merchant: Caller) -> None:
    reward_id = counter.reward()
    assert merchant.submit(f"{TAB}/{reward_id}/save", fields(version="1")).status_code == 200
    late = merchant.submit(f"{TAB}/{reward_id}/save", fields(version="1", points_cost="700"))
    assert late.status_code == 409
    assert "Theirs" in late.text
    assert "1500" in late.text
    assert 'value="700"' in late.text
    [version] = re.findall(r'name="version" value="(\d+)"', late.text)
    assert version == "2"
    assert (
        merchant.submit(f"{TAB}/{reward_id}/save", fields(version=version, points_cost="700")).status_code
        == 200
    )
    with counter.shop.work() as uow:
        assert service.get_reward(uow, reward_id).points_cost == 700


def test_retire_restore_delete(counter: Counter, merchant: Caller) -> None:
    reward_id = counter.reward()
    assert "go on working" in merchant.get(f"{TAB}/{reward_id}").text
    assert merchant.submit(f"{TAB}/{reward_id}/retire", {"version": "1"}).status_code == 200
    assert "Restore reward" in merchant.get(f"{TAB}/{reward_id}").text
    assert merchant.submit(f"{TAB}/{reward_id}/restore", {"version": "1"}).status_code == 409
    assert merchant.submit(f"{TAB}/{reward_id}/restore", {}).status_code == 409
    assert merchant.submit(f"{TAB}/{reward_id}/restore", {"version": "2"}).status_code == 200
    assert merchant.submit(f"{TAB}/{reward_id}/delete", {"version": "3"}).status_code == 200
    assert merchant.get(f"{TAB}/{reward_id}").status_code == 404


def test_a_redeemed_reward_is_not_deleted(counter: Counter, merchant: Caller) -> None:
    redemption = counter.redeem(counter.reward())
    place = f"{TAB}/{redemption.reward_id}"
    assert "Delete reward" not in merchant.get(place).text
    assert merchant.submit(f"{place}/delete", {"version": "1"}).status_code == 409


def test_the_preview_follows_the_typing_and_saves_nothing(shop: TestShop, merchant: Caller) -> None:
    answer = merchant.submit(
        f"{TAB}/preview", fields(**{"names.en": "<i>Mug</i>", "minimum_subtotal": "20"}, version="1")
    )
    assert answer.status_code == 200
    assert 'id="reward-preview"' in answer.text
    assert "&lt;i&gt;Mug&lt;/i&gt;" in answer.text
    assert "1,500" in answer.text
    assert "$20.00" in answer.text
    assert merchant.submit(f"{TAB}/preview", fields(points_cost="15x")).status_code == 200
    with shop.work() as uow:
        assert len(queries.listed(uow, CatalogQuery()).items) == 3


def test_a_code_is_cancelled_from_the_list(counter: Counter, merchant: Caller) -> None:
    redemption = counter.redeem(counter.reward())
    counter.deliver()
    assert redemption.code in merchant.get(f"{TAB}/redemptions").text
    answer = merchant.submit(f"{TAB}/redemptions/{redemption.id}/cancel", {})
    assert answer.status_code == 200
    assert "Being canceled" in merchant.get(f"{TAB}/redemptions").text
    assert merchant.submit(f"{TAB}/redemptions/{redemption.id}/cancel", {}).status_code == 409
    counter.deliver()
    assert counter.balance().available == 1000
    assert "Canceled" in merchant.get(f"{TAB}/redemptions?status=cancelled").text


def test_a_failure_is_explained_to_staff(counter: Counter, merchant: Caller) -> None:
    counter.admin.plan = ["denied"]
    counter.redeem(counter.reward())
    counter.deliver()
    assert "lacks the permission to create discounts" in merchant.get(f"{TAB}/redemptions?status=failed").text


def test_long_lists_come_in_pages_with_a_bounded_number_of_statements(
    counter: Counter, merchant: Caller
) -> None:
    reward_id = counter.reward(points_cost=1)
    for _ in range(5):
        counter.redeem(reward_id)
    first = merchant.get(f"{TAB}/redemptions?limit=2")
    cursor = re.search(r'href="[^"]*cursor=([^"&]+)', first.text)
    assert cursor is not None
    second = merchant.get(f"{TAB}/redemptions?limit=2&cursor={cursor[1]}")
    codes = [one.code for one in list_redemptions(counter.shop)]
    assert [code in first.text for code in codes] == [True, True, False, False, False]
    assert [code in second.text for code in codes] == [False, False, True, True, False]


def test_other_shops_see_none_of_it(counter: Counter, app: Flask, door: Door, other_shop: TestShop) -> None:
    redemption = counter.redeem(counter.reward())
    counter.deliver()
    foreign = Caller(app, door.token(staff(other_shop.id)))
    assert foreign.get(f"{TAB}/{redemption.reward_id}").status_code == 404
    assert redemption.code not in foreign.get(f"{TAB}/redemptions").text
    for path in (
        f"{redemption.reward_id}/retire",
        f"redemptions/{redemption.id}/cancel",
        f"{ids.new_id()}/save",
    ):
        assert foreign.submit(f"{TAB}/{path}", fields(version="1")).status_code == 404


def test_a_reward_is_prepared_for_a_draft_program(
    shop: TestShop, other_shop: TestShop, merchant: Caller
) -> None:
    with shop.work() as uow:
        winter = programs.create(uow, ProgramCreate(name="Winter"), tiers=(100, 200)).id
        *_, gold = tiers.main_levels(uow, winter)
        running = tiers.ladder(uow)[-1].id
    with other_shop.work() as uow:
        theirs = programs.create(uow, ProgramCreate(name="Theirs")).id
    new = merchant.fragment(f"{TAB}/new?program={winter}").text
    assert f'name="program" value="{winter}"' in new and str(gold.id) in new and str(running) not in new
    assert "Theirs" not in merchant.fragment(f"{TAB}/new?program={theirs}").text

    refused = merchant.submit(
        f"{TAB}/create", fields(program=str(winter), points_cost="", tiers=[str(gold.id)])
    )
    assert refused.status_code == 422 and f'name="program" value="{winter}"' in refused.text
    foreign = merchant.submit(f"{TAB}/create", fields(program=str(winter), tiers=[str(running)]))
    assert foreign.status_code == 422 and "own program" in foreign.text
    stranger = merchant.submit(f"{TAB}/create", fields(program=str(theirs)))
    assert stranger.status_code == 404
    made = merchant.submit(f"{TAB}/create", fields(program=str(winter), tiers=[str(gold.id)]))
    assert made.status_code == 200
    with shop.work() as uow:
        [mug] = service.of_program(uow, winter)
        assert mug.tiers == [gold.id] and "Mug" not in [one.name for one in service.catalog(uow)]
    page = merchant.get(f"{TAB}/{mug.id}").text
    assert "its program is not active" in page and "Winter" in page
    listed = merchant.get(f"{TAB}?program={winter}").text
    assert "Mug" in listed and "10% off" not in listed and "</bdi> · Draft" in listed
    assert merchant.submit(f"{TAB}/{mug.id}/duplicate", {}).status_code == 200
    with shop.work() as uow:
        assert len(service.of_program(uow, winter)) == 2


def test_a_reward_for_a_tier_that_is_gone_stays_closed(shop: TestShop, merchant: Caller) -> None:
    with shop.work() as uow:
        gold = tiers.ladder(uow)[-1].id
        mug = service.create_reward(uow, RewardForm.model_validate(form_of(tiers=[gold])))
        ladder, _ = tiers.get_tier(uow, gold)
        tiers.save(uow, replace(ladder, levels=ladder.levels[:-1]), version=ladder.version)
    page = merchant.get(f"{TAB}/{mug.id}").text
    assert "A tier that was removed" in page
    saved = merchant.submit(f"{TAB}/{mug.id}/save", fields(version=mug.version, tiers=[str(gold)]))
    assert saved.status_code == 200
    with shop.work() as uow:
        assert service.get_reward(uow, mug.id).tiers == [gold]


def test_redemptions_are_found_by_code_and_by_member(counter: Counter, merchant: Caller) -> None:
    first = counter.redeem(counter.reward(points_cost=1))
    counter.deliver()
    other = replace(counter, member_id=enroll(counter.shop, 78)).redeem(counter.reward(points_cost=1))
    place = f"{TAB}/redemptions"
    both = merchant.get(place).text
    assert str(first.id) in both and str(other.id) in both
    for text in (first.code.lower(), f" {first.code} "):
        found = merchant.get(place, query_string={"search": text}).text
        assert str(first.id) in found and str(other.id) not in found
    found = merchant.get(place, query_string={"search": "78"}).text
    assert str(other.id) in found and str(first.id) not in found
    assert "No redemption matches" in merchant.get(place, query_string={"search": "nobody@example.com"}).text


def test_what_is_to_be_handed_over_has_its_own_view(counter: Counter, merchant: Caller) -> None:
    owed = counter.redeem(counter.reward(kind="custom", points_cost=1))
    made = counter.redeem(counter.reward(points_cost=1))
    found = merchant.get(f"{TAB}/redemptions?status=owed").text
    assert str(owed.id) in found and str(made.id) not in found


def test_a_used_code_names_its_order_and_its_member(counter: Counter, merchant: Caller) -> None:
    redemption = counter.redeem(counter.reward(points_cost=1))
    counter.deliver()
    with counter.shop.work() as uow:
        service.mark_used(uow, {redemption.code: 987654})
    drawer = merchant.fragment(f"{TAB}/redemptions/{redemption.id}").text
    assert "orders/987654" in drawer and f"/app/members/{counter.member_id}" in drawer
    assert "$5.00 off the order" in drawer


def test_the_history_of_a_reward_says_what_was_changed(shop: TestShop, merchant: Caller) -> None:
    with shop.work() as uow:
        made = service.create_reward(uow, RewardForm.model_validate(form_of()))
        changed = RewardForm.model_validate(form_of(points_cost=20, stock=5, version=made.version))
        service.update_reward(uow, made.id, changed)
    assert "Changed: Points price and Stock" in merchant.get(f"{TAB}/{made.id}").text


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("image_url", "http://x.test/a.png", "begins with https://"),
        ("image_url", "https://x.test/a b.png", "begins with https://"),
        ("code_prefix", "L-N", "2 to 10 letters and digits, without spaces"),
    ],
)
def test_a_refused_field_says_how_to_mend_it(merchant: Caller, field: str, typed: str, said: str) -> None:
    answer = merchant.submit(f"{TAB}/create", fields(**{field: typed}))
    assert answer.status_code == 422 and said in answer.text


def refused_fields(text: str) -> set[str]:
    """Which fields of the refused form say what is wrong with them."""
    return set(re.findall(r'id="reward-catalog-(?:create|save)-([\w-]+)-error"', text))


@pytest.mark.parametrize(
    ("typed", "refused"),
    [
        ({"per_member_limit": "none", "amount": "12.505"}, {"per_member_limit", "amount"}),
        ({"points_cost": "", "tiers": [str(ids.new_id())]}, {"points_cost", "tiers"}),
        ({"points_cost": "many", "kind": "custom", "names.en": ""}, {"points_cost", "names-en"}),
        (
            {"code_prefix": "a b", "starts_on": "2026-03-02", "ends_on": "2026-03-01", "names.en": ""},
            {"code_prefix", "ends_on", "names-en"},
        ),
        ({"kind": "any_amount", "points_cost": "0", "least_points": "3"}, {"points_cost", "most_points"}),
        # Of what a refused field would decide, nothing is said.
        ({"starts_on": "tomorrow", "ends_on": "2026-03-01"}, {"starts_on"}),
        ({"amount": "much", "names.en": "", "names.ar": ""}, {"amount"}),
        ({"names.fr": "x" * 81}, {"names-fr"}),
        ({"names.en": "x" * 81}, {"names-en"}),
        ({"tiers": ["no tier"]}, {"tiers"}),
    ],
)
def test_all_that_is_wrong_is_said_at_once(
    merchant: Caller, typed: dict[str, Any], refused: set[str]
) -> None:
    answer = merchant.submit(f"{TAB}/create", fields(**typed))
    assert answer.status_code == 422
    assert refused_fields(answer.text) == refused


def test_a_changed_reward_is_told_all_at_once_and_keeps_a_tier_that_is_gone(
    merchant: Caller, shop: TestShop
) -> None:
    with shop.work() as uow:
        made = service.create_reward(uow, RewardForm(**form_of()))
        gone = ids.new_id()
        made.tiers = [gone]
        place = f"{TAB}/{made.id}"
    typed = fields(version="1", stock="-1", minimum_subtotal="1.005", tiers=[str(gone)])
    answer = merchant.submit(f"{place}/save", typed)
    assert answer.status_code == 422
    assert refused_fields(answer.text) == {"stock", "minimum_subtotal"}
    with shop.work() as uow:
        assert service.get_reward(uow, made.id).name == "Mug", "nothing was saved on the way"
        assert queries.get(uow, made.id).stock is None  # type: ignore[union-attr]


def test_without_a_program_the_fields_that_could_not_be_read_are_still_said(
    merchant: Caller, shop: TestShop
) -> None:
    with shop.work() as uow:
        running = programs.active(uow)
        assert running is not None
        programs.update(uow, running.id, {"status": "paused"}, version=running.version)
    answer = merchant.submit(f"{TAB}/create", fields(stock="-1", amount="1.005"))
    assert answer.status_code == 422 and refused_fields(answer.text) >= {"stock"}
