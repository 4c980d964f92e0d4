"""The ladders of a program and their tiers: the tab, the editors, saving after a preview."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_date

from app.core import ids, money
from app.core.i18n import mark, translate
from app.core.permissions import Permission
from app.domains.programs import service as programs
from app.domains.programs.models import Program
from app.domains.shops import service as shops
from app.domains.tiers import queries, rules, service
from app.domains.tiers.errors import LadderNotFound, StaleVersion
from app.domains.tiers.lists import METRICS
from app.domains.tiers.queries import lists
from app.domains.tiers.schemas import (
    BASIS_POINTS,
    MOST_REWARDS,
    Ladder,
    LadderForm,
    Level,
    NewLadderForm,
    NewTierForm,
    NewTierQuery,
    RemoveForm,
    TierForm,
    TiersQuery,
)
from app.web.context import Context
from app.web.tabs import Done, action, tab, tab_page

KEY = "tier-management"
HOME = f"/app/{KEY}"
_CHART_MONTHS = 12
PERIODS = {
    "lifetime": mark("Everything since joining"),
    "rolling": mark("The last months"),
    "calendar": mark("The calendar year"),
    "anniversary": mark("The year since joining"),
}
DOWNGRADES = {
    "to_earned": mark("To the tier that was earned"),
    "one_level": mark("One tier down per period"),
    "none": mark("Never"),
}
EVERY = {"month": mark("Every month"), "quarter": mark("Every quarter"), "year": mark("Every year")}


def _words(ctx: Context, words: dict[str, str]) -> dict[str, str]:
    return {key: translate(ctx.locale, word) for key, word in words.items()}


def vocabulary(ctx: Context) -> dict[str, Any]:
    """The words of ladders' settings, and whether the reader may change them."""
    return {
        "metrics": _words(ctx, METRICS),
        "periods": _words(ctx, PERIODS),
        "downgrades": _words(ctx, DOWNGRADES),
        "every": _words(ctx, EVERY),
        "can_write": ctx.can(Permission.TIERS_WRITE),
    }


@tab(
    KEY,
    title=mark("Tier management"),
    group="manage",
    icon="trophy",
    permission=Permission.TIERS_READ,
    query=TiersQuery,
)
def tier_management(ctx: Context, query: TiersQuery) -> dict[str, Any]:
    """Every ladder of a program with its tiers and how many members stand on each, and the moves of the last months."""
    choices = programs.kept(ctx.uow)
    program = _program(ctx, query.program)
    tiered = program if program and program.type == "tiered" else None
    live = program is not None and program.status == "active"
    counts = queries.counts(ctx.uow)
    ladders = service.program_ladders(ctx.uow, tiered.id) if tiered else []
    return vocabulary(ctx) | {
        "program": program,
        "live": live,
        "choices": [one for one in choices if one.type == "tiered" or one.status == "active"],
        "tiered": tiered is not None,
        "ladders": [_shown(ctx, one, counts) for one in ladders],
        "rewards": _rewards_of(ctx, ladders),
        "ending": lists.count_endings(ctx.uow, 30) if ladders and live else 0,
        "moves": _months(ctx) if live else [],
    }


def _program(ctx: Context, wanted: UUID | None) -> Program | None:
    """The program that was asked for, or else the active one, or the one that may be active next."""
    choices = programs.kept(ctx.uow)
    return next((one for one in choices if one.id == wanted), choices[0] if choices else None)


def _live(ctx: Context, one: Ladder) -> bool:
    """Whether the ladder's program is the active one, so that it moves members."""
    program = programs.active(ctx.uow)
    return program is not None and program.id == one.program_id


def _home(ctx: Context, one: Ladder) -> str:
    """Where the ladder is listed."""
    return HOME if _live(ctx, one) else f"{HOME}?program={one.program_id}"


def _asked(ctx: Context, name: str) -> UUID | None:
    """An id that a refused form named."""
    try:
        return UUID(ctx.form_values[name])
    except (KeyError, ValueError):
        return None


def _shown(ctx: Context, one: Ladder, counts: dict[UUID, int]) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "main": one.main,
        "active": one.active,
        "version": one.version,
        "metric": one.metric,
        "period": one.period,
        "months": one.months,
        "downgrade": one.downgrade,
        "grace_days": one.grace_days,
        "notice_days": one.notice_days,
        "tiers": [
            {
                "id": level.id,
                "name": level.localized(ctx.locale),
                "rank": rank,
                "threshold": level.threshold,
                "multiplier": Decimal(level.multiplier_bp) / BASIS_POINTS,
                "level": level,
                "members": counts.get(level.id, 0),
            }
            for rank, level in enumerate(one.levels, start=1)
        ],
    }


