"""One-click tasks: each shows what it would do, does it once, and is taken back; for whom, and arranged by use."""

import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core import ids, inbox, outbox
from app.core.permissions import ALL, Permission
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.notifications import service as notifications
from app.domains.points import service as points
from app.domains.points.schemas import Credit
from app.domains.programs import service as programs
from app.domains.quick import service
from app.domains.rewards import service as rewards
from app.domains.shops import service as shops
from app.domains.tiers import service as tiers
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, staff

TAB = "/app/quick-actions"
Call = Callable[..., Caller]


@pytest.fixture
def member(shop: TestShop) -> UUID:
    with shop.work() as uow:
        found = members.enroll(uow, [Person(77, "ada@example.com", "Ada", "Byron")])[77].id
        points.credit(uow, [Credit(found, 1_000, "start", "purchase")])
        uow.execute("UPDATE members SET email_consent = 'subscribed'")
    return found


@pytest.fixture
def merchant(shop: TestShop, call_as: Call) -> Caller:
    return call_as(staff(shop.id))


def value(shop: TestShop, sql: str) -> Any:
    with shop.work() as uow:
        return uow.scalar(sql)


def fields(given: dict[str, Any], **more: str) -> dict[str, Any]:
    return {**given, **more, "idempotency_key": ids.new_id().hex}


def preview(merchant: Caller, task: str, given: dict[str, Any]) -> str:
    answer = merchant.submit(f"{TAB}/{task}", fields(given))
    assert answer.status_code == 200, answer.text
    return answer.text


def confirm(merchant: Caller, task: str, given: dict[str, Any]) -> Any:
    answer = merchant.submit(f"{TAB}/{task}", fields(given, _step="run"))
    assert answer.status_code == 200, answer.text
    return answer


def undo(merchant: Caller, shop: TestShop) -> Any:
    newest = value(shop, "SELECT id FROM quick_runs ORDER BY created_at DESC, id DESC LIMIT 1")
    return merchant.submit(f"{TAB}/runs/{newest}/undo", {"idempotency_key": ids.new_id().hex})


def available(shop: TestShop, member: UUID) -> int:
    with shop.work() as uow:
        return points.balance(uow, member).available


def stocked(shop: TestShop) -> UUID:
    with shop.work() as uow:
        found: UUID = uow.scalar("SELECT id FROM rewards ORDER BY points_cost LIMIT 1")
        uow.execute("UPDATE rewards SET stock = 5 WHERE id = %(id)s", {"id": found})
    return found


def weekend(shop: TestShop) -> dict[str, str]:
    with shop.work() as uow:
        day = uow.now.date() + timedelta(days=3)
    return {"name": "Double", "factor": "2", "starts_on": str(day), "ends_on": str(day + timedelta(days=1))}


def test_awarding_shows_first_does_once_and_is_taken_back(
    shop: TestShop, member: UUID, merchant: Caller
) -> None:
    given = {"member": "ada@example.com", "points": "250", "reason": "goodwill", "note": ""}
    shown = preview(merchant, "award-points", given)
    assert (
        "Ada Byron" in shown
        and "1,250" in shown
        and ">Award 250 points<" in shown
        and 'name="_step" value="run"' in shown
    )
    assert available(shop, member) == 1_000, "a preview gave points"
    sent = fields(given, _step="run")
    answers = [merchant.submit(f"{TAB}/award-points", sent) for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 200]
    assert "Undo" in answers[0].headers["HX-Trigger"]
    assert available(shop, member) == 1_250, "a repeated click gave points twice"
    assert undo(merchant, shop).status_code == 200
    assert available(shop, member) == 1_000
    assert undo(merchant, shop).status_code == 409
    assert available(shop, member) == 1_000
    told = value(
        shop, "SELECT array_agg(action ORDER BY created_at) FROM audit_entries WHERE action LIKE 'quick%'"
    )
    assert told == ["quick.run", "quick.undone"]


