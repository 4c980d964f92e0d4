"""Shopify's own package accepts what the dev store signs."""

from urllib.parse import urlencode

import pytest
from shopify_app import ShopifyApp

from devstore import installs, proxy, signatures, tokens, webhooks
from devstore.settings import DEMO_SHOP as SHOP
from tests.devstore.conftest import SECRET


@pytest.fixture
def official():
    return ShopifyApp(client_id="key", client_secret=SECRET)


def request_of(url, method="GET", headers=None, body=""):
    return {"method": method, "url": url, "headers": headers or {}, "body": body}


def test_the_address_the_admin_loads(store, official):
    url = installs.app_address(store, SHOP)
    found = official.verify_app_home_req(request_of(url), "/app/session-token-bounce")
    assert found.ok and found.shop == "loyalnest-demo"


def test_a_token_in_a_header(store, official):
    headers = {"Authorization": f"Bearer {tokens.id_token(store, SHOP)}"}
    assert official.verify_app_home_req(request_of("https://app.test/app", headers=headers), "/bounce").ok


def test_an_extensions_token(store, official):
    headers = {"Authorization": f"Bearer {tokens.customer_token(store, SHOP, 5)}"}
    assert official.verify_checkout_ui_ext_req(request_of("https://app.test/x", headers=headers)).ok


def test_a_proxied_request(store, official):
    query = proxy.signed_query(store, SHOP, urlencode([("a", "1 2"), ("b", "é"), ("b", "c,d")]), 5)
    found = official.verify_app_proxy_req(request_of(f"https://app.test/proxy/x?{query}"))
    assert found.ok and found.logged_in_customer_id == "5"


def test_a_webhook(store, official):
    webhooks.send_anything(store, SHOP, "orders/paid", {"id": 1, "name": "é"})
    (row,) = store.state.run("SELECT * FROM deliveries")
    headers = webhooks.headers(store, row, signatures.webhook(SECRET, row["body"]))
    request = request_of("https://app.test/hook", "POST", headers, row["body"].decode())
    assert official.verify_webhook_req(request).ok
