"""A program goes live together with its rewards: one confirmation, the other program paused, pausing takes it back."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core import clock
from app.core.errors import NotFound
from app.core.permissions import Permission
from app.domains.programs import jobs, service
from app.domains.programs.errors import AnotherProgramActive, StaleVersion
from app.domains.programs.schemas import ProgramCreate
from app.domains.programs.service import LaunchForm, ScheduleForm
from app.domains.rewards import queries
from app.domains.rewards import service as rewards
from app.domains.shops import service as shops
from app.domains.tiers import service as tiers
from tests.domains.programs.test_rules_editor import TAB, program_of
from tests.fixtures.shop import TestShop
from tests.fixtures.web import ALL, Caller, api_key, staff


def draft(shop: TestShop) -> tuple[UUID, int]:
    with shop.work() as uow:
        made = service.create_from_template(uow, "beauty", "en", rewards=True)
        return made.id, made.version


def statuses(shop: TestShop, program: UUID) -> set[str]:
    with shop.work() as uow:
        return set(queries.offer_of_program(uow, program))


def fields(version: int, instead_of: UUID | str, **more: Any) -> dict[str, Any]:
    return {"version": version, "instead_of": str(instead_of), "rewards": "on", **more}


def test_a_template_ends_with_a_shop_that_earns_and_redeems(
    shop: TestShop, call_as: Callable[..., Caller]
) -> None:
    caller = call_as(staff(shop.id))
    regular, _ = program_of(shop)
    made = caller.submit(f"{TAB}/use-template", {"template": "beauty", "rewards": "on"})
    program = UUID(made.headers["HX-Location"].partition(f"{TAB}/")[2][:36])
    page = caller.get(f"{TAB}/{program}").text
    assert "3 rewards wait with it" in page and "0 offered, 3 drafts" in page
    assert "Bronze · Silver · Gold" in page
    drawer = caller.fragment(f"{TAB}/{program}/launch").text
    assert (
        "Free shipping" in drawer
        and "Rewards is active. It is paused at the same moment"
        in drawer.replace("\u2068", "").replace("\u2069", "")
    )
    done = caller.submit(f"{TAB}/{program}/launch-program", fields(1, regular, idempotency_key="k"))
    assert done.status_code == 200, done.text
    again = caller.submit(f"{TAB}/{program}/launch-program", fields(1, regular, idempotency_key="k"))
    assert again.status_code == 200
    with shop.work() as uow:
        live = service.active(uow)
        assert live is not None and live.id == program
        assert service.get(uow, regular).status == "paused"
        assert len(rewards.catalog(uow)) == 3
        steps = {step.key: step.done for step in shops.home(uow).steps}
        assert steps["program"] and steps["rewards"]
        actions = [
            row["action"]
            for row in uow.all("SELECT action FROM audit_entries WHERE action = 'reward.offered'")
        ]
        assert len(actions) == 3
    paused = caller.submit(f"{TAB}/{program}/set-status", {"version": live.version, "status": "paused"})
    assert paused.status_code == 200
    with shop.work() as uow:
        assert rewards.catalog(uow) == []


def test_members_are_placed_on_the_tiers_of_the_template(shop: TestShop) -> None:
    regular, _ = program_of(shop)
    program, version = draft(shop)
    with shop.work() as uow:
        service.launch(uow, program, LaunchForm(version=version, instead_of=regular))
    with shop.work() as uow:
        assert [(one.name, one.threshold) for one in tiers.ladder(uow)] == [
            ("Bronze", 0),
            ("Silver", 2000),
            ("Gold", 6000),
        ]


def test_going_live_says_what_becomes_of_tiers(shop: TestShop, call_as: Callable[..., Caller]) -> None:
    caller = call_as(staff(shop.id))
    program, _ = draft(shop)
    for path in ("launch", "schedule"):
        assert "Its tiers: Bronze, Silver, and Gold" in caller.fragment(f"{TAB}/{program}/{path}").text
    with shop.work() as uow:
        flat = service.create(uow, ProgramCreate(name="Flat", type="points")).id
        bare = service.create(uow, ProgramCreate(name="Bare")).id
    assert "members lose the ones they have" in caller.fragment(f"{TAB}/{flat}/launch").text
    drawer = caller.fragment(f"{TAB}/{bare}/launch").text
    assert "members lose the ones they have" in drawer and f"tier-management?program={bare}" in drawer


def test_rewards_stay_drafts_when_they_are_not_wanted_and_can_be_offered_later(
    shop: TestShop, call_as: Callable[..., Caller]
) -> None:
    regular, _ = program_of(shop)
    program, version = draft(shop)
    with shop.work() as uow:
        live = service.launch(uow, program, LaunchForm(version=version, instead_of=regular))
        version = live.version
        home = shops.home(uow)
        assert not next(step for step in home.steps if step.key == "rewards").done
        assert f"/app/loyalty-programs/{program}?open=launch" in {notice.url for notice in home.notices}
    assert statuses(shop, program) == {"draft"}
    caller = call_as(staff(shop.id))
    assert "no reward is offered" in caller.get(f"{TAB}/{program}").text
    done = caller.submit(f"{TAB}/{program}/launch-program", fields(version, ""))
    assert done.status_code == 200 and statuses(shop, program) == {"active"}
    assert "no reward is offered" not in caller.get(f"{TAB}/{program}").text


def test_what_changed_since_the_drawer_was_opened_is_told(
    shop: TestShop, call_as: Callable[..., Caller]
) -> None:
    regular, regular_version = program_of(shop)
    program, version = draft(shop)
    with shop.work() as uow, pytest.raises(AnotherProgramActive):
        service.launch(uow, program, LaunchForm(version=version, rewards=True))
    with shop.work() as uow, pytest.raises(StaleVersion):
        service.launch(uow, program, LaunchForm(version=version + 1, instead_of=regular))
    assert statuses(shop, program) == {"draft"} and program_of(shop) == (regular, regular_version)
    answer = call_as(staff(shop.id)).submit(f"{TAB}/{program}/launch-program", fields(version + 1, regular))
    assert answer.status_code == 409 and f'name="version" value="{version}"' in answer.text
    bad = call_as(staff(shop.id)).submit(f"{TAB}/{program}/launch-program", fields(version, "no id"))
    assert bad.status_code == 422


def test_only_who_may_launches(shop: TestShop, other_shop: TestShop, call_as: Callable[..., Caller]) -> None:
    regular, _ = program_of(shop)
    program, version = draft(shop)
    place = f"{TAB}/{program}/launch-program"
    reader = call_as(staff(shop.id, frozenset({Permission.PROGRAMS_READ})))
    assert reader.submit(place, fields(version, regular)).status_code == 403
    without = call_as(staff(shop.id, ALL - {Permission.REWARDS_WRITE}))
    assert "They stay drafts" in without.fragment(f"{TAB}/{program}/launch").text
    assert without.submit(place, fields(version, regular)).status_code == 403
    assert call_as(staff(other_shop.id)).submit(place, fields(version, regular)).status_code == 404
    with other_shop.work() as uow, pytest.raises(NotFound):
        service.launch(uow, program, LaunchForm(version=version))
    assert statuses(shop, program) == {"draft"}


def plan(shop: TestShop, program: UUID, **form: Any) -> None:
    with shop.work() as uow:
        version = service.get(uow, program).version
        service.schedule(uow, program, ScheduleForm(version=version, **form))


def audited(shop: TestShop, action: str) -> list[dict[str, Any]]:
    with shop.work() as uow:
        return uow.all(
            "SELECT actor_kind, before, after FROM audit_entries WHERE action = %(action)s ORDER BY id",
            {"action": action},
        )


def test_a_planned_start_offers_the_drafts_of_its_minute_once(shop: TestShop) -> None:
    program, _ = draft(shop)
    plan(shop, program, starts_at=clock.now() + timedelta(hours=1), rewards=True)
    assert statuses(shop, program) == {"draft"}
    with shop.work() as uow:
        late = queries.drafts(uow, program)[0]
        rewards.copy_rewards(uow, program, program)  # a draft that came after the plan
        assert len(queries.drafts(uow, program)) == 6
        rewards.retire(uow, late.id, version=late.version)
    later = clock.now() + timedelta(hours=1, minutes=1)
    with clock.use_clock(lambda: later):
        for _ in range(2):
            jobs.keep_schedule()
    with shop.work() as uow:
        started = service.get(uow, program)
        assert (started.status, started.rewards_at_start, started.starts_at) == ("active", False, None)
        assert len(rewards.catalog(uow)) == 5
    offered = audited(shop, "reward.offered")
    assert len(offered) == 5 and {row["actor_kind"] for row in offered} == {"system"}
    plans = [row["after"]["rewards_at_start"] for row in audited(shop, "program.updated") if row["after"]]
    assert True in plans


def test_a_planned_start_that_fails_offers_nothing(shop: TestShop, monkeypatch: pytest.MonkeyPatch) -> None:
    program, _ = draft(shop)
    plan(shop, program, starts_at=clock.now() + timedelta(hours=1), rewards=True)

    def broken(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(rewards, "offer_drafts", broken)
    later = clock.now() + timedelta(hours=2)
    with clock.use_clock(lambda: later), pytest.raises(RuntimeError):
        jobs.keep_schedule()
    with shop.work() as uow:
        assert service.get(uow, program).status == "scheduled"
    assert statuses(shop, program) == {"draft"}


@pytest.mark.parametrize("how", ["unticked", "canceled", "launched without"])
def test_a_plan_for_rewards_is_taken_back(shop: TestShop, how: str) -> None:
    program, _ = draft(shop)
    starts_at = clock.now() + timedelta(hours=1)
    plan(shop, program, starts_at=starts_at, rewards=True)
    with shop.work() as uow:
        version = service.get(uow, program).version
        live = service.active(uow)
        assert live is not None
        if how == "canceled":
            service.unschedule(uow, program, version=version)
        elif how == "launched without":
            service.launch(uow, program, LaunchForm(version=version, instead_of=live.id))
    plan(shop, program, **({"starts_at": starts_at} if how != "launched without" else {}))
    with clock.use_clock(lambda: starts_at + timedelta(minutes=1)):
        jobs.keep_schedule()
    with shop.work() as uow:
        assert service.get(uow, program).status == "active"
    assert statuses(shop, program) == {"draft"}


def test_the_schedule_asks_about_draft_rewards_and_the_page_tells(
    shop: TestShop, call_as: Callable[..., Caller]
) -> None:
    program, version = draft(shop)
    caller = call_as(staff(shop.id))
    place, starts_at = f"{TAB}/{program}", (clock.now() + timedelta(days=2)).isoformat()
    drawer = caller.fragment(f"{place}/schedule").text
    assert "Offer its draft rewards at the start" in drawer and "Free shipping" in drawer
    assert re.search(r'name="rewards"[^>]* checked', drawer)
    body = {"version": version, "starts_at": starts_at, "after_end": "paused"}
    assert caller.submit(f"{place}/plan", body | {"rewards": "true"}).status_code == 200
    assert "3 rewards that wait as drafts are offered at the same minute" in caller.get(place).text
    body["version"] = version + 1
    assert caller.submit(f"{place}/plan", body).status_code == 200
    assert "3 rewards stay drafts" in caller.get(place).text
    assert not re.search(r'name="rewards"[^>]* checked', caller.fragment(f"{place}/schedule").text)


def test_planning_rewards_needs_their_permission_and_keeping_the_plan_does_not(
    shop: TestShop, other_shop: TestShop, call_as: Callable[..., Caller]
) -> None:
    program, version = draft(shop)
    boss = call_as(staff(shop.id))
    planner = call_as(staff(shop.id, ALL - {Permission.REWARDS_WRITE}))
    place, starts_at = f"{TAB}/{program}", (clock.now() + timedelta(days=2)).isoformat()
    body = {"version": version, "starts_at": starts_at, "after_end": "paused", "rewards": "true"}
    assert 'name="rewards"' not in planner.fragment(f"{place}/schedule").text
    assert planner.submit(f"{place}/plan", body).status_code == 403
    assert call_as(staff(other_shop.id)).submit(f"{place}/plan", body).status_code == 404
    assert boss.submit(f"{place}/plan", body).status_code == 200
    drawer = planner.fragment(f"{place}/schedule").text
    assert "They are offered at the start, as was planned." in drawer and 'name="rewards"' in drawer
    later = (clock.now() + timedelta(days=3)).isoformat()
    moved = planner.submit(f"{place}/plan", body | {"version": version + 1, "starts_at": later})
    assert moved.status_code == 200
    with shop.work() as uow:
        assert service.get(uow, program).rewards_at_start


def test_the_api_plans_rewards_for_whoever_may_change_them(
    shop: TestShop, call_as: Callable[..., Caller]
) -> None:
    program, version = draft(shop)
    place = f"/api/loyalty-referral/programs/{program}"
    body: dict[str, Any] = {
        "version": version,
        "status": "scheduled",
        "starts_at": (clock.now() + timedelta(days=1)).isoformat(),
        "rewards_at_start": True,
    }

    def put(caller: Caller, key: str, body: dict[str, Any]) -> Any:
        return caller.open("PUT", place, json=body, headers={"Idempotency-Key": key})

    planner = call_as(api_key(shop.id, frozenset({Permission.PROGRAMS_WRITE, Permission.PROGRAMS_READ})))
    caller = call_as(api_key(shop.id))
    assert put(planner, "a", body).status_code == 403
    refused = put(caller, "b", {"version": version, "rewards_at_start": True})
    assert refused.status_code == 400 and "rewards_at_start" in refused.json["error"]["fields"]
    assert put(caller, "c", body).json["program"]["rewards_at_start"] is True
    back = put(planner, "d", {"version": version + 1, "status": "draft"})
    assert back.json["program"]["rewards_at_start"] is False
