"""Where shops keep their access tokens: sealed in their own row, changed under its lock."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork, cross_shop, unit_of_work
from app.domains.shops import queries
from app.shopify.sessions import StoredToken, register_token_store
from app.shopify.tokens import OfflineToken

REFRESH_LIFE = timedelta(days=90)
_COLUMNS = (
    "domain, scopes, access_token_sealed, access_expires_at, refresh_token_sealed, refresh_expires_at,"
    " refresh_lease_until, needs_reopening"
)


class ShopTokens:
    """The token store of app.shopify.sessions on the table of shops."""

    def load(self, shop_id: UUID) -> StoredToken | None:
        """The shop's token; None when it has none, for example after it uninstalled the app."""
        with unit_of_work(shop_id) as uow:
            return _read(uow)

    def update(
        self, shop_id: UUID, change: Callable[[StoredToken], StoredToken | None]
    ) -> StoredToken | None:
        """Lock the shop's row, write what `change` makes of its token, return what is stored then."""
        with unit_of_work(shop_id) as uow:
            found = _read(uow, lock=True)
            changed = change(found) if found is not None else None
            if changed is None:
                return found
            write(uow, changed)
            return changed


def _read(uow: UnitOfWork, *, lock: bool = False) -> StoredToken | None:
    row = uow.one(
        f"SELECT {_COLUMNS} FROM shops WHERE shop_id = %(shop)s AND access_token_sealed IS NOT NULL"
        + (" FOR UPDATE" if lock else ""),
        {"shop": uow.shop},
    )
    return _stored(uow, row) if row else None


def _stored(uow: UnitOfWork, row: dict[str, Any]) -> StoredToken:
    return StoredToken(
        shop_domain=row["domain"],
        token=OfflineToken(
            access_token=uow.unseal(row["access_token_sealed"], "shops.access_token") or "",
            scope=row["scopes"],
            expires_at=row["access_expires_at"],
            refresh_token=uow.unseal(row["refresh_token_sealed"], "shops.refresh_token"),
            refresh_expires_at=row["refresh_expires_at"],
        ),
        lease_until=row["refresh_lease_until"],
        needs_reopening=row["needs_reopening"],
    )


def write(uow: UnitOfWork, stored: StoredToken) -> None:
    """Store the shop's token, sealed."""
    uow.forget("shop")
    uow.execute(
        "UPDATE shops SET scopes = %(scopes)s, access_token_sealed = %(access)s, access_expires_at = %(expires)s,"
        " refresh_token_sealed = %(refresh)s, refresh_expires_at = %(refresh_expires)s,"
        " refresh_lease_until = %(lease)s, needs_reopening = %(reopening)s, updated_at = %(now)s"
        " WHERE shop_id = %(shop)s",
        {
            "shop": uow.shop,
            "scopes": stored.token.scope,
            "access": uow.seal(stored.token.access_token, "shops.access_token"),
            "expires": stored.token.expires_at,
            "refresh": uow.seal(stored.token.refresh_token, "shops.refresh_token"),
            "refresh_expires": stored.token.refresh_expires_at,
            "lease": stored.lease_until,
            "reopening": stored.needs_reopening,
            "now": uow.now,
        },
    )


def list_stale_tokens(older_than: timedelta, limit: int = 1000) -> list[UUID]:
    """Shops whose token was last refreshed longer ago than `older_than`."""
    with cross_shop("tokens that have to be kept alive") as uow:
        return queries.list_stale_tokens(uow, REFRESH_LIFE, older_than, limit)


register_token_store(ShopTokens())
