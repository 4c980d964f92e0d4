"""Tier management in the admin: ladders and their tiers, previews before saving, who loses a tier, and past moves."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal

from app.core import ids, money
from app.core.i18n import enumerated, mark, translate
from app.core.permissions import Permission
from app.domains.members import service as members
from app.domains.programs import service as programs
from app.domains.shops import service as shops
from app.domains.tiers import queries, rules, service
from app.domains.tiers.errors import LadderNotFound, StaleVersion
from app.domains.tiers.lists import (
    ENDINGS,
    METRICS,
    MOVES,
    SIMULATED,
    called,
    ladder_options,
    tier_options,
)
from app.domains.tiers.queries import lists
from app.domains.tiers.schemas import (
    BASIS_POINTS,
    MOST_REWARDS,
    EndingsQuery,
    Ladder,
    LadderForm,
    Level,
    MoveForm,
    MovesQuery,
    NewTierForm,
    NewTierQuery,
    RemoveForm,
    SimulatedQuery,
    TierForm,
)
from app.web.context import Context
from app.web.date_range import today
from app.web.lists import show_list
from app.web.tabs import Done, action, tab, tab_page

_KEY = "tier-management"
_HOME = f"/app/{_KEY}"
_CHART_MONTHS = 12
_FIELDS = {
    "name": mark("Name"),
    "names": mark("Names in other languages"),
    "metric": mark("What counts"),
    "period": mark("When it counts"),
    "months": mark("Months"),
    "grace_days": mark("Grace in days"),
    "downgrade": mark("When less is earned"),
    "take_back": mark("Refunds take tiers back"),
    "notice_days": mark("Notice in days"),
    "active": mark("In use"),
    "threshold": mark("Starts at"),
    "multiplier_bp": mark("Earning multiplier"),
    "color": mark("Color"),
    "entry_points": mark("Points on entering"),
    "entry_reward_id": mark("Reward on entering"),
    "gift_reward_id": mark("Gift"),
    "gift_every": mark("How often"),
    "early_days": mark("Early access in days"),
    "removed": mark("Removed"),
}
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


def _vocabulary(ctx: Context) -> dict[str, Any]:
    return {
        "metrics": _words(ctx, METRICS),
        "periods": _words(ctx, PERIODS),
        "downgrades": _words(ctx, DOWNGRADES),
        "every": _words(ctx, EVERY),
        "can_write": ctx.can(Permission.TIERS_WRITE),
    }


@tab(_KEY, title=mark("Tier management"), group="manage", icon="trophy", permission=Permission.TIERS_READ)
def tier_management(ctx: Context) -> dict[str, Any]:
    """Every ladder with its tiers and how many members stand on each, and the moves of the last months."""
    program = programs.active(ctx.uow)
    tiered = program if program and program.type == "tiered" else None
    counts = queries.counts(ctx.uow)
    ladders = service.program_ladders(ctx.uow, tiered.id) if tiered else []
    return _vocabulary(ctx) | {
        "program": program,
        "tiered": tiered is not None,
        "ladders": [_shown(ctx, one, counts) for one in ladders],
        "ending": lists.count_endings(ctx.uow, ctx.uow.now + timedelta(days=30)) if ladders else 0,
        "moves": _months(ctx),
    }


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
                "perks": _perks(ctx, level),
                "members": counts.get(level.id, 0),
            }
            for rank, level in enumerate(one.levels, start=1)
        ],
    }


def _perks(ctx: Context, level: Level) -> list[str]:
    """The kinds of benefits that a tier has besides its multiplier."""
    found = []
    if level.entry_points or level.entry_reward_id:
        found.append(translate(ctx.locale, mark("On entering")))
    if level.gift_reward_id:
        found.append(translate(ctx.locale, EVERY[level.gift_every]))
    if level.early_days:
        found.append(translate(ctx.locale, mark("Early access")))
    return found


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
    _KEY, "/ladders/new", "ladder.html", title=mark("New tier ladder"), permission=Permission.TIERS_WRITE
)
def new_ladder(ctx: Context) -> dict[str, Any]:
    """The empty editor of a ladder."""
    empty = LadderForm(name="?", take_back=True, active=True).model_dump(mode="json") | {"name": ""}
    return _vocabulary(ctx) | {"ladder": None, "initial": empty}


@tab_page(
    _KEY, "/ladders/<uuid:ladder>", "ladder.html", title=mark("Tier ladder"), permission=Permission.TIERS_READ
)
def ladder(ctx: Context, ladder: UUID) -> dict[str, Any]:
    """The settings of one ladder."""
    found = service.get_ladder(ctx.uow, ladder)
    initial = {name: getattr(found, name) for name in LadderForm.model_fields}
    return _vocabulary(ctx) | {
        "ladder": found,
        "initial": initial,
        "siblings": len(service.program_ladders(ctx.uow, found.program_id)) - 1,
    }


@action(
    _KEY,
    "create-ladder",
    permission=Permission.TIERS_WRITE,
    form=LadderForm,
    prepare=new_ladder,
)
def create_ladder(ctx: Context, form: LadderForm) -> Done:
    """Add a ladder without tiers; nobody moves."""
    program = programs.active(ctx.uow)
    if program is None:
        raise LadderNotFound()
    draft = service.draft_settings(service.empty(program.id), form)
    made = service.save(ctx.uow, draft, version=0)
    return Done(
        mark("{name} was added. Give it its first tier."),
        {"name": made.name},
        location=f"{_HOME}/new?ladder={made.id}",
    )


@action(_KEY, "save-ladder", page="ladder", permission=Permission.TIERS_WRITE, form=LadderForm)
def save_ladder(ctx: Context, ladder: UUID, form: LadderForm) -> Done:
    """Save a ladder's settings, after a preview when they can move members."""
    before = service.get_ladder(ctx.uow, ladder)
    return _save(ctx, before, service.draft_settings(before, form), form.version)


