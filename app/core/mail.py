"""Outgoing mail: letters rendered in the reader's language, handed to the mail server outside of transactions.

Workers have no request, so translations are bound to the template environment here. Words of the mail server are never
logged or stored: they may quote the address.
"""

import contextlib
import re
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formataddr, formatdate, parseaddr
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from babel.dates import format_date
from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from app.core import i18n
from app.core.errors import Conflict, Unavailable
from app.core.http import refuse_in_transaction
from app.core.i18n import mark
from app.core.settings import get_settings

_TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
_TIMEOUT_SECONDS = 8.0
_FIRST_PERMANENT = 500
_PORTS = {"smtp": 25, "smtps": 465}
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_BREAKS = re.compile("[\x00- \x7f-\x9f\u2028\u2029]+")


class MailRefused(Conflict):
    """The mail server will never take this letter; `reply` is its three-digit answer."""

    code = "mail_refused"
    default_message = mark("The mail server refused the message with code {reply}.")


class MailUnavailable(Unavailable):
    """The mail server does not take the letter now."""

    code = "mail_unavailable"
    default_message = mark("The mail server cannot take the message right now.")


@dataclass(frozen=True)
class Look:
    """How a sender looks in the head of a letter; what is empty is left out. `accent` is a hex color."""

    name: str = ""
    accent: str = ""
    logo_url: str = ""


@dataclass(frozen=True)
class Rendered:
    """A letter's words."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Letter:
    """A rendered message with its addresses. Personal: never logged or stored. `message_id` is stable over attempts."""

    locale: str
    to: str
    from_name: str
    reply_to: str | None
    message_id: str
    content: Rendered


@dataclass(frozen=True)
class MailServer:
    """Where mail is handed over. `user` and `password` are empty when the server asks for none."""

    host: str
    port: int
    user: str
    password: str
    tls: bool


def mail_server() -> MailServer | None:
    """The server named by SMTP_URL (smtp:// or smtps://); None when it names none: mail is off."""
    try:
        parts = urlsplit(get_settings().smtp_url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname:
        return None
    return MailServer(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls=parts.scheme == "smtps",
    )


def render(place: str, locale: str, news: Any, look: Look | None = None) -> Rendered:
    """Subject, text and HTML of `templates/email/<place>.{subject.txt,txt,html}` in a locale; templates see `news`.

    `look` is the sender's, for the head of the HTML.
    """
    environment = _environment(i18n.supported(locale))
    values = {"news": news, "locale": locale, "direction": i18n.direction(locale), "look": look or Look()}
    return Rendered(
        subject=one_line(environment.get_template(f"email/{place}.subject.txt").render(values), 200),
        text=environment.get_template(f"email/{place}.txt").render(values).strip() + "\n",
        html=environment.get_template(f"email/{place}.html").render(values),
    )


def one_line(text: str, limit: int = 120) -> str:
    """A text fit for a header: no line breaks or control characters, bounded. Marks of direction stay."""
    return _BREAKS.sub(" ", text).strip()[:limit]


@cache
def _environment(locale: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(["html"]),
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_translations(i18n.translations(locale), newstyle=True)  # type: ignore[attr-defined]

    def number(value: int, *, signed: bool = False) -> str:
        """A grouped number with Latin digits; with a sign it keeps its order in right-to-left text."""
        text = format_decimal(abs(value), format="#,##0", locale=locale, numbering_system="latn")
        sign = ("\u2212" if value < 0 else "+") if signed else ""
        return i18n.isolated(sign + text, locale, ltr=True) if sign else text

    def isolated(text: str) -> str:
        """Somebody's text inside a sentence of another direction; not needed where both run the same way."""
        return i18n.isolated(text, locale)

    def date(value: Any) -> str:
        """A date in the reader's language."""
        return str(format_date(value, format="long", locale=locale))

    environment.filters.update(number=number, isolated=isolated, date=date)
    return environment


def send(letter: Letter) -> bool:
    """Hand a letter to the mail server; False when mail is off. Raises MailRefused, MailUnavailable, ValueError."""
    server = mail_server()
    if server is None:
        return False
    refuse_in_transaction()
    _hand_over(server, _mime(letter), letter.to)
    return True


def _mime(letter: Letter) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = letter.content.subject
    mail["From"] = formataddr((one_line(letter.from_name), parseaddr(get_settings().mail_from)[1]))
    mail["To"] = letter.to
    if letter.reply_to:
        mail["Reply-To"] = letter.reply_to
    mail["Date"] = formatdate(localtime=False)
    mail["Message-ID"] = letter.message_id
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(letter.content.text)
    mail.add_alternative(letter.content.html, subtype="html")
    # Set last: adding the alternative moves content headers into the first part.
    mail["Content-Language"] = letter.locale
    return mail


def _hand_over(server: MailServer, mail: EmailMessage, to: str) -> None:
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
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(server.host, server.port, name, timeout=_TIMEOUT_SECONDS, context=context)
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
