"""Inside the Shopify admin: tokens, the bounce page, framing, and two shops in one browser."""

from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from app.core.settings import get_settings
from app.web.embedding import sanitized_shop
from app.web.principals import ShopInfo
from tests.fixtures.web import PARTIAL, Caller, Door, staff

RETRY = "X-Shopify-Retry-Invalid-Session-Request"
BOUNCE = "/app/session-token-bounce"
ADMIN = "https://admin.shopify.com"


def ancestors(answer: object) -> str:
    policy: str = answer.headers["Content-Security-Policy"]  # type: ignore[attr-defined]
    return next(part for part in policy.split("; ") if part.startswith("frame-ancestors")).removeprefix(
        "frame-ancestors "
    )


def test_a_document_with_a_token_is_served(app: Flask, door: Door) -> None:
    token = door.token(staff())
    answer = Caller(app).get(f"/app/things?shop=loyalnest-demo.myshopify.com&id_token={token}")
    assert answer.status_code == 200
    assert ancestors(answer) == f"https://loyalnest-demo.myshopify.com {ADMIN}"
    assert get_settings().shopify_app_bridge_url in answer.headers["Link"]
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("token", ["", "id_token=", "id_token=expired", "id_token=a&id_token=b"])
def test_a_document_without_a_good_token_goes_to_the_bounce_page(stranger: Caller, token: str) -> None:
    answer = stranger.get(f"/app/things?limit=3&shop=demo.myshopify.com&{token}")
    assert answer.status_code == 302
    target = urlsplit(answer.headers["Location"])
    query = parse_qs(target.query)
    assert (target.netloc, target.path) == ("", BOUNCE)
    assert query["shop"] == ["demo.myshopify.com"]
    assert "id_token" not in query
    assert query["shopify-reload"] == ["/app/things?limit=3&shop=demo.myshopify.com"]


def test_the_bounce_page_only_holds_app_bridge(stranger: Caller) -> None:
    answer = stranger.get(f"{BOUNCE}?shop=Demo.myshopify.com&shopify-reload=/app/things%3Flimit%3D3")
    assert answer.status_code == 200
    assert answer.text.count("<script") == 1
    assert f'content="{get_settings().shopify_api_key}"' in answer.text
    assert ancestors(answer) == f"https://demo.myshopify.com {ADMIN}"


def test_the_bounce_page_without_a_shop_is_for_the_admin_alone(stranger: Caller) -> None:
    assert ancestors(stranger.get(f"{BOUNCE}?shopify-reload=/app")) == ADMIN


@pytest.mark.parametrize(
    "shop",
    [
        "evil.com",
        "a.myshopify.com.evil.com",
        "a.myshopify.com; script-src *",
        "x y.myshopify.com",
        "-a.myshopify.com",
        "",
    ],
)
def test_an_unverified_shop_never_reaches_a_header(stranger: Caller, shop: str) -> None:
    answer = stranger.get(BOUNCE, query_string={"shop": shop, "shopify-reload": "/app"})
    assert answer.status_code == 404
    assert ancestors(answer) == "'none'" or ancestors(answer) == ADMIN
    assert sanitized_shop(shop) is None


@pytest.mark.parametrize(
    "target", ["", "https://evil.com", "//evil.com", "/\\evil.com", "/app\\..", "/other", "/app\n", "/apple"]
)
def test_the_bounce_page_does_not_lead_out(stranger: Caller, target: str) -> None:
    answer = stranger.get(BOUNCE, query_string={"shop": "demo.myshopify.com", "shopify-reload": target})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer expired"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic abc"},
        {"Authorization": "Bearer lnk_00000000000000000000000000000000"},
        PARTIAL,
        {"HX-History-Restore-Request": "true"},
        {"Sec-Fetch-Dest": "empty"},
    ],
)
def test_a_fetch_without_a_good_token_is_told_to_retry(stranger: Caller, headers: dict[str, str]) -> None:
    answer = stranger.get("/app/things", headers=headers)
    assert (answer.status_code, answer.headers[RETRY]) == (401, "1")
    assert "HX-Trigger" not in answer.headers, "the client retries before it says anything"


def test_a_post_is_never_bounced(stranger: Caller) -> None:
    answer = stranger.post("/app/things/add", data={"name": "cup"})
    assert (answer.status_code, answer.headers[RETRY]) == (401, "1")


def test_an_api_key_is_no_staff_member(key: Caller) -> None:
    assert key.get("/app/things").status_code == 401


def test_the_query_token_does_not_help_a_fetch(app: Flask, door: Door) -> None:
    token = door.token(staff())
    assert Caller(app, "expired").get(f"/app/things?id_token={token}").status_code == 401


def test_a_token_of_another_app_is_refused_and_not_bounced(stranger: Caller) -> None:
    document = stranger.get("/app/things?id_token=other-app")
    assert (document.status_code, ancestors(document)) == (401, ADMIN)
    assert stranger.get("/app/things", headers={"Authorization": "Bearer other-app"}).status_code == 401


def test_two_shops_in_one_browser_do_not_mix(app: Flask, door: Door) -> None:
    browser = app.test_client()
    shops = [ShopInfo(f"shop-{number}.myshopify.com") for number in range(2)]
    tokens = [door.token(staff(shop=shop)) for shop in shops]
    for name, token in zip(("first", "second"), tokens, strict=True):
        browser.get(f"/app?id_token={token}")
        browser.post(
            "/app/things/add",
            data={"name": name, "amount": "1"},
            headers={"Authorization": f"Bearer {token}"},
        )
    for name, token, shop in zip(("first", "second"), tokens, shops, strict=True):
        answer = browser.get("/app/things", headers={"Authorization": f"Bearer {token}"})
        assert answer.text.count("<li>") == 1
        assert f"<li>{name}</li>" in answer.text
        assert shop.domain in ancestors(answer)
    assert not browser._cookies  # type: ignore[attr-defined]


def test_unknown_addresses_ask_who_you_are_first(stranger: Caller, merchant: Caller) -> None:
    assert stranger.get("/app/nowhere?shop=demo.myshopify.com").status_code == 302
    answer = merchant.get("/app/nowhere")
    assert answer.status_code == 404
    assert '<main id="main">' in answer.text
    assert stranger.get("/app/nowhere", headers=PARTIAL).status_code == 401


def test_the_language_of_the_document_carries_over_to_its_fetches(app: Flask, door: Door) -> None:
    caller = Caller(app, door.token(staff(shop=ShopInfo("demo.myshopify.com", locale="es"))))
    assert 'lang="ar"' in caller.get("/app/things?locale=ar-EG").text
    assert 'lang="he"' in caller.get("/app/things", headers={"X-Locale": "he"}).text
    assert 'lang="es"' in caller.get("/app/things", headers={"Accept-Language": "fr"}).text
    own = Caller(app, door.token(staff(locale="fr")))
    assert 'lang="fr"' in own.get("/app/things?locale=ar", headers={"X-Locale": "he"}).text
