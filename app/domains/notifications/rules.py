"""Pure decisions of notifications: which tier was reached, where mail goes, how a message is told apart."""

from collections.abc import Sequence
from urllib.parse import unquote, urlsplit
from uuid import UUID

from app.domains.notifications.schemas import MailServer
from app.domains.tiers.schemas import Level

_ISOLATES = frozenset("\u2066\u2067\u2068\u2069")
_PORTS = {"smtp": 25, "smtps": 465}


def reached(ladder: Sequence[Level], before: int, after: int) -> Level | None:
    """The tier that a rise from `before` to `after` qualifying points leads to; None when it is the same one."""
    start, end = _level(ladder, before), _level(ladder, after)
    return end if end is not None and after > before and end != start else None


def _level(ladder: Sequence[Level], qualifying: int) -> Level | None:
    held = [level for level in ladder if level.threshold_points <= qualifying]
    return max(held, key=lambda level: level.threshold_points, default=None)


def mail_server(url: str) -> MailServer | None:
    """The server of smtp://[user:password@]host[:port], or smtps://; None when the text names none: mail is off."""
    try:
        parts = urlsplit(url)
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


def message_id(message: UUID, shop_domain: str) -> str:
    """The Message-ID header: the same for every attempt, so that a repeat can be recognized."""
    return f"<{message}@{shop_domain}>"


def one_line(text: str, limit: int = 120) -> str:
    """A text fit for a header: no line breaks or control characters, bounded. Marks of direction stay."""
    visible = "".join(sign if sign.isprintable() or sign in _ISOLATES else " " for sign in text)
    return " ".join(visible.split())[:limit]
