import time
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from app.core import ids
from app.core.db import cross_shop
from app.core.permissions import Permission
from app.domains.points import service as points
from app.domains.points.schemas import Reversal
from app.domains.programs import service as programs
from tests.domains.storefront.conftest import CUSTOMER, Visit, enroll, reward_costing, settle, signed
from tests.factories import payloads
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, api_key, open_door


def test_guests_and_customers_get_their_own_summary(visit: Visit, member: UUID) -> None:
    guest, customer = visit().get("summary"), visit(CUSTOMER).get("summary")
    assert (guest.status_code, guest.json["state"]) == (200, "guest")
    assert (customer.status_code, customer.json["balance"]["available"]) == (200, 1_200)
    for answer in (guest, customer):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["ETag"] == f'"{answer.json["version"]}"'


def test_an_unchanged_summary_is_not_sent_again(visit: Visit, shop: TestShop, member: UUID) -> None:
    first = visit(CUSTOMER).get("summary")
    tag = first.headers["ETag"]
    again = visit(CUSTOMER).get("summary", **{"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    with shop.work() as uow:
        points.adjust(uow, member, 1, key="one-more", reason="kindness")
    assert visit(CUSTOMER).get("summary", **{"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize("locale", ["en", "es", "fr", "ar", "he", "ar-EG", "de"])
def test_the_storefronts_language_is_the_answers(visit: Visit, locale: str) -> None:
    answer = visit().get("summary", locale=locale)
    assert answer.json["language"] == {"ar-EG": "ar", "de": "en"}.get(locale, locale)


@pytest.mark.parametrize("locale", ["en", "es", "fr", "ar", "he"])
def test_what_a_refund_took_and_could_not_take_is_told(
    visit: Visit, shop: TestShop, member: UUID, locale: str
) -> None:
    with shop.work() as uow:
        had = points.balance(uow, member).available
        points.spend(uow, member, had - 10, key="spent", reason="redemption")
        points.reverse(uow, Reversal(member, 50, "refund", "refund"))
    told = visit(CUSTOMER).get("summary", locale=locale)
    assert told.status_code == 200 and "40" in told.json["activity"][0]["reason"]


def test_nobody_gets_in_without_shopifys_signature(app: Flask, shop: TestShop, valkey: object) -> None:
    now = str(int(time.time()))
    good = {
        "shop": shop.domain,
        "timestamp": now,
        "logged_in_customer_id": "77",
        "path_prefix": "/apps/loyalnest",
    }
    tried = [
        "",
        "shop=" + shop.domain,
        signed(good).replace("signature=", "signature=0"),
        signed(good).replace("customer_id=77", "customer_id=78"),
        signed(good) + "&shop=" + shop.domain,
        signed({**good, "timestamp": str(int(time.time()) - 300)}),
        signed({**good, "shop": "unknown-shop.myshopify.com"}),
    ]
    for query in tried:
        answer = app.test_client().get(f"/proxy/summary?{query}")
        assert answer.status_code == 401, (query, answer.text)
        assert "balance" not in answer.json
    assert app.test_client().get(f"/proxy/summary?{signed(good)}").status_code == 200


def test_an_uninstalled_shop_is_not_served(visit: Visit, new_shop: Any) -> None:
    gone = new_shop("gone.myshopify.com")
    with cross_shop("test") as uow:
        uow.execute(
            "UPDATE shop_directory SET status = 'uninstalled' WHERE shop_id = %(shop)s", {"shop": gone.id}
        )
    answer = visit(CUSTOMER, gone).get("summary")
    assert (answer.status_code, answer.json["error"]["code"]) == (401, "shop_not_served")


def test_the_same_customer_number_in_another_shop_is_somebody_else(
    visit: Visit, shop: TestShop, other_shop: TestShop, member: UUID
) -> None:
    made = visit(CUSTOMER).redeem(
        {"reward_id": str(reward_costing(shop, 300)), "idempotency_key": "key-12345"}
    )
    assert visit(CUSTOMER, other_shop).get("summary").json["state"] == "preparing"
    assert visit(CUSTOMER, other_shop).get(f"redemptions/{made.json['id']}").status_code == 404
    enroll(other_shop, 5_000)
    answer = visit(CUSTOMER, other_shop).redeem(
        {"reward_id": str(reward_costing(shop, 300)), "idempotency_key": "key-12345"}
    )
    assert (answer.status_code, answer.json["error"]["code"]) == (404, "reward_not_found")


def test_redeem_poll_and_get_the_code(visit: Visit, shop: TestShop, member: UUID) -> None:
    body = {"reward_id": str(reward_costing(shop, 300)), "idempotency_key": "key-12345"}
    made = visit(CUSTOMER).redeem(body)
    assert (made.status_code, made.json["status"], made.json["code"]) == (200, "reserved", None)
    assert visit(CUSTOMER).redeem(body).json == made.json
    settle(shop, made.json["id"], "issued")
    found = visit(CUSTOMER).get(f"redemptions/{made.json['id']}").json
    assert found["status"] == "issued" and found["code"].startswith("LN-")
    assert visit(CUSTOMER).get("summary").json["balance"]["available"] == 900
    assert visit(78).get(f"redemptions/{made.json['id']}").status_code == 404


def test_a_key_for_another_reward_is_a_conflict(visit: Visit, shop: TestShop, member: UUID) -> None:
    visit(CUSTOMER).redeem({"reward_id": str(reward_costing(shop, 300)), "idempotency_key": "key-12345"})
    answer = visit(CUSTOMER).redeem(
        {"reward_id": str(reward_costing(shop, 500)), "idempotency_key": "key-12345"}
    )
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "idempotency_mismatch")


def test_guests_cannot_redeem(visit: Visit, shop: TestShop) -> None:
    body = {"reward_id": str(reward_costing(shop, 300)), "idempotency_key": "key-12345"}
    answer = visit().redeem(body)
    assert (answer.status_code, answer.json["error"]["code"]) == (401, "sign_in_first")
    assert visit().get(f"redemptions/{ids.new_id()}").json["error"]["code"] == "sign_in_first"


def test_too_few_points_is_said_in_a_sentence(visit: Visit, shop: TestShop) -> None:
    enroll(shop, 10)
    answer = visit(CUSTOMER).redeem(
        {"reward_id": str(reward_costing(shop, 300)), "idempotency_key": "key-12345"}
    )
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "insufficient_points")
    assert answer.json["error"]["message"] == "300 points are needed and 10 are available."


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"reward_id": "not-an-id", "idempotency_key": "key-12345"},
        {"reward_id": "-" * 36, "idempotency_key": "key-12345"},
        {"reward_id": str(ids.new_id())},
        {"reward_id": str(ids.new_id()), "idempotency_key": "short"},
        {"reward_id": str(ids.new_id()), "idempotency_key": "with spaces in it"},
        {"reward_id": str(ids.new_id()), "idempotency_key": "key-12345", "customer_id": "78"},
    ],
)
def test_bad_input_is_refused(visit: Visit, member: UUID, body: dict[str, Any]) -> None:
    answer = visit(CUSTOMER).redeem(body)
    assert answer.status_code == 422 and answer.json["error"]["fields"]


