import json

import pytest
from graphql import build_schema, get_operation_ast, parse

from devstore import catalog, customers, discounts, installs, orders, tokens
from devstore.admin_api import cost, searching
from devstore.gids import gid
from devstore.settings import DEMO_SHOP as SHOP

CREATE = """mutation Create($d: DiscountCodeBasicInput!) { discountCodeBasicCreate(basicCodeDiscount: $d) {
  codeDiscountNode { id codeDiscount { ... on DiscountCodeBasic { status codes(first: 1) { nodes { code } } } } }
  userErrors { field code message } } }"""
BY_CODE = """query ByCode($c: String!) { codeDiscountNodeByCode(code: $c) {
  id codeDiscount { ... on DiscountCodeBasic { status asyncUsageCount } } } }"""
SHOP_NAME = "{ shop { name } }"
TAGS = "mutation T($id: ID!, $tags: [String!]!) { tagsAdd(id: $id, tags: $tags) { node { id } userErrors { message } } }"


@pytest.fixture
def token(store):
    return tokens.grant(store, SHOP, expiring=True)["access_token"]


@pytest.fixture
def ask(client, token):
    def call(query, variables=None, *, status=200, **headers):
        answer = client.post(
            "/admin/api/2026-10/graphql.json",
            json={"query": query, "variables": variables},
            headers={"Host": SHOP, "X-Shopify-Access-Token": token, **headers},
        )
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer.get_json()

    return call


def basic(**changes):
    gets = {
        "items": {"all": True},
        "value": {"discountAmount": {"amount": "5.00", "appliesOnEachItem": False}},
    }
    made = {
        "title": "Five off",
        "code": "LN-FIVE",
        "startsAt": "2026-01-01T00:00:00Z",
        "context": {"all": "ALL"},
        "customerGets": gets,
    }
    return {"d": {**made, **changes}}


def errors(answer):
    return [each["code"] for each in answer["data"]["discountCodeBasicCreate"]["userErrors"]]


def test_a_created_discount_works_at_checkout_and_counts_its_use(store, ask):
    ann = customers.add(store, SHOP, email="ann@example.com")
    mine = {"context": {"customers": {"add": [gid("Customer", ann["id"])]}}, "usageLimit": 1}
    made = ask(CREATE, basic(**mine))["data"]["discountCodeBasicCreate"]
    assert made["userErrors"] == [] and made["codeDiscountNode"]["codeDiscount"]["status"] == "ACTIVE"
    order = orders.place(store, SHOP, [{"sku": "MUG-1"}], customer_id=ann["id"], codes=["ln-five"])
    assert order["discount_codes"] == [{"code": "LN-FIVE", "amount": 500, "type": "fixed_amount"}]
    found = ask(BY_CODE, {"c": "Ln-Five"})["data"]["codeDiscountNodeByCode"]
    assert found["codeDiscount"]["asyncUsageCount"] == 1
    refused = orders.quote(store, SHOP, [{"sku": "MUG-1"}], ["LN-FIVE"], customer_id=ann["id"]).refused
    assert [each.reason for each in refused] == ["used_up"]


def test_a_second_discount_of_the_same_code_is_taken(ask):
    ask(CREATE, basic())
    again = ask(CREATE, basic(code="ln-five"))
    assert errors(again) == ["TAKEN"]
    assert again["data"]["discountCodeBasicCreate"]["userErrors"][0]["field"] == ["basicCodeDiscount", "code"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"title": " "}, "BLANK"),
        ({"code": ""}, "BLANK"),
        ({"startsAt": None}, "BLANK"),
        ({"endsAt": "2025-01-01T00:00:00Z"}, "END_DATE_BEFORE_START_DATE"),
        ({"usageLimit": 0}, "GREATER_THAN"),
        ({"context": {"customers": {"add": ["gid://shopify/Customer/1"]}}}, "INVALID"),
        ({"customerGets": {"items": {"all": True}, "value": {"percentage": 1.5}}}, "VALUE_OUTSIDE_RANGE"),
        (
            {"customerGets": {"items": {"all": True}, "value": {"discountAmount": {"amount": "0"}}}},
            "GREATER_THAN",
        ),
        ({"customerGets": {"items": {}, "value": {"percentage": 0.5}}}, "APPLIES_ON_NOTHING"),
        (
            {
                "minimumRequirement": {
                    "subtotal": {"greaterThanOrEqualToSubtotal": "1"},
                    "quantity": {"greaterThanOrEqualToQuantity": "1"},
                }
            },
            "MINIMUM_SUBTOTAL_AND_QUANTITY_RANGE_BOTH_PRESENT",
        ),
    ],
)
def test_wrong_discounts_get_user_errors_and_are_not_kept(store, ask, changes, code):
    assert errors(ask(CREATE, basic(**changes))) == [code]
    assert discounts.every(store, SHOP) == []


