"""The classic OAuth fallback in a browser: where it is sent, what it keeps, and what never installs a shop."""

import hashlib
import hmac
import time
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.core.db import cross_shop
from app.core.settings import get_settings
from app.domains.shops import service
from app.domains.shops.api import STATE_COOKIE
from app.shopify import sessions
from tests.domains.shops.shopify import DOMAIN, Shopify
from tests.shopify.wire import Reply

OTHER = "other.myshopify.com"
UNKNOWN = "oauth_state_unknown"


@pytest.fixture
def browser(shopify: Shopify, app: Flask) -> FlaskClient:
    """A browser that keeps its cookies, in front of a Shopify that answers."""
    return app.test_client()


def begin(browser: FlaskClient, shop: str = DOMAIN) -> str:
    """Leave for the shop; the state it was given."""
    answer = browser.get("/auth/begin", query_string={"shop": shop})
    assert answer.status_code == 302
    return parse_qs(urlsplit(answer.location).query)["state"][0]


def callback(browser: FlaskClient, state: str, *, secret: str = "", **changes: str) -> TestResponse:
    """Come back from the shop with a query signed as Shopify signs it."""
    secret = secret or get_settings().shopify_api_secret.get_secret_value()
    query = {"code": "c0de", "shop": DOMAIN, "state": state, "timestamp": str(int(time.time())), **changes}
    text = "&".join(f"{name}={value}" for name, value in sorted(query.items()))
    query["hmac"] = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return browser.get("/auth/callback?" + urlencode(query))


def assert_refused(answer: TestResponse, status: int = 401, code: str = "forged_request") -> None:
    """A page says so to the person, and leads nowhere."""
    assert (answer.status_code, answer.mimetype, answer.location) == (status, "text/html", None)
    assert f">{code} · " in answer.text and answer.text.count("<h1") == 1
    if status == 401 or code == "oauth_consent_denied":
        assert "Open LoyalNest from your Shopify admin." in answer.text


def installed() -> list[str]:
    with cross_shop("test") as uow:
        return [row["domain"] for row in uow.all("SELECT domain FROM shops WHERE status = 'installed'")]


@pytest.mark.parametrize("environment", ["development", "production"])
def test_the_browser_leaves_with_a_state_it_keeps(
    browser: FlaskClient, monkeypatch: pytest.MonkeyPatch, environment: str
) -> None:
    monkeypatch.setenv("ENVIRONMENT", environment)
    get_settings.cache_clear()
    answer = browser.get(f"/auth/begin?shop={DOMAIN}&host=anything&embedded=1")
    place = urlsplit(answer.location)
    shop = f"https://{DOMAIN}" if environment == "production" else get_settings().shopify_connect_to
    assert (f"{place.scheme}://{place.netloc}", place.path) == (shop, "/admin/oauth/authorize")
    assert ("shop" in parse_qs(place.query)) == (environment == "development")
    assert parse_qs(place.query)["redirect_uri"] == [get_settings().app_url + "/auth/callback"]
    (cookie,) = answer.headers.getlist("Set-Cookie")
    value, *attributes = cookie.split("; ")
    assert value == f"{STATE_COOKIE}={parse_qs(place.query)['state'][0]}"
    wanted = {"HttpOnly", "Max-Age=600", "Path=/auth/callback", "SameSite=Lax"}
    assert {part for part in attributes if not part.startswith("Expires=")} == wanted | (
        {"Secure"} if environment == "production" else set()
    )
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "shop",
    [
        "",
        "evil.example",
        f"{DOMAIN}.evil.example",
        f"evil.example/{DOMAIN}",
        "http://[",
        "\x00",
        "ⅷ℀.com",
        "%ff",
    ],
)
def test_the_browser_is_sent_to_shops_only(browser: FlaskClient, shop: str) -> None:
    answer = browser.get("/auth/begin?shop=" + (shop if shop == "%ff" else quote(shop)))
    assert_refused(answer, 400, "invalid_shop")
    assert "Set-Cookie" not in answer.headers
    assert browser.get("/auth/begin").status_code == 400


def test_coming_back_installs_the_shop_and_opens_the_app(browser: FlaskClient, shopify: Shopify) -> None:
    answer = callback(browser, begin(browser))
    settings = get_settings()
    assert answer.status_code == 302
    assert answer.location == f"{settings.shopify_admin_origin}/store/demo/apps/{settings.shopify_api_key}"
    (exchange,) = shopify.exchanges()
    assert (exchange["code"], exchange["expiring"]) == ("c0de", 1)
    entry = service.look_up(DOMAIN)
    assert installed() == [DOMAIN] and entry is not None
    assert sessions.access_token(entry.shop_id).access_token == "shpat_secret_1"
    assert browser.get_cookie(STATE_COOKIE, path="/auth/callback") is None


