"""The dev store's pages: what a person can do on them, and that they are harmless to whoever looks."""

import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
from flask.testing import FlaskClient

from devstore import checkout, customers, discounts, installs, messages, orders, shops, signatures, webhooks
from devstore.app import create_app
from devstore.pages import people, theme
from devstore.pages.words import ADMIN, LOCALES, REFUSED, STORE
from devstore.runtime import DevStore
from devstore.settings import DEMO_SHOP, ROOT
from tests.devstore.conftest import SECRET

ADMIN_ROOT, STORE_ROOT = "/admin/store/loyalnest-demo", "/store/loyalnest-demo"


@pytest.fixture
def browser(store: DevStore) -> FlaskClient:
    """A visitor with cookies."""
    return create_app(store).test_client()


def variant(store: DevStore, slug: str = "stoneware-mug") -> int:
    found = store.state.by_key("product", DEMO_SHOP, slug)
    assert found is not None
    return int(found["variants"][0]["id"])


def shopper(store: DevStore, name: str = "Camille") -> dict[str, Any]:
    found = customers.by_email(store, DEMO_SHOP, people.email_of(name))
    assert found is not None
    return found


def code_for(store: DevStore, code: str, amount: int, **changes: Any) -> None:
    discount = {
        "title": code,
        "kind": "basic",
        "class": "order",
        "value": {"amount": amount, "each": False},
        "items": {"all": True},
        "minimum": None,
        "starts_at": "2026-01-01T00:00:00Z",
        "ends_at": None,
        "usage_limit": 1,
        "once_per_customer": False,
        "context": {},
        "combines": {"order": False, "product": False, "shipping": True},
        **changes,
    }
    discounts.add(store, DEMO_SHOP, discount, [code])


@pytest.mark.parametrize(
    "path",
    [
        "/", "/mailbox", ADMIN_ROOT, f"{ADMIN_ROOT}/apps/loyalnest", f"{ADMIN_ROOT}/orders", f"{ADMIN_ROOT}/products",
        f"{ADMIN_ROOT}/customers", f"{ADMIN_ROOT}/discounts", f"{ADMIN_ROOT}/themes", f"{ADMIN_ROOT}/deliveries",
        f"{ADMIN_ROOT}/faults", f"{STORE_ROOT}/", f"{STORE_ROOT}/products/organic-tee", f"{STORE_ROOT}/cart",
        f"{STORE_ROOT}/checkout", f"{STORE_ROOT}/account/login", f"{STORE_ROOT}/account/register",
    ],
)  # fmt: skip
def test_every_page_opens_says_what_it_is_and_has_one_heading(browser: FlaskClient, path: str) -> None:
    answer = browser.get(path)
    assert answer.status_code == 200
    text = answer.get_data(as_text=True)
    assert "evelopment stand-in" in text
    assert len(re.findall("<h1", text)) == 1
    assert re.search(r'<html lang="\w\w"', text) and "<main" in text and 'class="skip"' in text
    assert not re.search(r'\son\w+="|style="[^"]*expression', text)


@pytest.mark.parametrize("path", ["/store/nope/", "/admin/store/nope", f"{STORE_ROOT}/products/nope",
                                  f"{ADMIN_ROOT}/apps/other", f"{ADMIN_ROOT}/orders/1", "/mailbox/99"])  # fmt: skip
def test_what_is_not_there_is_a_page_that_says_so(browser: FlaskClient, path: str) -> None:
    answer = browser.get(path)
    assert answer.status_code == 404 and "<h1>" in answer.get_data(as_text=True)


def test_words_are_there_in_every_language() -> None:
    for table in (STORE, ADMIN):
        for key, texts in table.items():
            assert len(texts) == len(LOCALES) and all(texts), key
            assert not hasattr(dict, key), f"{key} is hidden by a method of dict in templates"


