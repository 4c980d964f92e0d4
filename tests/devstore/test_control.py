import pytest

from devstore import discounts
from devstore.settings import DEMO_SHOP as SHOP
from tests.devstore.test_checkout import discount

PLAIN = discount(tags=[])

SECOND = "loyalnest-second.myshopify.com"


def test_a_customer_buys_with_the_documented_calls(control, told):
    ann = control(
        "POST",
        "/customers",
        {
            "email": "ann@example.com",
            "first_name": "Ann",
            "last_name": "Lee",
            "locale": "fr",
            "birthday": "1990-05-17",
        },
        201,
    )
    lines = [{"sku": "X", "title": "Thing", "quantity": 1, "price": "129.90", "gift_card": False}]
    order = control(
        "POST",
        "/orders",
        {
            "customer_id": ann["id"],
            "currency": "USD",
            "taxes_included": True,
            "lines": lines,
            "discount_codes": [],
            "paid": True,
            "source_name": "web",
        },
        201,
    )
    assert order["admin_graphql_api_id"] == f"gid://shopify/Order/{order['id']}"
    assert (
        control("POST", f"/orders/{order['id']}/refund", {"lines": [{"index": 0, "quantity": 1}]})[
            "financial_status"
        ]
        == "refunded"
    )
    assert [topic for topic, _ in told()] == [
        "customers/create",
        "orders/create",
        "orders/paid",
        "orders/updated",
        "refunds/create",
        "orders/updated",
    ]
    assert control("GET", f"/orders/{order['id']}")["customer_locale"] == "fr"
    assert control("GET", "/customers?email=ANN@example.com")["customers"][0]["birthday"] == "1990-05-17"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/orders", {"lines": []}, 422),
        ("POST", "/orders", {"lines": [{"sku": "unknown"}]}, 422),
        ("POST", "/orders", {"lines": [{"sku": "MUG-1", "price": "x"}]}, 422),
        ("POST", "/orders", {"lines": [{"sku": "MUG-1", "price": "-1"}]}, 422),
        ("POST", "/orders", {"lines": [{"sku": "MUG-1", "quantity": 0}]}, 422),
        ("POST", "/orders", {"lines": [{"sku": "MUG-1"}], "discount_codes": ["NOPE"]}, 422),
        ("POST", "/orders", {"lines": [{"sku": "MUG-1"}], "pay": True}, 422),
        ("POST", "/orders", {"lines": [{"sku": "MUG-1"}], "currency": "euro"}, 422),
        ("POST", "/orders", {"lines": [{"sku": "MUG-1"}], "created_at": "yesterday"}, 422),
        ("POST", "/orders", {"lines": [{"sku": "MUG-1"}], "customer_id": 1}, 404),
        ("POST", "/orders", {"shop": "nowhere.myshopify.com", "lines": [{"sku": "MUG-1"}]}, 404),
        ("POST", "/orders", [1], 400),
        ("POST", "/orders/1/pay", {}, 404),
        ("POST", "/customers", {"email": "no address"}, 422),
        ("POST", "/customers", {"email": "a@b.co", "birthday": "May"}, 422),
        ("POST", "/customers/merge", {"keep": 1, "remove": 1}, 422),
        ("POST", "/customers/1/redact", {}, 404),
        ("POST", "/shops", {"shop": "https://x"}, 422),
        ("POST", "/shops", {"shop": "new-shop.myshopify.com", "timezone": "Mars/Base"}, 422),
        ("POST", "/shops", {"shop": "new-shop.myshopify.com", "tax_rate": "a lot"}, 422),
        ("POST", "/shops", {"shop": SHOP}, 409),
        ("POST", "/faults", {"target": "graphql", "kind": "drop"}, 422),
        ("POST", "/faults", {"target": "graphql", "kind": "429", "rate": 2}, 422),
        ("POST", "/deliveries/replay", {"id": 999}, 404),
        ("GET", "/deliveries?limit=many", None, 422),
        ("GET", "/orders?shop=nowhere.myshopify.com", None, 404),
        ("GET", "/nothing", None, 404),
        ("PUT", "/orders", {}, 405),
    ],
)
def test_bad_input_gets_a_clear_answer(control, method, path, body, status):
    answer = control(method, path, body, status)
    assert answer["error"]["message"] and answer["error"]["code"]


def test_a_refused_code_says_why(control):
    error = control("POST", "/orders", {"lines": [{"sku": "MUG-1"}], "discount_codes": ["NOPE"]}, 422)[
        "error"
    ]
    assert error["code"] == "discount_refused" and error["fields"]["NOPE"].startswith("not_found")


