"""The application as it is wired: real ID tokens, every domain, the webhook intake in front."""

import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from app import factory
from app.core.settings import get_settings
from app.factory import create_app, load_domains, verify_id_token
from app.web.principals import InvalidIdToken, WrongAudience
from tests.fixtures.web import PARTIAL

SHOP = "loyalnest-demo.myshopify.com"


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A secret as long as Shopify's."""
    monkeypatch.setenv("SHOPIFY_API_SECRET", "shpss_0123456789abcdef0123456789abcdef")
    get_settings.cache_clear()
    yield
    monkeypatch.undo()
    get_settings.cache_clear()


def id_token(**changes: Any) -> str:
    """An ID token as the Shopify admin issues it."""
    now = int(time.time())
    claims = {
        "iss": f"https://{SHOP}/admin",
        "dest": f"https://{SHOP}",
        "aud": get_settings().shopify_api_key,
        "sub": "42",
        "exp": now + 60,
        "nbf": now - 5,
        "iat": now - 5,
        "jti": "f8912129-1af6-4cad-9ca3-76b0f7621087",
        "sid": "aaea182f2732d44c23057c0fea584021a4485b2bd25d3eb7fd349313ad24c685",
    }
    return jwt.encode(
        {**claims, **changes}, get_settings().shopify_api_secret.get_secret_value(), algorithm="HS256"
    )


def test_a_real_token_names_shop_and_user() -> None:
    token = id_token()
    found = verify_id_token(token)
    assert (found.shop_domain, found.user_id, found.raw) == (SHOP, "42", token)
    assert token not in repr(found)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"exp": int(time.time()) - 3600}, InvalidIdToken),
        ({"nbf": int(time.time()) + 3600}, InvalidIdToken),
        ({"aud": "another-app"}, WrongAudience),
        ({"dest": "https://evil.example"}, WrongAudience),
        ({"sub": "gid://shopify/Customer/1"}, WrongAudience),
    ],
)
def test_other_tokens_are_refused(changes: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error) as found:
        verify_id_token(id_token(**changes))
    assert type(found.value) is error


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "%00", "&id_token=", "é", "x" * 5000])
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(InvalidIdToken):
        verify_id_token(text)


def test_every_domain_is_loaded_once() -> None:
    assert load_domains() == load_domains()
    assert {"app.domains.points.api", "app.domains.points.handlers", "app.domains.programs.tabs"} <= set(
        load_domains()
    )


def test_the_application_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factory, "configure_logging", lambda level: None)
    client = create_app().test_client()
    assert client.get("/readyz").json == {
        "status": "ok",
        "failing": [],
        "parts": {"database": "ok", "queue": "ok", "migrations": "ok"},
    }
    assert client.post("/v1/api/shopify/webhook", data=b"{}").status_code == 401
    assert client.get(f"/app?shop={SHOP}").status_code == 302
    assert client.get("/app", headers=PARTIAL).status_code == 401
    expired = {"Authorization": f"Bearer {id_token(exp=1)}"}
    assert "X-Shopify-Retry-Invalid-Session-Request" in client.get("/app", headers=expired).headers
    assert client.get("/proxy/summary").status_code == 401
