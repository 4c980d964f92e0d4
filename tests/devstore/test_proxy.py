from urllib.parse import parse_qsl

import httpx
import pytest

from devstore import proxy, signatures
from devstore.settings import DEMO_SHOP as SHOP
from tests.devstore.conftest import SECRET


@pytest.fixture
def app_side(monkeypatch):
    """The app, as a list of what reached it."""
    seen = []

    def answer(request):
        seen.append(request)
        return httpx.Response(
            201, json={"ok": True}, headers={"Set-Cookie": "a=b", "Cache-Control": "no-store"}
        )

    monkeypatch.setattr(proxy, "_client", httpx.Client(transport=httpx.MockTransport(answer)))
    return seen


def test_a_guests_request_is_signed_over_its_whole_query(client, app_side):
    answer = client.get(
        "/store/loyalnest-demo/apps/loyalnest/widget?tag=a%2Cb&tag=c&empty=",
        headers={"Accept": "application/json"},
    )
    query = parse_qsl(app_side[0].url.query.decode(), keep_blank_values=True)
    given = dict(query)
    assert app_side[0].url.path == "/proxy/widget"
    assert (
        given["shop"] == SHOP
        and given["path_prefix"] == "/apps/loyalnest"
        and given["logged_in_customer_id"] == ""
    )
    assert given["signature"] == signatures.proxy(SECRET, query)
    assert answer.status_code == 201 and answer.get_json() == {"ok": True}
    assert "Set-Cookie" not in answer.headers


def test_a_logged_in_customer_is_named_and_cookies_stay_behind(client, control, app_side):
    made = control("POST", "/customers", {"email": "a@b.co"})["id"]
    control("POST", f"/customers/{made}/login", {})
    client.post("/store/loyalnest-demo/apps/loyalnest/redeem", json={"reward": 1})
    request = app_side[0]
    assert dict(request.url.params)["logged_in_customer_id"] == str(made)
    assert request.content == b'{"reward": 1}' and request.headers["content-type"] == "application/json"
    assert "cookie" not in request.headers


def test_a_browser_cannot_say_what_only_shopify_may(client, app_side):
    client.get(
        "/store/loyalnest-demo/apps/loyalnest/x?logged_in_customer_id=5&shop=evil.myshopify.com&signature=1&timestamp=1"
    )
    query = parse_qsl(app_side[0].url.query.decode(), keep_blank_values=True)
    assert [value for key, value in query if key == "logged_in_customer_id"] == [""]
    assert [value for key, value in query if key == "shop"] == [SHOP]


def test_the_proxy_also_lives_on_the_shops_domain(client, app_side):
    client.get("/apps/loyalnest/x", headers={"Host": SHOP})
    assert app_side[0].url.path == "/proxy/x"


@pytest.mark.parametrize(
    "path", ["/store/nowhere/apps/loyalnest/x", "/store/loyalnest-demo/apps/other/x", "/apps/loyalnest/x"]
)
def test_other_addresses_are_not_proxied(client, app_side, path):
    assert client.get(path).status_code == 404 and app_side == []


def test_an_uninstalled_app_is_not_proxied(client, control, app_side):
    control("POST", "/app/uninstall")
    assert client.get("/store/loyalnest-demo/apps/loyalnest/x").status_code == 404
