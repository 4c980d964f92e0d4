"""App proxy verification: signature, age, repetition, and who the visitor is."""

import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shopify_app.types import RequestInput
from shopify_app.verify.app_proxy import verify_app_proxy_req

from app.core import clock
from app.shopify import proxy
from app.shopify.credentials import app_config
from app.shopify.errors import ForgedRequest, MalformedDelivery
from tests.shopify.signing import OLD_SECRET, OTHER_SECRET, SHOP, proxy_query, signed_query


def verify(query: str) -> proxy.ProxyRequest:
    return proxy.verify(query.encode())


def official(query: str) -> Any:
    request = RequestInput(method="GET", headers={}, url=f"https://app.example/proxy?{query}", body="")
    return verify_app_proxy_req(request, app_config())


def test_the_published_vector(secrets_hush: None) -> None:
    query = (
        "extra=1&extra=2&shop=shop-name.myshopify.com&logged_in_customer_id=1&path_prefix=%2Fapps%2Fawesome_reviews"
        "&timestamp=1317327555&signature=4c68c8624d737112c91818c11017d24d334b524cb5c2b8ba08daa056f7395ddb"
    )
    with clock.use_clock(lambda: datetime.fromtimestamp(1317327555, UTC)):
        request = verify(query)
    assert request.shop_domain == "shop-name.myshopify.com"
    assert request.customer_id == "1"
    assert request.path_prefix == "/apps/awesome_reviews"
    assert request.parameters == {"extra": "2"}


def test_a_logged_in_visitor() -> None:
    request = verify(proxy_query([("locale", "fr-CA"), ("q", "café & co")], logged_in_customer_id="123"))
    assert request == proxy.ProxyRequest(SHOP, "123", "/apps/loyalnest", "fr-CA", {"q": "café & co"})


def test_a_visitor_nobody_knows() -> None:
    assert verify(proxy_query()).customer_id is None
    assert verify(proxy_query(secret=OLD_SECRET)).shop_domain == SHOP


def test_blank_values_are_part_of_the_signature() -> None:
    query = proxy_query([("q", ""), ("r", "")])
    assert verify(query).parameters == {"q": "", "r": ""}
    with pytest.raises(ForgedRequest):
        verify(query.replace("&q=", ""))


def test_a_locale_that_is_none_is_ignored() -> None:
    assert verify(proxy_query([("locale", "<script>")])).locale is None


@pytest.mark.parametrize("name", ["shop", "timestamp", "signature", "hmac"])
def test_parameters_that_decide_may_not_be_repeated(name: str) -> None:
    pairs = [("shop", SHOP), ("timestamp", str(int(time.time()))), ("logged_in_customer_id", "1")]
    query = signed_query([*pairs, ("hmac", "x")])
    assert verify(query).customer_id == "1"
    repeated = signed_query([*pairs, ("hmac", "x"), (name, dict(pairs).get(name, "x"))])
    with pytest.raises(ForgedRequest):
        verify(repeated if name != "signature" else query + "&" + query.rpartition("&")[2])


@pytest.mark.parametrize("seconds", [-91, 91, -86400])
def test_old_and_future_requests_are_refused(seconds: int) -> None:
    with pytest.raises(ForgedRequest):
        verify(proxy_query(at=time.time() + seconds))


@pytest.mark.parametrize("seconds", [-88, 0, 88])
def test_ninety_seconds_are_allowed(seconds: int) -> None:
    assert verify(proxy_query(at=time.time() + seconds)).shop_domain == SHOP


@pytest.mark.parametrize("timestamp", ["", "now", "1e9", "-1", "\u0661\u0662", "9" * 30])
def test_a_timestamp_that_is_no_number_is_refused(timestamp: str) -> None:
    with pytest.raises(ForgedRequest):
        verify(proxy_query(timestamp=timestamp))


def test_forgeries_are_refused() -> None:
    query = proxy_query(logged_in_customer_id="1")
    forged = [
        proxy_query(secret=OTHER_SECRET),
        query.replace("logged_in_customer_id=1", "logged_in_customer_id=2"),
        query.replace("demo.", "other."),
        query + "&extra=1",
        query.rpartition("&")[0],
        query[:-1],
        query.rpartition("=")[0] + "=",
        query.rpartition("=")[0] + "=%C3%A9",
        "",
        "shop=%FF&signature=x",
        "&".join(f"a{number}=1" for number in range(200)),
    ]
    for text in forged:
        with pytest.raises(ForgedRequest) as caught:
            verify(text)
        assert caught.value.status == 401
    with pytest.raises(ForgedRequest):
        proxy.verify("shop=é".encode())


@pytest.mark.parametrize(
    "changes",
    [{"shop": "evil.example"}, {"logged_in_customer_id": "1 OR 1=1"}, {"path_prefix": "//evil.example"}],
    ids=lambda changes: next(iter(changes)),
)
def test_signed_nonsense_is_malformed(changes: dict[str, str]) -> None:
    with pytest.raises(MalformedDelivery):
        verify(proxy_query(**changes))


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "é", "q[]"]), st.text(max_size=8)), max_size=5))
def test_it_agrees_with_the_official_package(pairs: list[tuple[str, str]]) -> None:
    pairs = [(name, value.encode("utf-8", "ignore").decode()) for name, value in pairs]
    query = proxy_query(pairs)
    assert official(query).ok
    assert verify(query).parameters == dict(pairs)
    broken = urlencode([*parse_qsl(query, keep_blank_values=True), ("z", "1")])
    assert not official(broken).ok
    with pytest.raises(ForgedRequest):
        verify(broken)
