"""The list of points that end: columns, and how rows are read."""

from app.core.i18n import mark, mark_plural
from app.core.paging import Found, Page
from app.core.permissions import Permission
from app.domains.members import service as members
from app.domains.notifications import service
from app.domains.notifications.schemas import UpcomingQuery
from app.web.context import Context
from app.web.lists import BulkAction, Column, ListSpec, declare_list


def _upcoming(ctx: Context, query: UpcomingQuery) -> Found:
    page = service.upcoming(ctx.uow, query.limit, query.cursor)
    may_see = ctx.can(Permission.MEMBERS_READ)
    people = members.profiles(ctx.uow, {one.member_id for one, _ in page.items}) if may_see else {}
    told = service.notices(ctx.uow).enabled
    rows = [
        {
            "id": f"{one.member_id}-{one.ends_at.timestamp():.0f}",
            "member_id": one.member_id,
            "name": (who.name or who.email or "") if (who := people.get(one.member_id)) else "",
            "points": one.points,
            "ends_at": one.ends_at,
            "told_at": at if told else None,
            "due": at <= ctx.uow.now,
        }
        for one, at in page.items
    ]
    return Found(Page(rows, page.next_cursor, page.previous_cursor))


UPCOMING = declare_list(
    ListSpec(
        key="points-ending",
        title=mark("Points that end, soonest first"),
        place="points-ledger.expiry_warnings",
        permission=Permission.POINTS_READ,
        query=UpcomingQuery,
        rows=_upcoming,
        csv="/v1/api/points/endings.csv",
        columns=(
            Column("name", mark("Member")),
            Column("member_id", mark("Member id"), shown=False, priority=2),
            Column("points", mark("Points"), kind="number", unit=mark_plural("point", "points")),
            Column("ends_at", mark("They end"), kind="date"),
            Column("told_at", mark("Next message"), kind="date", phone="hide"),
        ),
        bulk=(BulkAction("bulk", mark("Start a bulk action"), "bulk-actions.new", Permission.BULK_WRITE),),
        chosen="member_id",
    )
)
