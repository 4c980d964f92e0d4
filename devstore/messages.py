"""What the app sent out: e-mails caught by the mail sink, and anything posted to a sink address."""

import json
from email import message_from_bytes, policy
from email.message import EmailMessage
from sqlite3 import Row

from devstore import times
from devstore.runtime import DevStore
from devstore.state import Doc


def keep_mail(store: DevStore, sender: str, recipients: list[str], raw: bytes) -> int:
    """Keep an e-mail; returns its number."""
    mail = message_from_bytes(raw, policy=policy.default)
    doc = {
        "from": str(mail.get("From", sender)),
        "to": recipients,
        "subject": str(mail.get("Subject", "")),
        "text": _part(mail, "plain"),
        "html": _part(mail, "html"),
        "language": next(
            (str(part["Content-Language"]) for part in mail.walk() if part["Content-Language"]), ""
        ),
        "headers": {name: str(value) for name, value in mail.items()},
    }
    return _keep(store, "email", recipients, doc)


def keep_call(store: DevStore, channel: str, doc: Doc) -> int:
    """Keep a request to a sink address (SMS gateways, third-party APIs); returns its number."""
    return _keep(store, channel, [], doc)


def latest(
    store: DevStore, *, to: str | None = None, channel: str | None = None, after: int = 0, limit: int = 100
) -> list[Doc]:
    """The newest messages, newest first. `to` is a recipient's address, `after` a number to start behind."""
    rows = store.state.run(
        "SELECT * FROM messages WHERE id > ?1 AND (?2 IS NULL OR channel = ?2)"
        " AND (?3 IS NULL OR instr(recipients, ?3) > 0) ORDER BY id DESC LIMIT ?4",
        (after, channel, f" {to.strip().lower()} " if to else None, limit),
    )
    return [_shown(row) for row in rows]


def find(store: DevStore, id: int) -> Doc | None:
    """One message by number."""
    rows = store.state.run("SELECT * FROM messages WHERE id = ?", (id,))
    return _shown(rows[0]) if rows else None


def clear(store: DevStore) -> int:
    """Empty the mailbox; how many messages there were."""
    return store.state.changed("DELETE FROM messages")


def _shown(row: Row) -> Doc:
    return {**{key: row[key] for key in ("id", "channel", "received_at")}, **json.loads(row["doc"])}


def _keep(store: DevStore, channel: str, recipients: list[str], doc: Doc) -> int:
    names = "".join(f" {each.strip().lower()} " for each in recipients)
    rows = store.state.run(
        "INSERT INTO messages (channel, received_at, recipients, doc) VALUES (?, ?, ?, ?) RETURNING id",
        (channel, times.stamp(), names, json.dumps(doc)),
    )
    return int(rows[0]["id"])


def _part(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part is not None else ""
