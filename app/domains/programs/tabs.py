"""Loyalty programs in the admin: the list, the editor with its versions, and the steps of a program's life."""

from typing import Any
from uuid import UUID

from app.core.i18n import mark
from app.core.permissions import Permission
from app.domains.programs import queries, rules, service
from app.domains.programs.models import Program
from app.domains.programs.schemas import ProgramCreate, ProgramForm, ProgramsFilter, ProgramsQuery, StatusForm
from app.web.context import Context
from app.web.tabs import Done, action, tab, tab_page

_KEY = "loyalty-programs"


@tab(
    _KEY,
    title=mark("Loyalty programs"),
    group="manage",
    icon="gift",
    permission=Permission.PROGRAMS_READ,
    query=ProgramsFilter,
)
def loyalty_programs(ctx: Context, query: ProgramsFilter) -> dict[str, Any]:
    """Every program of the shop with its terms and status."""
    page = queries.page(ctx.uow, ProgramsQuery(status=query.status, limit=200))
    return {"programs": page.items, "can_write": ctx.can(Permission.PROGRAMS_WRITE)}


@tab_page(_KEY, "/new", "program.html", title=mark("New program"), permission=Permission.PROGRAMS_WRITE)
def new_program(ctx: Context) -> dict[str, Any]:
    """The empty editor."""
    return {"program": None, "initial": ProgramCreate(name="Rewards").model_dump(mode="json") | {"name": ""}}


@tab_page(_KEY, "/<uuid:id>", "program.html", title=mark("Program"), permission=Permission.PROGRAMS_READ)
def program(ctx: Context, id: UUID) -> dict[str, Any]:
    """The editor of one program, with its versions and what it means for an example order."""
    found = service.get(ctx.uow, id)
    return {
        "program": found,
        "initial": service.snapshot(found),
        "versions": _versions(ctx, found),
        "next": sorted(rules.NEXT_STATUS[found.status]),
        "can_write": ctx.can(Permission.PROGRAMS_WRITE),
    }


def _versions(ctx: Context, found: Program) -> list[dict[str, Any]]:
    """Each version with the terms that changed since the one before."""
    kept = queries.versions(ctx.uow, found.id)
    before: list[dict[str, Any]] = [one.terms for one in kept[1:]] + [{}]
    return [
        {
            "number": version.number,
            "created_at": version.created_at,
            "changes": [
                {"field": name, "before": _shown(old.get(name)), "after": _shown(version.terms[name])}
                for name in rules.TERMS
                if old and old.get(name) != version.terms[name]
            ],
        }
        for version, old in zip(kept, before, strict=True)
    ]


def _shown(value: Any) -> str | None:
    return None if value is None else str(value)


@action(_KEY, "create", permission=Permission.PROGRAMS_WRITE, form=ProgramForm, prepare=new_program)
def create(ctx: Context, form: ProgramForm) -> Done:
    """Create a draft."""
    made = service.create(ctx.uow, ProgramCreate(**form.model_dump(exclude={"version"})))
    return Done(
        mark("{name} was created as a draft."), {"name": made.name}, location=f"/app/{_KEY}/{made.id}"
    )


@action(_KEY, "save", page="program", permission=Permission.PROGRAMS_WRITE, form=ProgramForm)
def save(ctx: Context, id: UUID, form: ProgramForm) -> Done:
    """Save the editor."""
    service.update(ctx.uow, id, form.model_dump(exclude={"version"}), version=form.version)
    return Done(mark("The program was saved."))


@action(_KEY, "set-status", page="program", permission=Permission.PROGRAMS_WRITE, form=StatusForm)
def set_status(ctx: Context, id: UUID, form: StatusForm) -> Done:
    """Activate, pause, archive or take back a program."""
    service.update(ctx.uow, id, {"status": form.status}, version=form.version)
    return Done(
        {
            "active": mark("The program is active."),
            "paused": mark("The program is paused."),
            "archived": mark("The program was archived."),
            "draft": mark("The program is a draft again."),
        }[form.status]
    )


@action(_KEY, "delete", page="program", permission=Permission.PROGRAMS_WRITE)
def delete(ctx: Context, id: UUID) -> Done:
    """Delete a draft that was never published."""
    service.delete(ctx.uow, id)
    return Done(mark("The draft was deleted."), location=f"/app/{_KEY}")