def test_each_customer_has_a_rate_of_their_own(visit: Visit, shop: TestShop, member: UUID) -> None:
    body = {"reward_id": str(ids.new_id()), "idempotency_key": "key-12345"}
    statuses = [visit(CUSTOMER).redeem(body).status_code for _ in range(14)]
    assert statuses[:12] == [404] * 12 and statuses[-1] == 429
    enroll(shop, 10, customer=78)
    assert visit(78).redeem(body).status_code == 404


def test_the_widget_config_speaks_the_asked_language(app: Flask, shop: TestShop, valkey: object) -> None:
    with open_door() as door:
        caller = Caller(app, door.api_key(api_key(shop.id, frozenset({Permission.WIDGET_READ}))))
        answer = caller.get("/v1/api/widget/config?locale=he")
        assert (answer.json["status"], answer.json["language"], answer.json["rtl"]) == ("success", "he", True)
        assert len(answer.json["translations"]["rewards"]) == 3 and answer.json["error"] is None
        other = Caller(app, door.api_key(api_key(shop.id, frozenset({Permission.POINTS_READ}))))
        assert other.get("/v1/api/widget/config").status_code == 403


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("en", "Earn 129 points"),
        ("es", "Gana 129 puntos"),
        ("ar", "129 نقطة عند الشراء"),
        ("de", "Earn 129 points"),
    ],
)
def test_what_a_product_earns_is_told_in_the_storefronts_language(
    visit: Visit, locale: str, text: str
) -> None:
    answer = visit().earn({"lines": [{"price": 1290}]}, locale)
    assert (answer.status_code, answer.json["points"], answer.json["text"]) == (200, 129, text)
    assert answer.json["why"]


