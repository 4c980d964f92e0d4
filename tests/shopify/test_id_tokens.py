"""The decision table for requests from inside the admin, and who is not let in."""

import base64
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from shopify_app.verify.app_home_req import verify_app_home_req

from app.core.settings import get_settings
from app.shopify import extension_tokens, id_tokens
from app.shopify.credentials import app_config
from app.shopify.extension_tokens import InvalidExtensionToken
from app.shopify.id_tokens import Bounce, Rejected, Retry401, Verified
from tests.shopify.signing import KEY, OLD_SECRET, OTHER_SECRET, SHOP, id_token

PAGE = "https://app.example/app/rewards?shop=demo.myshopify.com&host=YWRt&embedded=1"


def page(token: str | None) -> id_tokens.Outcome:
    return id_tokens.verify("GET", PAGE + (f"&id_token={token}" if token else ""), {"Accept": "text/html"})


def fetch(token: str, **headers: str) -> id_tokens.Outcome:
    return id_tokens.verify("GET", PAGE, {"Authorization": f"Bearer {token}", **headers})


def test_a_page_with_a_token_is_verified() -> None:
    outcome = page(id_token())
    assert isinstance(outcome, Verified) and outcome.document
    token = outcome.token
    assert (token.shop_domain, token.user_id, token.session_id) == (SHOP, "42", "a-session")
    assert token.raw.count(".") == 2 and token.expires_at > time.time()


def test_a_fetch_with_a_token_is_verified_whatever_the_case_of_the_header() -> None:
    outcome = id_tokens.verify("POST", PAGE, {"AUTHORIZATION": f"bearer {id_token()}"})
    assert isinstance(outcome, Verified) and not outcome.document


@pytest.mark.parametrize("token", [None, "", "garbage", "a.b.c"])
def test_a_page_without_a_good_token_bounces(token: str | None) -> None:
    outcome = page(token)
    assert isinstance(outcome, Bounce)
    parts = urlsplit(outcome.location)
    query = parse_qs(parts.query)
    assert (parts.scheme, parts.netloc, parts.path) == ("", "", id_tokens.BOUNCE_PATH)
    assert query["shopify-reload"] == ["/app/rewards?shop=demo.myshopify.com&host=YWRt&embedded=1"]
    assert query["shop"] == [SHOP] and query["host"] == ["YWRt"] and "id_token" not in query


def test_the_bounce_address_is_the_official_one() -> None:
    url = PAGE + "&id_token=stale&x=%20y"
    request: Any = {"method": "GET", "url": url, "headers": {}, "body": ""}
    official = verify_app_home_req(request, app_config(), id_tokens.BOUNCE_PATH).response.headers["Location"]
    assert official == "https://app.example" + id_tokens.bounce_location(url)


@pytest.mark.parametrize(
    "changes",
    [{"exp": int(time.time()) - 30}, {"nbf": int(time.time()) + 7200}],
    ids=["expired", "not yet valid"],
)
def test_stale_tokens_bounce_pages_and_retry_fetches(changes: dict[str, Any]) -> None:
    assert isinstance(page(id_token(**changes)), Bounce)
    assert fetch(id_token(**changes)) == Retry401()


def test_ten_seconds_of_clock_difference_are_forgiven() -> None:
    assert isinstance(fetch(id_token(exp=int(time.time()) - 5)), Verified)


def test_another_secret_is_no_token_and_the_old_one_still_is() -> None:
    assert isinstance(page(id_token(OTHER_SECRET)), Bounce)
    assert fetch(id_token(OTHER_SECRET)) == Retry401()
    assert isinstance(fetch(id_token(OLD_SECRET)), Verified)


def test_a_token_of_another_app_is_rejected() -> None:
    assert isinstance(page(id_token(aud="f" * 32)), Rejected)
    assert fetch(id_token(aud="f" * 32)) == Retry401()


def test_unsigned_and_differently_signed_tokens_are_worthless() -> None:
    claims = jwt.decode(id_token(), options={"verify_signature": False})
    assert fetch(jwt.encode(claims, None, algorithm="none")) == Retry401()  # type: ignore[arg-type]
    assert fetch(jwt.encode(claims, "x" * 64, algorithm="HS512")) == Retry401()


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.myshopify.com/admin"},
        {"iss": None},
        {"dest": "https://evil.example", "iss": "https://evil.example/admin"},
        {
            "dest": "https://demo.myshopify.com.evil.example",
            "iss": "https://demo.myshopify.com.evil.example/admin",
        },
        {"dest": None},
        {"sub": None},
        {"sub": "gid://shopify/Customer/42"},
        {"sub": "\u0664\u0662"},
        {"exp": None},
    ],
    ids="+".join,
)
def test_signed_tokens_that_are_not_a_staff_member_of_one_shop_are_rejected(changes: dict[str, Any]) -> None:
    assert isinstance(page(id_token(**changes)), Rejected)
    assert isinstance(fetch(id_token(**changes)), Rejected)


def test_a_buyers_extension_token_does_not_open_the_admin() -> None:
    """Checkout tokens carry the same audience and secret, and a bare domain without issuer."""
    buyer = id_token(dest=SHOP, iss=None, sid=None, sub="gid://shopify/Customer/1")
    assert isinstance(fetch(buyer), Rejected)


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {"HX-Request": "true"}),
        ("GET", {"Sec-Fetch-Dest": "empty"}),
        ("GET", {"Authorization": "Basic eDp5"}),
        ("GET", {"Authorization": "Bearer"}),
        ("POST", {}),
        ("DELETE", {}),
    ],
)
def test_requests_that_cannot_bounce_are_asked_to_retry(method: str, headers: dict[str, str]) -> None:
    assert id_tokens.verify(method, PAGE, headers) == Retry401()
    assert id_tokens.RETRY_HEADER == {"X-Shopify-Retry-Invalid-Session-Request": "1"}


def test_a_token_in_the_query_does_not_authorize_a_fetch() -> None:
    url = f"{PAGE}&id_token={id_token()}"
    assert id_tokens.verify("POST", url, {}) == Retry401()


def encoded(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


HOSTILE = [
    "\ud800", "é.é.é", "." * 1000, "a.b.c" * 2000, encoded(b"\xff\xfe") + ".e30.x", encoded(b"null") + ".e30.x",
    encoded(b'{"a":' * 1500) + ".e30.x", encoded(b'{"alg":"HS256"}') + "." + encoded(b"[" * 2500) + ".x",
    encoded(b'{"alg":["HS256"]}') + ".e30.x", encoded(b'{"alg":"HS256","kid":1}') + ".e30.x",
    encoded(b'{"alg":"HS256","x":' + b"9" * 2500 + b"}") + ".e30.x",
]  # fmt: skip


@pytest.mark.parametrize("token", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_tokens_are_no_tokens(token: str) -> None:
    assert fetch(token) == Retry401()
    assert isinstance(page(token), Bounce)
    with pytest.raises(InvalidExtensionToken):
        extension_tokens.verify({"Authorization": f"Bearer {token}"})


def test_an_empty_old_secret_opens_nothing(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SHOPIFY_API_SECRET_OLD", "")
    get_settings.cache_clear()
    assert app_config()["old_client_secret"] is None
    head, body, _ = id_token().split(".")
    assert fetch(f"{head}.{body}.") == Retry401()
    assert app_config()["client_id"] == KEY