def test_days_with_more_points_enter_the_terms_and_leave_them(
    shop: TestShop, member: UUID, merchant: Caller
) -> None:
    given = weekend(shop)
    assert "Points that would come on top" in preview(merchant, "double-points", given)
    confirm(merchant, "double-points", given)

    def campaigns() -> list[tuple[str, str]]:
        with shop.work() as uow:
            terms = programs.active_terms(uow)
            assert terms is not None
            return [(one.name, str(one.conditions.starts_on)) for one in terms.multipliers]

    assert campaigns() == [("Double", given["starts_on"])]
    undo(merchant, shop)
    assert campaigns() == []


def test_the_program_pauses_and_goes_on(shop: TestShop, merchant: Caller) -> None:
    sql = "SELECT string_agg(status, ',') FROM programs"
    shown = preview(merchant, "pause-program", {})
    assert (
        "Nobody earns or redeems" in shown and "Pause the program<" in shown and 'name="_back"' not in shown
    )
    confirm(merchant, "pause-program", {})
    assert value(shop, sql) == "paused"
    with shop.work() as uow:
        home = shops.home(uow)
    assert [one.url for one in home.notices] == [f"{TAB}/pause-program"], "a pause is what needs attention"
    assert next(step for step in home.steps if step.key == "program").done
    paused = {"program": str(value(shop, "SELECT id FROM programs"))}
    shown = preview(merchant, "pause-program", paused)
    assert "Orders earn and members redeem again" in shown and "Resume the program<" in shown
    confirm(merchant, "pause-program", paused)
    assert value(shop, sql) == "active"
    with shop.work() as uow:
        assert not shops.home(uow).notices
    undo(merchant, shop)
    assert value(shop, sql) == "paused"


def test_a_reward_is_refilled_and_what_was_redeemed_meanwhile_stays(
    shop: TestShop, member: UUID, merchant: Caller
) -> None:
    reward = stocked(shop)
    given = {"reward": str(reward), "pieces": "١٠"}
    assert "15" in preview(merchant, "refill-stock", given)
    confirm(merchant, "refill-stock", {"reward": str(reward), "pieces": "10"})
    sql = "SELECT stock FROM rewards WHERE stock IS NOT NULL"
    assert value(shop, sql) == 15
    with shop.work() as uow:
        uow.execute("UPDATE rewards SET stock_taken = 8 WHERE stock IS NOT NULL")
    assert undo(merchant, shop).status_code == 409
    with shop.work() as uow:
        uow.execute("UPDATE rewards SET stock_taken = 5 WHERE stock IS NOT NULL")
    assert undo(merchant, shop).status_code == 200
    assert value(shop, sql) == 5


def given_code(shop: TestShop) -> tuple[str, str, str, int]:
    with shop.work() as uow:
        row = uow.one("SELECT member_id, status, failure, channel, points FROM redemptions")
    assert row is not None
    return row["status"], row["failure"] or "", row["channel"], row["points"]


def test_a_reward_is_given_for_nothing_and_taken_back(shop: TestShop, member: UUID, merchant: Caller) -> None:
    reward = str(stocked(shop))
    given = {"member": "ada@example.com", "reward": reward}
    assert "Ada Byron" in preview(merchant, "give-reward", given)
    assert value(shop, "SELECT count(*) FROM redemptions") == 0
    sent = fields(given, _step="run")
    for _ in range(2):
        assert merchant.submit(f"{TAB}/give-reward", sent).status_code == 200
    assert value(shop, "SELECT count(*) FROM redemptions") == 1, "a repeated click gave it twice"
    assert given_code(shop) == ("reserved", "", "admin", 0)
    assert available(shop, member) == 1_000
    assert undo(merchant, shop).status_code == 200
    assert given_code(shop)[1] == "cancelling"


@pytest.mark.parametrize("undone", [False, True])
def test_a_given_code_is_sent_unless_it_was_taken_back_before(
    shop: TestShop, member: UUID, merchant: Caller, undone: bool
) -> None:
    confirm(merchant, "give-reward", {"member": "ada@example.com", "reward": str(stocked(shop))})
    if undone:
        assert undo(merchant, shop).status_code == 200
    made = value(shop, "SELECT id FROM redemptions")
    for _ in range(2):
        with shop.work() as uow:
            rewards.settle_issued(uow, made, "gid://shopify/DiscountCodeNode/1")
    assert value(shop, "SELECT count(*) FROM messages WHERE kind = 'reward_code'") == (0 if undone else 1)


