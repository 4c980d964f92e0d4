"""The lists of bulk actions and of one's rows: columns, filters, orders, and how rows are read."""

from uuid import UUID

from app.core.i18n import mark, mark_plural
from app.core.paging import Found
from app.core.permissions import Permission
from app.domains.bulk import queries, service
from app.domains.bulk.schemas import RowsQuery, Run, RunsQuery
from app.domains.bulk.service.wording import KINDS, PROBLEMS, STATES, STATUSES
from app.domains.members import service as members
from app.domains.points import service as points
from app.web.context import Context
from app.web.lists import Choice, Column, ListSpec, Ready, Row, Sort, declare_list

AUDIENCES = {
    "file": mark("A file"),
    "segment": mark("A segment"),
    "filter": mark("Members that match a filter"),
    "members": mark("Chosen members"),
    "guests": mark("Whoever ordered as a guest"),
}
GROUPS = {
    "open": mark("Open"),
    "waiting": mark("Waiting for approval"),
    "done": mark("Done"),
    "cancelled": mark("Canceled"),
    "undone": mark("Undone"),
}


def _audience(row: Row) -> str:
    kind: str = row["audience"]["kind"]
    return "guests" if row["kind"] == "enroll" and kind == "filter" else kind


def _runs(ctx: Context, query: RunsQuery) -> Found:
    found = queries.runs(ctx.uow, query)
    for row in found.page.items:
        row["run"] = Run(**row)
    return found


RUNS = declare_list(
    ListSpec(
        key="bulk-runs",
        title=mark("Bulk actions"),
        place="bulk-actions",
        permission=Permission.BULK_READ,
        query=RunsQuery,
        rows=_runs,
        csv="/api/loyalty-referral/bulk-actions.csv",
        columns=(
            Column("kind", mark("Action"), words=KINDS),
            Column(
                "audience",
                mark("For whom"),
                phone="more",
                words=AUDIENCES,
                value=_audience,
            ),
            Column("rows", mark("Rows"), kind="number", unit=mark_plural("row", "rows")),
            Column("status", mark("Status"), kind="status", phone="mark", words=STATUSES),
            Column("succeeded", mark("Done"), kind="number", priority=2, phone="hide"),
            Column("refused", mark("Refused"), kind="number", shown=False, priority=2),
            Column("failed", mark("Failed"), kind="number", shown=False, priority=2),
            Column("moved", mark("Points moved"), kind="number", shown=False, priority=2),
            Column("reason", mark("Reason"), shown=False, priority=2, words=points.REASONS),
            Column("note", mark("Note"), shown=False, priority=2),
            Column("who", mark("By"), priority=2, value=lambda row: row["actor_label"]),
            Column("created_at", mark("When"), kind="date"),
        ),
        filters=(Choice("kind", mark("Action"), tuple(KINDS.items())),),
        sorts=(
            Sort("newest", mark("Newest first"), "created_at"),
            Sort("oldest", mark("Oldest first"), "created_at", descending=False),
        ),
        ready=tuple(Ready(words, {"status": group}) for group, words in GROUPS.items()),
    )
)


def _rows(ctx: Context, query: RowsQuery, id: UUID) -> Found:
    run = service.get(ctx.uow, id)
    found = queries.rows(ctx.uow, run, query)
    _name(ctx, run, found.page.items)
    return found


def _name(ctx: Context, run: Run, rows: list[Row]) -> None:
    """Give rows the name and e-mail of their member, or of who is to be enrolled, and `typed`, the reason of its own."""
    people = members.profiles(ctx.uow, {row["member_id"] for row in rows if row["member_id"]})
    for row in rows:
        person = row.pop("person")
        who = people.get(row["member_id"]) or service.person_of(ctx.uow, person)
        row |= {"name": who.name if who else "", "email": who.email if who else None}
        row["typed"], row["reason"] = row["reason"], row["reason"] or run.reason


ROWS = declare_list(
    ListSpec(
        key="bulk-rows",
        title=mark("Rows of this bulk action"),
        place="bulk-actions.run",
        permission=Permission.BULK_READ,
        query=RowsQuery,
        rows=_rows,
        csv="/api/loyalty-referral/bulk-actions/{id}/report.csv",
        columns=(
            Column("name", mark("Member")),
            Column("email", mark("E-mail"), shown=False, priority=2),
            Column("member_id", mark("Member id"), shown=False, priority=2),
            Column("n", mark("Line"), kind="number", priority=2, phone="hide"),
            Column("points", mark("Points"), kind="number", phone="key"),
            Column("reason", mark("Reason"), shown=False, priority=2, words=points.REASONS),
            Column("state", mark("Result"), kind="status", phone="mark", words=STATES),
            Column("problem", mark("Why"), phone="more", words=PROBLEMS),
        ),
        filters=(Choice("problem", mark("Why")),),
        ready=tuple(Ready(words, {"state": state}) for state, words in STATES.items()),
    )
)
