import time
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest

from devstore import installs, shops, signatures, tokens
from devstore.app import create_app
from devstore.settings import DEMO_SHOP as SHOP
from tests.devstore.conftest import SECRET

ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"
OFFLINE = "urn:shopify:params:oauth:token-type:offline-access-token"
ONLINE = "urn:shopify:params:oauth:token-type:online-access-token"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


@pytest.fixture
def ask(client):
    def call(**given):
        body = {"client_id": "key", "client_secret": SECRET, **given}
        answer = client.post("/admin/oauth/access_token", json=body, headers={"Host": SHOP})
        return answer.status_code, answer.get_json()

    return call


def exchange(ask, token, **changes):
    given = {
        "grant_type": EXCHANGE,
        "subject_token": token,
        "subject_token_type": ID_TOKEN,
        "requested_token_type": OFFLINE,
        "expiring": 1,
    }
    return ask(**{**given, **changes})


def refresh(ask, token):
    return ask(grant_type="refresh_token", refresh_token=token)


def test_an_id_token_has_the_claims_and_the_minute_of_shopifys(store):
    claims = jwt.decode(tokens.id_token(store, SHOP, "7"), SECRET, algorithms=["HS256"], audience="key")
    assert claims["iss"] == f"https://{SHOP}/admin" and claims["dest"] == f"https://{SHOP}"
    assert claims["sub"] == "7" and claims["exp"] - claims["iat"] == 60
    assert {"nbf", "jti", "sid"} <= claims.keys()


def test_an_id_token_is_exchanged_for_an_expiring_pair(store, ask):
    status, body = exchange(ask, tokens.id_token(store, SHOP))
    assert status == 200
    assert (body["expires_in"], body["refresh_token_expires_in"]) == (3600, 90 * 86400)
    assert "write_discounts" in body["scope"].split(",")
    assert tokens.check(store, SHOP, body["access_token"]).mode == "offline"
    assert tokens.check(store, "other.myshopify.com", body["access_token"]) is None


