"""Tokens in the database: kept sealed, refreshed by one worker at a time, kept alive, marked when they are dead."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from app.core import clock, jobs
from app.core.db import JobCall, unit_of_work
from app.core.errors import LoyalNestError
from app.domains.shops import jobs as shop_jobs
from app.domains.shops import service
from app.shopify import sessions
from app.shopify.errors import TokenRejected
from app.shopify.sessions import StoredToken
from tests.domains.shops.shopify import Shopify, verified
from tests.shopify.wire import Reply

STORE = service.tokens.ShopTokens()


@pytest.fixture
def shop_id(shopify: Shopify) -> UUID:
    """An installed shop."""
    return service.visit(verified()).shop.id


def age(shop_id: UUID, by: timedelta) -> None:
    """Let the shop's token be older."""
    with unit_of_work(shop_id) as uow:
        uow.execute(
            "UPDATE shops SET access_expires_at = access_expires_at - %(by)s,"
            " refresh_expires_at = refresh_expires_at - %(by)s",
            {"by": by},
        )


def test_what_is_stored_is_what_is_loaded(shop_id: UUID) -> None:
    loaded = STORE.load(shop_id)
    assert loaded is not None and loaded.token.access_token == "shpat_secret_1"
    leased = replace(loaded, lease_until=clock.now())
    assert STORE.update(shop_id, lambda row: leased if row == loaded else None) == leased
    assert STORE.load(shop_id) == leased


def test_leaving_the_row_alone_returns_it(shop_id: UUID) -> None:
    assert STORE.update(shop_id, lambda _: None) == STORE.load(shop_id)


def test_a_shop_without_a_token_has_none(shopify: Shopify, shop_id: UUID) -> None:
    with unit_of_work(shop_id) as uow:
        service.uninstall(uow, None)
    called: list[StoredToken] = []
    assert STORE.load(shop_id) is None
    assert STORE.update(shop_id, called.append) is None and not called
    with pytest.raises(TokenRejected):
        sessions.access_token(shop_id)


def test_an_old_token_is_refreshed_once_by_many_workers(shopify: Shopify, shop_id: UUID) -> None:
    age(shop_id, timedelta(hours=1, minutes=5))
    shopify.delay_seconds = 0.2
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: sessions.access_token(shop_id).access_token, range(6)))
    assert set(found) == {"shpat_secret_2"} and shopify.tokens == 2
    stored = STORE.load(shop_id)
    assert (
        stored is not None and stored.lease_until is None and stored.token.refresh_token == "shprt_secret_2"
    )


def test_a_refused_refresh_asks_for_reopening(shopify: Shopify, shop_id: UUID) -> None:
    age(shop_id, timedelta(hours=2))
    shopify.exchange = Reply(400, {"error": "invalid_grant"})
    with pytest.raises(TokenRejected):
        sessions.access_token(shop_id)
    with unit_of_work(shop_id) as uow:
        assert service.get(uow).needs_reopening


def test_tokens_a_week_old_are_kept_alive(
    shopify: Shopify, shop_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[JobCall] = []
    monkeypatch.setattr(jobs, "send", sent.extend)
    shop_jobs.keep_tokens_alive()
    assert sent == []
    age(shop_id, timedelta(days=8))
    shop_jobs.keep_tokens_alive()
    assert sent == [JobCall("shops.refresh_token", {"shop_id": str(shop_id)})]
    jobs.run(sent[0].name, sent[0].arguments)
    assert shopify.tokens == 2
    shop_jobs.keep_tokens_alive()
    assert len(sent) == 1


def test_a_token_that_cannot_be_kept_alive_is_not_tried_for_ever(shopify: Shopify, shop_id: UUID) -> None:
    shopify.exchange = Reply(400, {"error": "invalid_grant"})
    shop_jobs.refresh_token(str(shop_id))
    with unit_of_work(shop_id) as uow:
        assert service.get(uow).needs_reopening
    assert service.list_stale_tokens(timedelta(0)) == []


def test_shopify_away_lets_the_queue_try_again(shopify: Shopify, shop_id: UUID) -> None:
    shopify.exchange = Reply(503, {})
    with pytest.raises(LoyalNestError) as refused:
        shop_jobs.refresh_token(str(shop_id))
    assert refused.value.retryable
