"""Adjusting in the admin and through the API: forms, refusals, drawers, permissions, another shop."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import orjson
import pytest

from app.core import ids, mail, outbox
from app.core.permissions import ALL, Permission
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.points import service
from app.domains.points.schemas import AlertNews, Reversal
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, api_key, staff

TAB = "/app/points-ledger"


@pytest.fixture
def pair(shop: TestShop) -> tuple[UUID, UUID]:
    with shop.work() as uow:
        found = members.enroll(uow, [Person(1, "ana@example.com", "Ana", "Ruiz"), Person(2)])
        return found[1].id, found[2].id


def fields(member: UUID, **changes: Any) -> dict[str, Any]:
    given = {
        "member": str(member),
        "verb": "award",
        "points": "1,500",
        "to_member": "",
        "reason": "goodwill",
        "note": "sorry",
    }
    return given | {"idempotency_key": str(ids.new_id())} | changes


def available(shop: TestShop, member: UUID) -> int:
    with shop.work() as uow:
        return service.balance(uow, member).available


def test_a_form_adjusts_and_shows_where_it_came_from(
    shop: TestShop, pair: tuple[UUID, UUID], call_as: Callable[..., Caller]
) -> None:
    merchant = call_as(staff(shop.id))
    answer = merchant.submit(f"{TAB}/adjust", fields(pair[0], back="member"))
    assert answer.status_code == 200, answer.text
    assert available(shop, pair[0]) == 1_500
    assert "1,500 points: Goodwill (sorry)" in merchant.get(TAB).text
    page = merchant.get(f"{TAB}/adjustments").text
    assert "Ana Ruiz" in page
    assert "Undo" in page


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"points": "x"}, "points"),
        ({"verb": "transfer"}, "Fill in this field."),
        ({"verb": "transfer", "to_member": "nobody"}, "No member, or more than one, matches"),
        ({"verb": "deduct", "points": "1"}, "1 points are needed and 0 are available"),
        ({"reason": "because"}, "reason"),
        ({"points": ""}, "Enter how many points"),
    ],
)
def test_what_cannot_be_comes_back_with_what_was_typed(
    shop: TestShop,
    pair: tuple[UUID, UUID],
    call_as: Callable[..., Caller],
    changes: dict[str, Any],
    sentence: str,
) -> None:
    answer = call_as(staff(shop.id)).submit(f"{TAB}/adjust", fields(pair[0], **changes))
    assert answer.status_code in (409, 422)
    assert sentence in answer.text
    assert "sorry" in answer.text
    assert available(shop, pair[0]) == 0


def test_all_that_is_missing_is_told_at_once(
    shop: TestShop, pair: tuple[UUID, UUID], call_as: Callable[..., Caller]
) -> None:
    typed = fields(pair[0], points="", note="x" * 201) | {"member": ""}
    answer = call_as(staff(shop.id)).submit(f"{TAB}/adjust", typed)
    assert answer.status_code == 422
    refused = [field for field in ("member", "points", "note") if f'-{field}-error"' in answer.text]
    assert refused == ["member", "points", "note"]


def test_the_preview_says_what_will_be(
    shop: TestShop, pair: tuple[UUID, UUID], call_as: Callable[..., Caller]
) -> None:
    merchant = call_as(staff(shop.id))
    with shop.work() as uow:
        service.reverse(uow, Reversal(pair[0], 100, "r", "refund"))
    shown = merchant.submit(f"{TAB}/adjust-preview", fields(pair[0])).text
    assert "1,400\xa0points" in shown
    assert "too few" in merchant.submit(f"{TAB}/adjust-preview", fields(pair[0], verb="deduct")).text
    assert merchant.get(f"{TAB}/adjust/{pair[0]}").status_code == 200


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Award 1,500\xa0points"),
        ({"points": "1"}, "Award 1\xa0point"),
        ({"verb": "set"}, "Set to 1,500\xa0points"),
        ({"verb": "deduct"}, "Adjust points"),
        ({"verb": "expire", "points": ""}, "Expire 0\xa0points"),
        ({"points": ""}, "Adjust points"),
    ],
)
def test_the_button_says_what_it_would_do(
    shop: TestShop,
    pair: tuple[UUID, UUID],
    call_as: Callable[..., Caller],
    changes: dict[str, str],
    said: str,
) -> None:
    shown = call_as(staff(shop.id)).submit(f"{TAB}/adjust-preview", fields(pair[0], **changes)).text
    assert f'hx-swap="innerHTML">{said}</hx-partial>' in shown


def test_approval_takes_two_and_the_permission(
    shop: TestShop, pair: tuple[UUID, UUID], call_as: Callable[..., Caller]
) -> None:
    maya, omar = call_as(staff(shop.id)), call_as(staff(shop.id))
    support = call_as(staff(shop.id, ALL - {Permission.POINTS_APPROVE, Permission.SETTINGS_WRITE}))
    rules = {"approval_above": "1000", "daily_limit": "", "alert_per_hour": "100", "version": "0"}
    key = {"idempotency_key": str(ids.new_id())}
    assert support.submit(f"{TAB}/adjustments/adjust-settings", rules | key).status_code == 403
    assert maya.submit(f"{TAB}/adjustments/adjust-settings", rules | key).status_code == 200
    assert maya.submit(f"{TAB}/adjust", fields(pair[0])).status_code == 200
    assert available(shop, pair[0]) == 0
    with shop.work() as uow:
        waiting = uow.scalar("SELECT id FROM points_adjustments")
    body = {"adjustment": str(waiting)}

    def decide(caller: Caller) -> int:
        return caller.submit(
            f"{TAB}/adjustments/approve", body | {"idempotency_key": str(ids.new_id())}
        ).status_code

    assert "Approve" not in maya.get(f"{TAB}/adjustments").text
    assert decide(support) == 403
    assert decide(maya) == 409
    assert "Approve" in omar.get(f"{TAB}/adjustments").text
    assert decide(omar) == 200
    assert decide(omar) == 409
    assert available(shop, pair[0]) == 1_500


def test_the_api_transfers_adjusts_lists_and_undoes(
    shop: TestShop, other_shop: TestShop, pair: tuple[UUID, UUID], call_as: Callable[..., Caller]
) -> None:
    caller, stranger = call_as(api_key(shop.id)), call_as(api_key(other_shop.id))
    given = {"merchant_id": shop.domain, "customer_id": "1", "points": 50}
    answer = caller.post("/admin/points/adjust", json=given)
    assert answer.status_code == 201
    assert answer.json is not None and answer.json["status"] == "success"
    assert caller.post("/admin/points/adjust", json=given | {"merchant_id": "x"}).status_code == 403
    assert stranger.post("/admin/points/adjust", json=given).status_code == 403
    base = "/api/loyalty-referral/points"
    move = {"from_customer_id": "1", "to_customer_id": "2", "points": 20, "reason": "family"}
    moved = caller.post(f"{base}/transfer", json=move)
    assert moved.status_code == 201, moved.text
    assert (available(shop, pair[0]), available(shop, pair[1])) == (30, 20)
    assert caller.post(f"{base}/transfer", json=move | {"points": 31}).status_code == 409
    assert moved.json is not None
    undo = f"{base}/adjustments/{moved.json['adjustment']['id']}/undo"
    assert stranger.post(undo).status_code == 404
    assert caller.post(undo).status_code == 200
    assert caller.post(undo).status_code == 409
    assert (available(shop, pair[0]), available(shop, pair[1])) == (50, 0)
    listed = caller.get(f"{base}/adjustments").json
    assert listed is not None
    assert [one["verb"] for one in listed["adjustments"]] == ["transfer", "award"]
    assert call_as(api_key(shop.id, frozenset())).get(f"{base}/adjustments").status_code == 403


def test_the_alarm_is_a_letter_in_the_shops_language(shop: TestShop) -> None:
    assert service.ALERT in outbox.registered_kinds()
    for locale in ("en", "es", "fr", "ar", "he"):
        letter = mail.render(
            "points/adjustment_alert", locale, AlertNews("Oud & Co", 100, "https://x.example")
        )
        assert "100" in letter.text
        assert "Oud &amp; Co" in letter.html


def test_an_adjustment_is_taken_back_from_its_toast(
    shop: TestShop, pair: tuple[UUID, UUID], call_as: Callable[..., Caller]
) -> None:
    merchant = call_as(staff(shop.id))
    answer = merchant.submit(f"{TAB}/adjust", fields(pair[0], back="member"))
    offered = orjson.loads(answer.headers["HX-Trigger"])["toast"]["undo"]
    assert offered["values"]["member"] == str(pair[0])
    assert available(shop, pair[0]) == 1_500
    done = merchant.submit(offered["url"], offered["values"])
    assert done.status_code == 200 and f"/app/members/{pair[0]}" in str(done.headers)
    assert available(shop, pair[0]) == 0
    assert merchant.submit(offered["url"], offered["values"]).status_code == 409
