"""What the official package (1.0.2) leaves open, and that we close it. One test per caveat.

Each test first shows the package's behavior; when that half starts to fail, the package has been repaired and our
replacement may be reconsidered.
"""

import time
from typing import Any

import httpx
import pytest
import shopify_app
from shopify_app.exchange.refresh_token import refresh_access_token
from shopify_app.exchange.token_exchange import token_exchange
from shopify_app.graphql.admin_graphql import admin_graphql_request
from shopify_app.helpers.app_home_patch_id_token import app_home_patch_id_token
from shopify_app.types import IdTokenDetails, RequestInput
from shopify_app.verify.app_home_req import verify_app_home_req
from shopify_app.verify.app_proxy import verify_app_proxy_req
from shopify_app.verify.webhook import verify_webhook_req

from app.core.settings import get_settings
from app.shopify import embedding, id_tokens, proxy, tokens, webhooks
from app.shopify.admin import AdminClient
from app.shopify.credentials import app_config
from app.shopify.errors import ForgedRequest, GraphQLFailed, Throttled
from app.shopify.sessions import Credentials
from tests.shopify.signing import OLD_SECRET, SHOP, held_token, id_token, signed_query, webhook_headers
from tests.shopify.wire import Reply, Wire

THROTTLED = {
    "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
    "data": {"shop": None},
}


def request(**fields: Any) -> Any:
    return RequestInput(method="GET", headers={}, url="https://app.example/app", body="") | fields


def transport(*responses: httpx.Response) -> httpx.Client:
    script = list(responses)
    return httpx.Client(transport=httpx.MockTransport(lambda _: script.pop(0)))


def ask_graphql(client: httpx.Client) -> Any:
    return admin_graphql_request(
        "query { shop { id } }",
        shop="demo",
        access_token="t",
        api_version="2026-10",
        http_client=client,
        max_retries=2,
    )


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr(time, "sleep", found.append)
    return found


def test_the_version_these_caveats_were_found_in() -> None:
    assert shopify_app.__version__ == "1.0.2"


def test_throttled_in_an_http_200_is_not_retried_by_the_package(shopify: Wire, slept: list[float]) -> None:
    with transport(httpx.Response(200, json=THROTTLED)) as client:
        result = ask_graphql(client)
    assert (result.ok, result.log.code, slept) == (False, "graphql_errors", [])
    shopify.script = [Reply(200, THROTTLED), Reply(200, {"data": {"shop": {"id": "1"}}})]
    ours = AdminClient(credentials=Credentials(SHOP, "t"))
    assert ours.run("ShopContext") == {"shop": {"id": "1"}}


def test_partial_data_is_dropped_by_the_package(shopify: Wire) -> None:
    answer = {"errors": [{"message": "x", "extensions": {"code": "y"}}], "data": {"shop": {"id": "1"}}}
    with transport(httpx.Response(200, json=answer)) as client:
        assert ask_graphql(client).data is None
    shopify.always = Reply(200, answer)
    with pytest.raises(GraphQLFailed) as caught:
        AdminClient(credentials=Credentials(SHOP, "t")).run("ShopContext")
    assert caught.value.partial == {"shop": {"id": "1"}}


def test_retry_after_is_never_found_by_the_package(
    shopify: Wire, waits: list[float], slept: list[float]
) -> None:
    limited = httpx.Response(429, headers={"Retry-After": "7"})
    with transport(limited, httpx.Response(200, json={"data": {}})) as client:
        ask_graphql(client)
    assert slept == [1]
    shopify.script = [Reply(429, headers={"Retry-After": "7"}), Reply(200, {"data": {}})]
    AdminClient(credentials=Credentials(SHOP, "t")).run("ShopContext")
    assert 7 <= waits[0] <= 8


def test_the_package_sleeps_in_the_callers_thread_during_an_exchange(
    shopify: Wire, slept: list[float]
) -> None:
    limited = httpx.Response(429, headers={"Retry-After": "30"})
    token = IdTokenDetails(True, id_token(), {"dest": f"https://{SHOP}"})
    with transport(limited, limited, limited) as client:
        token_exchange("offline", app_config(), token, http_client=client)
    assert slept == [1, 1]
    shopify.always = Reply(429, headers={"Retry-After": "30"})
    with pytest.raises(Throttled):
        tokens.refresh(SHOP, "r")
    assert slept == [1, 1]


def test_the_packages_logs_hold_personal_data(shopify: Wire, caplog: pytest.LogCaptureFixture) -> None:
    answer = {"data": {"customer": {"firstName": "Ann-Personal"}}}
    with transport(httpx.Response(200, json=answer)) as client:
        assert "Ann-Personal" in str(ask_graphql(client).http_logs)
    caplog.set_level("DEBUG")
    shopify.always = Reply(200, answer)
    AdminClient(credentials=Credentials(SHOP, "t")).run("CustomerById", {"id": "1"})
    assert "Ann-Personal" not in caplog.text