def test_a_given_reward_that_was_used_stays(shop: TestShop, member: UUID, merchant: Caller) -> None:
    confirm(merchant, "give-reward", {"member": "ada@example.com", "reward": str(stocked(shop))})
    with shop.work() as uow:
        uow.execute("UPDATE redemptions SET status = 'used'")
    assert undo(merchant, shop).status_code == 409
    assert given_code(shop)[0] == "used"


def test_a_reward_is_not_given_to_whoever_cannot_use_it(
    shop: TestShop, other_shop: TestShop, member: UUID, merchant: Caller, call_as: Call
) -> None:
    reward = str(stocked(shop))
    given = {"member": "ada@example.com", "reward": reward}
    foreign = {**given, "reward": str(stocked(other_shop))}
    assert "Choose a reward" in merchant.submit(f"{TAB}/give-reward", fields(foreign, _step="run")).text
    assert "No member" in merchant.submit(f"{TAB}/give-reward", fields({**given, "member": "x"})).text
    with shop.work() as uow:
        members.set_status(uow, member, "blocked")
    assert "Only an active member" in preview(merchant, "give-reward", given)
    assert merchant.submit(f"{TAB}/give-reward", fields(given, _step="run")).status_code == 422
    reader = call_as(staff(shop.id, ALL - {Permission.POINTS_ADJUST}))
    assert reader.submit(f"{TAB}/give-reward", fields(given, _step="run")).status_code == 403
    assert value(shop, "SELECT count(*) FROM redemptions") == 0


def test_a_code_is_found_and_sent(shop: TestShop, member: UUID, merchant: Caller) -> None:
    with shop.work() as uow:
        reward = uow.scalar("SELECT id FROM rewards ORDER BY points_cost LIMIT 1")
        made = rewards.redeem(uow, member, reward, key="k", channel="api")
        rewards.settle_issued(uow, made.id, "gid://shopify/DiscountCodeNode/1")
    given = {"code": made.code.lower()}
    assert "ada@example.com" in preview(merchant, "resend-code", given)
    confirm(merchant, "resend-code", given)
    assert value(shop, "SELECT count(*) FROM messages WHERE kind = 'reward_code'") == 1
    assert (
        "No code and no member matches"
        in merchant.submit(f"{TAB}/resend-code", fields({"code": "LN-X"})).text
    )


def test_a_lost_code_is_found_by_its_member(shop: TestShop, member: UUID, merchant: Caller) -> None:
    given = {"code": "Ada@Example.com"}
    assert "no code that works" in merchant.submit(f"{TAB}/resend-code", fields(given)).text
    with shop.work() as uow:
        reward = uow.scalar("SELECT id FROM rewards ORDER BY points_cost LIMIT 1")
        made = rewards.redeem(uow, member, reward, key="k", channel="api")
        rewards.settle_issued(uow, made.id, "gid://shopify/DiscountCodeNode/1")
    assert made.code in preview(merchant, "resend-code", given)
    confirm(merchant, "resend-code", given)
    assert value(shop, "SELECT count(*) FROM messages WHERE kind = 'reward_code'") == 1


def test_an_invitation_waits_ten_minutes_and_can_be_withdrawn(
    shop: TestShop, member: UUID, merchant: Caller
) -> None:
    with shop.work() as uow:
        choice = next(one for one in notifications.audiences(uow, "en") if one.key.startswith("tier:"))
        tier = choice.key.partition(":")[2]
        tiers.assign(uow, {member: UUID(tier)}, reason="test")
    given = {"audience": choice.key, "subjects.en": "Come in", "texts.en": "First\n\nSecond"}
    shown = preview(merchant, "invite-vips", given)
    assert "Come in" in shown and shown.count("First") >= 5
    confirm(merchant, "invite-vips", given)
    assert outbox.drain() == 0 and value(shop, "SELECT count(*) FROM messages") == 0
    assert undo(merchant, shop).status_code == 200
    confirm(merchant, "invite-vips", given)
    for _ in range(2):
        with shop.work() as uow:
            uow.execute("UPDATE outbox SET not_before = now() WHERE kind = 'notifications.invite'")
        outbox.drain()
    assert value(shop, "SELECT count(*) FROM messages WHERE kind = 'invitation'") == 1
    assert undo(merchant, shop).status_code == 409, "it went out already"


