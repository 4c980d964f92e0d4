"""The lists of segments and of a segment's members: columns, filters, orders, and how rows are read."""

from typing import Any
from uuid import UUID

from app.core.i18n import mark, mark_plural
from app.core.paging import Found
from app.core.permissions import Permission
from app.domains.members import service as members
from app.domains.members.schemas import MembersFilter
from app.domains.segments import queries, service
from app.domains.segments.schemas import MembersQuery, SegmentsFilter
from app.domains.tiers import service as tiers
from app.web.context import Context
from app.web.lists import (
    Between,
    BulkAction,
    Choice,
    Column,
    ListSpec,
    Ready,
    Row,
    Search,
    Sort,
    declare_list,
)

KINDS = {"rules": mark("By conditions"), "manual": mark("By hand")}
STATUSES = {"active": mark("Active"), "blocked": mark("Blocked"), "guest": mark("Guest")}


def _segments(ctx: Context, query: SegmentsFilter) -> Found:
    return Found(queries.listed(ctx.uow, query), queries.count(ctx.uow, query))


def _counted(row: Row) -> int | None:
    return row["size"] if row["counted_at"] else None


SEGMENTS = declare_list(
    ListSpec(
        key="segments",
        title=mark("Segments"),
        place="members.segments",
        permission=Permission.MEMBERS_READ,
        query=SegmentsFilter,
        rows=_segments,
        csv="/v1/api/segments.csv",
        columns=(
            Column("name", mark("Segment")),
            Column("description", mark("Description"), shown=False, priority=2),
            Column("kind", mark("How it fills"), kind="status", phone="mark", words=KINDS),
            Column(
                "size", mark("Members"), kind="number", unit=mark_plural("member", "members"), value=_counted
            ),
            Column("counted_at", mark("Counted"), kind="date", priority=2),
            Column("updated_at", mark("Last change"), kind="date", shown=False, priority=2),
        ),
        search=Search("search", mark("Name of a segment")),
        sorts=(
            Sort("name", mark("Name"), "name", descending=False),
            Sort("size", mark("Most members"), "size"),
            Sort("changed", mark("Changed last"), "updated_at"),
        ),
        ready=tuple(Ready(words, {"kind": kind}) for kind, words in KINDS.items()),
    )
)


def tier_names(ctx: Context) -> dict[str, str]:
    """The tiers of the main ladder by id, in the reader's language, lowest first."""
    return {str(level.id): level.localized(ctx.locale) for level in tiers.ladder(ctx.uow)}


def _members(ctx: Context, query: MembersQuery, id: UUID) -> Found:
    service.get(ctx.uow, id)
    # Checked already; the file asks for longer pages than an address may.
    inside = MembersFilter.model_construct(**dict(query), segment=id)
    found = members.listed(ctx.uow, inside)
    since = queries.since(ctx.uow, id, [row["id"] for row in found.page.items])
    names = tier_names(ctx)
    for row in found.page.items:
        row |= {"since": since.get(row["id"]), "tier": names.get(str(row["tier_id"]))}
    return found


def _matching(filters: Any, place: Any) -> dict[str, Any]:
    return {**filters, "segment": str(place["id"])}


MEMBERS = declare_list(
    ListSpec(
        key="segment-members",
        title=mark("Members"),
        place="members.segment",
        permission=Permission.MEMBERS_READ,
        query=MembersQuery,
        rows=_members,
        csv="/v1/api/segments/{id}/members.csv",
        columns=(
            Column("name", mark("Member")),
            Column("email", mark("E-mail"), shown=False, priority=2),
            Column("status", mark("State"), kind="status", phone="mark", words=STATUSES),
            Column("tier", mark("Tier"), priority=2),
            Column("available", mark("Available"), kind="number", unit=mark_plural("point", "points")),
            Column("qualifying", mark("For tiers"), kind="number", shown=False, priority=2),
            Column("since", mark("In it since"), kind="date", priority=2),
            Column("enrolled_at", mark("Member since"), kind="date", shown=False, priority=2),
            Column("customer_id", mark("Shopify customer id"), shown=False, priority=2),
            Column("actions", mark("Actions"), kind="actions"),
        ),
        search=Search("search", mark("Name, e-mail, order, code or customer id")),
        filters=(
            Choice("status", mark("Status"), tuple(STATUSES.items())),
            Choice("tier", mark("Tier")),
            Between("points_from", "points_to", mark("Available points")),
            Between("enrolled_from", "enrolled_to", mark("Member since"), "date"),
        ),
        sorts=(
            Sort("newest", mark("Newest first"), "enrolled_at"),
            Sort("available", mark("Most points available"), "available"),
            Sort("qualifying", mark("Most points for tiers"), "qualifying"),
        ),
        bulk=(BulkAction("bulk", mark("Start a bulk action"), "bulk-actions.new", Permission.BULK_WRITE),),
        matching=_matching,
    )
)
