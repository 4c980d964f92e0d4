"""Segments on the REST API: conditions or lists of members, their sizes and who is in them."""

from typing import Any
from uuid import UUID

from app.core.paging import Page
from app.core.permissions import Permission
from app.domains.members import errors as member_errors
from app.domains.members import service as members
from app.domains.members.errors import MemberNotFound
from app.domains.segments import errors, queries, schemas, service
from app.domains.segments.lists import MEMBERS, SEGMENTS
from app.domains.segments.schemas import Segment
from app.web.endpoints import Context, Download, endpoint
from app.web.list_export import download, export_query

_PATH = "/v1/api/segments"
_ONE = _PATH + "/{segment_id}"
_TAG = "Segments"
_SAVING = (errors.SegmentNameTaken, errors.ConditionRefused)


def _out(one: Segment) -> schemas.SegmentOut:
    return schemas.SegmentOut(
        id=one.id,
        name=one.name,
        description=one.description,
        kind=one.kind,
        rules=one.rules,
        size=one.size,
        counted_at=one.counted_at,
        version=one.version,
        updated_at=one.updated_at,
    )


@endpoint(
    "GET",
    _PATH,
    permission=Permission.MEMBERS_READ,
    tag=_TAG,
    query=schemas.SegmentsQuery,
    out=schemas.SegmentsOut,
)
def list_segments(ctx: Context, query: schemas.SegmentsQuery) -> schemas.SegmentsOut:
    """Every segment of the shop by name; there are at most 200."""
    return schemas.SegmentsOut(segments=[_out(one) for one in queries.every(ctx.uow, query.search)])


@endpoint(
    "GET",
    _PATH + ".csv",
    permission=Permission.MEMBERS_READ,
    tag=_TAG,
    query=export_query(schemas.SegmentsFilter),
    out=Download,
    produces="text/csv",
)
def segments_csv(ctx: Context, query: Any) -> Download:
    """Download segments as CSV: the filters, order and columns of the list in the admin."""
    return download(ctx, SEGMENTS, query)


@endpoint(
    "POST",
    _PATH,
    permission=Permission.MEMBERS_WRITE,
    tag=_TAG,
    body=schemas.SegmentIn,
    out=schemas.SegmentOut,
    key="segment",
    status=201,
    errors=(*_SAVING, errors.TooManySegments),
)
def create_segment(ctx: Context, body: schemas.SegmentIn) -> schemas.SegmentOut:
    """Make a segment. In a small shop its members are found at once, in a large one within moments: see `counted_at`."""
    return _out(service.create(ctx.uow, body))


@endpoint(
    "POST",
    _PATH + "/preview",
    permission=Permission.MEMBERS_READ,
    tag=_TAG,
    body=schemas.PreviewIn,
    out=schemas.PreviewOut,
    key="preview",
    idempotent=False,
    errors=(errors.ConditionRefused, errors.NotCounted),
)
def preview_segment(ctx: Context, body: schemas.PreviewIn) -> schemas.PreviewOut:
    """How many members conditions lead to now, without saving anything."""
    if not service.ready(ctx.uow):
        raise errors.NotCounted()
    found = service.preview(ctx.uow, body.rules)
    return schemas.PreviewOut(count=found.count, of=found.of, sample=found.sample)


@endpoint(
    "GET",
    _ONE,
    permission=Permission.MEMBERS_READ,
    tag=_TAG,
    out=schemas.SegmentOut,
    key="segment",
    errors=(errors.SegmentNotFound,),
)
def get_segment(ctx: Context, segment_id: UUID) -> schemas.SegmentOut:
    """One segment with its conditions and size."""
    return _out(service.get(ctx.uow, segment_id))


@endpoint(
    "PATCH",
    _ONE,
    permission=Permission.MEMBERS_WRITE,
    tag=_TAG,
    body=schemas.SegmentUpdate,
    out=schemas.SegmentOut,
    key="segment",
    errors=(errors.SegmentNotFound, errors.StaleSegment, errors.SegmentNotManual, *_SAVING),
)
def update_segment(ctx: Context, segment_id: UUID, body: schemas.SegmentUpdate) -> schemas.SegmentOut:
    """Change a segment; the version that was read says whether somebody changed it meanwhile."""
    return _out(service.update(ctx.uow, segment_id, body))


