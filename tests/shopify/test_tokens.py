"""The token endpoint: what is asked, what is understood, how it fails."""

from datetime import UTC, datetime, timedelta
from unittest import mock

import httpx
import pytest
from shopify_app.exchange.refresh_token import refresh_access_token
from shopify_app.exchange.token_exchange import token_exchange
from shopify_app.types import IdTokenDetails

from app.core import clock
from app.core.errors import LoyalNestError
from app.shopify import id_tokens, tokens
from app.shopify.credentials import app_config
from app.shopify.errors import (
    AppRejected,
    InvalidIdToken,
    ShopifyUnavailable,
    ShopUnavailable,
    Throttled,
    TokenRejected,
)
from tests.shopify.signing import SHOP, held_token, id_token
from tests.shopify.wire import Reply, Wire

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
GRANTED = {
    "access_token": "shpat_new",
    "scope": "read_orders,write_discounts",
    "expires_in": 3600,
    "refresh_token": "shprt_new",
    "refresh_token_expires_in": 7776000,
}


@pytest.fixture
def staff() -> id_tokens.IdToken:
    outcome = id_tokens.verify("GET", "https://app.example/app", {"Authorization": f"Bearer {id_token()}"})
    assert isinstance(outcome, id_tokens.Verified)
    return outcome.token


def test_an_exchange_gives_an_expiring_token(shopify: Wire, staff: id_tokens.IdToken) -> None:
    shopify.always = Reply(200, GRANTED)
    with clock.use_clock(lambda: NOW):
        token = tokens.exchange(staff)
    assert (token.access_token, token.refresh_token) == ("shpat_new", "shprt_new")
    assert token.scope == "read_orders,write_discounts"
    assert token.expires_at == NOW + timedelta(hours=1)
    assert token.refresh_expires_at == NOW + timedelta(days=90)
    assert shopify.seen[0].path == "/admin/oauth/access_token"
    assert shopify.seen[0].headers["host"] == SHOP


def test_the_requests_are_those_of_the_official_package(shopify: Wire, staff: id_tokens.IdToken) -> None:
    shopify.always = Reply(200, GRANTED)
    official = mock.Mock()
    official.post.return_value = httpx.Response(200, json=GRANTED)
    claims = {"dest": f"https://{SHOP}"}
    token_exchange("offline", app_config(), IdTokenDetails(True, staff.raw, claims), http_client=official)
    refresh_access_token(access_token=held_token(), app_config=app_config(), http_client=official)
    tokens.exchange(staff)
    tokens.refresh(SHOP, "shprt_old")
    wanted = [(call.args[0], call.kwargs["json"]) for call in official.post.call_args_list]
    assert [(f"https://{SHOP}{seen.path}", seen.json()) for seen in shopify.seen] == wanted


def test_a_legacy_token_is_migrated(shopify: Wire) -> None:
    shopify.always = Reply(200, GRANTED)
    assert tokens.migrate_legacy(SHOP, "shpat_old").refresh_token == "shprt_new"
    sent = shopify.seen[0].json()
    offline = "urn:shopify:params:oauth:token-type:offline-access-token"
    assert (sent["subject_token"], sent["subject_token_type"], sent["requested_token_type"], sent["expiring"]) == (
        "shpat_old", offline, offline, 1,
    )  # fmt: skip


def test_a_missing_lifetime_means_that_the_token_does_not_expire(shopify: Wire) -> None:
    shopify.always = Reply(200, {"access_token": "shpat_1", "scope": ""})
    token = tokens.refresh(SHOP, "r")
    assert (token.expires_at, token.refresh_token, token.refresh_expires_at) == (None, None, None)


def test_tokens_do_not_show_in_logs(shopify: Wire, staff: id_tokens.IdToken) -> None:
    shopify.always = Reply(200, GRANTED)
    text = repr(tokens.exchange(staff))
    assert "shpat" not in text and "shprt" not in text


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(400, {"error": "invalid_subject_token"}), InvalidIdToken),
        (Reply(400, {"error": "invalid_client"}), AppRejected),
        (Reply(401, {"error": "invalid_client"}), AppRejected),
        (Reply(400, {"error": "invalid_grant"}), TokenRejected),
        (Reply(400, b"<html>"), TokenRejected),
        (Reply(401, []), TokenRejected),
        (Reply(402), ShopUnavailable),
        (Reply(404), ShopUnavailable),
        (Reply(423), ShopUnavailable),
        (Reply(429, headers={"Retry-After": "30"}), Throttled),
        (Reply(503), ShopifyUnavailable),
        (Reply(200, b"<html>"), ShopifyUnavailable),
        (Reply(200, {"scope": ""}), ShopifyUnavailable),
        (Reply(200, {"access_token": 7}), ShopifyUnavailable),
        (Reply(200, ["no"]), ShopifyUnavailable),
        (Reply(fault="reset"), ShopifyUnavailable),
    ],
)
def test_every_failure_is_typed(
    shopify: Wire, staff: id_tokens.IdToken, reply: Reply, error: type[LoyalNestError]
) -> None:
    shopify.always = reply
    with pytest.raises(error):
        tokens.exchange(staff)
    with pytest.raises(error):
        tokens.refresh(SHOP, "r")


def test_a_refresh_whose_answer_was_lost_is_asked_again(shopify: Wire) -> None:
    """The old refresh token stays good until the new one is used."""
    shopify.script = [Reply(fault="reset"), Reply(200, GRANTED)]
    assert tokens.refresh(SHOP, "shprt_old").access_token == "shpat_new"
    assert [seen.json()["refresh_token"] for seen in shopify.seen] == ["shprt_old", "shprt_old"]


def test_an_exchange_is_not_repeated_blindly(shopify: Wire, staff: id_tokens.IdToken) -> None:
    shopify.always = Reply(500)
    with pytest.raises(ShopifyUnavailable):
        tokens.exchange(staff)
    assert len(shopify.seen) == 1


def test_retry_after_reaches_the_caller(shopify: Wire, waits: list[float]) -> None:
    """The official package never finds this header."""
    shopify.always = Reply(429, headers={"Retry-After": "30"})
    with pytest.raises(Throttled) as caught:
        tokens.refresh(SHOP, "r")
    assert caught.value.data["retry_after"] == 30 and caught.value.retryable
    assert waits == []


def test_only_shops_are_asked(shopify: Wire) -> None:
    for domain in ("evil.example", "demo.myshopify.com/x", "127.0.0.1"):
        with pytest.raises(LoyalNestError):
            tokens.refresh(domain, "r")
    assert shopify.seen == []


def test_the_package_cannot_refresh_early() -> None:
    """Why refreshing is ours: the package refuses while more than a minute is left, we want five."""
    soon = (datetime.now(UTC) + timedelta(minutes=3)).isoformat()
    held = held_token(expires=soon)
    result = refresh_access_token(access_token=held, app_config=app_config(), http_client=mock.Mock())
    assert result.log.code == "token_still_valid" and result.access_token is None