def test_a_deactivated_code_is_expired_and_a_deleted_one_is_free_again(store, ask, told):
    made = ask(CREATE, basic())["data"]["discountCodeBasicCreate"]["codeDiscountNode"]["id"]
    ask(
        "mutation E($id: ID!) { discountCodeDeactivate(id: $id) { codeDiscountNode { id } userErrors { code } } }",
        {"id": made},
    )
    assert orders.quote(store, SHOP, [{"sku": "MUG-1"}], ["LN-FIVE"]).refused[0].reason == "expired"
    ask(
        "mutation D($id: ID!) { discountCodeDelete(id: $id) { deletedCodeDiscountId userErrors { code } } }",
        {"id": made},
    )
    assert told()[-1][0] == "discounts/delete"
    assert ask(BY_CODE, {"c": "LN-FIVE"})["data"]["codeDiscountNodeByCode"] is None
    assert errors(ask(CREATE, basic())) == []


def test_operations_are_validated_against_the_schema(ask):
    answer = ask("{ shop { noSuchField } }")
    assert "noSuchField" in answer["errors"][0]["message"] and "data" not in answer
    assert ask("{ shop {")["errors"]
    assert "errors" in ask(CREATE, {"d": {"nonsense": 1}})


def test_wrong_tokens_expired_tokens_and_other_shops_are_turned_away(store, ask, client, token):
    assert "errors" in ask(SHOP_NAME, status=401, **{"X-Shopify-Access-Token": "shpat_wrong"})
    tokens.expire(store, SHOP, refresh_too=False)
    ask(SHOP_NAME, status=401)


def test_an_uninstalled_app_is_turned_away(store, ask):
    installs.uninstall(store, SHOP)
    ask(SHOP_NAME, status=401)


