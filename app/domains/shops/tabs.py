"""The home tab: is the program working, and what needs the merchant."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.core.i18n import mark
from app.core.permissions import Permission
from app.domains.shops import service
from app.domains.shops.schemas import BrandForm, ChoicesQuery, GoodsQuery, GuideForm, HomeView, WidgetForm
from app.shopify import goods
from app.shopify.goods import Good
from app.web import choices, date_range
from app.web.context import Context
from app.web.date_range import DateRange, Days
from app.web.locale import translated
from app.web.tabs import HOME, Done, action, tab, tab_page

_WEEK = timedelta(days=7)


@tab(HOME, title=mark("Home"), group=HOME, icon="house", permission=Permission.SETTINGS_READ, query=DateRange)
def home(ctx: Context, query: DateRange) -> dict[str, Any]:
    """Set-up steps, the numbers of the chosen days and what needs attention, in the reader's language."""
    today = date_range.today()
    days = date_range.chosen(query, today, default="today")
    before = _compared(query, days)
    return {
        "home": _told(service.home(ctx.uow)),
        "days": days,
        "before": before,
        "week_before": before is not None and before.start == days.start - _WEEK,
        "today": today,
        "totals": [
            replace(one, figure=replace(one.figure, title=translated(one.figure.title)))
            for one in service.day_totals(
                ctx.uow, days.start, days.end, (before.start, before.end) if before else None
            )
        ],
        "can_write": ctx.can(Permission.SETTINGS_WRITE),
    }


def _compared(query: DateRange, days: Days) -> Days | None:
    """One day is compared with the same weekday a week before, unless something else was chosen."""
    if days.count == 1 and query.compare == "none":
        return Days(days.start - _WEEK, days.end - _WEEK)
    return date_range.compared(days, "previous" if query.compare == "none" else query.compare)


def _told(view: HomeView) -> HomeView:
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
        put_away=view.put_away,
    )


@tab_page(HOME, "/steps", "_steps_left.html", title=mark("Steps left"), permission=Permission.SETTINGS_READ)
def steps_left(ctx: Context) -> dict[str, Any]:
    """The mark on Home's icon in the bar: how many steps of the set-up are left."""
    view = service.home(ctx.uow)
    return {"left": len(view.steps) - view.steps_done}


@tab_page(HOME, "/brand", "brand.html", title=mark("Name and look"), permission=Permission.SETTINGS_WRITE)
def brand(ctx: Context) -> dict[str, Any]:
    """What members see of the shop: the program's name, the accent color, the logo."""
    found = service.brand(ctx.uow)
    initial = found.model_dump()
    return {"brand": found, "initial": initial if found.version else initial | {"accent": "#4f46e5"}}


@action(HOME, "save-brand", page="brand", permission=Permission.SETTINGS_WRITE, form=BrandForm)
def save_brand(ctx: Context, form: BrandForm) -> Done:
    """Keep the look."""
    service.save_brand(ctx.uow, form)
    return Done(mark("Name and look were saved."))


@action(HOME, "see-widget", permission=Permission.SETTINGS_READ, form=WidgetForm)
def see_widget(ctx: Context, form: WidgetForm) -> Done:
    """Note what App Bridge says about the widget; Home is shown again when that is news."""
    return Done() if service.see_widget(ctx.uow, form.on) else Done(refresh="nothing")


@action(HOME, "put-guide-away", permission=Permission.SETTINGS_WRITE, form=GuideForm)
def put_guide_away(ctx: Context, form: GuideForm) -> Done:
    """Leave the finished set-up guide out of Home for everybody of the shop, or show it again."""
    service.put_guide_away(ctx.uow, form.hidden)
    return Done(mark("The set-up guide is hidden. Home's menu shows it again.") if form.hidden else "")


def _goods(shop_id: UUID, query: GoodsQuery) -> list[Good] | None:
    if query.ids:
        return goods.named(shop_id, query.of, query.numbers)
    return goods.find(shop_id, query.of, query.q)


@tab_page(
    HOME,
    "/goods",
    "_goods.html",
    title=mark("Products"),
    permission=Permission.PROGRAMS_READ,
    query=GoodsQuery,
    before=_goods,
)
def goods_found(query: GoodsQuery, found: list[Good] | None) -> dict[str, Any]:
    """What the shop sells, for fields that name goods; Shopify is asked before a transaction is open."""
    return {"goods": found or [], "silent": found is None, "asked": bool(query.q.strip())}


@tab_page(
    HOME,
    "/choices",
    "_choices.html",
    title=mark("Choices"),
    permission=Permission.SETTINGS_READ,
    query=ChoicesQuery,
)
def choices_found(query: ChoicesQuery) -> dict[str, Any]:
    """Countries, currencies or time zones by what they are called, for fields that keep their codes."""
    return {"choices": choices.find(query.of, query.q), "asked": bool(query.q.strip())}
