"""Bulk actions in the admin: what runs and ran, a new one step by step, and one run with its rows."""

from typing import Any
from uuid import UUID

from app.core import i18n
from app.core.errors import Invalid
from app.core.i18n import mark, translate
from app.core.permissions import Permission
from app.domains.bulk import queries, rules, service
from app.domains.bulk.lists import ROWS, RUNS
from app.domains.bulk.schemas import (
    Audience,
    Kind,
    NewQuery,
    RowsQuery,
    Run,
    RunForm,
    RunsQuery,
    StartForm,
    UploadForm,
    Wanted,
    WantedForm,
)
from app.domains.bulk.service.wording import KINDS, PROBLEMS, STATES, STATUSES
from app.domains.lists import service as lists
from app.domains.members import service as members
from app.domains.members.schemas import SOURCES, EnrollForm
from app.domains.points import service as points
from app.domains.segments import service as segments
from app.domains.shops import service as shops
from app.domains.tiers import service as tiers
from app.web.context import Context
from app.web.form_input import Upload
from app.web.lists import show_list
from app.web.tabs import Done, action, tab, tab_page

_KEY = "bulk-actions"
_FILE_BYTES = 48 * 1024 * 1024
_FILTER = ("tier", "status", "points_from", "points_to", "enrolled_from", "enrolled_to")
_WORDS = {"sources": SOURCES, "kinds": KINDS, "statuses": STATUSES, "states": STATES, "problems": PROBLEMS}


@tab(
    _KEY,
    title=mark("Bulk actions"),
    group="manage",
    icon="layers",
    permission=Permission.BULK_READ,
    query=RunsQuery,
)
def bulk_actions(ctx: Context, query: RunsQuery) -> dict[str, Any]:
    """What runs, and what ran, newest first."""
    found = show_list(ctx, RUNS, query)
    moving = any(row["run"].moving for row in found.found.page.items)
    return {
        "list": found,
        "moving": moving and not query.cursor,
        "can_write": ctx.can(Permission.BULK_WRITE),
    }


@tab_page(
    _KEY,
    "/running",
    "_runs.html",
    title=mark("Bulk actions"),
    permission=Permission.BULK_READ,
    query=RunsQuery,
)
def running(ctx: Context, query: RunsQuery) -> dict[str, Any]:
    """The list, asked again while something in it moves."""
    return bulk_actions(ctx, query)


def _choices(ctx: Context) -> dict[str, Any]:
    return {
        "kinds": {kind: word for kind, word in KINDS.items() if ctx.can(service.permission(kind))},
        "segments": service.segment_options(ctx.uow),
        "tiers": tiers.options(ctx.uow, ctx.locale),
        "reasons": points.REASONS,
        "point_kinds": rules.POINT_KINDS,
        "language": i18n.supported(shops.get(ctx.uow).locale),
        "chosen": None,
        "initial": {},
    }


@tab_page(
    _KEY,
    "/new",
    "new.html",
    title=mark("New bulk action"),
    permission=Permission.BULK_WRITE,
    query=NewQuery,
)
def new(ctx: Context, query: NewQuery) -> dict[str, Any]:
    """A new bulk action: what, for whom, why; its dry run follows."""
    if query.kind:
        ctx.require(service.permission(query.kind))
    who = query.who or ("chosen" if query.selection else "segment" if query.segment else "file")
    if query.kind == "enroll" and who != "guests":
        who = "file"
    return _choices(ctx) | {
        "initial": {
            "kind": query.kind,
            "who": who,
            "segment_id": query.segment,
            "selection": query.selection,
            "status": "active",
            "reason": "promotion",
        },
        "chosen": lists.selection(ctx.uow, query.selection) if query.selection else None,
    }


@action(
    _KEY,
    "upload",
    page="new",
    permission=Permission.BULK_WRITE,
    form=UploadForm,
    prepare=_choices,
    template="_create.html",
    files=("file",),
    max_body_bytes=_FILE_BYTES,
)
def upload(ctx: Context, form: UploadForm, files: dict[str, Upload]) -> Done:
    """Make a bulk action for the people of a file, and its dry run."""
    text = rules.decoded(files["file"].content)
    return _make(ctx, form, Audience("file", files["file"].filename), text)


