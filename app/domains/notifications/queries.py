"""Every SELECT on messages."""

from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork
from app.domains.notifications.schemas import Message


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