def test_installing_shows_the_scopes_and_opens_the_frame(store: DevStore, browser: FlaskClient) -> None:
    installs.uninstall(store, DEMO_SHOP)
    page = browser.get(f"{ADMIN_ROOT}/apps/loyalnest").get_data(as_text=True)
    assert all(scope in page for scope in store.app.scopes) and "app-frame" not in page
    assert browser.post(f"{ADMIN_ROOT}/frame/id-token").status_code == 409
    answer = browser.post(f"{ADMIN_ROOT}/install", follow_redirects=True)
    assert "app-frame" in answer.get_data(as_text=True)
    assert shops.get(store, DEMO_SHOP)["installed_at"]
    browser.post(f"{ADMIN_ROOT}/uninstall")
    assert not shops.get(store, DEMO_SHOP)["installed_at"]


def frame_query(browser: FlaskClient, path: str = "") -> tuple[str, dict[str, str]]:
    text = browser.get(f"{ADMIN_ROOT}/apps/loyalnest{path}").get_data(as_text=True)
    found = re.search(r'data-src="([^"]+)"', text)
    assert found is not None
    parts = urlsplit(found[1].replace("&amp;", "&"))
    return parts.path, dict(parse_qsl(parts.query, keep_blank_values=True))


def test_the_frame_is_loaded_as_shopify_loads_it(store: DevStore, browser: FlaskClient) -> None:
    browser.post(f"{ADMIN_ROOT}/person", data={"locale": "ar"})
    path, query = frame_query(browser, "/members?status=active&host=evil")
    assert path == "/app/members" and query["status"] == "active"
    assert {"embedded", "hmac", "host", "id_token", "locale", "session", "shop", "timestamp"} <= set(query)
    assert (query["locale"], query["shop"], query["embedded"]) == ("ar", DEMO_SHOP, "1")
    assert query["host"] == installs.host_of(DEMO_SHOP)
    assert query["hmac"] == signatures.query(SECRET, query)
    claims = jwt.decode(query["id_token"], SECRET, algorithms=["HS256"], audience="key")
    assert claims["dest"] == f"https://{DEMO_SHOP}" and claims["exp"] - claims["iat"] == 60


def test_tokens_are_those_of_whoever_is_signed_in(store: DevStore, browser: FlaskClient) -> None:
    staff = people.staff_of(store, shops.get(store, DEMO_SHOP))
    seen = []
    for one in staff:
        browser.post(f"{ADMIN_ROOT}/person", data={"staff": str(one["id"])})
        token = browser.post(f"{ADMIN_ROOT}/frame/id-token").get_json()["token"]
        seen.append(jwt.decode(token, SECRET, algorithms=["HS256"], audience="key")["sub"])
    assert seen == [str(one["id"]) for one in staff] and len(set(seen)) == 2
    assert seen[0] == str(shops.get(store, DEMO_SHOP)["staff_id"])


def test_switching_person_never_leads_off_the_site(browser: FlaskClient) -> None:
    for wanted, place in (
        ("//evil.example", ADMIN_ROOT),
        ("https://evil.example", ADMIN_ROOT),
        ("/mailbox", "/mailbox"),
    ):
        answer = browser.post(f"{ADMIN_ROOT}/person", data={"back": wanted})
        assert answer.location == place


def test_what_app_bridge_asks_for_is_answered(browser: FlaskClient) -> None:
    products = browser.get(f"{ADMIN_ROOT}/frame/resources?type=product").get_json()["resources"]
    assert {"id", "title", "handle", "variants"} <= set(products[0]) and products[0]["id"].startswith(
        "gid://shopify/Product/"
    )
    variants = browser.get(f"{ADMIN_ROOT}/frame/resources?type=variant").get_json()["resources"]
    assert len(variants) == sum(len(product["variants"]) for product in products)
    assert len(browser.get(f"{ADMIN_ROOT}/frame/resources?type=collection").get_json()["resources"]) == 3
    assert "read_orders" in browser.get(f"{ADMIN_ROOT}/frame/scopes").get_json()["granted"]
    bridge = browser.get("/app-bridge.js")
    assert bridge.content_type.startswith("text/javascript") and "window.shopify" in bridge.get_data(
        as_text=True
    )