@action(
    _KEY,
    "create",
    page="new",
    permission=Permission.BULK_WRITE,
    form=RunForm,
    prepare=_choices,
    template="_create.html",
)
def create(ctx: Context, form: RunForm) -> Done:
    """Make a bulk action for a segment, a filter, guests or members chosen in their list, and its dry run."""
    return _make(ctx, form, _audience(ctx, form), None)


def _make(ctx: Context, form: WantedForm, audience: Audience, text: str | None) -> Done:
    ctx.require(service.permission(form.kind))
    wanted = Wanted(
        form.kind,
        form.reason,
        form.note,
        form.points,
        form.tags,
        form.tier_id,
        tiers.end_of_day(ctx.uow, form.locked_until) if form.locked_until else None,
        form.subjects.given,
        form.texts.given,
    )
    if text is None and form.kind in ("award", "deduct", "set") and form.points is None:
        raise Invalid(fields={"points": mark("Enter how many points.")})
    made = service.create(ctx.uow, wanted, audience, text)
    return Done(mark("The dry run is being made. Nothing is changed yet."), location=f"/app/{_KEY}/{made.id}")


def _audience(ctx: Context, form: RunForm) -> Audience:
    if form.who == "segment":
        if form.segment_id is None:
            raise Invalid(fields={"segment_id": mark("Choose a segment.")})
        return Audience("segment", segments.get(ctx.uow, form.segment_id).name, form.segment_id)
    if form.who == "chosen":
        if form.selection is None:
            raise Invalid(mark("Choose members in their list first."))
        found = lists.selection(ctx.uow, form.selection)
        if found.query is None:
            return Audience("members", member_ids=list(found.ids))
        return Audience("filter", filter=dict(found.query))
    if form.who == "guests":
        return service.guests()
    narrowed = form.model_dump(mode="json", include=set(_FILTER), exclude_none=True)
    return Audience("filter", filter=narrowed)


def _run(ctx: Context, run: Run, query: RowsQuery) -> dict[str, Any]:
    mine = (run.actor_kind, run.actor_id) == (ctx.uow.actor.kind, ctx.uow.actor.id)
    failures, kept = (queries.problems(ctx.uow, run.id, state) for state in ("failed", "kept"))
    why = dict.fromkeys([*run.totals.get("problems", {}), *failures, *kept])
    options = {"problem": [(one, translate(ctx.locale, PROBLEMS[one])) for one in why]}
    return {
        "run": run,
        "list": None if run.moving else show_list(ctx, ROWS, query, place={"id": run.id}, options=options),
        "failures": failures,
        "kept": kept,
        "named": service.describe(ctx.uow, run),
        "reasons": points.REASONS,
        "moves_points": service.moves_points(run.kind),
        "can_write": ctx.can(Permission.BULK_WRITE) and ctx.can(service.permission(run.kind)),
        "can_approve": ctx.can(Permission.POINTS_APPROVE) and not mine,
        "can_undo": run.kind in service.UNDOABLE
        and run.succeeded > 0
        and run.status in ("done", "cancelled", "paused"),
        "rules": points.adjust_settings(ctx.uow),
        "title": KINDS[run.kind],
        **_WORDS,
    }


@tab_page(
    _KEY,
    "/<uuid:id>",
    "run.html",
    title=mark("Bulk action"),
    permission=Permission.BULK_READ,
    query=RowsQuery,
)
def run(ctx: Context, id: UUID, query: RowsQuery) -> dict[str, Any]:
    """One bulk action: its dry run, where it stands, and its rows."""
    return _run(ctx, service.get(ctx.uow, id), query)