def _rewards_of(ctx: Context, ladders: Sequence[Ladder]) -> dict[UUID, str]:
    """The names of what tiers give, also of what is no longer offered."""
    levels = [level for one in ladders for level in one.levels]
    named = {reward for level in levels for reward in (level.entry_reward_id, level.gift_reward_id) if reward}
    gone = translate(ctx.locale, mark("A reward that is no longer offered"))
    return dict.fromkeys(named, gone) | dict(service.givable(ctx.uow, ctx.locale, named) if named else ())


def _months(ctx: Context) -> list[dict[str, Any]]:
    zone = shops.get(ctx.uow).timezone
    first = ctx.uow.now.astimezone(ZoneInfo(zone)).date().replace(day=1)
    months = [_month_before(first, back) for back in reversed(range(_CHART_MONTHS))]
    since = datetime.combine(months[0], time.min, ZoneInfo(zone))
    found = lists.moves_by_month(ctx.uow, since, zone)
    return [
        {
            "label": format_date(one, "MMM y", locale=ctx.locale),
            **found.get(one.strftime("%Y-%m"), {"up": 0, "down": 0}),
        }
        for one in months
    ]


def _month_before(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)


@tab_page(
    KEY,
    "/ladders/new",
    "ladder.html",
    title=mark("New tier ladder"),
    permission=Permission.TIERS_WRITE,
    query=TiersQuery,
)
def new_ladder(ctx: Context, query: TiersQuery) -> dict[str, Any]:
    """The empty editor of a ladder."""
    program = _program(ctx, query.program)
    empty = NewLadderForm(name="?", take_back=True, active=True, program=program.id if program else None)
    return vocabulary(ctx) | {
        "ladder": None,
        "program": program,
        "initial": empty.model_dump(mode="json") | {"name": ""},
        "home": f"{HOME}?program={program.id}" if program else HOME,
    }


def _refused_ladder(ctx: Context) -> dict[str, Any]:
    return new_ladder(ctx, TiersQuery(program=_asked(ctx, "program")))


@tab_page(
    KEY, "/ladders/<uuid:ladder>", "ladder.html", title=mark("Tier ladder"), permission=Permission.TIERS_READ
)
def ladder(ctx: Context, ladder: UUID) -> dict[str, Any]:
    """The settings of one ladder."""
    found = service.get_ladder(ctx.uow, ladder)
    initial = {name: getattr(found, name) for name in LadderForm.model_fields}
    return vocabulary(ctx) | {
        "ladder": found,
        "initial": initial,
        "home": _home(ctx, found),
        "siblings": len(service.program_ladders(ctx.uow, found.program_id)) - 1,
    }


@action(
    KEY,
    "create-ladder",
    permission=Permission.TIERS_WRITE,
    form=NewLadderForm,
    prepare=_refused_ladder,
)
def create_ladder(ctx: Context, form: NewLadderForm) -> Done:
    """Add a ladder without tiers; nobody moves."""
    program = _program(ctx, form.program)
    if program is None:
        raise LadderNotFound()
    draft = service.draft_settings(service.empty(program.id), form)
    made = service.save(ctx.uow, draft, version=0)
    return Done(
        mark("{name} was added. Give it its first tier."),
        {"name": made.name},
        location=f"{HOME}/new?ladder={made.id}",
    )


@action(KEY, "save-ladder", page="ladder", permission=Permission.TIERS_WRITE, form=LadderForm)
def save_ladder(ctx: Context, ladder: UUID, form: LadderForm) -> Done:
    """Save a ladder's settings, after a preview when they can move members."""
    before = service.get_ladder(ctx.uow, ladder)
    return _save(ctx, before, service.draft_settings(before, form), form.version)


def _save(ctx: Context, before: Ladder, draft: Ladder, version: int) -> Done:
    if rules.moves_members(before, draft) and _live(ctx, draft):
        made = service.simulate(ctx.uow, draft, version=version)
        return Done(location=f"{HOME}/preview/{made}")
    service.save(ctx.uow, draft, version=version)
    return Done(mark("The ladder was saved. Nobody moves."), location=_home(ctx, draft))


@action(KEY, "make-main", page="ladder", permission=Permission.TIERS_WRITE, form=RemoveForm)
def make_main(ctx: Context, ladder: UUID, form: RemoveForm) -> Done:
    """Let this ladder's multipliers enter the price of orders."""
    service.make_main(ctx.uow, ladder, version=form.version)
    return Done(mark("This ladder is the main one now. Members are placed anew."))


