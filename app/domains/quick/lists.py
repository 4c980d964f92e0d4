"""The list of what was done by one click: columns, filters, orders, and how rows are read."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from markupsafe import escape

from app.core.i18n import mark, translate
from app.core.paging import Found
from app.core.permissions import Permission
from app.domains.quick import queries, rules, service
from app.domains.quick.schemas import RunsQuery, Task
from app.domains.quick.service.running import TITLES
from app.domains.shops import service as shops
from app.web.context import Context
from app.web.lists import Between, Choice, Column, ListSpec, Row, Sort, declare_list
from app.web.locale import sentence, translated
from app.web.marks import badge, link
from app.web.words import actor_name

_UNDONE = mark("Undone")


def _runs(ctx: Context, query: RunsQuery) -> Found:
    zone = ZoneInfo(shops.get(ctx.uow).timezone)
    since = datetime.combine(query.start, time(), zone) if query.start else None
    until = datetime.combine(query.end + timedelta(days=1), time(), zone) if query.end else None
    found = queries.runs(ctx.uow, query, (since, until))
    known = {task.key: task for task in service.tasks()}
    for row in found.page.items:
        row["words"] = rules.words(row["data"], ctx.locale)
        row["said"] = translate(ctx.locale, row["message"], **row["words"])
        row["undoable"] = row["undoable"] and _may_undo(ctx, known.get(row["task"]))
    return found


def _may_undo(ctx: Context, task: Task | None) -> bool:
    return task is not None and task.undo is not None and ctx.can(task.permission)


def task_options(ctx: Context) -> list[tuple[str, str]]:
    """The tasks that this person may run."""
    return [(one.key, translate(ctx.locale, one.title)) for one in service.tasks() if ctx.can(one.permission)]


def _task(row: Row) -> str:
    title = escape(sentence(TITLES[row["task"]]) if row["task"] in TITLES else row["task"])
    return title + " " + badge(sentence(_UNDONE)) if row["undone_at"] else title


def told(row: Row) -> str:
    """What came of a run, in the reader's words."""
    return translated(row["message"], row["words"])


def _result(row: Row) -> str:
    return link(told(row), row["url"]) if row["url"] else escape(told(row))


RUNS = declare_list(
    ListSpec(
        key="quick-runs",
        title=mark("Recent actions"),
        place="quick-actions",
        permission=Permission.PROGRAMS_READ,
        query=RunsQuery,
        rows=_runs,
        csv="/v1/api/quick-actions.csv",
        columns=(
            Column("task", mark("Action"), words=TITLES, cell=_task),
            Column("message", mark("Result"), phone="more", value=lambda row: row["said"], cell=_result),
            Column(
                "who",
                mark("Who"),
                priority=2,
                value=lambda row: row["actor_label"],
                cell=lambda row: escape(actor_name(row["actor_label"])),
            ),
            Column("created_at", mark("When"), kind="date"),
            Column("undone_at", mark("Undone"), kind="date", shown=False, priority=2, phone="hide"),
            Column("undone_by", mark("Undone by"), shown=False, priority=2, phone="hide"),
            Column("actions", mark("Undo"), kind="actions"),
        ),
        filters=(
            Choice("task", mark("Action")),
            Choice("state", mark("State"), (("done", mark("Done")), ("undone", mark("Undone")))),
            Between("start", "end", mark("Days"), "date"),
        ),
        sorts=(
            Sort("newest", mark("Newest first"), "created_at"),
            Sort("oldest", mark("Oldest first"), "created_at", descending=False),
        ),
    )
)
