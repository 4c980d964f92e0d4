"""The steps of a program's life: launched with its rewards, paused, planned to start and end by itself."""

from typing import Any
from uuid import UUID

from app.core.i18n import enumerated, mark
from app.core.permissions import Permission
from app.domains.programs import queries, service
from app.domains.programs.models import Program
from app.domains.programs.schemas import ApplyForm, StatusForm
from app.domains.programs.tabs.editor import KEY
from app.web.context import Context
from app.web.tabs import Done, action, tab_page


@tab_page(
    KEY,
    "/<uuid:id>/launch",
    "launch.html",
    title=mark("Launch program"),
    permission=Permission.PROGRAMS_WRITE,
)
def launch(ctx: Context, id: UUID) -> dict[str, Any]:
    """The drawer in which a program goes live together with its rewards."""
    program = service.get(ctx.uow, id)
    other = service.taken_over(ctx.uow, program)
    found = service.offer(ctx.uow, id, ctx.locale)
    return {
        "program": program,
        "other": other,
        "offer": found,
        **tiers_shown(ctx, program, other),
        "initial": {"rewards": True, "instead_of": str(other.id) if other else ""},
        "can_offer": ctx.can(Permission.REWARDS_WRITE),
    }


def tiers_shown(ctx: Context, program: Program, other: Program | None) -> dict[str, Any]:
    """The tiers that come with a program, and whether members lose those of the one that it takes over from."""
    levels = [name for _, name in service.tiers(ctx.uow, program, ctx.locale)]
    lost = service.tiers(ctx.uow, other, ctx.locale) if other and not levels else ()
    return {"levels": enumerated(ctx.locale, levels) if levels else "", "loses_tiers": bool(lost)}


@action(
    KEY,
    "launch-program",
    page="program",
    permission=Permission.PROGRAMS_WRITE,
    form=service.LaunchForm,
    prepare=launch,
)
def launch_program(ctx: Context, id: UUID, form: service.LaunchForm) -> Done:
    """Let members earn in a program, and offer its draft rewards if wanted."""
    if form.rewards:
        ctx.require(Permission.REWARDS_WRITE)
    service.launch(ctx.uow, id, form)
    return Done(mark("The program is live."), location=f"/app/{KEY}/{id}")


@action(KEY, "set-status", page="program", permission=Permission.PROGRAMS_WRITE, form=StatusForm)
def set_status(ctx: Context, id: UUID, form: StatusForm) -> Done:
    """Activate, pause, archive or take back a program."""
    service.update(ctx.uow, id, {"status": form.status}, version=form.version)
    return Done(
        {
            "active": mark("The program is active."),
            "paused": mark("The program is paused."),
            "scheduled": mark("The program is scheduled."),
            "archived": mark("The program was archived."),
            "draft": mark("The program is a draft again."),
        }[form.status]
    )


@tab_page(
    KEY, "/<uuid:id>/schedule", "schedule.html", title=mark("Schedule"), permission=Permission.PROGRAMS_WRITE
)
def schedule(ctx: Context, id: UUID) -> dict[str, Any]:
    """The drawer in which a start and an end are planned."""
    program = service.get(ctx.uow, id)
    other = service.taken_over(ctx.uow, program) if program.status != "active" else None
    kept = {name: getattr(program, name) for name in ("starts_at", "ends_at", "after_end", "hands_back")}
    can_offer = ctx.can(Permission.REWARDS_WRITE)
    wanted = program.rewards_at_start if program.status == "scheduled" else can_offer
    return {
        "program": program,
        "initial": kept | {"rewards": wanted},
        "offer": service.offer(ctx.uow, id, ctx.locale),
        "can_offer": can_offer,
        "taken_over": other,
        **tiers_shown(ctx, program, other),
        "others": [one for one in queries.scheduled(ctx.uow) if one.id != id],
    }


@action(
    KEY,
    "plan",
    page="program",
    permission=Permission.PROGRAMS_WRITE,
    form=service.ScheduleForm,
    prepare=schedule,
)
def plan(ctx: Context, id: UUID, form: service.ScheduleForm) -> Done:
    """Plan when the program starts and ends by itself. Offering rewards needs its permission, leaving it so does not."""
    if form.rewards and not service.get(ctx.uow, id).rewards_at_start:
        ctx.require(Permission.REWARDS_WRITE)
    found = service.schedule(ctx.uow, id, form)
    sentence = mark("The end was planned.") if found.status == "active" else mark("The program is scheduled.")
    return Done(sentence, location=f"/app/{KEY}/{id}")


@action(KEY, "unplan", page="program", permission=Permission.PROGRAMS_WRITE, form=ApplyForm)
def unplan(ctx: Context, id: UUID, form: ApplyForm) -> Done:
    """Take the planned start back."""
    service.unschedule(ctx.uow, id, version=form.version)
    return Done(mark("The program will not start by itself."))
