"""Every SELECT on the audit trail and on privacy requests."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core import crypto, paging
from app.core.db import UnitOfWork
from app.core.paging import Page, StaleCursor, Stretch
from app.domains.compliance.schemas import AuditEntry, PrivacyRequest, RequestsQuery

EXPORT = "privacy_requests.export"
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


def of_subjects(
    uow: UnitOfWork, subjects: tuple[str, Sequence[str]], part: Stretch, without: Sequence[str] = ()
) -> list[AuditEntry]:
    """Entries about several subjects (kind, ids) in a stretch of the trail, without those whose `after` has these names."""
    left = " AND NOT coalesce(after ?| %(without)s::text[], false)" if without else ""
    rows = uow.all(
        f"SELECT {_ENTRY} FROM audit_entries WHERE shop_id = %(shop)s AND subject_kind = %(kind)s"
        f" AND subject_id = ANY(%(ids)s){left}{part.within('created_at')}"
        f" ORDER BY {part.by('created_at')} LIMIT %(limit)s",
        part.values(uow.shop) | {"kind": subjects[0], "ids": list(subjects[1]), "without": list(without)},
    )
    return [AuditEntry(**row) for row in rows]


def actors(
    uow: UnitOfWork, kind: str, changes: Collection[tuple[str, datetime]]
) -> dict[tuple[str, datetime], str]:
    """The labels of whoever changed subjects of a kind at these instants (id, instant)."""
    rows = uow.tuples(
        "SELECT DISTINCT a.subject_id, a.created_at, a.actor_label FROM unnest(%(ids)s::text[], %(instants)s::timestamptz[])"
        " AS v (id, at) JOIN audit_entries a ON a.shop_id = %(shop)s AND a.subject_kind = %(kind)s AND a.subject_id = v.id"
        " AND a.created_at = v.at WHERE a.actor_label <> ''",
        {
            "shop": uow.shop,
            "kind": kind,
            "ids": [one for one, _ in changes],
            "instants": [at for _, at in changes],
        },
    )
    return {(subject, at): label for subject, at, label in rows}


def _decode(cursor: str | None) -> tuple[datetime | None, UUID | None]:
    if cursor is None:
        return None, None
    at, entry_id = paging.decode_cursor(cursor, 2)
    try:
        return datetime.fromisoformat(str(at)), UUID(str(entry_id))
    except ValueError:
        raise StaleCursor() from None


_REQUEST = (
    "id, kind, external_id, customer_id, member_id, status, outcome, requested_at, due_at, done_at,"
    " export_sealed IS NOT NULL AS has_export"
)


def list_requests(uow: UnitOfWork, limit: int = 200) -> list[PrivacyRequest]:
    """The shop's privacy requests, newest first."""
    rows = uow.all(
        f"SELECT {_REQUEST} FROM privacy_requests WHERE shop_id = %(shop)s AND kind <> 'shop_erasure'"
        " ORDER BY requested_at DESC, id DESC LIMIT %(limit)s",
        {"shop": uow.shop, "limit": limit},
    )
    return [PrivacyRequest(**row) for row in rows]


_ORDER = paging.Order({"requested_at": datetime, "id": UUID}, descending=True)


def requests_page(uow: UnitOfWork, query: RequestsQuery) -> Page[dict[str, Any]]:
    """A page of privacy requests, newest first. Raises StaleCursor."""
    where = "shop_id = %(shop)s AND kind <> 'shop_erasure'"
    where += " AND kind = %(kind)s" if query.kind else ""
    where += " AND status = %(status)s" if query.status else ""
    values = {"shop": uow.shop, "kind": query.kind, "status": query.status, "limit": query.limit + 1}

    def read(place: paging.Place | None) -> list[dict[str, Any]]:
        return uow.all(
            f"SELECT {_REQUEST} FROM privacy_requests WHERE {where}{_ORDER.beside(place)}"
            f" ORDER BY {_ORDER.by(place)} LIMIT %(limit)s",
            values | _ORDER.values(place),
        )

    return _ORDER.page(query.cursor, query.limit, read)


def get_request(uow: UnitOfWork, request_id: UUID) -> PrivacyRequest | None:
    """One privacy request."""
    row = uow.one(
        f"SELECT {_REQUEST} FROM privacy_requests WHERE shop_id = %(shop)s AND id = %(id)s",
        {"shop": uow.shop, "id": request_id},
    )
    return PrivacyRequest(**row) if row else None


def export_of(uow: UnitOfWork, request_id: UUID) -> str | None:
    """The sealed export of a request in clear, as JSON text."""
    blob = uow.scalar(
        "SELECT export_sealed FROM privacy_requests WHERE shop_id = %(shop)s AND id = %(id)s",
        {"shop": uow.shop, "id": request_id},
    )
    return uow.unseal(blob, EXPORT)


def unhandled_bodies(uow: UnitOfWork, limit: int = 2000) -> list[tuple[UUID, bytes]]:
    """Bodies of deliveries that failed and are kept: id and JSON bytes; one that does not open counts as empty."""
    rows = uow.all(
        "SELECT id, payload FROM inbox WHERE shop_id = %(shop)s AND payload IS NOT NULL"
        " AND (state = 3 OR (state = 0 AND attempts > 0)) ORDER BY id DESC LIMIT %(limit)s",
        {"shop": uow.shop, "limit": limit},
    )
    keys = crypto.shop_keys(uow)
    found = []
    for row in rows:
        try:
            found.append((row["id"], keys.unseal_bytes(bytes(row["payload"]), "inbox")))
        except crypto.SealBroken:
            found.append((row["id"], b""))
    return found


def noted_since(
    uow: UnitOfWork, action: str, subject: tuple[str, str | None], field: str, since: datetime
) -> tuple[int, int]:
    """How often an action was noted at a subject, or at all of its kind, and what `field` adds up to in them."""
    one = " AND subject_id = %(id)s" if subject[1] is not None else ""
    [found] = uow.tuples(
        f"SELECT count(*), coalesce(sum((after->>%(field)s)::bigint), 0)::bigint FROM audit_entries"
        f" WHERE shop_id = %(shop)s AND subject_kind = %(kind)s{one} AND action = %(action)s AND created_at >= %(since)s",
        {
            "shop": uow.shop,
            "kind": subject[0],
            "id": subject[1],
            "action": action,
            "field": field,
            "since": since,
        },
    )
    return found[0], found[1]


def ever(uow: UnitOfWork, subject: tuple[str, str], field: str, values: Sequence[str]) -> bool:
    """Whether an audit entry of the subject (kind, id) left `field` at one of these values."""
    return bool(
        uow.scalar(
            "SELECT EXISTS (SELECT 1 FROM audit_entries WHERE shop_id = %(shop)s AND subject_kind = %(kind)s"
            " AND subject_id = %(id)s AND after->>%(field)s = ANY(%(values)s)) AS found",
            {"shop": uow.shop, "kind": subject[0], "id": subject[1], "field": field, "values": list(values)},
        )
    )
