"""Why a message could not be sent."""

from app.core.errors import Conflict, Unavailable
from app.core.i18n import mark


class MailRefused(Conflict):
    """The mail server will never take this message; `reply` is its three-digit answer. Its words may quote the address."""

    code = "mail_refused"
    default_message = mark("The mail server refused the message with code {reply}.")


class MailUnavailable(Unavailable):
    """The mail server does not take the message now; `reply` is its answer when there was one."""

    code = "mail_unavailable"
    default_message = mark("The mail server cannot take the message right now.")
