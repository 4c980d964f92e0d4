"""Messages as rows: queued beside the fact they tell, closed with what became of them. Nothing personal is kept."""

from collections.abc import Sequence
from uuid import UUID

from app.core import ids, outbox
from app.core.db import UnitOfWork
from app.core.mail import MailRefused
from app.core.outbox import OutboxMessage
from app.domains.notifications import queries
from app.domains.notifications.schemas import Earned, Kind, Message

SEND = "notifications.send"
_POINTS_EARNED: Kind = "points_earned"

_QUEUE = """
INSERT INTO messages (shop_id, id, member_id, kind, key, locale, created_at)
SELECT %(shop)s, v.id, v.member, %(kind)s, v.key, '', %(now)s
FROM unnest(%(ids)s::uuid[], %(members)s::uuid[], %(keys)s::text[]) AS v (id, member, key)
ON CONFLICT (shop_id, kind, key) DO NOTHING RETURNING id
"""


def queue_points_earned(uow: UnitOfWork, earned: Sequence[Earned]) -> None:
    """One message per order, whatever is posted for the order later. Two statements for any number of orders."""
    if not earned:
        return
    named = {ids.new_id(): one for one in earned}
    fresh = uow.all(
        _QUEUE,
        {
            "shop": uow.shop,
            "kind": _POINTS_EARNED,
            "now": uow.now,
            "ids": list(named),
            "members": [one.member_id for one in named.values()],
            "keys": [str(one.order_id) for one in named.values()],
        },
    )
    outbox.put_many(uow, SEND, [(str(row["id"]), _payload(row["id"], named[row["id"]])) for row in fresh])


def _payload(message_id: UUID, earned: Earned) -> dict[str, str | int | None]:
    return {
        "message_id": str(message_id),
        "order_id": str(earned.order_id),
        "points": earned.points,
        "tier_id": str(earned.tier_id) if earned.tier_id else None,
    }


def close(uow: UnitOfWork, message_id: UUID, status: str, *, reason: str = "", locale: str = "") -> None:
    """Say what became of a queued message: "sent", "skipped" or "failed" with the reason."""
    uow.execute(
        "UPDATE messages SET status = %(status)s, reason = %(reason)s, locale = %(locale)s,"
        " sent_at = CASE WHEN %(status)s = 'sent' THEN %(now)s::timestamptz END"
        " WHERE shop_id = %(shop)s AND id = %(id)s AND status = 'queued'",
        {
            "shop": uow.shop,
            "id": message_id,
            "status": status,
            "reason": reason,
            "locale": locale,
            "now": uow.now,
        },
    )


def sending_failed(uow: UnitOfWork, message: OutboxMessage, error: Exception) -> None:
    """The mail server refused for good, or did not take the message in all attempts."""
    refused = isinstance(error, MailRefused)
    reason = f"refused with {error.data.get('reply')}" if refused else "not delivered in time"  # type: ignore[attr-defined]
    close(uow, UUID(message.payload["message_id"]), "failed", reason=reason)


def history(uow: UnitOfWork, member_id: UUID, *, limit: int = 50) -> list[Message]:
    """What a member was told, newest first."""
    return queries.of_member(uow, member_id, limit)


def forget(uow: UnitOfWork, member_id: UUID) -> None:
    """Drop a member's messages."""
    uow.execute(
        "DELETE FROM messages WHERE shop_id = %(shop)s AND member_id = %(member)s",
        {"shop": uow.shop, "member": member_id},
    )
