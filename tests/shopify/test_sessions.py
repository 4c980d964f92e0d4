"""Live tokens for workers: one refresh at a time, nothing locked during the call, one second chance after a 401."""

import threading
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from app.core import clock, db
from app.shopify import sessions
from app.shopify.errors import ShopifyUnavailable, TokenRejected
from app.shopify.sessions import Change, StoredToken
from app.shopify.tokens import OfflineToken
from tests.shopify.signing import SHOP
from tests.shopify.wire import Reply, Wire

SHOP_ID = uuid4()


class Rows:
    """A store with one lock per row, as the database has."""

    def __init__(self) -> None:
        self.rows: dict[UUID, StoredToken] = {}
        self.locks: dict[UUID, threading.Lock] = {}

    def put(
        self, minutes: float | None = 60, *, refresh: str | None = "shprt_1", token: str = "shpat_1"
    ) -> None:
        expires = None if minutes is None else clock.now() + timedelta(minutes=minutes)
        self.rows[SHOP_ID] = StoredToken(SHOP, OfflineToken(token, "read_orders", expires, refresh, None))
        self.locks[SHOP_ID] = threading.Lock()

    def load(self, shop_id: UUID) -> StoredToken | None:
        return self.rows.get(shop_id)

    def update(self, shop_id: UUID, change: Change) -> StoredToken | None:
        with self.locks[shop_id]:
            changed = change(self.rows[shop_id])
            if changed is not None:
                self.rows[shop_id] = changed
            return self.rows[shop_id]

    @property
    def row(self) -> StoredToken:
        return self.rows[SHOP_ID]


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> Rows:
    store = Rows()
    monkeypatch.setattr(sessions, "_store", None)
    sessions.register_token_store(store)
    return store


def granted(number: int) -> Reply:
    body = {
        "access_token": f"shpat_{number}",
        "scope": "read_orders",
        "expires_in": 3600,
        "refresh_token": f"shprt_{number}",
    }
    return Reply(200, body)


def test_a_fresh_token_is_used_as_it_is(rows: Rows, shopify: Wire) -> None:
    rows.put(6)
    assert sessions.access_token(SHOP_ID).access_token == "shpat_1"
    assert shopify.seen == []


def test_a_token_that_never_expires_is_not_refreshed(rows: Rows, shopify: Wire) -> None:
    rows.put(None, refresh=None)
    assert sessions.access_token(SHOP_ID).access_token == "shpat_1"
    assert shopify.seen == []


@pytest.mark.parametrize("minutes", [4.9, 0.5, -30])
def test_a_token_is_refreshed_when_less_than_five_minutes_remain(
    rows: Rows, shopify: Wire, minutes: float
) -> None:
    rows.put(minutes)
    shopify.always = granted(2)
    credentials = sessions.access_token(SHOP_ID)
    assert (credentials.shop_domain, credentials.access_token, credentials.renewed) == (SHOP, "shpat_2", True)
    assert (rows.row.token.refresh_token, rows.row.lease_until) == ("shprt_2", None)
    assert shopify.seen[0].json()["refresh_token"] == "shprt_1"


def test_many_workers_refresh_once(rows: Rows, shopify: Wire) -> None:
    rows.put(-1)
    shopify.script = [granted(2)]
    shopify.always = Reply(400, {"error": "invalid_grant"})
    found: list[str] = []

    def work() -> None:
        found.append(sessions.access_token(SHOP_ID).access_token)

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["shpat_2"] * 12
    assert len(shopify.seen) == 1
    assert not rows.row.needs_reopening