def test_the_extension_status_follows_the_theme(store: DevStore, browser: FlaskClient) -> None:
    def states() -> dict[str, str]:
        found = browser.get(f"{ADMIN_ROOT}/frame/extensions").get_json()
        return {each["handle"]: each["status"] for each in found[0]["activations"]}

    assert states() == {
        "loyalnest-balance": "active",
        "loyalnest-earn": "active",
        "loyalnest-embed": "active",
    }
    browser.post(
        f"{ADMIN_ROOT}/themes", data={"loyalnest-balance.on": "on", "loyalnest-embed.accent": "#112233"}
    )
    assert states() == {
        "loyalnest-balance": "active",
        "loyalnest-earn": "available",
        "loyalnest-embed": "available",
    }
    assert theme.settings(store, DEMO_SHOP)["loyalnest-embed"]["settings"]["accent"] == "#112233"
    assert "loyalnest-launcher" not in browser.get(f"{STORE_ROOT}/").get_data(as_text=True)


def test_an_order_goes_through_its_life(store: DevStore, browser: FlaskClient) -> None:
    people.seed_shoppers(store, DEMO_SHOP)
    form = {"customer": shopper(store)["id"], "variant_0": variant(store), "quantity_0": "3"}
    answer = browser.post(f"{ADMIN_ROOT}/orders", data=form)
    order = orders.latest(store, DEMO_SHOP)[0]
    assert answer.location == f"{ADMIN_ROOT}/orders/{order['id']}"

    def step(name: str, **data: Any) -> str:
        page = browser.post(f"{ADMIN_ROOT}/orders/{order['id']}/{name}", data=data, follow_redirects=True)
        assert page.status_code == 200
        return page.get_data(as_text=True)

    line = order["lines"][0]["id"]
    assert "was paid" in step("pay")
    assert "Only 3 of Stoneware Mug can be refunded" in step("refund", **{f"line_{line}": "99"})
    assert "were refunded" in step("refund", **{f"line_{line}": "1"})
    assert "was refunded" in step("refund-amount", amount="1.50")
    assert "Give an amount" in step("refund-amount", amount="lots")
    assert "was edited" in step("edit", variant=variant(store, "linen-tote"), quantity="2")
    assert "was fulfilled" in step("fulfill")
    assert "was canceled" in step("cancel", refund="on")
    assert "is cancelled" in step("pay")
    assert "was deleted" in step("delete")
    assert orders.latest(store, DEMO_SHOP) == []
    topics = {each["topic"] for each in webhooks.deliveries(store, DEMO_SHOP)}
    assert {
        "orders/create",
        "orders/paid",
        "refunds/create",
        "orders/edited",
        "orders/cancelled",
        "orders/delete",
    } <= topics
    assert browser.post(f"{ADMIN_ROOT}/orders/{order['id']}/explode").status_code == 404


def test_an_order_that_cannot_be_placed_is_explained(browser: FlaskClient) -> None:
    page = browser.post(f"{ADMIN_ROOT}/orders", data={}, follow_redirects=True).get_data(as_text=True)
    assert "An order needs at least one line" in page


