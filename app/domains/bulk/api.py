"""Bulk actions on the REST API."""

from typing import Any
from uuid import UUID

from app.core.paging import Page
from app.core.permissions import Permission
from app.domains.bulk import errors, queries, schemas, service
from app.domains.bulk.lists import ROWS, RUNS
from app.domains.points import errors as point_errors
from app.domains.segments import errors as segment_errors
from app.domains.tiers import service as tiers
from app.web.endpoints import Context, Download, endpoint
from app.web.list_export import download, export_query

_PATH = "/api/loyalty-referral/bulk-actions"
_ONE = _PATH + "/{run_id}"
_TAG = "Bulk actions"
_MOVES = (errors.RunNotFound, errors.RunMoved)


def _may(ctx: Context, run_id: UUID) -> None:
    ctx.require(service.permission(service.get(ctx.uow, run_id).kind))


@endpoint(
    "POST",
    _PATH,
    permission=Permission.BULK_WRITE,
    tag=_TAG,
    body=schemas.RunIn,
    out=schemas.RunOut,
    key="run",
    status=201,
    errors=(segment_errors.SegmentNotFound,),
)
def create_bulk_action(ctx: Context, body: schemas.RunIn) -> schemas.Run:
    """Prepare an action on many members; its dry run is made in the background and nothing is changed yet.

    Ask for the run until its status is "ready", look at its totals, then start it. The permission for doing the same to
    one member is needed too.
    """
    ctx.require(service.permission(body.kind))
    wanted = schemas.Wanted(
        body.kind,
        body.reason,
        points=body.points,
        tags=body.tags,
        tier_id=body.tier_id,
        lock_until=tiers.end_of_day(ctx.uow, body.locked_until) if body.locked_until else None,
    )
    if body.segment_id:
        return service.create(ctx.uow, wanted, schemas.Audience("segment", segment_id=body.segment_id))
    if body.kind == "enroll" and not body.rows:
        return service.create(ctx.uow, wanted, service.guests())
    text = service.as_file(body.rows or [])
    return service.create(ctx.uow, wanted, schemas.Audience("file"), text)


@endpoint(
    "GET",
    _PATH,
    permission=Permission.BULK_READ,
    tag=_TAG,
    query=schemas.RunsQuery,
    out=Page[schemas.RunOut],
    key="runs",
)
def list_bulk_actions(ctx: Context, query: schemas.RunsQuery) -> Page[schemas.Run]:
    """List bulk actions, newest first."""
    page = queries.runs(ctx.uow, query).page
    return Page([schemas.Run(**row) for row in page.items], page.next_cursor)


@endpoint(
    "GET",
    _PATH + ".csv",
    permission=Permission.BULK_READ,
    tag=_TAG,
    query=export_query(schemas.RunsQuery),
    out=Download,
    produces="text/csv",
)
def bulk_actions_csv(ctx: Context, query: Any) -> Download:
    """Download bulk actions as CSV: the filters, order and columns of the list in the admin."""
    return download(ctx, RUNS, query)


@endpoint(
    "GET",
    _ONE,
    permission=Permission.BULK_READ,
    tag=_TAG,
    out=schemas.RunOut,
    key="run",
    errors=(errors.RunNotFound,),
)
def get_bulk_action(ctx: Context, run_id: UUID) -> schemas.Run:
    """Get a bulk action and where it stands."""
    return service.get(ctx.uow, run_id)


@endpoint(
    "GET",
    _ONE + "/rows",
    permission=Permission.BULK_READ,
    tag=_TAG,
    query=schemas.RowsQuery,
    out=Page[schemas.RowOut],
    key="rows",
    errors=(errors.RunNotFound,),
)
def bulk_action_rows(ctx: Context, run_id: UUID, query: schemas.RowsQuery) -> Page[schemas.RowOut]:
    """List the rows of a bulk action with what became of each, or why it is refused."""
    run = service.get(ctx.uow, run_id)
    page = queries.rows(ctx.uow, run, query).page
    return Page([schemas.RowOut.model_validate(row, extra="ignore") for row in page.items], page.next_cursor)