def test_a_repeated_timestamp_is_accepted_by_the_package() -> None:
    now = str(int(time.time()))
    query = signed_query([("shop", SHOP), ("timestamp", now), ("timestamp", now)])
    assert verify_app_proxy_req(request(url=f"https://app.example/proxy?{query}"), app_config()).ok
    with pytest.raises(ForgedRequest):
        proxy.verify(query.encode())


def test_a_missing_signature_is_a_400_for_the_package() -> None:
    headers = webhook_headers(b"{}")
    del headers["X-Shopify-Hmac-Sha256"]
    assert (
        verify_webhook_req(request(method="POST", headers=headers, body="{}"), app_config()).response.status
        == 400
    )
    with pytest.raises(ForgedRequest) as caught:
        webhooks.verify(headers, b"{}")
    assert caught.value.status == 401


def test_bodies_that_are_not_utf8_cannot_be_verified_by_the_package() -> None:
    body = '{"name":"é"}'.encode("latin-1")
    headers = webhook_headers(body)
    text = body.decode("utf-8", "replace")
    assert not verify_webhook_req(request(method="POST", headers=headers, body=text), app_config()).ok
    assert webhooks.verify(headers, body).body == body


def test_the_bounce_page_of_the_package_lets_anyone_frame_it() -> None:
    url = "https://app.example/app/session-token-bounce?shop=evil.example&shopify-reload=%2Fapp"
    official = app_home_patch_id_token(request(url=url), app_config())
    assert "https://evil.example" in official.response.headers["Content-Security-Policy"]
    page = embedding.bounce_page({"shop": "evil.example", "shopify-reload": "/app"})
    assert "evil" not in page.frame_ancestors


def test_the_bounce_page_of_the_package_fails_without_a_shop() -> None:
    url = "https://app.example/app/session-token-bounce?shopify-reload=%2Fapp"
    assert app_home_patch_id_token(request(url=url), app_config()).response.status == 400
    assert embedding.bounce_page({"shopify-reload": "/app"}).reload_path == "/app"


def test_issuer_and_destination_are_not_compared_by_the_package() -> None:
    token = id_token(iss="https://other.myshopify.com/admin")
    headers = {"Authorization": f"Bearer {token}"}
    assert verify_app_home_req(request(headers=headers), app_config(), "/bounce").ok
    assert isinstance(id_tokens.verify("GET", "https://app.example/app", headers), id_tokens.Rejected)


def test_the_destination_is_not_checked_by_the_package() -> None:
    token = id_token(dest="https://evil.example", iss="https://evil.example/admin")
    headers = {"Authorization": f"Bearer {token}"}
    assert verify_app_home_req(request(headers=headers), app_config(), "/bounce").shop == "evil.example"
    assert isinstance(id_tokens.verify("GET", "https://app.example/app", headers), id_tokens.Rejected)


def test_a_buyers_token_opens_the_admin_for_the_package() -> None:
    buyer = id_token(dest=SHOP, iss=None, sid=None, sub="gid://shopify/Customer/1")
    headers = {"Authorization": f"Bearer {buyer}"}
    assert verify_app_home_req(request(headers=headers), app_config(), "/bounce").ok
    assert isinstance(id_tokens.verify("GET", "https://app.example/app", headers), id_tokens.Rejected)


def test_the_package_gives_the_bare_handle() -> None:
    headers = {"Authorization": f"Bearer {id_token()}"}
    assert verify_app_home_req(request(headers=headers), app_config(), "/bounce").shop == "demo"
    outcome = id_tokens.verify("GET", "https://app.example/app", headers)
    assert isinstance(outcome, id_tokens.Verified) and outcome.token.shop_domain == SHOP


def test_a_missing_lifetime_is_expired_at_once_for_the_package(shopify: Wire) -> None:
    with transport(httpx.Response(200, json={"access_token": "new", "scope": ""})) as client:
        official = refresh_access_token(
            access_token=held_token(), app_config=app_config(), http_client=client
        )
    assert official.access_token is not None and official.access_token.expires is not None
    shopify.always = Reply(200, {"access_token": "new", "scope": ""})
    assert tokens.refresh(SHOP, "r").expires_at is None


def test_the_old_secret_is_accepted_until_it_is_removed(environment: pytest.MonkeyPatch) -> None:
    token, headers = id_token(OLD_SECRET), webhook_headers(b"{}", OLD_SECRET)
    bearer = {"Authorization": f"Bearer {token}"}
    assert isinstance(id_tokens.verify("GET", "https://app.example/app", bearer), id_tokens.Verified)
    assert webhooks.verify(headers, b"{}")
    environment.delenv("SHOPIFY_API_SECRET_OLD")
    get_settings.cache_clear()
    assert isinstance(id_tokens.verify("GET", "https://app.example/app", bearer), id_tokens.Retry401)
    with pytest.raises(ForgedRequest):
        webhooks.verify(headers, b"{}")