def test_a_wrong_state_is_refused(browser: FlaskClient, app: Flask, shopify: Shopify) -> None:
    state = begin(browser)
    elsewhere = app.test_client()
    assert_refused(callback(elsewhere, state), code=UNKNOWN)  # somebody else's browser has no such cookie
    begin(elsewhere)
    assert_refused(callback(elsewhere, state), code=UNKNOWN)
    for wrong in ("", "made-up", "é", state + "x"):
        assert_refused(callback(browser, wrong), code=UNKNOWN)
    assert shopify.seen == [] and installed() == []


def test_a_made_up_cookie_is_refused(browser: FlaskClient, shopify: Shopify) -> None:
    browser.set_cookie(STATE_COOKIE, "made-up", path="/auth/callback")
    assert_refused(callback(browser, "made-up"), code=UNKNOWN)
    assert shopify.seen == []


def test_a_forged_signature_is_refused(browser: FlaskClient, shopify: Shopify) -> None:
    state = begin(browser)
    assert_refused(callback(browser, state, secret="somebody-elses"))
    now = int(time.time())
    for given in ("", "&hmac=", "&hmac=00", "&hmac=%C3%A9", "&hmac=%ff", "&hmac=\xff"):
        query = f"code=c0de&shop={DOMAIN}&state={state}&timestamp={now}{given}"
        assert_refused(browser.get("/auth/callback?" + query))
    assert_refused(browser.get("/auth/callback"))
    assert shopify.seen == [] and installed() == []


@pytest.mark.parametrize("timestamp", ["", "soon", "-1", "9" * 400, "stale", "early"])
def test_a_stale_callback_is_refused(browser: FlaskClient, shopify: Shopify, timestamp: str) -> None:
    moved = {"stale": -120, "early": 120}.get(timestamp)
    assert_refused(
        callback(
            browser, begin(browser), timestamp=timestamp if moved is None else str(int(time.time()) + moved)
        )
    )
    assert shopify.seen == []


@pytest.mark.parametrize("shop", ["", "evil.example", f"{DOMAIN}.evil.example", "evil.example/x", OTHER])
def test_another_place_than_the_shop_of_the_state_is_refused(
    browser: FlaskClient, shopify: Shopify, shop: str
) -> None:
    unknown = UNKNOWN if shop == OTHER else "forged_request"
    assert_refused(callback(browser, begin(browser), shop=shop), code=unknown)
    assert shopify.seen == [] and installed() == []


def test_a_repeated_callback_installs_once(browser: FlaskClient, shopify: Shopify) -> None:
    state = begin(browser)
    assert callback(browser, state).status_code == 302
    assert_refused(callback(browser, state), code=UNKNOWN)
    assert len(shopify.exchanges()) == 1 and installed() == [DOMAIN]


def test_a_used_code_leaves_everything_as_it_was(browser: FlaskClient, shopify: Shopify) -> None:
    shopify.exchange = Reply(400, {"error": "invalid_request"})
    assert_refused(callback(browser, begin(browser)), 409, "shopify_needs_reopening")
    shopify.exchange = Reply(503)
    assert_refused(callback(browser, begin(browser)), 503, "shopify_unavailable")
    assert installed() == []


def test_a_shop_that_does_not_agree_is_told_so_on_a_page(browser: FlaskClient, shopify: Shopify) -> None:
    state = begin(browser)
    assert_refused(callback(browser, state, error="access_denied"), 409, "oauth_consent_denied")
    assert_refused(browser.get("/auth/callback?error=access_denied"), 409, "oauth_consent_denied")
    assert shopify.seen == [] and installed() == []
    assert callback(browser, state).status_code == 302


def test_a_script_is_refused_in_json(browser: FlaskClient) -> None:
    answer = browser.get("/auth/callback", headers={"Accept": "application/json"})
    assert answer.json is not None and answer.json["error"]["code"] == "forged_request"


def test_the_page_speaks_the_languages_of_the_browser(browser: FlaskClient) -> None:
    answer = browser.get("/auth/callback", headers={"Accept": "text/html", "Accept-Language": "ar"})
    assert 'lang="ar" dir="rtl"' in answer.text
