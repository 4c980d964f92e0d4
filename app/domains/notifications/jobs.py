"""Writing messages about what was announced, and handing them to the mail server with no transaction open."""

from collections import deque
from time import monotonic
from uuid import UUID

from app.core import mail
from app.core.db import unit_of_work
from app.core.jobs import job
from app.core.outbox import OutboxMessage, Settle, delivers
from app.domains.notifications import queries, service
from app.domains.notifications.schemas import Kind
from app.domains.notifications.service.expiring import After
from app.domains.shops import service as shops
from app.domains.tiers import service as tiers

_OFF = "mail is off"
_WARNING_SECONDS = 540
_NOTICES: tuple[Kind, ...] = ("last_chance", "expiry_warning")


@delivers(service.COMPOSE)
def compose(message: OutboxMessage) -> Settle:
    """Write the messages of a batch of postings, in the transaction that closes the announcement."""
    return lambda uow: service.queue_announced(uow, message)


@delivers(service.INVITE)
def invite(message: OutboxMessage) -> Settle:
    """Queue a slice of an invitation's messages, in the transaction that closes the request for it."""
    return lambda uow: service.invite_slice(uow, message)


@delivers(service.TEST)
def send_test(message: OutboxMessage) -> None:
    """Send a notice to the store's own address."""
    with unit_of_work(message.shop_id) as uow:
        letter = service.test_letter(uow, message)
    if letter is not None:
        mail.send(letter)


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


@job("notifications.warn_of_expiry", queue="slow", timeout_seconds=600)
def warn_of_expiry() -> None:
    """Tell members which points end soon; the shops take turns, a slice of members per transaction."""
    waiting: deque[tuple[UUID, Kind, After | None]] = deque(
        (shop_id, kind, None) for shop_id in shops.installed() for kind in _NOTICES
    )
    until = monotonic() + _WARNING_SECONDS
    while waiting and monotonic() < until:
        shop_id, kind, after = waiting.popleft()
        with unit_of_work(shop_id) as uow:
            more = service.warn_slice(uow, kind, after)
        if more is not None:
            waiting.append((shop_id, kind, more))


@job("notifications.warn_of_tiers", queue="slow", timeout_seconds=600)
def warn_of_tiers() -> None:
    """Tell members that a tier ends soon; the shops take turns, a slice of members per transaction."""
    waiting: deque[tuple[UUID, tiers.After | None]] = deque((shop_id, None) for shop_id in shops.installed())
    until = monotonic() + _WARNING_SECONDS
    while waiting and monotonic() < until:
        shop_id, after = waiting.popleft()
        with unit_of_work(shop_id) as uow:
            more = service.tell_endings(uow, after)
        if more is not None:
            waiting.append((shop_id, more))
