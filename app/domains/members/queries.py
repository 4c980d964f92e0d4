"""Every SELECT on members."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from app.core import paging
from app.core.db import UnitOfWork
from app.domains.members.schemas import Member, MembersFilter, Profile

_COLUMNS = "id, customer_id, status, locale, enrolled_at"


def get(uow: UnitOfWork, member_id: UUID) -> Member | None:
    """One member by id."""
    row = uow.one(
        f"SELECT {_COLUMNS} FROM members WHERE shop_id = %(shop)s AND id = %(id)s",
        {"shop": uow.shop, "id": member_id},
    )
    return Member(**row) if row else None


def by_customers(uow: UnitOfWork, customer_ids: Iterable[int]) -> dict[int, Member]:
    """Members by Shopify customer id."""
    rows = uow.all(
        f"SELECT {_COLUMNS} FROM members WHERE shop_id = %(shop)s AND customer_id = ANY(%(ids)s)",
        {"shop": uow.shop, "ids": list(customer_ids)},
    )
    return {row["customer_id"]: Member(**row) for row in rows}


def by_ids(uow: UnitOfWork, member_ids: Iterable[UUID]) -> dict[UUID, Member]:
    """Members by id."""
    rows = uow.all(
        f"SELECT {_COLUMNS} FROM members WHERE shop_id = %(shop)s AND id = ANY(%(ids)s)",
        {"shop": uow.shop, "ids": list(member_ids)},
    )
    return {row["id"]: Member(**row) for row in rows}


def by_email(uow: UnitOfWork, email: str) -> list[Member]:
    """Members whose e-mail is exactly this one; several may share it."""
    rows = uow.all(
        f"SELECT {_COLUMNS} FROM members WHERE shop_id = %(shop)s AND email_index = %(index)s ORDER BY enrolled_at",
        {"shop": uow.shop, "index": uow.blind_index(email, "members.email")},
    )
    return [Member(**row) for row in rows]


_PROFILE = "id, first_name_sealed, last_name_sealed, email_sealed, phone_sealed, locale, status"


def profiles(uow: UnitOfWork, member_ids: Iterable[UUID]) -> dict[UUID, Profile]:
    """Personal data of members, opened."""
    rows = uow.all(
        f"SELECT {_PROFILE} FROM members WHERE shop_id = %(shop)s AND id = ANY(%(ids)s)",
        {"shop": uow.shop, "ids": list(member_ids)},
    )
    return {row["id"]: _profile(uow, row) for row in rows}


def _profile(uow: UnitOfWork, row: dict[str, Any]) -> Profile:
    return Profile(
        member_id=row["id"],
        first_name=uow.unseal(row["first_name_sealed"], "members.first_name"),
        last_name=uow.unseal(row["last_name_sealed"], "members.last_name"),
        email=uow.unseal(row["email_sealed"], "members.email"),
        phone=uow.unseal(row["phone_sealed"], "members.phone"),
        locale=row["locale"],
        status=row["status"],
    )


_LIST = """
SELECT m.id, m.customer_id, m.status, m.locale, m.enrolled_at, m.first_name_sealed, m.last_name_sealed, m.email_sealed,
  m.phone_sealed, coalesce(a.available, 0) AS available, coalesce(a.pending, 0) AS pending,
  coalesce(a.debt, 0) AS debt, coalesce(a.qualifying, 0) AS qualifying, t.tier_id
"""
_NEWEST = """
FROM members m
LEFT JOIN points_accounts a ON a.shop_id = m.shop_id AND a.member_id = m.id
LEFT JOIN member_tiers t ON t.shop_id = m.shop_id AND t.member_id = m.id
WHERE m.shop_id = %(shop)s AND (%(key)s::timestamptz IS NULL OR (m.enrolled_at, m.id) < (%(key)s, %(key_id)s))
"""
_QUALIFYING = """
FROM points_accounts a
JOIN members m ON m.shop_id = a.shop_id AND m.id = a.member_id
LEFT JOIN member_tiers t ON t.shop_id = m.shop_id AND t.member_id = m.id
WHERE a.shop_id = %(shop)s AND (%(key)s::bigint IS NULL OR a.qualifying < %(key)s
  OR (a.qualifying = %(key)s AND a.member_id > %(key_id)s))
"""


def page(
    uow: UnitOfWork, query: MembersFilter, only: list[UUID] | None = None
) -> paging.Page[dict[str, Any]]:
    """A page of members with their points and tier; `only` narrows to found ids. Names are opened per row."""
    newest = query.sort == "newest"
    key, key_id = paging.decode_cursor(query.cursor, 2) if query.cursor else (None, None)
    sql = _LIST + (_NEWEST if newest else _QUALIFYING)
    sql += " AND (%(status)s::text IS NULL OR m.status = %(status)s)"
    sql += " AND (%(tier)s::uuid IS NULL OR t.tier_id = %(tier)s)"
    sql += " AND (%(only)s::uuid[] IS NULL OR m.id = ANY(%(only)s))"
    sql += " ORDER BY m.enrolled_at DESC, m.id DESC" if newest else " ORDER BY a.qualifying DESC, a.member_id"
    rows = uow.all(
        sql + " LIMIT %(limit)s",
        {
            "shop": uow.shop,
            "key": key,
            "key_id": key_id,
            "status": query.status,
            "tier": query.tier,
            "only": only,
            "limit": query.limit + 1,
        },
    )
    found = paging.cut(rows, query.limit, "enrolled_at" if newest else "qualifying", "id")
    for row in found.items:
        row["profile"] = _profile(uow, row)
    return found


def count_capped(uow: UnitOfWork) -> int:
    """How many members there are, counted up to the cap and one more."""
    return int(
        uow.scalar(
            "SELECT count(*) FROM (SELECT 1 FROM members WHERE shop_id = %(shop)s LIMIT %(cap)s) c",
            {"shop": uow.shop, "cap": paging.COUNT_CAP + 1},
        )
    )


def count_enrolled_since(uow: UnitOfWork, since: Any) -> int:
    """How many members enrolled since an instant."""
    return int(
        uow.scalar(
            "SELECT count(*) FROM members WHERE shop_id = %(shop)s AND enrolled_at >= %(since)s",
            {"shop": uow.shop, "since": since},
        )
    )