def test_missing_scopes_deny_the_field(store, ask):
    store.state.run("UPDATE access_tokens SET scope = 'read_orders'")
    answer = ask(BY_CODE, {"c": "X"})
    assert answer["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"
    assert answer["data"] == {"codeDiscountNodeByCode": None}


def test_an_empty_bucket_throttles_with_status_200_and_refills(store, ask):
    now = store.buckets.clock()
    store.buckets.clock = lambda: now
    store.buckets.empty(SHOP)
    answer = ask(SHOP_NAME)
    assert answer["errors"][0]["extensions"]["code"] == "THROTTLED"
    cost_ = answer["extensions"]["cost"]
    assert cost_["throttleStatus"] == {
        "maximumAvailable": 2000.0,
        "currentlyAvailable": 0,
        "restoreRate": 100.0,
    }
    store.buckets.clock = lambda: now + 1
    status = ask(SHOP_NAME)["extensions"]["cost"]["throttleStatus"]
    assert status["currentlyAvailable"] == 99


@pytest.mark.parametrize(("kind", "status"), [("429", 429), ("401", 401), ("throttled", 200)])
def test_faults_strike_before_anything_is_done(store, client, token, kind, status):
    store.faults.add("graphql", kind, 1, 60)
    answer = client.post(
        "/admin/api/2026-10/graphql.json",
        json={"query": CREATE, "variables": basic()},
        headers={"Host": SHOP, "X-Shopify-Access-Token": token},
    )
    assert answer.status_code == status and "errors" in answer.get_json()
    assert (answer.headers.get("Retry-After") is not None) == (status == 429)
    assert discounts.every(store, SHOP) == []


def test_asked_for_user_errors_refuse_mutations_only(store, ask):
    store.faults.add("graphql", "user_errors", 1, 60)
    assert errors(ask(CREATE, basic())) == ["INTERNAL_ERROR"]
    assert discounts.every(store, SHOP) == []
    assert ask(SHOP_NAME)["data"]


def test_tags_are_added_once_and_told_once(store, ask, told):
    ann = customers.add(store, SHOP, email="ann@example.com")
    told()
    for _ in range(2):
        ask(TAGS, {"id": gid("Customer", ann["id"]), "tags": ["gold"]})
    assert customers.get(store, SHOP, ann["id"])["tags"] == ["gold"]
    assert [topic for topic, _ in told()] == ["customers/update"]


METAFIELDS = """mutation M($m: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $m) {
  metafields { key value namespace compareDigest } userErrors { field code } } }"""


def test_metafields_are_set_together_or_not_at_all(store, ask):
    owner = gid("Customer", customers.add(store, SHOP, email="ann@example.com")["id"])
    good = {"ownerId": owner, "key": "balance", "type": "number_integer", "value": "12"}
    bad = {**good, "key": "tier", "value": "x"}
    answer = ask(METAFIELDS, {"m": [good, bad]})["data"]["metafieldsSet"]
    assert answer["userErrors"] == [{"field": ["metafields", "1", "value"], "code": "INVALID_VALUE"}]
    assert store.state.all("metafield", SHOP) == []
    kept = ask(METAFIELDS, {"m": [good]})["data"]["metafieldsSet"]["metafields"][0]
    assert kept["namespace"].startswith("app--") and kept["value"] == "12"
    stale = ask(METAFIELDS, {"m": [{**good, "compareDigest": "old"}]})["data"]["metafieldsSet"]
    assert stale["userErrors"][0]["code"] == "STALE_OBJECT"
    fresh = ask(METAFIELDS, {"m": [{**good, "value": "13", "compareDigest": kept["compareDigest"]}]})
    assert fresh["data"]["metafieldsSet"]["metafields"][0]["value"] == "13"


def test_more_than_25_metafields_are_refused(store, ask):
    owner = gid("Shop", store.state.by_key("shop", "", SHOP)["id"])
    many = [{"ownerId": owner, "key": f"key{n}", "type": "json", "value": "{}"} for n in range(26)]
    assert (
        ask(METAFIELDS, {"m": many})["data"]["metafieldsSet"]["userErrors"][0]["code"]
        == "LESS_THAN_OR_EQUAL_TO"
    )


def test_an_order_adds_up_in_graphql_as_in_webhooks(store, ask):
    line = {"sku": "A", "title": "A", "quantity": 2, "price": "60.00"}
    order = orders.place(
        store, SHOP, [line], codes=[{"code": "X", "amount": "10"}], taxes_included=True, tax_rate="0.2"
    )
    orders.refund(store, SHOP, order["id"], items=[{"index": 0, "quantity": 1}])
    orders.refund(store, SHOP, order["id"], amount="1.50")
    found = ask(
        """query O($id: ID!) { order(id: $id) { displayFinancialStatus
          currentSubtotalPriceSet { shopMoney { amount } } currentTotalTaxSet { shopMoney { amount } }
          totalRefundedSet { shopMoney { amount } }
          lineItems(first: 5) { nodes { quantity currentQuantity discountAllocations {
            allocatedAmountSet { shopMoney { amount } }
            discountApplication { index ... on DiscountCodeApplication { code } } } } pageInfo { hasNextPage } }
          refunds(first: 5) { orderAdjustments(first: 5) { nodes { reason amountSet { shopMoney { amount } } } }
            refundLineItems(first: 5) { nodes { quantity subtotalSet { shopMoney { amount } } } } } } }""",
        {"id": gid("Order", order["id"])},
    )["data"]["order"]
    assert found["displayFinancialStatus"] == "PARTIALLY_REFUNDED"
    assert found["currentSubtotalPriceSet"]["shopMoney"]["amount"] == "55.0"
    assert found["totalRefundedSet"]["shopMoney"]["amount"] == "56.5"
    assert found["lineItems"]["nodes"][0]["discountAllocations"][0]["discountApplication"] == {
        "index": 0,
        "code": "X",
    }
    assert found["refunds"][1]["orderAdjustments"]["nodes"] == [
        {"reason": "REFUND_DISCREPANCY", "amountSet": {"shopMoney": {"amount": "-1.5"}}}
    ]


def test_pages_follow_each_other_without_gap_or_repeat(store, ask):
    made = [customers.add(store, SHOP, email=f"c{n}@example.com")["id"] for n in range(7)]
    query = """query C($after: String) { customers(first: 3, after: $after, sortKey: UPDATED_AT) {
      nodes { legacyResourceId } pageInfo { hasNextPage endCursor } } }"""
    seen, after = [], None
    while True:
        page = ask(query, {"after": after})["data"]["customers"]
        seen += [int(node["legacyResourceId"]) for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert seen == made
    assert "errors" in ask(query, {"after": "rubbish"})


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("", True),
        ("tag:gold", True),
        ("tag:silver", False),
        ("-tag:silver", True),
        ("updated_at:>='2026-11-20T00:00:00Z'", True),
        ("updated_at:<2026-11-20", False),
        ("first_name:An* AND tag:gold", True),
        ("first_name:Bo OR tag:gold", True),
        ("email:'ann@example.com' AND first_name:Bo", False),
        ("unknown:thing", True),
        ("example", True),
        ("nobody", False),
    ],
)
def test_searches(query, fits):
    item = {
        "tags": ["gold"],
        "first_name": "Ann",
        "email": "ann@example.com",
        "updated_at": "2026-11-21T04:00:00Z",
    }
    searchable = searching.Searchable(
        {
            "tag": lambda each: each["tags"],
            "first_name": lambda each: each["first_name"],
            "email": lambda each: each["email"],
            "updated_at": lambda each: each["updated_at"],
        },
        lambda each: each["email"],
    )
    assert searching.matches(query, item, searchable) is fits


