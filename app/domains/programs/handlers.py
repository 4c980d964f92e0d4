"""Reactions of programs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from app.core.db import UnitOfWork
from app.core.errors import Invalid
from app.core.events import subscribe
from app.core.i18n import mark
from app.core.permissions import Permission
from app.domains.programs import queries, service
from app.domains.programs.models import Program
from app.domains.programs.schemas import ProgramsQuery
from app.domains.quick import service as quick
from app.domains.quick.schemas import Line, Outcome, Preview, Task
from app.domains.shops import service as shops
from app.domains.shops.events import ShopInstalled
from app.domains.shops.schemas import HomeNotice, HomeStep


class SwitchTask(BaseModel):
    """Pause the active program, or resume the paused one that is named."""

    program: UUID | None = None


@subscribe(ShopInstalled)
def start_with_a_program(uow: UnitOfWork, events: Sequence[ShopInstalled]) -> None:
    """A shop's first installation gets the default program; a reinstallation keeps what it had."""
    if not queries.page(uow, ProgramsQuery(limit=1)).items:
        service.create_default(uow)


def _home(uow: UnitOfWork, _: datetime) -> list[HomeStep | HomeNotice]:
    live = queries.active_terms(uow) is not None
    paused = [] if live else queries.page(uow, ProgramsQuery(status="paused", limit=1)).items
    drafts = [] if live or paused else queries.page(uow, ProgramsQuery(status="draft", limit=1)).items
    sentence = mark("The program “{name}” is paused: nobody earns or redeems.")
    return [
        *(
            HomeNotice(
                "paused", sentence, "warning", {"name": one.name}, url="/app/quick-actions/pause-program"
            )
            for one in paused
        ),
        HomeStep(
            "program",
            mark("Make your program live"),
            mark("Members earn points as soon as a program is active."),
            done=live or bool(paused),
            url=f"/app/loyalty-programs/{drafts[0].id}?open=launch" if drafts else "/app/loyalty-programs",
            position=10,
        ),
    ]


shops.register_home_facts("programs", _home)


def _switch_choices(uow: UnitOfWork, locale: str) -> dict[str, Any]:
    live, paused = service.active(uow), queries.page(uow, ProgramsQuery(status="paused", limit=20)).items
    return {"live": live, "paused": [(str(one.id), one.name) for one in paused], "initial": {}}


def _preview_switch(uow: UnitOfWork, form: SwitchTask, locale: str) -> Preview:
    live = service.active(uow)
    if live is not None:
        words = mark("Nobody earns or redeems. Points already earned are kept, and the panel says so.")
        lines = [Line(mark("Program"), live.name), Line(mark("While it is paused"), words, "words")]
        return Preview(lines, submit=(mark("Pause the program"), {}))
    found = _paused(uow, form)
    words = mark("Orders earn and members redeem again.")
    lines = [Line(mark("Program"), found.name), Line(mark("From now on"), words, "words")]
    return Preview(lines, submit=(mark("Resume the program"), {}))


def _paused(uow: UnitOfWork, form: SwitchTask) -> Program:
    if form.program is None:
        raise Invalid(fields={"program": mark("Choose a paused program.")})
    return service.get(uow, form.program)


def _switch(uow: UnitOfWork, form: SwitchTask) -> Outcome:
    live = service.active(uow)
    found = live or _paused(uow, form)
    _set_status(uow, found, "paused" if live else "active")
    told = mark("{name} was paused.") if live else mark("{name} is active again.")
    kept = {"program": str(found.id), "status": "active" if live else "paused"}
    return Outcome(told, {"name": found.name}, url=f"/app/loyalty-programs/{found.id}", undo=kept)


def _set_status(uow: UnitOfWork, program: Program, status: str) -> None:
    service.update(uow, program.id, {"status": status}, version=program.version)


def _undo_switch(uow: UnitOfWork, kept: dict[str, Any]) -> None:
    _set_status(uow, service.get(uow, UUID(kept["program"])), kept["status"])


quick.register_task(
    Task(
        key="pause-program",
        title=mark("Pause or resume the program"),
        text=mark("Stop earning and redeeming for a while, or go on."),
        icon="circle-pause",
        permission=Permission.PROGRAMS_WRITE,
        form=SwitchTask,
        template="admin/programs/_quick_switch.html",
        submit=mark("Pause or resume"),
        preview=_preview_switch,
        run=_switch,
        undo=_undo_switch,
        choices=_switch_choices,
        position=40,
    )
)