def _save(ctx: Context, before: Ladder, draft: Ladder, version: int) -> Done:
    if rules.moves_members(before, draft):
        made = service.simulate(ctx.uow, draft, version=version)
        return Done(location=f"{_HOME}/preview/{made}")
    service.save(ctx.uow, draft, version=version)
    return Done(mark("The ladder was saved. Nobody moves."), location=_HOME)


@action(_KEY, "make-main", page="ladder", permission=Permission.TIERS_WRITE, form=RemoveForm)
def make_main(ctx: Context, ladder: UUID, form: RemoveForm) -> Done:
    """Let this ladder's multipliers enter the price of orders."""
    service.make_main(ctx.uow, ladder, version=form.version)
    return Done(mark("This ladder is the main one now. Members are placed anew."))


@action(_KEY, "remove-ladder", page="ladder", permission=Permission.TIERS_WRITE, form=RemoveForm)
def remove_ladder(ctx: Context, ladder: UUID, form: RemoveForm) -> Done:
    """Remove a ladder with its tiers."""
    service.remove(ctx.uow, ladder, version=form.version)
    return Done(mark("The ladder was removed. Its history stays."), location=_HOME)


def _tier_view(ctx: Context, found: Ladder, level: Level | None) -> dict[str, Any]:
    currency = shops.get(ctx.uow).currency
    rewards = dict(service.givable(ctx.uow))
    kept = {one for one in (level.entry_reward_id, level.gift_reward_id) if one} if level else set()
    gone = translate(ctx.locale, mark("A reward that is no longer offered"))
    rewards |= dict.fromkeys(kept - rewards.keys(), gone) | dict(service.givable(ctx.uow, kept))
    return _vocabulary(ctx) | {
        "ladder": found,
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
    _KEY,
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
        return _tier_view(ctx, _chosen(ctx, UUID(ctx.form_values["ladder"])), None)
    except (KeyError, ValueError, LadderNotFound):
        return _tier_view(ctx, _chosen(ctx, None), None)


@tab_page(_KEY, "/<uuid:id>", "tier.html", title=mark("Tier"), permission=Permission.TIERS_READ)
def tier(ctx: Context, id: UUID) -> dict[str, Any]:
    """The editor of one tier."""
    return _tier_view(ctx, *service.get_tier(ctx.uow, id))


@action(_KEY, "create", permission=Permission.TIERS_WRITE, form=NewTierForm, prepare=_refused_tier)
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


@action(_KEY, "save", page="tier", permission=Permission.TIERS_WRITE, form=TierForm)
def save(ctx: Context, id: UUID, form: TierForm) -> Done:
    """Save a tier, after a preview when the change can move members."""
    before, _ = service.get_tier(ctx.uow, id)
    if before.version != form.version:
        raise StaleVersion(current=before.version)
    return _save(ctx, before, service.draft_tier(ctx.uow, before, form, id), form.version)


@action(_KEY, "remove", page="tier", permission=Permission.TIERS_WRITE, form=RemoveForm)
def remove(ctx: Context, id: UUID, form: RemoveForm) -> Done:
    """Take a tier off its ladder, after a preview."""
    before, _ = service.get_tier(ctx.uow, id)
    draft = rules.without_tier(before, id)
    rules.check(draft)
    return _save(ctx, before, draft, form.version)


@tab_page(
    _KEY,
    "/preview/<uuid:simulation>",
    "preview.html",
    title=mark("Preview of the ladder"),
    permission=Permission.TIERS_READ,
    query=SimulatedQuery,
)
def preview(ctx: Context, simulation: UUID, query: SimulatedQuery) -> dict[str, Any]:
    """Who would move under a changed ladder, before it is saved."""
    return _preview(ctx, simulation) | _who_moves(ctx, simulation, query)


@tab_page(
    _KEY,
    "/preview/<uuid:simulation>/state",
    "_preview_state.html",
    title=mark("Preview of the ladder"),
    permission=Permission.TIERS_READ,
)
def preview_state(ctx: Context, simulation: UUID) -> dict[str, Any]:
    """The part of a preview that changes while it goes through the members."""
    return _preview(ctx, simulation) | _who_moves(ctx, simulation, SimulatedQuery())


def _preview(ctx: Context, simulation: UUID) -> dict[str, Any]:
    found = service.get(ctx.uow, simulation)
    draft: Ladder = found["ladder"]
    before = queries.ladder(ctx.uow, draft.id)
    matrix = [(*key, count) for key, count in found["result"].get("matrix", [])]
    totals = {
        outcome: sum(count for *_, kind, count in matrix if kind == outcome)
        for outcome in ("up", "down", "later", "stays")
    }
    names = [level.name for level in draft.levels]
    return _vocabulary(ctx) | {
        "simulation": found,
        "ladder": draft,
        "totals": totals,
        "stale": before is not None and before.version != found["ladder_version"],
        "levels": [
            {
                "name": level.localized(ctx.locale),
                "before": sum(count for was, _, _, count in matrix if was == level.name),
                "after": sum(count for _, will, _, count in matrix if will == level.name),
            }
            for level in draft.levels
        ],
        "entry_points": sum(
            (level.entry_points or 0)
            * sum(
                count
                for was, will, kind, count in matrix
                if kind == "up" and (names.index(was) if was in names else 0) < rank <= names.index(will)
            )
            for rank, level in enumerate(draft.levels)
        ),
        "changes": _told(ctx, rules.differences(before, draft), draft),
    }


def _told(ctx: Context, changes: Sequence[dict[str, Any]], draft: Ladder) -> list[dict[str, Any]]:
    """Differences in words."""
    currency = shops.get(ctx.uow).currency
    words = METRICS | PERIODS | DOWNGRADES | EVERY
    named = {
        one for change in changes for one in (change["before"], change["after"]) if isinstance(one, UUID)
    }
    rewards = dict(service.givable(ctx.uow, named))
    names = called(ctx) | {level.name: level.localized(ctx.locale) for level in draft.levels}

    def shown(name: str, value: Any) -> str | None:
        if value is None:
            return None
        if isinstance(value, bool):
            return translate(ctx.locale, mark("Yes") if value else mark("No"))
        if name == "threshold" and draft.metric == "spend":
            return format_currency(money.to_decimal(value, currency), currency, locale=ctx.locale)
        if name == "multiplier_bp":
            return "×" + format_decimal(Decimal(value) / BASIS_POINTS, locale=ctx.locale)
        if isinstance(value, UUID):
            return rewards.get(value, str(value))
        if isinstance(value, dict):
            return enumerated(ctx.locale, list(value.values())) or None
        if isinstance(value, int):
            return format_decimal(value, locale=ctx.locale)
        return translate(ctx.locale, words[value]) if value in words else str(value)

    return [
        {
            "field": (f"{names.get(one['tier'], one['tier'])}: " if one["tier"] else "")
            + translate(ctx.locale, _FIELDS[one["field"]]),
            "before": shown(one["field"], one["before"]),
            "after": shown(one["field"], one["after"]),
        }
        for one in changes
    ]


def _who_moves(ctx: Context, simulation: UUID, query: SimulatedQuery) -> dict[str, Any]:
    return {
        "list": show_list(ctx, SIMULATED, query, place={"simulation": simulation}),
        "currency": shops.get(ctx.uow).currency,
    }


@action(_KEY, "apply", page="preview", permission=Permission.TIERS_WRITE)
def apply(ctx: Context, simulation: UUID) -> Done:
    """Save the ladder that was previewed; members move within minutes."""
    service.apply(ctx.uow, simulation)
    return Done(mark("The ladder was saved. Members are placed anew."), location=_HOME)


@tab_page(
    _KEY,
    "/endings",
    "endings.html",
    title=mark("Members who lose a tier"),
    permission=Permission.TIERS_READ,
    query=EndingsQuery,
)
def endings(ctx: Context, query: EndingsQuery) -> dict[str, Any]:
    """Whose tier ends soon unless they earn more."""
    options = {"tier": tier_options(ctx), "ladder": ladder_options(ctx)}
    return {"list": show_list(ctx, ENDINGS, query, options=options), "currency": shops.get(ctx.uow).currency}


@tab_page(
    _KEY,
    "/moves",
    "moves.html",
    title=mark("Moves between tiers"),
    permission=Permission.TIERS_READ,
    query=MovesQuery,
)
def moves(ctx: Context, query: MovesQuery) -> dict[str, Any]:
    """Who rose and fell, when and why."""
    found = show_list(ctx, MOVES, query, options={"ladder": ladder_options(ctx)})
    return {"list": found, "today": today()}


@tab_page(
    _KEY,
    "/members/<uuid:member>",
    "move.html",
    title=mark("Move to a tier"),
    permission=Permission.TIERS_WRITE,
)
def move_member(ctx: Context, member: UUID) -> dict[str, Any]:
    """The drawer in which staff give a member a tier."""
    standings = service.standings(ctx.uow, member)
    return {
        "member": members.profile(ctx.uow, member),
        "tiers": [(str(tier_id), name) for tier_id, name in service.options(ctx.uow, ctx.locale)],
        "initial": {
            "tier": str(standings[0].tier.id) if standings and standings[0].tier else "",
            "locked_until": "",
            "reason": "",
        },
    }


@action(_KEY, "move", page="move_member", permission=Permission.TIERS_WRITE, form=MoveForm)
def move(ctx: Context, member: UUID, form: MoveForm) -> Done:
    """Give a member a tier, kept until the last day."""
    service.assign(
        ctx.uow,
        {member: form.tier},
        reason=form.reason,
        lock_until=service.end_of_day(ctx.uow, form.locked_until) if form.locked_until else None,
    )
    return Done(mark("The member was moved."), location=f"/app/members/{member}")


@action(_KEY, "release", page="move_member", permission=Permission.TIERS_WRITE)
def release(ctx: Context, member: UUID) -> Done:
    """End a member's locks before their day."""
    members.profile(ctx.uow, member)
    for one in service.ladders(ctx.uow):
        service.release(ctx.uow, member, one.id)
    return Done(mark("The ladder decides the tier again."), location=f"/app/members/{member}")


def _panel(ctx: Context, member_id: UUID) -> dict[str, Any]:
    names = called(ctx)
    return {
        "standings": service.standings(ctx.uow, member_id),
        "changes": [
            (
                names.get(one["from_name"], one["from_name"]),
                names.get(one["to_name"], one["to_name"]),
                one["created_at"],
            )
            for one in queries.changes(ctx.uow, member_id, 5)
        ],
        "member_id": member_id,
        "now": ctx.uow.now,
        "locale": ctx.locale,
        "currency": shops.get(ctx.uow).currency,
        "can_write": ctx.can(Permission.TIERS_WRITE),
    }


members.register_panel("tier", 20, "admin/tiers/_panel.html", _panel)
