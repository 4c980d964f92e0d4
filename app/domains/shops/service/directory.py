"""From a domain to a shop: the directory, and a short memory of it for the webhook intake."""

import time
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork, cross_shop
from app.domains.shops import queries
from app.domains.shops.schemas import DirectoryEntry

REMEMBER_SECONDS = 10.0
_MOST_REMEMBERED = 50_000
_remembered: dict[str, tuple[float, DirectoryEntry]] = {}


def look_up(domain: str) -> DirectoryEntry | None:
    """Where a domain leads, at most ten seconds old; None when it never installed.

    Unknown and erased domains are asked for each time, so that a shop is found as soon as it installs.
    """
    known = _remembered.get(domain)
    if known is not None and known[0] > time.monotonic():
        return known[1]
    entry = find(domain)
    if entry is None or entry.status == "erased":
        _remembered.pop(domain, None)
        return entry
    if len(_remembered) >= _MOST_REMEMBERED:
        _remembered.clear()
    _remembered[domain] = (time.monotonic() + REMEMBER_SECONDS, entry)
    return entry


def find(domain: str) -> DirectoryEntry | None:
    """Where a domain leads, as the database says now."""
    with cross_shop("which shop a domain leads to") as uow:
        return queries.directory_entry(uow, domain)


def forget_directory(domain: str | None = None) -> None:
    """Drop what this process remembers of a domain, or of all."""
    if domain is None:
        _remembered.clear()
    else:
        _remembered.pop(domain, None)


def list_directory() -> list[dict[str, Any]]:
    """Every domain that ever installed, with its shop's id and status."""
    with cross_shop("list of shops") as uow:
        return queries.list_directory(uow)


def claim(uow: UnitOfWork, domain: str) -> bool:
    """Let the domain lead to this shop. False when it leads to another one that is not erased."""
    row = uow.one(
        "INSERT INTO shop_directory AS d (domain, shop_id, status) VALUES (%(domain)s, %(shop)s, 'installed')"
        " ON CONFLICT (domain) DO UPDATE SET shop_id = excluded.shop_id, status = 'installed'"
        " WHERE d.status = 'erased' OR d.shop_id = excluded.shop_id RETURNING shop_id",
        {"domain": domain, "shop": uow.shop},
    )
    uow.after_commit(lambda: forget_directory(domain))
    return row is not None


def set_status(uow: UnitOfWork, shop_id: UUID, status: str) -> str | None:
    """Write a shop's status into the directory; returns its domain."""
    row = uow.one(
        "UPDATE shop_directory SET status = %(status)s WHERE shop_id = %(shop)s RETURNING domain",
        {"shop": shop_id, "status": status},
    )
    if row is None:
        return None
    domain = str(row["domain"])
    uow.after_commit(lambda: forget_directory(domain))
    return domain


def installed() -> list[UUID]:
    """Ids of the shops that have the app now."""
    return [row["shop_id"] for row in list_directory() if row["status"] == "installed"]