def test_online_tokens_name_their_user_and_cannot_be_refreshed(store, ask):
    _, body = exchange(ask, tokens.id_token(store, SHOP), requested_token_type=ONLINE)
    assert body["associated_user"]["account_owner"] and "refresh_token" not in body


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "wrong"}, "invalid_client"),
        ({"subject_token": "rubbish"}, "invalid_subject_token"),
        ({"subject_token": None}, "invalid_subject_token"),
        ({"subject_token_type": "other"}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_wrong_exchanges_get_shopifys_errors(store, ask, changes, error):
    status, body = exchange(ask, tokens.id_token(store, SHOP), **changes)
    assert (status, body["error"]) == (400, error)


@pytest.mark.parametrize(
    "claim", [{"exp": time.time() - 5}, {"aud": "other"}, {"dest": "https://other.myshopify.com"}]
)
def test_id_tokens_that_are_not_of_this_shop_and_moment_are_invalid(store, ask, claim):
    claims = jwt.decode(tokens.id_token(store, SHOP), SECRET, algorithms=["HS256"], audience="key")
    forged = jwt.encode({**claims, **claim}, SECRET, algorithm="HS256")
    assert exchange(ask, forged)[1]["error"] == "invalid_subject_token"


def test_a_refresh_token_works_again_until_its_replacement_is_used(store, ask):
    _, first = exchange(ask, tokens.id_token(store, SHOP))
    _, lost = refresh(ask, first["refresh_token"])
    _, second = refresh(ask, first["refresh_token"])
    status, third = refresh(ask, second["refresh_token"])
    assert status == 200 and third["refresh_token"] != second["refresh_token"]
    for ended in (first, lost):
        assert refresh(ask, ended["refresh_token"])[1]["error"] == "invalid_grant"
    assert refresh(ask, second["refresh_token"])[0] == 200


def test_a_used_refresh_token_ends_after_thirty_days(store, ask):
    _, first = exchange(ask, tokens.id_token(store, SHOP))
    refresh(ask, first["refresh_token"])
    store.state.run("UPDATE refresh_tokens SET first_used = first_used - ?", (30 * 86400 + 1,))
    assert refresh(ask, first["refresh_token"])[1]["error"] == "invalid_grant"


def test_a_legacy_token_is_migrated_once(store, ask):
    _, legacy = exchange(ask, tokens.id_token(store, SHOP), expiring=0)
    assert "expires_in" not in legacy
    status, body = exchange(ask, legacy["access_token"], subject_token_type=OFFLINE)
    assert status == 200 and body["expires_in"] == 3600
    assert (
        exchange(ask, legacy["access_token"], subject_token_type=OFFLINE)[1]["error"]
        == "invalid_subject_token"
    )


def test_uninstalling_ends_every_token(store, ask):
    _, body = exchange(ask, tokens.id_token(store, SHOP))
    installs.uninstall(store, SHOP)
    assert tokens.check(store, SHOP, body["access_token"]) is None
    assert refresh(ask, body["refresh_token"])[1]["error"] == "invalid_client"


CLASSIC = {
    "client_id": "key",
    "scope": "read_orders",
    "redirect_uri": "http://127.0.0.1:9/auth/callback",
    "state": "n0nce",
    "shop": SHOP,
}


def way_back(answer):
    """The query that the browser brings back to the app, whose signature must be right."""
    assert answer.status_code == 302 and answer.location.startswith("http://127.0.0.1:9/auth/callback?")
    back = dict(parse_qsl(urlsplit(answer.location).query))
    assert back["state"] == "n0nce" and back["shop"] == SHOP
    assert back["hmac"] == signatures.query(SECRET, back)
    return back


@pytest.fixture
def browser(store):
    return create_app(store).test_client()


@pytest.mark.parametrize("host", [SHOP, "127.0.0.1"])
def test_the_classic_flow_sends_a_signed_code_that_works_once(store, browser, ask, host):
    installs.uninstall(store, SHOP)
    page = browser.get("/admin/oauth/authorize", query_string=CLASSIC, headers={"Host": host})
    assert page.status_code == 200 and "write_discounts" in page.text
    assert not shops.get(store, SHOP)["installed_at"]
    answer = browser.post("/admin/oauth/authorize", query_string=CLASSIC, data={"answer": "install"})
    back = way_back(answer)
    assert ask(code=back["code"], expiring=1)[1]["expires_in"] == 3600
    assert ask(code=back["code"], expiring=1)[0] == 400


def test_whoever_cancels_the_classic_flow_goes_back_without_a_code(store, browser):
    installs.uninstall(store, SHOP)
    for given in ({"answer": "cancel"}, {}):
        back = way_back(browser.post("/admin/oauth/authorize", query_string=CLASSIC, data=given))
        assert back["error"] == "access_denied" and "code" not in back
    assert not shops.get(store, SHOP)["installed_at"]


def test_the_classic_flow_does_not_ask_a_shop_again(browser, ask):
    back = way_back(browser.get("/admin/oauth/authorize", query_string=CLASSIC))
    assert ask(code=back["code"], expiring=1)[0] == 200


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"redirect_uri": "http://evil.test/auth/callback"}, 400),
        ({"redirect_uri": "http://127.0.0.1:9/app"}, 400),
        ({"client_id": "other"}, 400),
        ({"shop": "nobody.myshopify.com"}, 404),
    ],
)
def test_the_classic_flow_sends_nobody_elsewhere(browser, change, status):
    query = {**CLASSIC, **change}
    for answer in (
        browser.get("/admin/oauth/authorize", query_string=query),
        browser.post("/admin/oauth/authorize", query_string=query, data={"answer": "install"}),
    ):
        assert (answer.status_code, answer.mimetype) == (status, "text/html")


def test_where_the_app_leads_after_installing_is_its_frame(browser):
    answer = browser.get("/store/loyalnest-demo/apps/key/points?x=1")
    assert (answer.status_code, answer.location) == (
        302,
        "/admin/store/loyalnest-demo/apps/loyalnest/points?x=1",
    )


def test_the_admin_loads_the_app_with_a_signed_address(store):
    parts = urlsplit(installs.app_address(store, SHOP, "/app/points?x=1"))
    query = dict(parse_qsl(parts.query))
    assert parts.path == "/app/points" and query["embedded"] == "1" and query["x"] == "1"
    assert jwt.decode(query["id_token"], SECRET, algorithms=["HS256"], audience="key")
