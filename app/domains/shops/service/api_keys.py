"""API keys: made once, kept as a fingerprint, found by it, revoked for good."""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from app.core import crypto, ids
from app.core.db import UnitOfWork, cross_shop
from app.core.permissions import Permission
from app.domains.shops import queries
from app.domains.shops.errors import ApiKeyNotFound, ExpiryPassed, UnknownScope
from app.domains.shops.events import ApiKeyCreated, ApiKeyRevoked
from app.domains.shops.schemas import ApiKey, KeyHolder, NewApiKey

PREFIX = "lnk_"
_USED_EVERY = timedelta(minutes=1)


def create_api_key(
    uow: UnitOfWork, label: str, scopes: Iterable[str], *, expires_at: datetime | None = None
) -> NewApiKey:
    """Make a key with these permissions, or with `all` there are. Its secret is in the result and nowhere else.

    Raises UnknownScope, ExpiryPassed.
    """
    chosen = _checked(scopes)
    if expires_at is not None and expires_at <= uow.now:
        raise ExpiryPassed(fields={"expires_at": ExpiryPassed.default_message})
    secret = PREFIX + secrets.token_urlsafe(32)
    row = {
        "shop": uow.shop,
        "id": ids.new_id(),
        "label": label.strip()[:120],
        "four": secret[-4:],
        "scopes": chosen,
        "fingerprint": crypto.fingerprint(secret),
        "expires": expires_at,
        "now": uow.now,
    }
    uow.execute(
        "INSERT INTO api_keys (shop_id, id, label, last_four, scopes, fingerprint, expires_at, created_at)"
        " VALUES (%(shop)s, %(id)s, %(label)s, %(four)s, %(scopes)s, %(fingerprint)s, %(expires)s, %(now)s)",
        row,
    )
    uow.execute(
        "INSERT INTO api_key_directory (fingerprint, shop_id, api_key_id) VALUES (%(fingerprint)s, %(shop)s, %(id)s)",
        row,
    )
    key = queries.get_api_key(uow, row["id"])  # type: ignore[arg-type]
    assert key is not None
    uow.publish([ApiKeyCreated(key.id, key.label, key.last_four, tuple(chosen))])
    return NewApiKey(key, secret)


def _checked(scopes: Iterable[str]) -> list[str]:
    wanted = sorted(set(scopes))
    if queries.ALL_SCOPES in wanted:
        return [queries.ALL_SCOPES]
    known = set(Permission)
    unknown = [scope for scope in wanted if scope not in known]
    if unknown or not wanted:
        raise UnknownScope(
            fields={"scopes": UnknownScope.default_message}, scope=unknown[0] if unknown else ""
        )
    return wanted


def list_api_keys(uow: UnitOfWork) -> list[ApiKey]:
    """The shop's keys, newest first, revoked ones included."""
    return queries.list_api_keys(uow)


def revoke_api_key(uow: UnitOfWork, key_id: UUID) -> ApiKey:
    """Let a key stop working at once; repeating it changes nothing. Raises ApiKeyNotFound."""
    key = queries.get_api_key(uow, key_id)
    if key is None:
        raise ApiKeyNotFound()
    where = {"shop": uow.shop, "id": key_id, "now": uow.now}
    uow.execute("DELETE FROM api_key_directory WHERE shop_id = %(shop)s AND api_key_id = %(id)s", where)
    fresh = uow.one(
        "UPDATE api_keys SET revoked_at = %(now)s, updated_at = %(now)s"
        " WHERE shop_id = %(shop)s AND id = %(id)s AND revoked_at IS NULL RETURNING id",
        where,
    )
    if fresh is not None:
        uow.publish([ApiKeyRevoked(key.id, key.label, key.last_four)])
    return queries.get_api_key(uow, key_id) or key


def api_key_holder(fingerprint: bytes) -> KeyHolder | None:
    """The valid key with this fingerprint and its installed shop; None when there is none. Notes the use."""
    with cross_shop("which shop an API key belongs to") as uow:
        holder = queries.key_holder(uow, fingerprint)
        if holder is None:
            return None
        last = holder.key.last_used_at
        if last is None or uow.now - last > _USED_EVERY:
            uow.execute(
                "UPDATE api_keys SET last_used_at = %(now)s WHERE shop_id = %(shop)s AND id = %(id)s",
                {"shop": holder.shop.id, "id": holder.key.id, "now": uow.now},
            )
        return holder
