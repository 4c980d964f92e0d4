"""Access tokens for work without a person: always a live one, refreshed by exactly one worker at a time.

The domain that owns the shops' rows registers a store. The row is locked only for the instant in which a worker takes
or returns the lease; the call to Shopify happens with no transaction open.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from app.core import clock
from app.core.errors import LoyalNestError
from app.core.http import refuse_in_transaction
from app.shopify import tokens
from app.shopify.errors import ShopifyUnavailable, TokenRejected
from app.shopify.tokens import OfflineToken

FRESH = timedelta(minutes=5)
LEASE = timedelta(seconds=45)
WAIT_SECONDS = 25.0


@dataclass(frozen=True)
class StoredToken:
    """A shop's token as its row holds it. `needs_reopening` is set once no token works any more."""

    shop_domain: str
    token: OfflineToken
    lease_until: datetime | None = None
    needs_reopening: bool = False


@dataclass(frozen=True)
class Credentials:
    """What a call needs: the shop's domain and a token that is alive. `renewed`: it was fetched a moment ago."""

    shop_domain: str
    access_token: str
    renewed: bool = False

    def __repr__(self) -> str:
        return f"Credentials({self.shop_domain!r})"


Change = Callable[[StoredToken], StoredToken | None]


class TokenStore(Protocol):
    """Where the tokens are kept; the store encrypts them."""

    def load(self, shop_id: UUID) -> StoredToken | None:
        """The row as it is now, in a short transaction of its own; None when the shop has no token."""
        ...

    def update(self, shop_id: UUID, change: Change) -> StoredToken | None:
        """Lock the row in a short transaction, store what `change` makes of it (None: leave it), return the result."""
        ...


_store: TokenStore | None = None


def register_token_store(store: TokenStore) -> None:
    """Say where tokens are kept; called once at start."""
    global _store
    _store = store


def access_token(shop_id: UUID, *, rejected: str | None = None) -> Credentials:
    """A token with at least a moment to live. `rejected` is the one Shopify has just answered 401 to.

    Raises TokenRejected when someone has to open the app first, ShopifyUnavailable, Throttled, AppRejected.
    """
    refuse_in_transaction()
    stored = _usable(_token_store().load(shop_id))
    if stored.token.access_token != rejected and _lives(stored.token, FRESH):
        return Credentials(stored.shop_domain, stored.token.access_token)
    now = _renewed(shop_id, stored, rejected)
    return Credentials(now.shop_domain, now.token.access_token, renewed=now.token != stored.token)


def keep_alive(shop_id: UUID) -> None:
    """Renew the token whatever its age: a refresh token dies when a shop is not opened for 90 days, and tokens of old
    that never expire are turned into expiring ones. Raises as `access_token`."""
    refuse_in_transaction()
    stored = _usable(_token_store().load(shop_id))
    _renewed(shop_id, stored, stored.token.access_token)


def mark_for_reopening(shop_id: UUID, rejected: str) -> None:
    """Note that this token is dead and cannot be replaced; a newer one in the row is left alone."""
    _token_store().update(
        shop_id,
        lambda row: replace(row, needs_reopening=True, lease_until=None) if _is(row, rejected) else None,
    )


def _token_store() -> TokenStore:
    if _store is None:
        raise RuntimeError("no token store is registered")
    return _store


def _usable(stored: StoredToken | None) -> StoredToken:
    if stored is None or stored.needs_reopening:
        raise TokenRejected()
    return stored


def _lives(token: OfflineToken, margin: timedelta) -> bool:
    return token.expires_at is None or token.expires_at - clock.now() > margin


def _is(row: StoredToken, access_token: str) -> bool:
    return row.token.access_token == access_token


def _renewed(shop_id: UUID, seen: StoredToken, rejected: str | None) -> StoredToken:
    """Take the lease and refresh, or wait for whoever has it."""
    give_up = time.monotonic() + WAIT_SECONDS
    while True:
        leased, now = _take_lease(shop_id, seen)
        if leased:
            return _refresh(shop_id, now, rejected)
        if not _is(now, seen.token.access_token):
            return now
        if rejected is None and _lives(now.token, timedelta(seconds=20)):
            return now  # somebody is refreshing, and the present token is still good
        if time.monotonic() > give_up:
            raise ShopifyUnavailable(sent=False)
        time.sleep(random.uniform(0.05, 0.25))  # noqa: S311 - spreads load, keeps no secret


def _take_lease(shop_id: UUID, seen: StoredToken) -> tuple[bool, StoredToken]:
    taken = False

    def change(row: StoredToken) -> StoredToken | None:
        nonlocal taken
        now = clock.now()
        taken = (
            _is(row, seen.token.access_token)
            and not row.needs_reopening
            and (row.lease_until is None or row.lease_until <= now)
        )
        return replace(row, lease_until=now + LEASE) if taken else None

    return_value = _usable(_token_store().update(shop_id, change))
    return taken, return_value


def _refresh(shop_id: UUID, leased: StoredToken, rejected: str | None) -> StoredToken:
    used = leased.token
    try:
        if used.refresh_token is None:
            new = tokens.migrate_legacy(leased.shop_domain, used.access_token)
        else:
            new = tokens.refresh(leased.shop_domain, used.refresh_token)
    except TokenRejected:
        mark_for_reopening(shop_id, used.access_token)
        raise
    except LoyalNestError:
        _return_lease(shop_id, leased)
        if rejected is None and _lives(used, timedelta(seconds=20)):
            return leased
        raise

    def change(row: StoredToken) -> StoredToken | None:
        return StoredToken(row.shop_domain, new) if _is(row, used.access_token) else None

    return _usable(_token_store().update(shop_id, change))


def _return_lease(shop_id: UUID, leased: StoredToken) -> None:
    _token_store().update(shop_id, lambda row: replace(row, lease_until=None) if row == leased else None)
