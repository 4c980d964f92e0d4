"""The classic OAuth fallback."""

import hashlib
import hmac
import time
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from itsdangerous import TimestampSigner

from app.core.settings import get_settings
from app.shopify import oauth
from app.shopify.errors import ForgedRequest, TokenRejected
from app.shopify.shop_domain import InvalidShop
from tests.shopify.signing import OLD_SECRET, OTHER_SECRET, SECRET, SHOP
from tests.shopify.wire import Reply, Wire

GRANTED = {"access_token": "shpat_1", "scope": "read_orders", "expires_in": 3600, "refresh_token": "shprt_1"}


def callback(state: str, secret: str = SECRET, **changes: str) -> str:
    parameters = {"code": "c0de", "shop": SHOP, "state": state, "timestamp": str(int(time.time())), **changes}
    text = "&".join(sorted(f"{name}={value}" for name, value in parameters.items()))
    return urlencode(
        {**parameters, "hmac": hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()}
    )


def test_the_published_vector(secrets_hush: None) -> None:
    parameters = {
        "code": "0907a61c0c8d55e99db179b68161bc00",
        "shop": "some-shop.myshopify.com",
        "timestamp": "1337178173",
        "hmac": "4712bf92ffc2917d15a2f5a273e39f0116667419aa4b6ac0b3baaf26fa3c4d20",
    }
    assert oauth.is_signed(parameters)
    assert oauth.is_signed({**parameters, "signature": "legacy"})
    assert not oauth.is_signed({**parameters, "code": "1"})


@pytest.mark.parametrize("text", ["demo", "demo.myshopify.com", " https://Demo.myshopify.com "])
def test_the_first_leg(text: str) -> None:
    start = oauth.begin(text, ["read_orders", "read_customers"])
    parts = urlsplit(start.location)
    query = parse_qs(parts.query)
    assert (parts.netloc, parts.path) == (SHOP, "/admin/oauth/authorize")
    assert query["scope"] == ["read_orders,read_customers"]
    assert query["redirect_uri"] == ["https://app.example/auth/callback"]
    assert query["state"] == [start.state]


@pytest.mark.parametrize(
    ("environment", "page"),
    [
        ("development", "http://127.0.0.1:9/admin/oauth/authorize?shop=demo.myshopify.com&"),
        ("production", "https://demo.myshopify.com/admin/oauth/authorize?"),
    ],
)
def test_a_stand_in_is_where_a_browser_goes_in_development_only(
    monkeypatch: pytest.MonkeyPatch, environment: str, page: str
) -> None:
    monkeypatch.setenv("SHOPIFY_CONNECT_TO", "http://127.0.0.1:9/")
    monkeypatch.setenv("ENVIRONMENT", environment)
    get_settings.cache_clear()
    start = oauth.begin("demo", ["read_orders"])
    assert start.location.startswith(page)
    query = parse_qs(urlsplit(start.location).query)
    assert query["state"] == [start.state] and query["scope"] == ["read_orders"]


@pytest.mark.parametrize(
    "text",
    ["", "evil.example", "demo.myshopify.com.evil.example", "evil.example/demo.myshopify.com", "http://["],
)
def test_the_first_leg_goes_to_shops_only(text: str) -> None:
    with pytest.raises(InvalidShop):
        oauth.begin(text, [])


def test_the_second_leg_exchanges_the_code_for_an_expiring_token(shopify: Wire) -> None:
    shopify.always = Reply(200, GRANTED)
    state = oauth.begin(SHOP, []).state
    domain, token = oauth.complete(callback(state), state)
    assert (domain, token.access_token, token.refresh_token) == (SHOP, "shpat_1", "shprt_1")
    assert shopify.seen[0].headers["host"] == SHOP
    sent = shopify.seen[0].json()
    assert (sent["code"], sent["expiring"], sent["client_secret"]) == ("c0de", 1, SECRET)


def test_the_old_secret_may_sign(shopify: Wire) -> None:
    shopify.always = Reply(200, GRANTED)
    state = oauth.begin(SHOP, []).state
    assert oauth.complete(callback(state, OLD_SECRET), state)[0] == SHOP


def test_forged_callbacks_are_refused(shopify: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    state, other = oauth.begin(SHOP, []).state, oauth.begin("other", []).state
    bad: list[tuple[str, Any]] = [
        (callback(state, OTHER_SECRET), state),
        (callback(state).replace("c0de", "c1de"), state),
        (callback(state), None),
        (callback(state), ""),
        (callback(state), oauth.begin(SHOP, []).state),
        (callback("made-up"), "made-up"),
        (callback(other), other),
        (callback(state, timestamp=str(int(time.time()) - 91)), state),
        (callback(state, timestamp="soon"), state),
        (callback(state, shop="evil.example"), state),
        (callback(state, code="a b"), state),
        (callback(state) + f"&shop={SHOP}", state),
        ("", state),
    ]
    for query, cookie in bad:
        with pytest.raises(ForgedRequest):
            oauth.complete(query, cookie)
    later = time.time() + timedelta(minutes=11).total_seconds()
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: int(later))
    with pytest.raises(ForgedRequest):
        oauth.complete(callback(state), state)
    assert shopify.seen == []


def test_a_used_code_is_refused_by_the_shop(shopify: Wire) -> None:
    shopify.always = Reply(400, {"error": "invalid_request"})
    state = oauth.begin(SHOP, []).state
    with pytest.raises(TokenRejected):
        oauth.complete(callback(state), state)
