"""The list of programs: columns, filters, and how rows are read."""

from app.core.i18n import mark, mark_plural
from app.core.paging import Found, Page
from app.core.permissions import Permission
from app.domains.programs import queries, service
from app.domains.programs.schemas import ProgramsQuery
from app.web.context import Context
from app.web.lists import Column, ListSpec, Ready, declare_list

STATUSES = {
    "active": mark("Active"),
    "scheduled": mark("Scheduled"),
    "draft": mark("Draft"),
    "paused": mark("Paused"),
    "archived": mark("Archived"),
}


def _programs(ctx: Context, query: ProgramsQuery) -> Found:
    page = queries.page(ctx.uow, query)
    rows = [
        {
            "id": one.id,
            "name": one.name,
            "status": one.status,
            "type": one.type,
            "points_per_unit": one.points_per_unit,
            "signup_bonus": one.signup_bonus,
            "planned": service.planned(one),
            "updated_at": one.updated_at,
        }
        for one in page.items
    ]
    return Found(Page(rows, page.next_cursor, page.previous_cursor))


PROGRAMS = declare_list(
    ListSpec(
        key="programs",
        title=mark("Programs"),
        place="loyalty-programs",
        permission=Permission.PROGRAMS_READ,
        query=ProgramsQuery,
        rows=_programs,
        csv="/v1/api/programs.csv",
        columns=(
            Column("name", mark("Program")),
            Column("status", mark("Status"), kind="status", phone="mark", words=STATUSES),
            Column(
                "points_per_unit", mark("Points per unit"), kind="number", unit=mark_plural("point", "points")
            ),
            Column("signup_bonus", mark("Sign-up bonus"), kind="number", priority=2),
            Column("planned", mark("Planned"), priority=2),
            Column("updated_at", mark("Last change"), kind="date", priority=2),
        ),
        ready=(
            Ready(mark("Active"), {"status": "active"}),
            Ready(mark("Scheduled"), {"status": "scheduled"}),
            Ready(mark("Drafts"), {"status": "draft"}),
            Ready(mark("Paused"), {"status": "paused"}),
            Ready(mark("Archived"), {"status": "archived"}),
        ),
    )
)