def test_customers_are_added_changed_merged_and_deleted(store: DevStore, browser: FlaskClient) -> None:
    browser.post(f"{ADMIN_ROOT}/customers", data={"demo": "1"})
    assert {one["locale"] for one in customers.every(store, DEMO_SHOP)} == set(LOCALES)
    browser.post(f"{ADMIN_ROOT}/customers", data={"demo": "1"})
    assert len(customers.every(store, DEMO_SHOP)) == 5
    first, second = shopper(store, "Ana")["id"], shopper(store, "Grace")["id"]
    taken = browser.post(
        f"{ADMIN_ROOT}/customers", data={"email": "ana@shoppers.example"}, follow_redirects=True
    )
    assert "belongs to another customer" in taken.get_data(as_text=True)
    browser.post(
        f"{ADMIN_ROOT}/customers/{first}", data={"action": "change", "first_name": "Anna", "locale": "es"}
    )
    assert customers.get(store, DEMO_SHOP, first)["first_name"] == "Anna"
    browser.post(f"{ADMIN_ROOT}/customers/{first}", data={"action": "merge", "other": second})
    assert customers.find(store, DEMO_SHOP, second) is None
    browser.post(f"{ADMIN_ROOT}/customers/{first}", data={"action": "delete"})
    assert customers.find(store, DEMO_SHOP, first) is None


def test_every_reason_of_a_refused_code_has_words() -> None:
    assert REFUSED.keys() == checkout.REASONS.keys()
    assert all(len(texts) == len(LOCALES) and all(texts) for texts in REFUSED.values())


def test_a_shopper_buys_with_codes_in_their_language(store: DevStore, browser: FlaskClient) -> None:
    people.seed_shoppers(store, DEMO_SHOP)
    camille = shopper(store)
    code_for(store, "TEN", 1000)
    code_for(store, "NOURA", 500, context={"customers": [shopper(store, "Noura")["id"]]})
    answer = browser.post(
        f"{STORE_ROOT}/account/login", data={"customer": camille["id"]}, follow_redirects=True
    )
    assert '<html lang="fr" dir="ltr">' in answer.get_data(as_text=True)
    browser.post(f"{STORE_ROOT}/cart/add", data={"id": variant(store), "quantity": "2"})
    applied = browser.get(f"{STORE_ROOT}/discount/ten?redirect=/cart")
    assert applied.location == f"{STORE_ROOT}/cart"
    page = browser.post(
        f"{STORE_ROOT}/checkout", data={"code": "noura nope"}, follow_redirects=True
    ).get_data(as_text=True)
    assert "<loyalnest-" not in page
    assert (
        'data-applied="TEN"' in page
        and 'data-refused="wrong_customer"' in page
        and 'data-refused="not_found">Saisissez un code de réduction valide.' in page
    )
    assert 'data-total="5490"' in page
    thanks = browser.post(f"{STORE_ROOT}/checkout", data={"pay": "1"}, follow_redirects=True).get_data(
        as_text=True
    )
    order = orders.latest(store, DEMO_SHOP)[0]
    assert f'data-order-id="{order["id"]}"' in thanks
    assert (order["customer_id"], order["customer_locale"]) == (camille["id"], "fr")
    assert [code["code"] for code in order["discount_codes"]] == ["TEN"]
    assert "data-applied" not in browser.get(f"{STORE_ROOT}/cart").get_data(as_text=True)
    assert order["name"] in browser.get(f"{STORE_ROOT}/account").get_data(as_text=True)


def test_a_guest_who_pays_becomes_a_customer(store: DevStore, browser: FlaskClient) -> None:
    browser.post(f"{STORE_ROOT}/cart/add", data={"id": variant(store)})
    browser.post(f"{STORE_ROOT}/checkout", data={"pay": "1", "email": "guest@example.com"})
    found = customers.by_email(store, DEMO_SHOP, "guest@example.com")
    assert found is not None and orders.latest(store, DEMO_SHOP)[0]["customer_id"] == found["id"]


