"""The editor of earning rules, its rehearsal and its versions; and the same through the API."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from app.core.permissions import Permission
from app.domains.points import jobs
from app.domains.programs import rules, service
from app.domains.programs.schemas import EarningRule
from tests.domains.points.terms import rule, settings
from tests.domains.points.test_earning import balance, pay
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, api_key, staff

TAB = "/app/loyalty-programs"


def program_of(shop: TestShop) -> tuple[UUID, int]:
    with shop.work() as uow:
        found = service.active(uow)
        assert found is not None
        return found.id, found.version


def fields(version: int, **changes: Any) -> dict[str, Any]:
    plain = {
        "version": version,
        "rule.id": "extra",
        "rule.kind": "purchase",
        "rule.enabled": "on",
        "rule.name": "Vendor week",
        "rule.points": "2.5",
        "rule.per": "unit",
        "rule.multiplied": "on",
        "rule.priority": "1",
        "rule.stacking": "add",
        "rule.conditions.vendors": "Acme",
        "rule.exclusions.gift_cards": "on",
        "rule.exclusions.shipping": "on",
        "rule.exclusions.tips": "on",
        "rule.exclusions.test_orders": "on",
        "rule.caps.period": "month",
        "idempotency_key": f"key-{version}-{len(changes)}",
    }
    return {**plain, **changes}


def test_a_rule_is_previewed_saved_and_removed(shop: TestShop, call_as: Callable[..., Caller]) -> None:
    program, version = program_of(shop)
    merchant = call_as(staff(shop.id))
    page = merchant.get(f"{TAB}/{program}").text
    assert "Earning rules" in page
    assert merchant.get(f"{TAB}/{program}/rules/new?kind=goal_spend").status_code == 200
    shown = merchant.submit(f"{TAB}/{program}/rule-preview", fields(version)).text
    assert "1,250 points for this cart: Vendor week: 250 points; Purchases: 1,000 points." in shown
    assert merchant.submit(f"{TAB}/{program}/save-rule", fields(version)).status_code in (200, 204)
    program, version = program_of(shop)
    assert "Vendor week" in merchant.get(f"{TAB}/{program}/rules/extra").text
    stale = merchant.submit(f"{TAB}/{program}/save-rule", fields(version - 1, **{"rule.points": "3"}))
    assert stale.status_code == 409
    bad = merchant.submit(f"{TAB}/{program}/save-rule", fields(version, **{"rule.points": "-3"}))
    assert bad.status_code == 422
    base = fields(version, **{"rule.id": "purchase", "rule.points": "12", "rule.conditions.vendors": ""})
    assert merchant.submit(f"{TAB}/{program}/save-rule", base).status_code in (200, 204)
    with shop.work() as uow:
        found = service.get(uow, program)
        assert found.points_per_unit == 12
        version = found.version
    answer = merchant.submit(
        f"{TAB}/{program}/remove-rule", {"version": version, "rule": "extra", "idempotency_key": "r"}
    )
    assert answer.status_code == 200
    with shop.work() as uow:
        assert [one.id for one in service.rules_of(uow, program)] == ["purchase", "signup"]


def test_changed_terms_are_rehearsed_before_they_are_saved(
    shop: TestShop, call_as: Callable[..., Caller]
) -> None:
    pay(shop, 5)
    program, version = program_of(shop)
    merchant = call_as(staff(shop.id))
    answer = merchant.submit(
        f"{TAB}/{program}/save-rule", fields(version, then="rehearse", **{"rule.conditions.vendors": ""})
    )
    place = re.search(r"/rehearsals/([0-9a-f-]{36})", str(answer.headers) + answer.text)
    assert place is not None
    assert program_of(shop)[1] == version
    address = f"{TAB}/{program}/rehearsals/{place.group(1)}"
    assert "Replaying the last months" in merchant.get(address).text
    jobs.rehearse(str(shop.id), place.group(1))
    page = merchant.get(address).text
    assert "1,250" in page
    assert "Noura Haddad" in page
    assert merchant.get(f"{address}/state").status_code == 200
    saved = merchant.submit(f"{address}/apply", {"version": version, "idempotency_key": "apply"})
    assert saved.status_code in (200, 204)
    pay(shop, 6, customer=78)
    with shop.work() as uow:
        assert balance(uow, 78).total == 1_250


def test_an_older_version_holds_again(shop: TestShop, call_as: Callable[..., Caller]) -> None:
    program, version = program_of(shop)
    merchant = call_as(staff(shop.id))
    with shop.work() as uow:
        before = rules.terms(service.settings(uow, program))
        service.apply(
            uow,
            program,
            service.settings_with_rule(uow, program, EarningRule.model_validate(rule("extra"))),
            version=version,
        )
    version = program_of(shop)[1]
    for number, status in ((9, 404), (1, 200)):
        body = {"version": version, "number": number, "idempotency_key": f"back-{number}"}
        assert merchant.submit(f"{TAB}/{program}/roll-back", body).status_code == status
    with shop.work() as uow:
        assert rules.terms(service.settings(uow, program)) == before


def test_who_may_not_write_sees_and_saves_nothing_of_it(
    shop: TestShop, other_shop: TestShop, call_as: Callable[..., Caller]
) -> None:
    program, version = program_of(shop)
    reader = call_as(staff(shop.id, frozenset({Permission.PROGRAMS_READ})))
    assert reader.submit(f"{TAB}/{program}/save-rule", fields(version)).status_code == 403
    stranger = call_as(staff(other_shop.id))
    assert stranger.submit(f"{TAB}/{program}/save-rule", fields(version)).status_code == 404
    assert stranger.get(f"{TAB}/{program}/rules/purchase").status_code == 404


def test_the_api_keeps_rules_and_refuses_bad_ones(shop: TestShop, call_as: Callable[..., Caller]) -> None:
    program, version = program_of(shop)
    caller = call_as(api_key(shop.id))
    place = f"/api/loyalty-referral/programs/{program}"
    extra = rule("quiz", 5, "custom_event", event="quiz")
    found = caller.open(
        "PUT", place, json={"version": version, "rules": [extra]}, headers={"Idempotency-Key": "a"}
    )
    assert found.status_code == 200, found.text
    assert found.json["program"]["rules"][0]["event"] == "quiz"
    for number, bad in enumerate(
        (
            [extra, extra],
            [rule("quiz", 5, "custom_event")],
            [rule("goal", 5, "goal_spend")],
            [rule("r", conditions={"starts_on": "2026-02-01", "ends_on": "2026-01-01"})],
            [rule("r", conditions={"unknown": 1})],
        )
    ):
        answer = caller.open(
            "PUT",
            place,
            json={"version": version + 1, "rules": bad},
            headers={"Idempotency-Key": f"bad-{number}"},
        )
        assert answer.status_code == 422, bad


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"type": "punch_card", "step": "5", "points_per_unit": "100"},
        {"type": "spend_based", "step": "50.5"},
        {"earn_on_tax": False, "signup_bonus": 0, "points_per_unit": "0"},
        {
            "rules": [
                rule("purchase", 0, exclusions={"b2b": True}, conditions={"first_order": True}),
                rule("signup", 0, "signup", names={"fr": "Bienvenue"}),
                rule("extra"),
            ]
        },
        {"caps": {"per_day": 5}, "multipliers": [{"id": "x", "name": "X", "factor": "2"}]},
    ],
)
def test_terms_lead_back_to_settings(changes: dict[str, Any]) -> None:
    kept = rules.terms(settings(**changes))
    assert rules.terms(rules.settings_of(kept)) == kept
    assert rules.differences(rules.settings_of(kept), rules.settings_of(kept)) == []
