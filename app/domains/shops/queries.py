"""Every SELECT on shops, staff, API keys and the directory."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork
from app.core.permissions import Permission
from app.domains.shops.schemas import ApiKey, DirectoryEntry, KeyHolder, Shop, StaffMember

ALL_SCOPES = "all"
_SHOP = (
    "s.shop_id, s.domain, s.name, s.currency, s.timezone, s.locale, s.status, s.installed_at, s.uninstalled_at,"
    " s.needs_reopening, s.scopes"
)
_KEY = (
    "k.id AS key_id, k.label, k.last_four, k.scopes AS key_scopes, k.last_used_at, k.expires_at, k.revoked_at,"
    " k.created_at AS key_created_at"
)


def directory_entry(uow: UnitOfWork, domain: str) -> DirectoryEntry | None:
    """Where a domain leads; None when it never installed."""
    row = uow.one("SELECT shop_id, status FROM shop_directory WHERE domain = %(domain)s", {"domain": domain})
    return DirectoryEntry(**row) if row else None


def list_directory(uow: UnitOfWork) -> list[dict[str, Any]]:
    """Every domain that ever installed."""
    return uow.all("SELECT domain, shop_id, status, created_at FROM shop_directory ORDER BY domain")


def get(uow: UnitOfWork) -> Shop | None:
    """The unit of work's shop."""
    row = uow.one(f"SELECT {_SHOP} FROM shops s WHERE s.shop_id = %(shop)s", {"shop": uow.shop})
    return _shop(row) if row else None


def contact_email(uow: UnitOfWork) -> str | None:
    """Where mail about the shop itself goes, in clear."""
    blob = uow.scalar("SELECT email_sealed FROM shops WHERE shop_id = %(shop)s", {"shop": uow.shop})
    return uow.unseal(blob, "shops.email")


def visitor(uow: UnitOfWork, user_id: str) -> dict[str, Any] | None:
    """The shop's row, whether its token can still be used or refreshed, and the staff row of a user if there is one."""
    return uow.one(
        f"SELECT {_SHOP}, s.access_token_sealed IS NOT NULL"
        "   AND coalesce(s.refresh_expires_at, s.access_expires_at, 'infinity') > %(now)s AS has_token,"
        " t.id AS staff_id, t.user_id, t.role, t.theme, t.locale AS staff_locale, t.last_seen_at"
        " FROM shops s LEFT JOIN staff t ON t.shop_id = s.shop_id AND t.user_id = %(user)s"
        " WHERE s.shop_id = %(shop)s",
        {"shop": uow.shop, "user": user_id, "now": uow.now},
    )


def shop_of(row: dict[str, Any]) -> Shop:
    """The shop in a row of `visitor`."""
    return _shop(row)


def staff_of(row: dict[str, Any]) -> StaffMember | None:
    """The staff member in a row of `visitor`."""
    if row["staff_id"] is None:
        return None
    return StaffMember(row["staff_id"], row["user_id"], row["role"], row["theme"], row["staff_locale"])


def key_holder(uow: UnitOfWork, fingerprint: bytes) -> KeyHolder | None:
    """The valid API key with this fingerprint and its installed shop; runs across shops."""
    row = uow.one(
        f"SELECT {_SHOP}, {_KEY} FROM api_key_directory d"
        " JOIN api_keys k ON k.shop_id = d.shop_id AND k.id = d.api_key_id"
        " JOIN shops s ON s.shop_id = d.shop_id"
        " WHERE d.fingerprint = %(fingerprint)s AND k.revoked_at IS NULL AND s.status = 'installed'"
        " AND (k.expires_at IS NULL OR k.expires_at > %(now)s)",
        {"fingerprint": fingerprint, "now": uow.now},
    )
    return KeyHolder(_shop(row), _api_key(row)) if row else None


def list_api_keys(uow: UnitOfWork) -> list[ApiKey]:
    """The shop's API keys, newest first, revoked ones included."""
    rows = uow.all(
        f"SELECT {_KEY} FROM api_keys k WHERE k.shop_id = %(shop)s ORDER BY k.id DESC LIMIT 500",
        {"shop": uow.shop},
    )
    return [_api_key(row) for row in rows]