def test_the_cart_answers_scripts(store: DevStore, browser: FlaskClient) -> None:
    mug = variant(store)
    code_for(store, "TEN", 1000)
    sent = {
        "updates": {str(mug): 2, "junk": "x"},
        "discount": "TEN,NOPE",
        "attributes": {"_loyalnest_ref": "abc"},
    }
    cart = browser.post(f"{STORE_ROOT}/cart/update.js", json=sent).get_json()
    assert (cart["item_count"], cart["total_price"], cart["attributes"]) == (
        2,
        5000,
        {"_loyalnest_ref": "abc"},
    )
    assert cart["discount_codes"] == [
        {"code": "TEN", "applicable": True},
        {"code": "NOPE", "applicable": False},
    ]
    assert browser.get(f"{STORE_ROOT}/cart.js").get_json() == cart
    browser.post(f"{STORE_ROOT}/checkout", data={"pay": "1", "email": "guest@example.com"})
    assert orders.latest(store, DEMO_SHOP)[0]["note_attributes"] == [
        {"name": "_loyalnest_ref", "value": "abc"}
    ]


def test_registering_logs_in_and_a_taken_address_is_explained(store: DevStore, browser: FlaskClient) -> None:
    form = {"first_name": "Lea", "email": "lea@example.com", "birthday": "1999-02-03", "locale": "he"}
    page = browser.post(f"{STORE_ROOT}/account/register", data=form, follow_redirects=True).get_data(
        as_text=True
    )
    assert '<html lang="he" dir="rtl">' in page and "Lea" in page
    made = customers.by_email(store, DEMO_SHOP, "lea@example.com")
    assert made is not None and made["birthday"] == "1999-02-03"
    page = browser.post(f"{STORE_ROOT}/account/register", data=form).get_data(as_text=True)
    assert "belongs to another customer" in page and 'value="Lea"' in page
    browser.post(f"{STORE_ROOT}/account/logout")
    assert browser.get(f"{STORE_ROOT}/account").location == f"{STORE_ROOT}/account/login"


@pytest.mark.parametrize("locale", LOCALES)
def test_the_extension_speaks_the_storefronts_language(browser: FlaskClient, locale: str) -> None:
    text = browser.get(f"{STORE_ROOT}/?locale={locale}").get_data(as_text=True)
    found = re.search(r"data-loyalnest-config>(.*?)</script>", text, flags=re.DOTALL)
    assert found is not None
    config = json.loads(found[1])
    assert (config["language"], config["proxy"]) == (locale, f"{STORE_ROOT}/apps/loyalnest")
    assert "Translation missing" not in text and "Liquid error" not in text


def test_a_name_cannot_break_out_of_the_block(store: DevStore, browser: FlaskClient) -> None:
    made = customers.add(store, DEMO_SHOP, email="x@example.com", first_name="<script>alert(1)</script>")
    browser.post(f"{STORE_ROOT}/account/login", data={"customer": made["id"]})
    assert "<script>alert" not in browser.get(f"{STORE_ROOT}/").get_data(as_text=True)


def test_the_extensions_files_are_served_and_nothing_else(browser: FlaskClient) -> None:
    for path in (ROOT / "extensions" / "loyalnest-theme" / "assets").iterdir():
        answer = browser.get(f"{STORE_ROOT}/cdn/extension/{path.name}")
        assert answer.status_code == 200 and answer.data == path.read_bytes()
    for name in ("../shopify.extension.toml", "..%2Fshopify.extension.toml", "shopify.extension.toml", ""):
        assert browser.get(f"{STORE_ROOT}/cdn/extension/{name}").status_code == 404


def test_a_discount_link_stays_in_the_shop(browser: FlaskClient) -> None:
    for wanted in (
        "https://evil.example",
        "//evil.example",
        f"{STORE_ROOT}/\\evil",
        "/admin/store/loyalnest-demo",
        "",
    ):
        assert browser.get(f"{STORE_ROOT}/discount/X?redirect={wanted}").location == f"{STORE_ROOT}/"
    assert browser.get(f"{STORE_ROOT}/discount/X?redirect={STORE_ROOT}/cart").location == f"{STORE_ROOT}/cart"