@action(KEY, "remove-ladder", page="ladder", permission=Permission.TIERS_WRITE, form=RemoveForm)
def remove_ladder(ctx: Context, ladder: UUID, form: RemoveForm) -> Done:
    """Remove a ladder with its tiers."""
    home = _home(ctx, service.get_ladder(ctx.uow, ladder))
    service.remove(ctx.uow, ladder, version=form.version)
    return Done(mark("The ladder was removed. Its history stays."), location=home)


def _tier_view(ctx: Context, found: Ladder, level: Level | None) -> dict[str, Any]:
    currency = shops.get(ctx.uow).currency
    rewards = dict(service.givable(ctx.uow, ctx.locale))
    kept = _rewards_of(ctx, [replace(found, levels=(level,))]) if level else {}
    rewards |= {reward: name for reward, name in kept.items() if reward not in rewards}
    return vocabulary(ctx) | {
        "ladder": found,
        "home": _home(ctx, found),
        "tier": level,
        "initial": _initial(found, level, currency),
        "rewards": [(str(reward), name) for reward, name in rewards.items()],
        "most_rewards": MOST_REWARDS,
        "currency": currency,
        "members": queries.counts(ctx.uow).get(level.id, 0) if level else 0,
    }


def _initial(found: Ladder, level: Level | None, currency: str) -> dict[str, Any]:
    if level is None:
        blank = TierForm(name="?", threshold=Decimal(0)).model_dump(mode="json")
        return blank | {"name": "", "threshold": "0" if not found.levels else "", "ladder": str(found.id)}
    shown = service.tier_snapshot(level)
    if found.metric == "spend":
        shown["threshold"] = money.plain(money.to_decimal(level.threshold, currency))
    return shown | {"version": found.version}


@tab_page(
    KEY,
    "/new",
    "tier.html",
    title=mark("New tier"),
    permission=Permission.TIERS_WRITE,
    query=NewTierQuery,
)
def new_tier(ctx: Context, query: NewTierQuery) -> dict[str, Any]:
    """The empty editor of a tier."""
    return _tier_view(ctx, _chosen(ctx, query.ladder), None)


def _chosen(ctx: Context, ladder_id: UUID | None) -> Ladder:
    """The ladder that was asked for, or the active program's main one; one that is not saved yet where there is none."""
    if ladder_id is not None:
        return service.get_ladder(ctx.uow, ladder_id)
    program = programs.active(ctx.uow)
    found = service.program_ladders(ctx.uow, program.id) if program else []
    return found[0] if found else service.first(ctx.uow, program.id if program else ids.new_id())


def _refused_tier(ctx: Context) -> dict[str, Any]:
    try:
        return _tier_view(ctx, _chosen(ctx, _asked(ctx, "ladder")), None)
    except LadderNotFound:
        return _tier_view(ctx, _chosen(ctx, None), None)


@tab_page(KEY, "/<uuid:id>", "tier.html", title=mark("Tier"), permission=Permission.TIERS_READ)
def tier(ctx: Context, id: UUID) -> dict[str, Any]:
    """The editor of one tier."""
    return _tier_view(ctx, *service.get_tier(ctx.uow, id))


@action(KEY, "create", permission=Permission.TIERS_WRITE, form=NewTierForm, prepare=_refused_tier)
def create(ctx: Context, form: NewTierForm) -> Done:
    """Add a tier to a ladder, after a preview when members reach it."""
    before = queries.ladder(ctx.uow, form.ladder) or _first(ctx)
    draft = service.draft_tier(ctx.uow, before, form, None)
    return _save(ctx, before, draft, before.version)


def _first(ctx: Context) -> Ladder:
    """The ladder that comes with a program's first tier."""
    program = programs.active(ctx.uow)
    if program is None or service.program_ladders(ctx.uow, program.id):
        raise LadderNotFound()
    return service.first(ctx.uow, program.id)


@action(KEY, "save", page="tier", permission=Permission.TIERS_WRITE, form=TierForm)
def save(ctx: Context, id: UUID, form: TierForm) -> Done:
    """Save a tier, after a preview when the change can move members."""
    before, _ = service.get_tier(ctx.uow, id)
    if before.version != form.version:
        raise StaleVersion(current=before.version)
    return _save(ctx, before, service.draft_tier(ctx.uow, before, form, id), form.version)


@action(KEY, "remove", page="tier", permission=Permission.TIERS_WRITE, form=RemoveForm)
def remove(ctx: Context, id: UUID, form: RemoveForm) -> Done:
    """Take a tier off its ladder, after a preview."""
    before, _ = service.get_tier(ctx.uow, id)
    draft = rules.without_tier(before, id)
    rules.check(draft)
    return _save(ctx, before, draft, form.version)