def test_long_pages_cost_less_than_their_nodes():
    schema = build_schema(
        "type Query { product: Product } type Product { variants(first: Int): VariantConnection! } "
        "type VariantConnection { nodes: [Variant!]! } type Variant { inventoryItem: Item! } type Item { id: ID! }"
    )
    document = parse("{ product { variants(first: 250) { nodes { inventoryItem { id } } } } }")
    assert cost.requested(schema, get_operation_ast(document), {}, {}) == 25


def test_every_operation_of_the_app_is_played(store, ask):
    """The files are read as text: what the app may send, the dev store must be able to answer."""
    from devstore.settings import ROOT

    for file in sorted((ROOT / "app" / "shopify" / "operations").glob("*.graphql")):
        text = file.read_text(encoding="utf-8")
        variables = next(
            (json.loads(line[8:]) for line in text.splitlines() if line.startswith("# vars: ")), {}
        )
        for error in ask(text, variables).get("errors", []):
            assert error.get("extensions", {}).get("code") in {None, "ACCESS_DENIED"}, (file.name, error)


def test_products_and_variants_can_be_looked_up(store, ask):
    product = catalog.by_handle(store, SHOP, "organic-tee")
    variant = product["variants"][2]
    answer = ask(
        "query V($id: ID!) { productVariant(id: $id) { displayName price product { title } } }",
        {"id": gid("ProductVariant", variant["id"])},
    )
    assert answer["data"]["productVariant"] == {
        "displayName": "Organic Tee - Large",
        "price": "34.00",
        "product": {"title": "Organic Tee"},
    }


def test_customers_are_found_by_exact_emails_many_at_a_time(store, ask):
    from devstore.settings import ROOT

    query = (ROOT / "app" / "shopify" / "operations" / "customers_by_email.graphql").read_text("utf-8")
    ann = customers.add(store, SHOP, email="Ann@example.com", first_name="Ann", locale="fr")
    emails = ["ann@example.com", "ANN@example.com", "nn@example.com", "a* OR email:*", ""]
    answer = ask(query, {f"e{n}": (emails + [emails[2]] * 15)[n] for n in range(20)})
    found = [answer["data"][f"e{n}"] for n in range(20)]
    assert [one and one["legacyResourceId"] for one in found[:2]] == [str(ann["id"])] * 2
    assert found[2:] == [None] * 18
    assert found[0]["verifiedEmail"] and found[0]["defaultEmailAddress"]["emailAddress"].lower() == emails[0]