@endpoint(
    "GET",
    _ONE + "/report.csv",
    permission=Permission.BULK_READ,
    tag=_TAG,
    query=export_query(schemas.RowsQuery),
    out=Download,
    produces="text/csv",
    errors=(errors.RunNotFound,),
)
def bulk_action_report(ctx: Context, run_id: UUID, query: Any) -> Download:
    """Download every row of a bulk action with its result, as CSV."""
    service.get(ctx.uow, run_id)
    ctx.require(Permission.MEMBERS_READ)
    return download(ctx, ROWS, query, id=run_id)


@endpoint(
    "POST",
    _ONE + "/start",
    permission=Permission.BULK_WRITE,
    tag=_TAG,
    body=schemas.StartIn,
    out=schemas.RunOut,
    key="run",
    errors=(
        *_MOVES,
        errors.PlanChanged,
        errors.NothingToDo,
        errors.WelcomeChanged,
        point_errors.DailyLimitReached,
    ),
)
def start_bulk_action(ctx: Context, run_id: UUID, body: schemas.StartIn) -> schemas.Run:
    """Start what the dry run showed, named by its plan. A person's own session above the shop's limit has it wait."""
    _may(ctx, run_id)
    return service.start(ctx.uow, run_id, body.plan)


@endpoint(
    "POST",
    _ONE + "/approve",
    permission=Permission.POINTS_APPROVE,
    tag=_TAG,
    out=schemas.RunOut,
    key="run",
    errors=(*_MOVES, errors.WelcomeChanged, point_errors.ApproverNeeded),
)
def approve_bulk_action(ctx: Context, run_id: UUID) -> schemas.Run:
    """Let a bulk action that waits for a second person begin."""
    return service.decide(ctx.uow, run_id, approve=True)


@endpoint(
    "POST",
    _ONE + "/reject",
    permission=Permission.POINTS_APPROVE,
    tag=_TAG,
    out=schemas.RunOut,
    key="run",
    errors=(*_MOVES, point_errors.ApproverNeeded),
)
def reject_bulk_action(ctx: Context, run_id: UUID) -> schemas.Run:
    """Refuse a bulk action that waits for a second person."""
    return service.decide(ctx.uow, run_id, approve=False)


@endpoint(
    "POST",
    _ONE + "/pause",
    permission=Permission.BULK_WRITE,
    tag=_TAG,
    out=schemas.RunOut,
    key="run",
    errors=_MOVES,
)
def pause_bulk_action(ctx: Context, run_id: UUID) -> schemas.Run:
    """Stop a bulk action for now; what was done stays."""
    _may(ctx, run_id)
    return service.pause(ctx.uow, run_id)


@endpoint(
    "POST",
    _ONE + "/resume",
    permission=Permission.BULK_WRITE,
    tag=_TAG,
    out=schemas.RunOut,
    key="run",
    errors=_MOVES,
)
def resume_bulk_action(ctx: Context, run_id: UUID) -> schemas.Run:
    """Go on with a paused bulk action."""
    _may(ctx, run_id)
    return service.resume(ctx.uow, run_id)


@endpoint(
    "POST",
    _ONE + "/cancel",
    permission=Permission.BULK_WRITE,
    tag=_TAG,
    out=schemas.RunOut,
    key="run",
    errors=_MOVES,
)
def cancel_bulk_action(ctx: Context, run_id: UUID) -> schemas.Run:
    """Give a bulk action up; what was done stays until it is undone."""
    _may(ctx, run_id)
    return service.cancel(ctx.uow, run_id)


@endpoint(
    "POST",
    _ONE + "/undo",
    permission=Permission.BULK_WRITE,
    tag=_TAG,
    out=schemas.RunOut,
    key="run",
    errors=(*_MOVES, errors.NotUndoable),
)
def undo_bulk_action(ctx: Context, run_id: UUID) -> schemas.Run:
    """Take back what a bulk action did, with entries of its own; rows that cannot be undone exactly say why."""
    _may(ctx, run_id)
    return service.undo(ctx.uow, run_id)