def test_what_was_typed_for_an_invitation_goes_on_from_its_preview(
    shop: TestShop, member: UUID, merchant: Caller
) -> None:
    with shop.work() as uow:
        choice = next(one for one in notifications.audiences(uow, "en") if one.key.startswith("tier:"))
        tiers.assign(uow, {member: UUID(choice.key.partition(":")[2])}, reason="test")
    given = {
        "audience": choice.key,
        "subjects.en": "Come in",
        "texts.en": "First & last",
        "subjects.fr": "Venez",
        "texts.fr": "Entrez",
    }
    shown = preview(merchant, "invite-vips", given)
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', shown))
    sent = {name: html.unescape(hidden[name]) for name in given}
    assert sent == given
    again = merchant.submit(f"{TAB}/invite-vips", fields(sent, _back="true")).text
    assert 'value="Come in"' in again and ">Entrez</textarea>" in again


def test_without_consent_nobody_is_written_to(shop: TestShop, member: UUID, merchant: Caller) -> None:
    with shop.work() as uow:
        uow.execute("UPDATE members SET email_consent = 'unsubscribed'")
        choice = next(one for one in notifications.audiences(uow, "en") if one.key.startswith("tier:"))
        tiers.assign(uow, {member: UUID(choice.key.partition(":")[2])}, reason="test")
    given = {"audience": choice.key, "subjects.en": "Come in", "texts.en": "Text"}
    assert "nobody would get this" in preview(merchant, "invite-vips", given)
    assert merchant.submit(f"{TAB}/invite-vips", fields(given, _step="run")).status_code == 409


def test_a_tier_for_some_days_is_kept_and_given_back(shop: TestShop, member: UUID, merchant: Caller) -> None:
    with shop.work() as uow:
        top, name = tiers.options(uow)[-1]
        before = tiers.standing(uow, member).tier
    given = {"member": "Ada", "tier": str(top), "days": "7", "reason": "sorry"}
    with shop.work() as uow:
        members.index_profiles(uow)
    assert name in preview(merchant, "give-tier", given)
    confirm(merchant, "give-tier", given)
    with shop.work() as uow:
        held = tiers.standing(uow, member).tier
        assert held is not None and held.id == top
    undo(merchant, shop)
    with shop.work() as uow:
        assert tiers.standing(uow, member).tier == before


def test_a_test_message_goes_through_the_intake(shop: TestShop, merchant: Caller) -> None:
    preview(merchant, "test-webhook", {})
    answer = confirm(merchant, "test-webhook", {})
    assert "Signature verified" in answer.text and "Waiting for a worker" in answer.text
    found = re.search(r"delivery=([0-9a-f-]{36})", answer.text)
    assert found
    page = f"{TAB}/webhook-test?delivery={found[1]}&verified=0.2&stored=1.5"
    assert "every 1s" in merchant.fragment(page).text
    before = value(shop, "SELECT (name, currency, timezone, locale)::text FROM shops")
    assert inbox.drain_shop(shop.id) == 1
    done = merchant.fragment(page).text
    assert "arrive and are handled" in done and "every 1s" not in done
    assert value(shop, "SELECT (name, currency, timezone, locale)::text FROM shops") == before
    assert "not known" in merchant.fragment(f"{TAB}/webhook-test?delivery={ids.new_id()}").text


def test_what_is_only_looked_up_is_never_run(shop: TestShop, member: UUID, merchant: Caller) -> None:
    refused = merchant.submit(f"{TAB}/find-order", fields({"order": "#404"}))
    assert refused.status_code == 422 and "No order has this name or number" in refused.text
    assert "liability" in preview(merchant, "export-liability", {})
    assert 'name="_step"' not in confirm(merchant, "export-liability", {}).text
    assert value(shop, "SELECT count(*) FROM quick_runs") == 0


