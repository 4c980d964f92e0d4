"""The home tab: is the program working, and what needs the merchant."""

from dataclasses import replace

from app.core.i18n import mark
from app.core.permissions import Permission
from app.domains.shops import service
from app.domains.shops.schemas import HomeView, StepForm
from app.web.context import Context
from app.web.locale import translated
from app.web.tabs import HOME, Done, action, tab


@tab(HOME, title=mark("Home"), group=HOME, icon="house", permission=Permission.SETTINGS_READ)
def home(ctx: Context) -> HomeView:
    """Set-up steps, today's numbers and what needs attention, in the reader's language."""
    view = service.home(ctx.uow)
    return HomeView(
        steps=[
            replace(step, title=translated(step.title), text=translated(step.text)) for step in view.steps
        ],
        figures=[
            replace(figure, title=translated(figure.title), detail=translated(figure.detail or ""))
            for figure in view.figures
        ],
        notices=[
            replace(notice, sentence=translated(notice.sentence, notice.data)) for notice in view.notices
        ],
        oldest_waiting=view.oldest_waiting,
    )


@action(HOME, "finish-step", permission=Permission.SETTINGS_WRITE, form=StepForm, template="home.html")
def finish_step(ctx: Context, form: StepForm) -> Done:
    """Note that a step of the set-up guide is done."""
    service.finish_step(ctx.uow, form.step)
    return Done(mark("Noted. One step less."))
