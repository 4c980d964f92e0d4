"""The mail sink: an SMTP server that accepts everything and delivers nothing."""

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from devstore import messages
from devstore.runtime import DevStore


class Sink:
    """Keeps each e-mail, or refuses it when a mail fault is on."""

    def __init__(self, store: DevStore) -> None:
        self._store = store

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """One whole e-mail."""
        fault = self._store.faults.strike("mail", "", None)
        if fault is not None:
            return "451 Try again later" if fault.kind == "temporary" else "554 Refused"
        content = envelope.content or b""
        raw = content.encode() if isinstance(content, str) else content
        messages.keep_mail(self._store, envelope.mail_from or "", list(envelope.rcpt_tos), raw)
        return "250 Kept"


def start(store: DevStore) -> Controller:
    """Listen on the SMTP port; `stop()` the returned controller. Raises OSError when the port is taken."""
    controller = Controller(
        Sink(store), hostname="127.0.0.1", port=store.settings.smtp_port, data_size_limit=20_000_000
    )
    controller.start()
    return controller
