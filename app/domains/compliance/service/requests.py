"""Answering privacy requests: in the transaction that hears of them, once, and audited."""

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from app.core import ids
from app.core.db import UnitOfWork
from app.domains.compliance import queries, rules
from app.domains.compliance.errors import PrivacyRequestNotFound
from app.domains.compliance.events import PersonErasureRequested, PersonExportRequested
from app.domains.compliance.schemas import PrivacyRequest
from app.domains.compliance.service import persons
from app.domains.compliance.service.audit import record

TELL_MERCHANT = "compliance.tell_merchant"
NOTHING_HELD = "nothing is held about this person"

_OPEN = """
INSERT INTO privacy_requests (shop_id, id, kind, external_id, customer_id, member_id, requested_at, due_at)
VALUES (%(shop)s, %(id)s, %(kind)s, %(external)s, %(customer)s, %(member)s, %(at)s, %(due)s)
ON CONFLICT (shop_id, kind, external_id) DO NOTHING RETURNING id
"""
_CLOSE = """
UPDATE privacy_requests SET status = 'done', outcome = %(outcome)s, export_sealed = %(export)s, done_at = %(now)s,
  customer_id = %(customer)s, member_id = %(member)s, updated_at = %(now)s
WHERE shop_id = %(shop)s AND id = %(id)s
"""


def request_export(
    uow: UnitOfWork,
    *,
    external_id: str,
    customer_id: int | None,
    email: str | None = None,
    member_id: UUID | None = None,
    requested_at: datetime | None = None,
) -> UUID | None:
    """Make a copy of a person's data for the merchant, sealed, and tell the merchant by e-mail that it is there.

    Returns the request's id; None when this request (`external_id`) was answered before.
    """
    member_id = member_id or persons.find_member(uow, customer_id, email)
    request_id = _open(uow, "data_request", external_id, customer_id, member_id, requested_at or uow.now)
    if request_id is None:
        return None
    uow.publish([PersonExportRequested(request_id, member_id, customer_id)])
    data = persons.collect(uow, member_id, customer_id)
    document = {
        "made_at": uow.now.isoformat(),
        "customer_id": customer_id,
        "member_id": member_id,
        "data": data,
    }
    sealed = uow.seal(orjson.dumps(document, default=str).decode(), queries.EXPORT)
    outcome = "exported" if rules.holds_anything(data) else NOTHING_HELD
    _close(uow, request_id, outcome, customer_id, member_id, export=sealed)
    record(uow, "privacy.exported", ("privacy_request", str(request_id)), None, {"outcome": outcome})
    uow.outbox(TELL_MERCHANT, {"request_id": str(request_id)}, key=str(request_id))
    return request_id


def request_erasure(
    uow: UnitOfWork,
    *,
    external_id: str,
    customer_id: int | None,
    email: str | None = None,
    member_id: UUID | None = None,
    order_ids: tuple[int, ...] = (),
    requested_at: datetime | None = None,
) -> UUID | None:
    """Forget a person everywhere: in every domain, in earlier exports and in deliveries that failed and were kept.

    Returns the request's id; None when this request (`external_id`) was answered before.
    """
    member_id = member_id or persons.find_member(uow, customer_id, email)
    # The request stays, and must not lead to the person: its natural key often contains the customer's id.
    opaque = uow.blind_index(external_id, "privacy_requests.external_id").hex()
    request_id = _open(uow, "erasure", opaque, customer_id, member_id, requested_at or uow.now)
    if request_id is None:
        return None
    uow.publish([PersonErasureRequested(request_id, member_id, customer_id)])
    persons.forget(uow, member_id, customer_id)
    dropped = _drop_exports(uow, member_id, customer_id)
    emptied = _empty_deliveries(uow, rules.names_of(customer_id, email, order_ids))
    outcome = "erased" if member_id else NOTHING_HELD
    _close(uow, request_id, outcome, None, member_id)
    after = {"outcome": outcome, "exports_dropped": dropped, "deliveries_emptied": emptied}
    record(uow, "privacy.erased", ("privacy_request", str(request_id)), None, after)
    return request_id