def get_api_key(uow: UnitOfWork, key_id: UUID) -> ApiKey | None:
    """One API key."""
    row = uow.one(
        f"SELECT {_KEY} FROM api_keys k WHERE k.shop_id = %(shop)s AND k.id = %(id)s",
        {"shop": uow.shop, "id": key_id},
    )
    return _api_key(row) if row else None


def list_stale_tokens(
    uow: UnitOfWork, refresh_life: timedelta, older_than: timedelta, limit: int
) -> list[UUID]:
    """Installed shops whose token was last refreshed longer ago than `older_than`, the oldest first."""
    rows = uow.all(
        "SELECT shop_id FROM shops WHERE status = 'installed' AND NOT needs_reopening"
        " AND refresh_token_sealed IS NOT NULL AND refresh_expires_at < %(before)s"
        " ORDER BY refresh_expires_at LIMIT %(limit)s",
        {"before": uow.now + refresh_life - older_than, "limit": limit},
    )
    return [row["shop_id"] for row in rows]


def list_half_erased(uow: UnitOfWork) -> list[UUID]:
    """Shops that still have rows although no domain leads to them any more, or only as erased."""
    rows = uow.all(
        "SELECT s.shop_id FROM shops s WHERE NOT EXISTS (SELECT 1 FROM shop_directory d"
        "   WHERE d.shop_id = s.shop_id AND d.status <> 'erased')"
        " UNION SELECT d.shop_id FROM shop_directory d WHERE d.status = 'erased' AND ("
        "   EXISTS (SELECT 1 FROM inbox i WHERE i.shop_id = d.shop_id)"
        "   OR EXISTS (SELECT 1 FROM shop_keys k WHERE k.shop_id = d.shop_id))"
    )
    return [row["shop_id"] for row in rows]


def finished_steps(uow: UnitOfWork) -> set[str]:
    """Steps of the set-up guide that staff said are done, and whether they put it away."""
    found = uow.scalar("SELECT setup_steps FROM shops WHERE shop_id = %(shop)s", {"shop": uow.shop})
    return set(found or {})


def brand(uow: UnitOfWork) -> dict[str, Any]:
    """How the shop looks to members, as JSON values."""
    found: dict[str, Any] = uow.scalar("SELECT brand FROM shops WHERE shop_id = %(shop)s", {"shop": uow.shop})
    return found


def kept_days(uow: UnitOfWork, first: date, last: date) -> dict[date, dict[str, int]]:
    """Figures of days that were added up, both included."""
    rows = uow.all(
        "SELECT day, figures FROM shop_days WHERE shop_id = %(shop)s AND day BETWEEN %(first)s AND %(last)s",
        {"shop": uow.shop, "first": first, "last": last},
    )
    return {row["day"]: row["figures"] for row in rows}


def count_parked(uow: UnitOfWork) -> int:
    """How many of the shop's deliveries failed for good, counted up to 1,000."""
    return int(
        uow.scalar(
            "SELECT count(*) FROM (SELECT 1 FROM inbox WHERE shop_id = %(shop)s AND state = 3 LIMIT 1000) p",
            {"shop": uow.shop},
        )
    )


def oldest_waiting(uow: UnitOfWork) -> datetime | None:
    """When the shop's oldest unhandled delivery arrived."""

    def read() -> datetime | None:
        found: datetime | None = uow.scalar(
            "SELECT received_at FROM inbox WHERE shop_id = %(shop)s AND state = 0 ORDER BY id LIMIT 1",
            {"shop": uow.shop},
        )
        return found

    return uow.once("shops.oldest_waiting", read)


def _shop(row: dict[str, Any]) -> Shop:
    return Shop(
        id=row["shop_id"],
        domain=row["domain"],
        name=row["name"] or row["domain"],
        currency=row["currency"],
        timezone=row["timezone"],
        locale=row["locale"],
        status=row["status"],
        installed_at=row["installed_at"],
        uninstalled_at=row["uninstalled_at"],
        needs_reopening=row["needs_reopening"],
        scopes=row["scopes"],
    )


def _api_key(row: dict[str, Any]) -> ApiKey:
    scopes = set(row["key_scopes"])
    return ApiKey(
        id=row["key_id"],
        label=row["label"],
        last_four=row["last_four"],
        scopes=tuple(one for one in Permission if one in scopes or ALL_SCOPES in scopes),
        last_used_at=row["last_used_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        created_at=row["key_created_at"],
    )
