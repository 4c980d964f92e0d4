"""A mail server that keeps what it is given, and orders that lead to mail."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from app.core import outbox
from app.domains.notifications import service
from app.domains.notifications.schemas import Message
from tests.factories import payloads
from tests.fixtures.shop import TestShop


class Postbox:
    """Keeps mails; `answers` are the replies to the next ones, in order, then all are taken."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.answers: list[str] = []
        self.refuse_recipient: str | None = None

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take or refuse an address."""
        if self.refuse_recipient:
            return self.refuse_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a mail, or give the next answer."""
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            mail = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
            self.recipients.append(list(envelope.rcpt_tos))
        return answer


def buy(shop: TestShop, order_id: int = 5, **changes: Any) -> None:
    """Customer 77 pays an order of 129.90, which is 1,299 points; what is to be told about it is queued."""
    pay(shop, order_id, **changes)
    with shop.work() as uow:
        waiting = uow.all(
            "SELECT key FROM outbox WHERE kind = %(kind)s AND state = 0", {"kind": service.COMPOSE}
        )
    for one in waiting:
        assert outbox.deliver_one(shop.id, service.COMPOSE, one["key"], seconds=10)


def pay(shop: TestShop, order_id: int = 5, **changes: Any) -> None:
    """The same, before anybody wrote what is to be told."""
    shop.tell("orders/paid", payloads.order(order_id, **changes))
    shop.drain()
    assert shop.undone() == []


def send(shop: TestShop, times: int = 1) -> None:
    """Let the worker send what is due, with its pauses over."""
    for _ in range(times):
        with shop.work() as uow:
            uow.execute("UPDATE outbox SET lease_until = NULL, not_before = now() WHERE state = 0")
        outbox.drain()


def messages(shop: TestShop) -> list[Message]:
    """Every message of the shop's members, oldest first."""
    with shop.work() as uow:
        members = [row["member_id"] for row in uow.all("SELECT DISTINCT member_id FROM messages")]
        return [message for member in members for message in reversed(service.history(uow, member))]