@endpoint(
    "DELETE",
    _ONE,
    permission=Permission.MEMBERS_WRITE,
    tag=_TAG,
    out=None,
    errors=(errors.SegmentNotFound, errors.SegmentInUse),
)
def delete_segment(ctx: Context, segment_id: UUID) -> None:
    """Delete a segment that no program and no reward names."""
    service.remove(ctx.uow, segment_id)


@endpoint(
    "GET",
    _ONE + "/members",
    permission=Permission.MEMBERS_READ,
    tag=_TAG,
    query=schemas.PageQuery,
    out=Page[schemas.SegmentMemberOut],
    errors=(errors.SegmentNotFound,),
)
def list_segment_members(
    ctx: Context, segment_id: UUID, query: schemas.PageQuery
) -> Page[schemas.SegmentMemberOut]:
    """Who is in a segment, by member id, in pages."""
    service.get(ctx.uow, segment_id)
    return queries.page(ctx.uow, segment_id, query.cursor, query.limit)


@endpoint(
    "GET",
    _ONE + "/members.csv",
    permission=Permission.MEMBERS_READ,
    tag=_TAG,
    query=export_query(schemas.MembersQuery),
    out=Download,
    produces="text/csv",
    errors=(errors.SegmentNotFound,),
)
def segment_members_csv(ctx: Context, segment_id: UUID, query: Any) -> Download:
    """Download a segment's members as CSV: the filters, order and columns of the list in the admin."""
    service.get(ctx.uow, segment_id)
    return download(ctx, MEMBERS, query, id=segment_id)


@endpoint(
    "POST",
    _ONE + "/members",
    permission=Permission.MEMBERS_WRITE,
    tag=_TAG,
    body=schemas.MembersIn,
    out=schemas.MembersChangedOut,
    key="members",
    errors=(errors.SegmentNotFound, errors.SegmentNotManual, member_errors.MemberNotFound),
)
def add_segment_members(ctx: Context, segment_id: UUID, body: schemas.MembersIn) -> schemas.MembersChangedOut:
    """Put members into a segment by hand; whom nobody knows is told and left out."""
    found, unknown = _resolve(ctx, body)
    changed = service.add_members(ctx.uow, segment_id, found)
    return schemas.MembersChangedOut(changed=changed, unchanged=len(found) - changed, unknown=unknown)


@endpoint(
    "POST",
    _ONE + "/members/remove",
    permission=Permission.MEMBERS_WRITE,
    tag=_TAG,
    body=schemas.MembersIn,
    out=schemas.MembersChangedOut,
    key="members",
    errors=(errors.SegmentNotFound, errors.SegmentNotManual),
)
def remove_segment_members(
    ctx: Context, segment_id: UUID, body: schemas.MembersIn
) -> schemas.MembersChangedOut:
    """Take members out of a segment by hand; whom nobody knows is told and left out."""
    found, unknown = _resolve(ctx, body)
    changed = service.remove_members(ctx.uow, segment_id, found)
    return schemas.MembersChangedOut(changed=changed, unchanged=len(found) - changed, unknown=unknown)


def _resolve(ctx: Context, body: schemas.MembersIn) -> tuple[list[UUID], list[str]]:
    """Members by what a caller calls them, each once, and what leads to nobody who stands."""
    emails = [one.strip() for one in body.members if "@" in one]
    known = queries.by_emails(ctx.uow, emails)
    found: dict[UUID, None] = {}
    unknown: list[str] = []
    for reference in (one.strip() for one in body.members):
        member_id = known.get(reference) if "@" in reference else _member(ctx, reference)
        if member_id is None:
            unknown.append(reference)
        else:
            found[member_id] = None
    return list(found), unknown


def _member(ctx: Context, reference: str) -> UUID | None:
    try:
        member = members.resolve(ctx.uow, reference)
    except MemberNotFound:
        return None
    return member.id if member.status in ("active", "blocked", "guest") else None