@pytest.mark.parametrize(
    ("included", "earns", "told", "awarded", "text"),
    [
        (True, True, 1200, 1200, "Earn 1,200 points"),
        (True, False, 1200, 1000, "Earn up to 1,200 points"),
        (False, False, 1200, 1200, "Earn 1,200 points"),
        (False, True, 1200, 1400, "Earn 1,200 points"),
    ],
)
def test_a_promise_knows_whether_the_prices_hold_tax(
    visit: Visit, shop: TestShop, included: bool, earns: bool, told: int, awarded: int, text: str
) -> None:
    """The same cart of 120.00, bought: with 20.00 of tax in its price, or on top of it."""
    with shop.work() as uow:
        program = programs.active(uow)
        assert program is not None
        programs.update(uow, program.id, {"earn_on_tax": earns}, version=program.version)
    answer = visit().earn({"lines": [{"price": 12_000}], "taxes_included": included}).json
    assert (answer["points"], answer["text"]) == (told, text)
    tax = [{"price": "20.00", "price_set": payloads.money("20.00", "USD"), "rate": 0.2, "title": "VAT"}]
    body = payloads.order(
        71,
        [payloads.line(711, "120.00", tax_lines=tax)],
        customer=payloads.customer(990),
        taxes_included=included,
    )
    shop.tell("orders/paid", body)
    shop.drain()
    with shop.work() as uow:
        entries = uow.all("SELECT points FROM points_entries WHERE order_id IS NOT NULL")
    assert [row["points"] for row in entries] == [awarded]


def test_prices_in_the_shoppers_currency_are_brought_back_to_the_shops(visit: Visit) -> None:
    goods = {"lines": [{"price": 150_400, "quantity": 2}], "currency": "JPY", "rate": "150.4"}
    assert visit().earn(goods).json["points"] == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"lines": [{"price": -1}]},
        {"lines": [{"price": 1.5}]},
        {"lines": [{"price": 1, "quantity": 0}]},
        {"lines": [{"price": 1}] * 251},
        {"lines": [], "rate": "0"},
        {"lines": [], "currency": "usd"},
    ],
)
def test_a_basket_of_another_shape_is_refused(visit: Visit, body: Any) -> None:
    assert visit().earn(body).status_code == 422


def test_the_dearest_basket_is_only_a_number(visit: Visit) -> None:
    dearest = {"lines": [{"price": 10**11, "quantity": 100_000}], "rate": "0.000001"}
    assert visit().earn(dearest).status_code == 200


def test_a_promise_gives_nothing_and_needs_a_signature(
    visit: Visit, app: Flask, shop: TestShop, member: UUID
) -> None:
    with shop.work() as uow:
        before = points.balance(uow, member)
    assert visit(CUSTOMER).earn({"lines": [{"price": 5000}]}).json["points"] > 0
    with shop.work() as uow:
        assert points.balance(uow, member) == before
    assert app.test_client().post("/proxy/earn", json={"lines": []}).status_code == 401