def test_the_row_is_not_locked_during_the_call(
    rows: Rows, shopify: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows.put(-1)
    during: list[tuple[bool, bool]] = []

    def refresh(domain: str, refresh_token: str) -> OfflineToken:
        during.append((rows.locks[SHOP_ID].locked(), rows.row.lease_until is not None))
        return replace(rows.row.token, access_token="shpat_2", expires_at=clock.now() + timedelta(hours=1))

    monkeypatch.setattr(sessions.tokens, "refresh", refresh)
    assert sessions.access_token(SHOP_ID).access_token == "shpat_2"
    assert during == [(False, True)]


def test_while_another_refreshes_the_present_token_serves_as_long_as_it_lives(
    rows: Rows, shopify: Wire
) -> None:
    rows.put(3)
    rows.rows[SHOP_ID] = replace(rows.row, lease_until=clock.now() + timedelta(seconds=30))
    assert sessions.access_token(SHOP_ID).access_token == "shpat_1"
    assert shopify.seen == []


def test_a_lease_whose_worker_died_runs_out(rows: Rows, shopify: Wire) -> None:
    rows.put(-1)
    rows.rows[SHOP_ID] = replace(rows.row, lease_until=clock.now() - timedelta(seconds=1))
    shopify.always = granted(2)
    assert sessions.access_token(SHOP_ID).access_token == "shpat_2"


def test_waiting_for_another_worker_ends(rows: Rows, shopify: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    rows.put(-1)
    rows.rows[SHOP_ID] = replace(rows.row, lease_until=clock.now() + timedelta(seconds=30))
    monkeypatch.setattr(sessions, "WAIT_SECONDS", 0.3)
    with pytest.raises(ShopifyUnavailable) as caught:
        sessions.access_token(SHOP_ID)
    assert caught.value.retryable and not caught.value.sent


def test_a_rejected_token_is_first_read_again(rows: Rows, shopify: Wire) -> None:
    rows.put(60, token="shpat_9")
    credentials = sessions.access_token(SHOP_ID, rejected="shpat_1")
    assert (credentials.access_token, credentials.renewed) == ("shpat_9", False)
    assert shopify.seen == []


def test_a_rejected_token_is_then_refreshed_however_fresh(rows: Rows, shopify: Wire) -> None:
    rows.put(60)
    shopify.always = granted(2)
    assert sessions.access_token(SHOP_ID, rejected="shpat_1").access_token == "shpat_2"


def test_a_dead_refresh_token_means_that_someone_must_open_the_app(rows: Rows, shopify: Wire) -> None:
    rows.put(-1)
    shopify.always = Reply(400, {"error": "invalid_grant"})
    for _ in range(2):
        with pytest.raises(TokenRejected):
            sessions.access_token(SHOP_ID)
    assert rows.row.needs_reopening and rows.row.lease_until is None
    assert len(shopify.seen) == 1


def test_a_refresh_that_lost_to_a_reinstallation_changes_nothing(
    rows: Rows, shopify: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows.put(-1)

    def refresh(domain: str, refresh_token: str) -> OfflineToken:
        rows.put(60, token="shpat_new", refresh="shprt_new")
        raise TokenRejected()

    monkeypatch.setattr(sessions.tokens, "refresh", refresh)
    with pytest.raises(TokenRejected):
        sessions.access_token(SHOP_ID)
    assert not rows.row.needs_reopening
    assert sessions.access_token(SHOP_ID).access_token == "shpat_new"


def test_a_refresh_that_worked_too_late_does_not_replace_a_newer_token(
    rows: Rows, shopify: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows.put(-1)
    late = replace(rows.row.token, access_token="shpat_late")

    def refresh(domain: str, refresh_token: str) -> OfflineToken:
        rows.put(60, token="shpat_new", refresh="shprt_new")
        return late

    monkeypatch.setattr(sessions.tokens, "refresh", refresh)
    assert sessions.access_token(SHOP_ID).access_token == "shpat_new"
    assert rows.row.token.refresh_token == "shprt_new"


@pytest.mark.parametrize(
    "fault", [Reply(503), Reply(fault="reset"), Reply(429, headers={"Retry-After": "60"})]
)
def test_an_unreachable_shop_returns_the_lease(rows: Rows, shopify: Wire, fault: Reply) -> None:
    shopify.always = fault
    rows.put(3)
    assert sessions.access_token(SHOP_ID).access_token == "shpat_1"  # still alive, so good enough
    rows.put(-1)
    with pytest.raises(Exception) as caught:
        sessions.access_token(SHOP_ID)
    assert getattr(caught.value, "retryable", False)
    assert rows.row.lease_until is None and not rows.row.needs_reopening


def test_keeping_alive_renews_a_fresh_token(rows: Rows, shopify: Wire) -> None:
    rows.put(59)
    shopify.always = granted(2)
    sessions.keep_alive(SHOP_ID)
    assert rows.row.token.refresh_token == "shprt_2"


def test_keeping_alive_migrates_a_token_that_never_expires(rows: Rows, shopify: Wire) -> None:
    rows.put(None, refresh=None)
    shopify.always = granted(2)
    sessions.keep_alive(SHOP_ID)
    assert shopify.seen[0].json()["subject_token"] == "shpat_1"
    assert rows.row.token.expires_at is not None


def test_a_shop_without_a_token_must_be_opened(rows: Rows, shopify: Wire) -> None:
    with pytest.raises(TokenRejected):
        sessions.access_token(uuid4())


def test_no_token_inside_a_transaction(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    rows.put()
    monkeypatch.setattr(db, "open_transaction", lambda: True)
    with pytest.raises(RuntimeError, match="unit of work"):
        sessions.access_token(SHOP_ID)


def test_a_missing_store_is_a_mistake_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "_store", None)
    with pytest.raises(RuntimeError, match="token store"):
        sessions.access_token(SHOP_ID)


def test_credentials_do_not_show_their_token() -> None:
    assert "shpat" not in repr(sessions.Credentials(SHOP, "shpat_1"))
