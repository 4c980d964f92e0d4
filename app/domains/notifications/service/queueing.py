"""Messages as rows: queued beside the fact they tell, closed with what became of them. Nothing personal is kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from app.core import ids, outbox
from app.core.db import UnitOfWork
from app.core.mail import MailRefused
from app.core.outbox import OutboxMessage
from app.domains.members import service as members
from app.domains.notifications import queries
from app.domains.notifications.schemas import Earned, Invited, Kind, Message, Reversed, Wanted
from app.domains.tiers import service as tiers

COMPOSE = "notifications.compose"
SEND = "notifications.send"

_QUEUE = """
INSERT INTO messages (shop_id, id, member_id, kind, key, locale, created_at)
SELECT %(shop)s, v.id, v.member, %(kind)s, v.key, '', %(at)s
FROM unnest(%(ids)s::uuid[], %(members)s::uuid[], %(keys)s::text[]) AS v (id, member, key)
ON CONFLICT (shop_id, kind, key) DO NOTHING RETURNING id
"""


def queue(uow: UnitOfWork, kind: Kind, news: Sequence[Wanted], at: datetime | None = None) -> int:
    """One message of a kind per key, and its sending: two statements for any number. Returns how many are new."""
    named = {ids.new_id(): one for one in news}
    if not named:
        return 0
    fresh = uow.all(
        _QUEUE,
        {
            "shop": uow.shop,
            "kind": kind,
            "at": at or uow.now,
            "ids": list(named),
            "members": [one.member_id for one in named.values()],
            "keys": [one.key for one in named.values()],
        },
    )
    told = [(str(row["id"]), named[row["id"]].payload) for row in fresh]
    outbox.put_many(uow, SEND, [(key, {"message_id": key, **payload}) for key, payload in told])
    return len(fresh)


def queue_for_present(uow: UnitOfWork, kind: Kind, news: Sequence[Wanted], at: datetime | None = None) -> int:
    """`queue` for those of the members who are still here: nothing is written about who was erased meanwhile."""
    present = _present(uow, {one.member_id for one in news}) if news else set()
    return queue(uow, kind, [one for one in news if one.member_id in present], at)


def _present(uow: UnitOfWork, member_ids: set[UUID]) -> set[UUID]:
    known = members.by_ids(uow, member_ids).values()
    return {one.id for one in known if one.status not in ("erased", "merged", "guest")}


def announce(uow: UnitOfWork, earned: Sequence[Earned], taken: Sequence[Reversed] = ()) -> None:
    """Have messages written about what orders gave and what was taken back, after the commit: one row, whatever their
    number, because the ledger's transaction must not wait for mail."""
    if not earned and not taken:
        return
    given = [(one.member_id, one.order_id, one.points) for one in earned]
    back = [(one.member_id, one.order_id, one.entry_id, one.points, one.reason) for one in taken]
    outbox.put(
        uow, COMPOSE, {"earned": given, "taken": back, "at": uow.now.isoformat()}, key=str(ids.new_id())
    )


def queue_announced(uow: UnitOfWork, announced: OutboxMessage) -> None:
    """One message per order that earned, whatever is posted for it later, and one per entry that took points back.

    The first of a member's messages tells the tier that the awards' transaction lifted them to.
    """
    told = [_Told(*one[:3]) for one in announced.payload["earned"]]
    back = [_Back(*one) for one in announced.payload.get("taken", ())]
    risen = _risen(uow, announced, told)
    earned = [
        Wanted(UUID(one.member_id), one.order_id, one.facts(risen.pop(UUID(one.member_id), None)))
        for one in told
    ]
    taken = [Wanted(UUID(one.member_id), one.entry_id, one.facts()) for one in back]
    queue_for_present(uow, "points_earned", earned, announced.created_at)
    queue_for_present(uow, "points_reversed", taken, announced.created_at)


def _risen(uow: UnitOfWork, announced: OutboxMessage, told: "Sequence[_Told]") -> dict[UUID, str]:
    """Where members rose to by the awards' transaction; another announcement of the same transaction may have told it."""
    at = announced.payload.get("at")
    if at is None or not told:
        return {}
    asked = {UUID(one.member_id) for one in told}
    found = tiers.risen(uow, asked, datetime.fromisoformat(at))
    known = queries.told_at(uow, found, announced.created_at) if found else set()
    return {member: str(level.id) for member, level in found.items() if member not in known}


class _Told(NamedTuple):
    """An award as it was announced, in JSON values."""

    member_id: str
    order_id: str
    points: int

    def facts(self, tier_id: str | None) -> dict[str, Any]:
        return {"order_id": self.order_id, "points": self.points, "tier_id": tier_id}


class _Back(NamedTuple):
    """A reversal as it was announced, in JSON values."""

    member_id: str
    order_id: str
    entry_id: str
    points: int
    reason: str

    def facts(self) -> dict[str, Any]:
        return {"order_id": self.order_id, "points": self.points, "reason": self.reason}


def queue_invited(uow: UnitOfWork, kind: Kind, news: Sequence[Invited]) -> None:
    """One message of a kind per referral, whatever becomes of it later, and its sending."""
    wanted = [
        Wanted(
            one.member_id,
            str(one.referral_id),
            {"referral_id": str(one.referral_id), "points": one.points},
        )
        for one in news
    ]
    queue_for_present(uow, kind, wanted)


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
