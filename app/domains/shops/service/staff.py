"""The merchant's users: who they are, what they may do, how they like their pages."""

from datetime import datetime, timedelta

from app.core import ids
from app.core.db import UnitOfWork
from app.domains.shops.events import StaffJoined
from app.domains.shops.schemas import StaffMember

FIRST_ROLE = "owner"
LATER_ROLE = "manager"
_SEEN_EVERY = timedelta(minutes=5)


def join(uow: UnitOfWork, user_id: str) -> StaffMember:
    """The staff member behind Shopify's user id, made at the first visit: the shop's first one owns it."""
    uow.execute("SELECT 1 FROM shops WHERE shop_id = %(shop)s FOR UPDATE", {"shop": uow.shop})
    row = uow.one(
        "INSERT INTO staff (shop_id, id, user_id, role, last_seen_at)"
        " SELECT %(shop)s, %(id)s, %(user)s,"
        "   CASE WHEN EXISTS (SELECT 1 FROM staff WHERE shop_id = %(shop)s) THEN %(later)s ELSE %(first)s END, %(now)s"
        " ON CONFLICT (shop_id, user_id) DO UPDATE SET last_seen_at = excluded.last_seen_at"
        " RETURNING id, user_id, role, theme, locale, xmax = 0 AS fresh",
        {
            "shop": uow.shop,
            "id": ids.new_id(),
            "user": user_id,
            "first": FIRST_ROLE,
            "later": LATER_ROLE,
            "now": uow.now,
        },
    )
    assert row is not None
    fresh = row.pop("fresh")
    member = StaffMember(**row)
    if fresh:
        uow.publish([StaffJoined(member.id, member.role)])
    return member


def saw(uow: UnitOfWork, member: StaffMember, last_seen_at: datetime | None) -> None:
    """Note that a staff member is here; written at most every few minutes."""
    if last_seen_at is None or uow.now - last_seen_at > _SEEN_EVERY:
        uow.execute(
            "UPDATE staff SET last_seen_at = %(now)s WHERE shop_id = %(shop)s AND id = %(id)s",
            {"shop": uow.shop, "id": member.id, "now": uow.now},
        )


def save_preferences(
    uow: UnitOfWork, staff_id: str, theme: str | None = None, locale: str | None = None
) -> None:
    """Keep a staff member's choice of theme and language; what is None stays as it is."""
    uow.execute(
        "UPDATE staff SET theme = coalesce(%(theme)s, theme), locale = coalesce(%(locale)s, locale),"
        " updated_at = %(now)s WHERE shop_id = %(shop)s AND id = %(id)s::uuid",
        {"shop": uow.shop, "id": staff_id, "theme": theme, "locale": locale, "now": uow.now},
    )
