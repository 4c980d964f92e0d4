"""Every SELECT on messages."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork
from app.domains.members.schemas import TimelineSlice
from app.domains.notifications.schemas import Message, Notices


def queued(uow: UnitOfWork, message_id: UUID) -> dict[str, Any] | None:
    """A message that still has to be sent."""
    return uow.one(
        "SELECT id, member_id, kind FROM messages WHERE shop_id = %(shop)s AND id = %(id)s AND status = 'queued'",
        {"shop": uow.shop, "id": message_id},
    )


def of_member(uow: UnitOfWork, member_id: UUID, limit: int = 50) -> list[Message]:
    """What a member was told, newest first."""
    rows = uow.all(
        "SELECT id, kind, locale, status, reason, created_at, sent_at FROM messages"
        " WHERE shop_id = %(shop)s AND member_id = %(member)s ORDER BY created_at DESC, id DESC LIMIT %(limit)s",
        {"shop": uow.shop, "member": member_id, "limit": limit},
    )
    return [Message(**row) for row in rows]


def notices(uow: UnitOfWork) -> Notices:
    """When members are told that points end."""
    row = uow.one(
        "SELECT enabled, warn_days, last_days, version FROM expiry_notices WHERE shop_id = %(shop)s",
        {"shop": uow.shop},
    )
    return Notices(**row) if row else Notices()


def happened(uow: UnitOfWork, part: TimelineSlice) -> list[dict[str, Any]]:
    """Messages in a slice of a member's timeline."""
    columns = "id, kind, status, created_at AS at"
    return uow.all(part.rows(columns, "messages", "created_at"), part.values(uow.shop))


def invitation(uow: UnitOfWork, invitation_id: UUID, *, lock: bool = False) -> dict[str, Any] | None:
    """What staff wrote to an audience."""
    return uow.one(
        "SELECT id, audience, audience_id, subjects, texts, sends_at, queued, withdrawn_at FROM invitations"
        f" WHERE shop_id = %(shop)s AND id = %(id)s{' FOR UPDATE' if lock else ''}",
        {"shop": uow.shop, "id": invitation_id},
    )


def willing(uow: UnitOfWork, member_ids: Sequence[UUID]) -> list[UUID]:
    """Of these members the active ones who agreed to marketing by e-mail and have an address."""
    rows = uow.all(
        "SELECT id FROM members WHERE shop_id = %(shop)s AND id = ANY(%(ids)s) AND status = 'active'"
        " AND email_sealed IS NOT NULL AND email_consent = 'subscribed' ORDER BY id",
        {"shop": uow.shop, "ids": list(member_ids)},
    )
    return [row["id"] for row in rows]


def on_tier(uow: UnitOfWork, tier_id: UUID, after: UUID | None, limit: int) -> list[UUID]:
    """Members who stand on a tier, by id, after one of them."""
    rows = uow.all(
        "SELECT member_id FROM member_tiers WHERE shop_id = %(shop)s AND tier_id = %(tier)s"
        " AND member_id > %(after)s ORDER BY member_id LIMIT %(limit)s",
        {"shop": uow.shop, "tier": tier_id, "after": after or UUID(int=0), "limit": limit},
    )
    return [row["member_id"] for row in rows]


def told_about(uow: UnitOfWork, kind: str, keys: Sequence[str]) -> set[str]:
    """Which of these messages of a kind were written."""
    rows = uow.all(
        "SELECT key FROM messages WHERE shop_id = %(shop)s AND kind = %(kind)s AND key = ANY(%(keys)s)",
        {"shop": uow.shop, "kind": kind, "keys": list(keys)},
    )
    return {row["key"] for row in rows}


def told_at(uow: UnitOfWork, member_ids: Iterable[UUID], at: datetime) -> set[UUID]:
    """Which of these members have a message about points that was announced at an instant."""
    rows = uow.all(
        "SELECT DISTINCT member_id FROM messages WHERE shop_id = %(shop)s AND member_id = ANY(%(members)s)"
        " AND created_at = %(at)s AND kind = 'points_earned'",
        {"shop": uow.shop, "members": list(member_ids), "at": at},
    )
    return {row["member_id"] for row in rows}


def about_order(uow: UnitOfWork, order_id: UUID, entry_ids: Sequence[UUID]) -> list[Message]:
    """What a member was told about an order: that it gave points, and that points were taken back."""
    rows = uow.all(
        "SELECT id, kind, locale, status, reason, created_at, sent_at FROM messages WHERE shop_id = %(shop)s"
        " AND (kind = 'points_earned' AND key = %(order)s OR kind = 'points_reversed' AND key = ANY(%(entries)s))"
        " ORDER BY created_at, id",
        {"shop": uow.shop, "order": str(order_id), "entries": [str(one) for one in entry_ids]},
    )
    return [Message(**row) for row in rows]