def test_deliveries_are_shown_and_replayed(store: DevStore, browser: FlaskClient) -> None:
    people.seed_shoppers(store, DEMO_SHOP)
    delivery = webhooks.deliveries(store, DEMO_SHOP)[0]
    store.state.run("UPDATE deliveries SET state = 'delivered'")
    assert "customers/create" in browser.get(f"{ADMIN_ROOT}/deliveries?topic=customers/create").get_data(
        as_text=True
    )
    assert "No deliveries" in browser.get(f"{ADMIN_ROOT}/deliveries?state=failed").get_data(as_text=True)
    assert "admin_graphql_api_id" in browser.get(f"{ADMIN_ROOT}/deliveries/{delivery['id']}").get_data(
        as_text=True
    )
    browser.post(f"{ADMIN_ROOT}/deliveries/{delivery['id']}/replay")
    assert webhooks.pending(store, DEMO_SHOP) == 1
    shops.add(store, "other-shop.myshopify.com")
    assert browser.get(f"/admin/store/other-shop/deliveries/{delivery['id']}").status_code == 404


def test_faults_are_switched_on_and_off(store: DevStore, browser: FlaskClient) -> None:
    browser.post(
        f"{ADMIN_ROOT}/faults",
        data={"fault": "graphql/429", "percent": "50", "seconds": "10", "delay": "nan"},
    )
    fault = store.faults.listed()[0]
    assert (fault["target"], fault["kind"], fault["rate"], fault["shop"], fault["delay"]) == (
        "graphql", "429", 0.5, DEMO_SHOP, 2,
    )  # fmt: skip
    assert "Choose a fault" in browser.post(
        f"{ADMIN_ROOT}/faults", data={"fault": "graphql/nonsense"}, follow_redirects=True
    ).get_data(as_text=True)
    browser.post(f"{ADMIN_ROOT}/faults", data={"clear": "1"})
    assert store.faults.listed() == []


def test_discounts_can_be_ended_behind_the_apps_back(store: DevStore, browser: FlaskClient) -> None:
    code_for(store, "TEN", 1000)
    found = discounts.every(store, DEMO_SHOP)[0]
    assert "TEN" in browser.get(f"{ADMIN_ROOT}/discounts").get_data(as_text=True)
    browser.post(f"{ADMIN_ROOT}/discounts/{found['id']}", data={"action": "end"})
    assert discounts.status(discounts.every(store, DEMO_SHOP)[0]) == "EXPIRED"
    browser.post(f"{ADMIN_ROOT}/discounts/{found['id']}", data={"action": "delete"})
    assert discounts.every(store, DEMO_SHOP) == []


def test_mail_is_shown_without_power(store: DevStore, browser: FlaskClient) -> None:
    raw = (
        b"From: a@example.com\r\nTo: ada@example.com\r\nSubject: =?utf-8?b?2YXYsdit2KjZiw==?=\r\n"
        b"Content-Language: ar\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<script>alert(1)</script><p>Hi</p>"
    )
    number = messages.keep_mail(store, "a@example.com", ["ada@example.com"], raw)
    listed = browser.get("/mailbox?to=ada@example.com").get_data(as_text=True)
    assert f"/mailbox/{number}" in listed and "No messages" in browser.get(
        "/mailbox?to=b@example.com"
    ).get_data(as_text=True)
    assert 'sandbox="allow-popups"' in browser.get(f"/mailbox/{number}").get_data(as_text=True)
    shown = browser.get(f"/mailbox/{number}/html")
    policy = shown.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "sandbox" in policy and "script-src" not in policy
    browser.post("/mailbox/clear")
    assert messages.latest(store) == []


def test_visitors_of_two_shops_do_not_share_anything(store: DevStore, browser: FlaskClient) -> None:
    shops.add(store, "other-shop.myshopify.com", currency="JPY")
    browser.post(f"{STORE_ROOT}/cart/add", data={"id": variant(store)})
    browser.post(f"{STORE_ROOT}/localization", data={"locale": "ar"})
    text = browser.get("/store/other-shop/cart").get_data(as_text=True)
    assert "Your cart is empty." in text and 'lang="en"' in text
