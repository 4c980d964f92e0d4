"""What liability tells the home tab and adds to the quick actions."""

from collections.abc import Sequence
from datetime import datetime

from app.core.db import UnitOfWork
from app.core.i18n import mark
from app.core.permissions import Permission
from app.domains.liability import queries, service
from app.domains.points import service as points
from app.domains.quick import service as quick
from app.domains.quick.schemas import Line, Nothing, Preview, Task
from app.domains.shops import service as shops
from app.domains.shops.schemas import HomeFigure


def _home(uow: UnitOfWork, _: datetime) -> Sequence[HomeFigure]:
    """Only stored sums: the present month would have to be added up on every visit."""
    cells = queries.cells(uow)
    if not cells:
        return []
    outstanding = sum(cell.change for cell in cells)
    title = mark("Points outstanding at the end of last month")
    return [HomeFigure("points-outstanding", title, outstanding, "points", position=15)]


def _worth(uow: UnitOfWork) -> int | None:
    """What the shop says that 1,000 points are worth; an assumed value is no cost to decide by."""
    found = queries.settings(uow)
    return found["value_minor"] if found else None


shops.register_home_facts("liability", _home)
points.register_worth(_worth)


def _preview_export(uow: UnitOfWork, form: Nothing, locale: str) -> Preview:
    found = service.liability(uow)
    if found is None:
        return Preview(warnings=[(mark("There are no points yet, so there is nothing to export."), {})])
    closed = service.closed_months(uow)
    return Preview(
        [
            Line(mark("Points outstanding"), found.outstanding, "points"),
            Line(mark("Deferred revenue"), found.deferred_minor, "money"),
            Line(mark("Closed months"), len(closed), "number"),
        ],
        template="admin/liability/_quick_export.html",
        view={"closed": bool(closed)},
    )


quick.register_task(
    Task(
        key="export-liability",
        title=mark("Export points liability"),
        text=mark("The journal of closed months for your accounting, as CSV."),
        icon="scale",
        permission=Permission.POINTS_READ,
        form=Nothing,
        template="admin/quick/_no_fields.html",
        submit=mark("Export"),
        preview=_preview_export,
        position=80,
    )
)
