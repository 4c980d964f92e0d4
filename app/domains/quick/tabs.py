"""The quick actions tab: tiles by use, a form with its preview for each task, and what was run with its undo.

Every registered task gets a page and an action of its own, so that permissions, search and tests know it like others.
Domains register theirs in `handlers`, which are imported before any tab.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from app.core.i18n import mark
from app.core.permissions import Permission
from app.domains.quick import rules, service
from app.domains.quick.errors import TaskNotFound
from app.domains.quick.lists import RUNS, task_options, told
from app.domains.quick.schemas import Line, PinForm, Preview, RunsQuery, Task, TaskQuery, TestQuery
from app.web.context import Context
from app.web.date_range import today
from app.web.lists import show_list
from app.web.locale import translated
from app.web.rendering import action_url
from app.web.tabs import Done, Fragment, action, tab, tab_page

_KEY = "quick-actions"
_FORM = "admin/quick/_task.html"


@tab(
    _KEY,
    title=mark("Quick actions"),
    group="manage",
    icon="zap",
    permission=Permission.PROGRAMS_READ,
    query=RunsQuery,
)
def quick_actions(ctx: Context, query: RunsQuery) -> dict[str, Any]:
    """What this person can do at once, and what was done lately."""
    return {
        "tiles": [
            {
                "key": task.key,
                "page": f"{_KEY}.{_function_name(task.key)}",
                "title": translated(task.title),
                "text": translated(task.text),
                "icon": task.icon,
                "times": use.times,
                "pinned": use.pinned,
            }
            for task, use in service.board(ctx.uow, ctx.can)
        ],
        "list": show_list(ctx, RUNS, query, options={"task": task_options(ctx)}),
        "told": told,
        "today": today(),
    }


def _function_name(key: str) -> str:
    return key.replace("-", "_")


@action(_KEY, "pin", permission=Permission.PROGRAMS_READ, form=PinForm)
def pin(ctx: Context, form: PinForm) -> Done:
    """Keep a task at the front, or let it go back to its place."""
    service.pin(ctx.uow, form.task, form.pinned)
    return Done(mark("Kept at the front.") if form.pinned else mark("No longer kept at the front."))


@action(_KEY, "undo", "/runs/<uuid:id>/undo", permission=Permission.PROGRAMS_READ)
def undo(ctx: Context, id: UUID) -> Done:
    """Take back what a task did."""
    service.undo(ctx.uow, id, ctx.require)
    return Done(mark("It was undone."))


@tab_page(
    _KEY,
    "/webhook-test",
    "_webhook_test.html",
    title=mark("Test message"),
    permission=Permission.SETTINGS_WRITE,
    query=TestQuery,
)
def webhook_test(ctx: Context, query: TestQuery) -> dict[str, Any]:
    """How far a test message has come."""
    known, took = service.handled(ctx.uow, query.delivery) if query.delivery else (False, None)
    return {
        "delivery": query.delivery if known else None,
        "handled": took,
        "verified": query.verified,
        "stored": query.stored,
    }


def _view(ctx: Context, task: Task, **more: Any) -> dict[str, Any]:
    choices = task.choices(ctx.uow, ctx.locale)
    preview: Preview | None = more.pop("preview", None)
    said = preview.submit if preview and preview.submit else (task.submit, {})
    given = {
        "fields": task.template,
        "title": translated(task.title),
        "text": translated(task.text),
        "submit": translated(said[0], dict(said[1])),
        "looks_up": task.run is None,
        "stays": task.stays,
        "action": f"{_KEY}.{task.key}",
        "choices": choices,
        "initial": choices.get("initial", {}),
        "preview": preview,
        "lines": [_line(line) for line in preview.lines] if preview else [],
        "warnings": [translated(text, dict(data)) for text, data in preview.warnings] if preview else [],
        "typed": {},
        "dialog": False,
        "member": "",
        "done": None,
    }
    found = given | more
    found["initial"] = {
        **({"member": found["member"]} if found["member"] else {}),
        **found["initial"],
        "_member": found["member"],
        "_dialog": "true" if found["dialog"] else "false",
        "_step": "run" if preview and task.run else "",
    }
    return found


def _line(line: Line) -> dict[str, Any]:
    value = translated(line.value, dict(line.data)) if line.kind == "words" else line.value
    return {"name": translated(line.name), "value": value, "kind": line.kind}


def _is_typed(name: str) -> bool:
    """Whether a posted value is one of the form's own, or how a member who was chosen is shown."""
    return not name.startswith("_") or name.endswith("_shown")


def _about(ctx: Context) -> str:
    """The member from whose page the task was opened, empty for none."""
    try:
        return str(UUID(ctx.form_values.get("_member", "")))
    except ValueError:
        return ""


def _declare(task: Task) -> None:
    def page(ctx: Context, query: TaskQuery) -> dict[str, Any]:
        return _view(ctx, task, dialog=query.dialog, member=str(query.member or ""))

    def prepare(ctx: Context) -> dict[str, Any]:
        return _view(ctx, task)

    def handle(ctx: Context, form: BaseModel) -> Done:
        typed = {name: value for name, value in ctx.form_values.items() if _is_typed(name)}
        typed.pop("idempotency_key", None)
        dialog = ctx.form_values.get("_dialog") == "true"
        asked = {"typed": typed, "initial": typed, "dialog": dialog, "member": _about(ctx)}
        if "_back" in ctx.form_values:
            return Done(refresh=Fragment(_FORM, _view(ctx, task, **asked)))
        if ctx.form_values.get("_step") != "run" or task.run is None:
            preview = task.preview(ctx.uow, form, ctx.locale)
            return Done(refresh=Fragment(_FORM, _view(ctx, task, **asked, preview=preview)))
        return _run(ctx, task, form, asked)

    page.__doc__ = prepare.__doc__ = handle.__doc__ = task.text
    page.__name__ = _function_name(task.key)
    tab_page(
        _KEY, f"/{task.key}", "task.html", title=task.title, permission=task.permission, query=TaskQuery
    )(page)
    declared: Callable[[Callable[..., Done]], Any] = action(
        _KEY, task.key, permission=task.permission, form=task.form, template=_FORM, prepare=prepare
    )
    declared(handle)


def _run(ctx: Context, task: Task, form: BaseModel, asked: dict[str, Any]) -> Done:
    if task.run is None:
        raise TaskNotFound()
    outcome, run_id = service.run(ctx.uow, task, form)
    if outcome.template:
        return Done(refresh=Fragment(_FORM, _view(ctx, task, **asked, done=outcome)))
    words = rules.words(outcome.data, ctx.locale)
    toast: dict[str, Any] = {"text": translated(outcome.message, words), "error": False}
    if outcome.undo is not None and task.undo is not None:
        toast["undo"] = {
            "label": translated(mark("Undo")),
            "url": action_url(f"{_KEY}.undo", id=run_id),
        }
    place = f"/app/members/{asked['member']}" if asked["member"] else f"/app/{_KEY}"
    return Done(location=place, events={"toast": toast})


for _task in service.tasks():
    _declare(_task)
