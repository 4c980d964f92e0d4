"""Every SELECT on the audit trail and on privacy requests."""

from datetime import datetime
from uuid import UUID

from app.core import paging
from app.core.db import UnitOfWork
from app.core.paging import Page, StaleCursor
from app.domains.compliance.schemas import AuditEntry

_ENTRY = "id, created_at, actor_kind, actor_id, actor_label, action, subject_kind, subject_id, before, after"


def list_entries(
    uow: UnitOfWork, subject: tuple[str, str] | None, *, limit: int, cursor: str | None = None
) -> Page[AuditEntry]:
    """A page of the audit trail, newest first: of one subject (kind, id), or of the whole shop. Raises StaleCursor."""
    key, key_id = _decode(cursor)
    kind, subject_id = subject or (None, None)
    rows = uow.all(
        f"SELECT {_ENTRY} FROM audit_entries WHERE shop_id = %(shop)s"
        + (" AND subject_kind = %(kind)s AND subject_id = %(subject)s" if subject else "")
        + (" AND (created_at, id) < (%(key)s, %(key_id)s)" if cursor else "")
        + " ORDER BY created_at DESC, id DESC LIMIT %(limit)s",
        {
            "shop": uow.shop,
            "kind": kind,
            "subject": subject_id,
            "key": key,
            "key_id": key_id,
            "limit": limit + 1,
        },
    )
    page = paging.cut(rows, limit, "created_at", "id")
    return Page([AuditEntry(**row) for row in page.items], page.next_cursor)


def _decode(cursor: str | None) -> tuple[datetime | None, UUID | None]:
    if cursor is None:
        return None, None
    at, entry_id = paging.decode_cursor(cursor, 2)
    try:
        return datetime.fromisoformat(str(at)), UUID(str(entry_id))
    except ValueError:
        raise StaleCursor() from None