def test_two_shops_know_nothing_of_each_other(control):
    control(
        "POST", "/shops", {"shop": SECOND, "currency": "EUR", "taxes_included": True, "tax_rate": "0.2"}, 201
    )
    order = control("POST", "/orders", {"shop": SECOND, "lines": [{"sku": "THROW-1"}, {"sku": "MUG-1"}]}, 201)
    shown = control("GET", f"/orders/{order['id']}?shop={SECOND}")
    assert (shown["currency"], shown["subtotal_price"], shown["total_tax"]) == ("EUR", "129.90", "21.65")
    control("GET", f"/orders/{order['id']}", status=404)
    assert control("GET", "/orders")["orders"] == []


def test_only_installed_shops_are_told_and_leaving_is_told_last(control, told):
    control("POST", "/app/uninstall", {"redact": True})
    assert [topic for topic, _ in told()] == ["app/uninstalled", "shop/redact"]
    control("POST", "/orders", {"lines": [{"sku": "MUG-1"}]})
    assert told() == []
    control("POST", "/app/uninstall", {}, 409)
    opened = control("POST", "/app/install", {"shop": SHOP})
    assert opened["installed"] and opened["app"]["error"] == "ConnectError"


def test_scopes_are_granted_and_told(control, told):
    control("POST", "/app/scopes", {"add": ["write_gift_cards"]})
    (topic, payload), *rest = told()
    assert topic == "app/scopes_update" and not rest
    assert "write_gift_cards" in payload["current"] and "write_gift_cards" not in payload["previous"]
    control("POST", "/app/scopes", {"add": ["write_themes"]}, 422)
    control("POST", "/app/scopes", {"remove": ["read_orders"]}, 422)


def test_merging_hands_over_orders(control, told):
    keep = control("POST", "/customers", {"email": "a@b.co"})["id"]
    remove = control("POST", "/customers", {"email": "c@d.co", "phone": "+15550100"})["id"]
    order = control("POST", "/orders", {"customer_id": remove, "lines": [{"sku": "MUG-1"}]})["id"]
    told()
    assert control("POST", "/customers/merge", {"keep": keep, "remove": remove})["phone"] == "+15550100"
    topic, payload = told()[0]
    assert topic == "customers/merge" and payload["admin_graphql_api_customer_kept_id"].endswith(str(keep))
    assert control("GET", f"/customers/{keep}")["orders"] == [order]
    control("GET", f"/customers/{remove}", status=404)


def test_compliance_topics_name_the_person_and_the_orders(control, told):
    made = control("POST", "/customers", {"email": "a@b.co"})["id"]
    order = control("POST", "/orders", {"customer_id": made, "lines": [{"sku": "MUG-1"}]})["id"]
    told()
    control("POST", f"/customers/{made}/data_request")
    control("POST", f"/customers/{made}/redact")
    (first, request), (second, redact) = told()
    assert (first, second) == ("customers/data_request", "customers/redact")
    assert request["orders_requested"] == [order] == redact["orders_to_redact"]
    assert (
        request["customer"] == {"id": made, "email": "a@b.co", "phone": None}
        and request["shop_domain"] == SHOP
    )


def test_deleting_a_customer_sends_the_included_fields_only(control, told):
    made = control("POST", "/customers", {"email": "a@b.co"})["id"]
    told()
    control("DELETE", f"/customers/{made}")
    assert told() == [("customers/delete", {"id": made})]


def test_any_webhook_can_be_sent(control, told):
    made = control("POST", "/webhooks", {"topic": "orders/paid", "payload": {"id": 1}, "shop": SHOP}, 201)[
        "id"
    ]
    assert told() == [("orders/paid", {"id": 1})]
    assert control("GET", f"/deliveries/{made}")["payload"] == {"id": 1}
    assert control("GET", f"/deliveries?shop={SHOP}")["pending"] == 1


def test_a_merchant_may_end_a_discount_and_look_at_what_the_app_wrote(control, told, store):
    discounts.add(store, SHOP, {**PLAIN, "title": "Ten"}, ["TEN"])
    control("POST", "/discounts/ten/end")
    assert control("GET", "/discounts")["discounts"][0]["status"] == "EXPIRED"
    control("POST", "/discounts/TEN/delete")
    assert told()[-1][0] == "discounts/delete"
    control("POST", "/discounts/TEN/delete", {}, 404)
    assert control("GET", "/metafields") == {"metafields": []}
    assert control("GET", "/credit") == {"gift_cards": [], "store_credit": []}


def test_a_shop_may_change_its_facts(control):
    assert control("PATCH", "/shops", {"currency": "EUR"})["currency"] == "EUR"
    assert control("PATCH", "/shops", {"plan": "Huge"}, 422)["error"]["fields"] == {"plan": "unknown"}
