"""Segments by hand: members put in and taken out, also as a list of e-mail addresses."""

import csv
import io
from collections.abc import Iterable, Sequence
from uuid import UUID

from app.core.db import UnitOfWork
from app.core.i18n import mark
from app.domains.compliance import service as compliance
from app.domains.members import service as members
from app.domains.members.errors import MemberNotFound
from app.domains.segments import queries
from app.domains.segments.errors import FileRefused, SegmentNotFound, SegmentNotManual
from app.domains.segments.schemas import Import, Segment
from app.domains.segments.service import following

MOST_ADDRESSES = 50_000
_SHOWN = 100
_AT_A_TIME = 5_000
_TOO_MANY = mark("A file can hold {most} addresses.")
_NOT_TEXT = mark("Save the file as CSV or text in UTF-8 and choose it again.")
_NO_ADDRESS = mark("No e-mail address was found in this file.")


def of_members(uow: UnitOfWork, ids: Iterable[UUID]) -> dict[UUID, frozenset[UUID]]:
    """The segments that each of these members is in."""
    wanted = list(ids)
    found = queries.of_members(uow, wanted)
    return {one: frozenset(found.get(one, ())) for one in wanted}


def add_members(uow: UnitOfWork, segment_id: UUID, ids: Sequence[UUID]) -> int:
    """Put members into a segment by hand. Returns how many were not in it.

    Raises SegmentNotFound, SegmentNotManual, MemberNotFound for somebody who is merged or erased.
    """
    segment = _manual(uow, segment_id)
    found = members.by_ids(uow, ids)
    if any(one not in found or found[one].status not in ("active", "blocked", "guest") for one in ids):
        raise MemberNotFound()
    return _put(uow, segment, ids)


def remove_members(uow: UnitOfWork, segment_id: UUID, ids: Sequence[UUID]) -> int:
    """Take members out of a segment by hand. Returns how many were in it. Raises SegmentNotFound, SegmentNotManual."""
    segment = _manual(uow, segment_id)
    gone = uow.execute(
        "DELETE FROM segment_members WHERE shop_id = %(shop)s AND segment_id = %(segment)s"
        " AND member_id = ANY(%(ids)s)",
        {"shop": uow.shop, "segment": segment.id, "ids": list(ids)},
    ).rowcount
    _settle(uow, segment, "segment.members_removed", gone)
    return gone


def add_emails(uow: UnitOfWork, segment_id: UUID, content: bytes) -> Import:
    """Put the members of a file's e-mail addresses into a segment by hand; a column may stand anywhere in the file.

    Raises SegmentNotFound, SegmentNotManual, FileRefused.
    """
    segment = _manual(uow, segment_id)
    emails = addresses(content)
    missing: list[str] = []
    added = known = 0
    for start in range(0, len(emails), _AT_A_TIME):
        part = emails[start : start + _AT_A_TIME]
        found = queries.by_emails(uow, part)
        missing += [email for email in part if email not in found]
        ids = sorted(set(found.values()))
        fresh = _insert(uow, segment.id, ids)
        added, known = added + fresh, known + len(ids) - fresh
    _settle(uow, segment, "segment.members_added", added)
    return Import(added, known, len(missing), missing[:_SHOWN])


def addresses(content: bytes) -> list[str]:
    """The e-mail addresses of a text file, each once, in their order. Raises FileRefused."""
    for encoding in ("utf-16",) if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig",):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            raise FileRefused(fields={"file": _NOT_TEXT}) from None
    if "\0" in text:
        raise FileRefused(fields={"file": _NOT_TEXT})
    rows = csv.reader(io.StringIO(text.replace(";", ",").replace("\t", ",")))
    try:
        cells = (cell.strip().strip("<>'\"") for row in rows for cell in row)
        found = list(dict.fromkeys(cell.lower() for cell in cells if _looks_like_email(cell)))
    except csv.Error:
        raise FileRefused(fields={"file": _NOT_TEXT}) from None
    if not found:
        raise FileRefused(fields={"file": _NO_ADDRESS})
    if len(found) > MOST_ADDRESSES:
        raise FileRefused(fields={"file": _TOO_MANY.format(most=MOST_ADDRESSES)})
    return found


def _looks_like_email(cell: str) -> bool:
    name, at, domain = cell.rpartition("@")
    return bool(name and at and "." in domain) and " " not in cell and len(cell) <= 254


def _manual(uow: UnitOfWork, segment_id: UUID) -> Segment:
    found = queries.get(uow, segment_id, for_update=True)
    if found is None:
        raise SegmentNotFound()
    if found.kind != "manual":
        raise SegmentNotManual()
    return found


def _put(uow: UnitOfWork, segment: Segment, ids: Sequence[UUID]) -> int:
    added = _insert(uow, segment.id, ids)
    _settle(uow, segment, "segment.members_added", added)
    return added


def _insert(uow: UnitOfWork, segment_id: UUID, ids: Sequence[UUID]) -> int:
    return uow.execute(
        "INSERT INTO segment_members (shop_id, segment_id, member_id, since)"
        " SELECT %(shop)s, %(segment)s, v, %(now)s FROM unnest(%(ids)s::uuid[]) AS v ON CONFLICT DO NOTHING",
        {"shop": uow.shop, "segment": segment_id, "ids": list(ids), "now": uow.now},
    ).rowcount


def _settle(uow: UnitOfWork, segment: Segment, action: str, changed: int) -> None:
    """Count the segment anew and note who changed it; nothing is noted when nothing changed."""
    if not changed:
        return
    following.recount(uow, {segment.id})
    uow.execute(
        "UPDATE segments SET counted_at = %(now)s, updated_at = %(now)s WHERE shop_id = %(shop)s AND id = %(id)s",
        {"shop": uow.shop, "id": segment.id, "now": uow.now},
    )
    compliance.record(uow, action, ("segment", str(segment.id)), None, {"members": changed})