@pytest.mark.parametrize(
    ("task", "given", "sentence"),
    [
        ("award-points", {"member": "nobody", "points": "5"}, "No member, or more than one, matches"),
        ("award-points", {"member": "ada@example.com", "points": "-5"}, "points"),
        (
            "double-points",
            {"starts_on": "2020-01-01", "ends_on": "2020-01-02", "name": "x", "factor": "2"},
            "later",
        ),
        ("refill-stock", {"reward": str(ids.new_id()), "pieces": "5"}, "limited stock"),
        ("invite-vips", {"audience": "tier:x"}, "Choose who gets the message"),
        ("give-tier", {"member": "ada@example.com", "tier": str(ids.new_id()), "days": "5"}, "Choose a tier"),
    ],
)
def test_bad_input_comes_back_with_a_sentence(
    member: UUID, merchant: Caller, task: str, given: dict[str, str], sentence: str
) -> None:
    for step in ("", "run"):
        answer = merchant.submit(f"{TAB}/{task}", fields(given, _step=step, _dialog="true"))
        assert answer.status_code == 422 and sentence in answer.text
        assert "dialog-body" in answer.text, "a refused form left its dialog"


def test_a_change_of_mind_keeps_what_was_typed(member: UUID, merchant: Caller) -> None:
    given = {"member": "ada@example.com", "points": "250", "reason": "goodwill", "note": "Sorry"}
    answer = merchant.submit(f"{TAB}/award-points", fields(given, _step="run", _back="true"))
    assert 'value="Sorry"' in answer.text and 'name="_step"' not in answer.text


def test_a_viewer_sees_no_tile_and_undoes_nothing(
    shop: TestShop, member: UUID, merchant: Caller, call_as: Call
) -> None:
    confirm(merchant, "award-points", {"member": "ada@example.com", "points": "5", "reason": "goodwill"})
    viewer = call_as(staff(shop.id, {Permission.PROGRAMS_READ}))
    page = viewer.get(TAB).text
    assert "Your role has no quick actions" in page and "/undo" not in page
    assert undo(viewer, shop).status_code == 403
    assert available(shop, member) == 1_005


def test_nobody_undoes_what_another_shop_did(
    shop: TestShop, other_shop: TestShop, member: UUID, merchant: Caller, call_as: Call
) -> None:
    confirm(merchant, "award-points", {"member": "ada@example.com", "points": "5", "reason": "goodwill"})
    assert undo(call_as(staff(other_shop.id)), shop).status_code == 404
    assert "5 points were added" not in call_as(staff(other_shop.id)).get(TAB).text


def test_tiles_stand_by_use_and_pinned_ones_first(shop: TestShop, member: UUID, merchant: Caller) -> None:
    def order() -> list[str]:
        return re.findall(rf'hx-get="{TAB}/([a-z-]+)\?dialog=true"', merchant.get(TAB).text)

    usual = order()
    assert usual == [task.key for task in service.tasks()]
    reward = stocked(shop)
    confirm(merchant, "refill-stock", {"reward": str(reward), "pieces": "1"})
    assert order()[0] == "refill-stock"
    answer = merchant.submit(f"{TAB}/pin", fields({"task": "find-order", "pinned": "true"}))
    assert answer.status_code == 200 and order()[:2] == ["find-order", "refill-stock"]
    merchant.submit(f"{TAB}/pin", fields({"task": "find-order", "pinned": "false"}))
    assert order()[0] == "refill-stock"
    assert merchant.submit(f"{TAB}/pin", fields({"task": "nothing", "pinned": "true"})).status_code == 404


def test_each_task_is_found_in_the_search_and_opens_as_a_page(merchant: Caller) -> None:
    shell = merchant.get(TAB).text
    for task in service.tasks():
        assert f'href="{TAB}/{task.key}" data-icon' in shell
        page, dialog = merchant.get(f"{TAB}/{task.key}"), merchant.fragment(f"{TAB}/{task.key}?dialog=true")
        assert page.status_code == dialog.status_code == 200
        assert "<h1" in page.text and "<dialog" in dialog.text and "<h1" not in dialog.text


def test_permissions_are_those_of_the_tasks() -> None:
    assert {task.permission for task in service.tasks()} <= ALL
    assert {task.key for task in service.tasks() if task.undo} >= {
        "award-points",
        "double-points",
        "invite-vips",
    }