def _open(
    uow: UnitOfWork,
    kind: str,
    external_id: str,
    customer_id: int | None,
    member_id: UUID | None,
    at: datetime,
) -> UUID | None:
    row = uow.one(
        _OPEN,
        {
            "shop": uow.shop,
            "id": ids.new_id(),
            "kind": kind,
            "external": external_id,
            "customer": customer_id,
            "member": member_id,
            "at": at,
            "due": at + rules.ANSWER_WITHIN,
        },
    )
    return row["id"] if row else None


def _close(
    uow: UnitOfWork,
    request_id: UUID,
    outcome: str,
    customer_id: int | None,
    member_id: UUID | None,
    *,
    export: bytes | None = None,
) -> None:
    uow.execute(
        _CLOSE,
        {
            "shop": uow.shop,
            "id": request_id,
            "outcome": outcome,
            "export": export,
            "customer": customer_id,
            "member": member_id,
            "now": uow.now,
        },
    )


def _drop_exports(uow: UnitOfWork, member_id: UUID | None, customer_id: int | None) -> int:
    return uow.execute(
        "UPDATE privacy_requests SET export_sealed = NULL, customer_id = NULL, updated_at = %(now)s"
        " WHERE shop_id = %(shop)s AND kind = 'data_request'"
        " AND (customer_id = %(customer)s OR member_id = %(member)s)",
        {"shop": uow.shop, "customer": customer_id, "member": member_id, "now": uow.now},
    ).rowcount


def _empty_deliveries(uow: UnitOfWork, names: frozenset[str]) -> int:
    """Kept deliveries that speak of the person lose their body and are given up."""
    found = [delivery_id for delivery_id, body in queries.unhandled_bodies(uow) if _speaks_of(body, names)]
    uow.execute(
        "UPDATE inbox SET payload = NULL, state = 2, outcome = 'erased', done_at = %(now)s"
        " WHERE shop_id = %(shop)s AND id = ANY(%(ids)s) AND state IN (0, 3)",
        {"shop": uow.shop, "ids": found, "now": uow.now},
    )
    return len(found)


def _speaks_of(body: bytes, names: frozenset[str]) -> bool:
    try:
        return rules.speaks_of(orjson.loads(body), names)
    except orjson.JSONDecodeError:
        return True


def list_requests(uow: UnitOfWork) -> list[PrivacyRequest]:
    """The shop's privacy requests, newest first."""
    return queries.list_requests(uow)


def get_request(uow: UnitOfWork, request_id: UUID) -> PrivacyRequest:
    """One privacy request. Raises PrivacyRequestNotFound."""
    found = queries.get_request(uow, request_id)
    if found is None:
        raise PrivacyRequestNotFound()
    return found


def open_export(uow: UnitOfWork, request_id: UUID) -> dict[str, Any] | None:
    """The person's data in a request; None when there is none (any more). Reading it is audited.

    Raises PrivacyRequestNotFound.
    """
    get_request(uow, request_id)
    text = queries.export_of(uow, request_id)
    if text is None:
        return None
    record(uow, "privacy.export_read", ("privacy_request", str(request_id)), None, None)
    document: dict[str, Any] = orjson.loads(text)
    return document


def drop_old_exports(uow: UnitOfWork) -> int:
    """Drop the data of exports that the merchant has had for a month. Returns how many."""
    return uow.execute(
        "UPDATE privacy_requests SET export_sealed = NULL, updated_at = %(now)s"
        " WHERE shop_id = %(shop)s AND export_sealed IS NOT NULL AND done_at < %(before)s",
        {"shop": uow.shop, "now": uow.now, "before": uow.now - rules.KEEP_EXPORTS},
    ).rowcount
