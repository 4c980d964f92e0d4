"""Handing messages to the mail server, with no transaction open."""

import contextlib
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formataddr, formatdate, parseaddr
from urllib.parse import urlsplit
from uuid import UUID

from app.core.db import unit_of_work
from app.core.outbox import OutboxMessage, Settle, delivers
from app.core.settings import get_settings
from app.domains.notifications import queries, rules, service
from app.domains.notifications.errors import MailRefused, MailUnavailable
from app.domains.notifications.schemas import Letter, MailServer

_TIMEOUT_SECONDS = 8.0
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_FIRST_PERMANENT = 500


@delivers(service.SEND, on_failure=service.sending_failed)
def send(message: OutboxMessage) -> Settle | None:
    """Send a queued message; the outbox knows its id and numbers, the rest is read now."""
    message_id = UUID(message.payload["message_id"])
    server = rules.mail_server(get_settings().smtp_url)
    with unit_of_work(message.shop_id) as uow:
        found = queries.queued(uow, message_id)
        if found is None:
            return None
        letter = "mail is off" if server is None else service.compose(uow, found, message.payload)
    if server is None or isinstance(letter, str):
        reason = str(letter)
        return lambda uow: service.close(uow, message_id, "skipped", reason=reason)
    locale = letter.locale
    try:
        _hand_over(server, _mime(letter), letter.to)
    except ValueError:
        return lambda uow: service.close(
            uow, message_id, "skipped", reason="the address cannot be used", locale=locale
        )
    return lambda uow: service.close(uow, message_id, "sent", locale=locale)


def _mime(letter: Letter) -> EmailMessage:
    """The letter as a MIME message. Raises ValueError on an address that is none."""
    sender = parseaddr(get_settings().mail_from)[1]
    mail = EmailMessage()
    mail["Subject"] = letter.content.subject
    mail["From"] = formataddr((letter.from_name, sender))
    mail["To"] = letter.to
    if letter.reply_to:
        mail["Reply-To"] = letter.reply_to
    mail["Date"] = formatdate(localtime=False)
    mail["Message-ID"] = letter.message_id
    mail["Content-Language"] = letter.locale
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(letter.content.text)
    mail.add_alternative(letter.content.html, subtype="html")
    return mail


def _hand_over(server: MailServer, mail: EmailMessage, to: str) -> None:
    """Give the mail to the server. Raises MailRefused or MailUnavailable, which never quote the server's words."""
    sender = parseaddr(get_settings().mail_from)[1]
    try:
        with contextlib.closing(_connect(server)) as connection:
            _greet(connection, server)
            connection.send_message(mail, from_addr=sender, to_addrs=[to])
            # The mail is accepted: a rude farewell must not make us send it again.
            with contextlib.suppress(smtplib.SMTPException, OSError):
                connection.quit()
    except smtplib.SMTPRecipientsRefused as error:
        raise _by_reply(max(reply for reply, _ in error.recipients.values())) from None
    except smtplib.SMTPAuthenticationError:
        raise MailUnavailable(reply="authentication") from None
    except smtplib.SMTPNotSupportedError:
        raise MailRefused(reply="unsupported address") from None
    except smtplib.SMTPResponseException as error:
        raise _by_reply(error.smtp_code) from None
    except (smtplib.SMTPException, OSError):
        raise MailUnavailable() from None


def _by_reply(reply: int) -> MailRefused | MailUnavailable:
    return MailRefused(reply=reply) if reply >= _FIRST_PERMANENT else MailUnavailable(reply=reply)


def _connect(server: MailServer) -> smtplib.SMTP:
    name = urlsplit(get_settings().app_url).hostname or "localhost"
    if server.tls:
        return smtplib.SMTP_SSL(
            server.host, server.port, name, timeout=_TIMEOUT_SECONDS, context=ssl.create_default_context()
        )
    return smtplib.SMTP(server.host, server.port, name, timeout=_TIMEOUT_SECONDS)


def _greet(connection: smtplib.SMTP, server: MailServer) -> None:
    """Encrypt whenever the server offers it, then log in. A password never travels in clear over a network."""
    connection.ehlo()
    encrypted = server.tls
    if not encrypted and connection.has_extn("starttls"):
        connection.starttls(context=ssl.create_default_context())
        connection.ehlo()
        encrypted = True
    if server.user:
        if not encrypted and server.host not in _LOOPBACK:
            raise MailUnavailable(reply="no encryption")
        connection.login(server.user, server.password)