@tab_page(
    _KEY,
    "/<uuid:id>/progress",
    "_run.html",
    title=mark("Bulk action"),
    permission=Permission.BULK_READ,
    query=RowsQuery,
)
def progress(ctx: Context, id: UUID, query: RowsQuery) -> dict[str, Any]:
    """Where a run stands, asked again while it moves."""
    return _run(ctx, service.get(ctx.uow, id), query)


def _prepared(ctx: Context, id: UUID) -> dict[str, Any]:
    return _run(ctx, service.get(ctx.uow, id), RowsQuery())


def _may(ctx: Context, run_id: UUID) -> Kind:
    """The kind of a run, when the principal may do what it does."""
    kind = service.get(ctx.uow, run_id).kind
    ctx.require(service.permission(kind))
    return kind


@action(
    _KEY,
    "start",
    page="run",
    permission=Permission.BULK_WRITE,
    form=StartForm,
    prepare=_prepared,
)
def start(ctx: Context, id: UUID, form: StartForm) -> Done:
    """Start what the dry run showed."""
    _may(ctx, id)
    if service.start(ctx.uow, id, form.plan).status == "waiting":
        return Done(mark("This waits until somebody else approves it."))
    return Done(mark("The bulk action has started. You can leave this page."))


@action(_KEY, "check", page="run", permission=Permission.BULK_WRITE)
def check(ctx: Context, id: UUID) -> Done:
    """Make the dry run anew."""
    _may(ctx, id)
    service.check_again(ctx.uow, id)
    return Done(mark("The dry run is being made. Nothing is changed yet."))


@action(_KEY, "approve", page="run", permission=Permission.POINTS_APPROVE)
def approve(ctx: Context, id: UUID) -> Done:
    """Let a run that waits begin."""
    service.decide(ctx.uow, id, approve=True)
    return Done(mark("The bulk action was approved and has started."))


@action(_KEY, "reject", page="run", permission=Permission.POINTS_APPROVE)
def reject(ctx: Context, id: UUID) -> Done:
    """Refuse a run that waits."""
    service.decide(ctx.uow, id, approve=False)
    return Done(mark("The bulk action was rejected."))


@action(_KEY, "pause", page="run", permission=Permission.BULK_WRITE)
def pause(ctx: Context, id: UUID) -> Done:
    """Stop a run for now."""
    _may(ctx, id)
    service.pause(ctx.uow, id)
    return Done(mark("The bulk action is paused. What was done stays."))


@action(_KEY, "resume", page="run", permission=Permission.BULK_WRITE)
def resume(ctx: Context, id: UUID) -> Done:
    """Go on with a paused run."""
    _may(ctx, id)
    service.resume(ctx.uow, id)
    return Done(mark("The bulk action goes on."))


@action(_KEY, "cancel", page="run", permission=Permission.BULK_WRITE)
def cancel(ctx: Context, id: UUID) -> Done:
    """Give a run up."""
    _may(ctx, id)
    service.cancel(ctx.uow, id)
    return Done(mark("The bulk action was canceled. What was done stays."))


@action(_KEY, "undo", page="run", permission=Permission.BULK_WRITE)
def undo(ctx: Context, id: UUID) -> Done:
    """Take back what a run did."""
    _may(ctx, id)
    service.undo(ctx.uow, id)
    return Done(mark("What was done is being taken back."))


@action(
    "members",
    "enroll",
    permission=Permission.MEMBERS_WRITE,
    form=EnrollForm,
    template="admin/members/_enroll.html",
)
def enroll(ctx: Context, form: EnrollForm) -> Done:
    """Make one person a member: at once by e-mail, or a customer of the shop once they are read from there."""
    email = rules.mailbox(form.customer)
    if email is None:
        members.ask_to_enroll(ctx.uow, form.customer)
        return Done(
            mark("Your shop is asked for this customer. If it knows them, they appear here in a moment."),
            refresh="nothing",
        )
    enrolled = service.enroll_one(ctx.uow, email)
    return Done(
        mark("Enrolled. The points wait until they have an account with this e-mail."),
        location=f"/app/members/{enrolled}",
    )
