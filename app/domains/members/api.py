"""Members on the REST API: two accounts of one person become one, and part again."""

from typing import Any
from uuid import UUID

from app.core.permissions import Permission
from app.domains.members import errors, queries, schemas, service
from app.domains.members.lists import DUPLICATES, MEMBERS, TIMELINE
from app.web.endpoints import Context, Download, endpoint
from app.web.list_export import download, export_query

_PATH = "/api/loyalty-referral/members/{member_id}"
_TAG = "Members"


@endpoint(
    "POST",
    _PATH + "/merge",
    permission=Permission.MEMBERS_WRITE,
    tag=_TAG,
    body=schemas.MergeIn,
    out=schemas.MergeOut,
    key="merge",
    errors=(errors.MemberNotFound, errors.MergeRefused),
)
def merge_members(ctx: Context, member_id: UUID, body: schemas.MergeIn) -> schemas.Merge:
    """Merge another member into this one, with points of every status, orders and redemptions.

    A bonus that both got once is taken back once. Merging the same two again returns the first merge.
    """
    kept, removed = service.resolve(ctx.uow, str(member_id)), service.resolve(ctx.uow, body.removed)
    if kept.id == removed.id and service.merges_of(ctx.uow, kept.id):
        return service.merges_of(ctx.uow, kept.id)[0]
    service.merge(ctx.uow, kept.id, removed.id)
    return service.merges_of(ctx.uow, kept.id)[0]


@endpoint(
    "POST",
    _PATH + "/unmerge",
    permission=Permission.MEMBERS_WRITE,
    tag=_TAG,
    body=schemas.UnmergeIn,
    out=schemas.MergeOut,
    key="merge",
    errors=(errors.MemberNotFound, errors.MergeNotFound, errors.MergeRefused),
)
def unmerge_members(ctx: Context, member_id: UUID, body: schemas.UnmergeIn) -> schemas.Merge:
    """Separate two members again, as far as points are unspent; exact when nothing happened in between."""
    kept = service.resolve(ctx.uow, str(member_id))
    found = next((one for one in service.merges_of(ctx.uow, kept.id) if one.id == body.merge_id), None)
    if found is None:
        raise errors.MergeNotFound()
    service.unmerge(ctx.uow, found.id)
    return next(one for one in service.merges_of(ctx.uow, kept.id) if one.id == found.id)


@endpoint(
    "PUT",
    _PATH + "/birthday",
    permission=Permission.MEMBERS_WRITE,
    tag=_TAG,
    body=schemas.BirthdayIn,
    out=None,
    errors=(errors.MemberNotFound, errors.MemberErased),
)
def set_birthday(ctx: Context, member_id: str, body: schemas.BirthdayIn) -> None:
    """Tell a member's birthday, for the points that the program gives for it. It is kept encrypted."""
    service.set_birthday(ctx.uow, service.resolve(ctx.uow, member_id).id, body.birthday)


@endpoint(
    "GET",
    "/v1/api/members.csv",
    permission=Permission.MEMBERS_READ,
    tag=_TAG,
    query=export_query(schemas.MembersFilter),
    out=Download,
    produces="text/csv",
)
def members_csv(ctx: Context, query: Any) -> Download:
    """Download the members that the list's filters leave, in its order, as CSV.

    Headings are the names that `columns` takes and values are codes; instants are in the shop's time zone. The download is
    noted in the audit trail.
    """
    return download(ctx, MEMBERS, query)


@endpoint(
    "GET",
    "/v1/api/members/duplicates.csv",
    permission=Permission.MEMBERS_READ,
    tag=_TAG,
    query=export_query(schemas.DuplicatesQuery),
    out=Download,
    produces="text/csv",
)
def members_duplicates_csv(ctx: Context, query: Any) -> Download:
    """Download the pairs of members who may be one person as CSV."""
    return download(ctx, DUPLICATES, query)


@endpoint(
    "GET",
    "/v1/api/members/{member_id}/timeline.csv",
    permission=Permission.MEMBERS_READ,
    tag=_TAG,
    query=export_query(schemas.TimelineQuery),
    out=Download,
    produces="text/csv",
    errors=(errors.MemberNotFound,),
)
def member_timeline_csv(ctx: Context, member_id: UUID, query: Any) -> Download:
    """Download everything that happened to a member as CSV: the filters, order and columns of the list in the admin."""
    if queries.get(ctx.uow, member_id) is None:
        raise errors.MemberNotFound()
    return download(ctx, TIMELINE, query, id=member_id)
