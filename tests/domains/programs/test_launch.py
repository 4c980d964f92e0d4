"""A program goes live together with its rewards: one confirmation, the other program paused, pausing takes it back."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from app.core.errors import NotFound
from app.core.permissions import Permission
from app.domains.programs import service
from app.domains.programs.errors import AnotherProgramActive, StaleVersion
from app.domains.programs.service import LaunchForm
from app.domains.rewards import queries
from app.domains.rewards import service as rewards
from app.domains.shops import service as shops
from tests.domains.programs.test_rules_editor import TAB, program_of
from tests.fixtures.shop import TestShop
from tests.fixtures.web import ALL, Caller, staff


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
    assert "3 rewards wait with it" in page
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
