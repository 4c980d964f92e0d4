"""Handing messages to the mail server, with no transaction open."""

from uuid import UUID

from app.core import mail
from app.core.db import unit_of_work
from app.core.outbox import OutboxMessage, Settle, delivers
from app.domains.notifications import queries, service

_OFF = "mail is off"


@delivers(service.SEND, on_failure=service.sending_failed)
def send(message: OutboxMessage) -> Settle | None:
    """Send a queued message; the outbox knows its id and numbers, the rest is read now."""
    message_id = UUID(message.payload["message_id"])
    off = mail.mail_server() is None
    with unit_of_work(message.shop_id) as uow:
        found = queries.queued(uow, message_id)
        if found is None:
            return None
        letter = _OFF if off else service.compose(uow, found, message.payload)
    if isinstance(letter, str):
        return _closing(message_id, "skipped", letter)
    try:
        sent = mail.send(letter)
    except ValueError:
        return _closing(message_id, "skipped", "the address cannot be used", letter.locale)
    return _closing(message_id, "sent" if sent else "skipped", "" if sent else _OFF, letter.locale)


def _closing(message_id: UUID, status: str, reason: str, locale: str = "") -> Settle:
    return lambda uow: service.close(uow, message_id, status, reason=reason, locale=locale)
