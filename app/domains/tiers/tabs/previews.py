"""Previews of a changed ladder: who would move, before it is saved."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from babel.numbers import format_currency, format_decimal

from app.core import money
from app.core.i18n import enumerated, isolated, mark, translate
from app.core.permissions import Permission
from app.domains.shops import service as shops
from app.domains.tiers import queries, rules, service
from app.domains.tiers.lists import METRICS, SIMULATED, called
from app.domains.tiers.schemas import BASIS_POINTS, Ladder, SimulatedQuery
from app.domains.tiers.tabs.ladders import DOWNGRADES, EVERY, HOME, KEY, PERIODS, vocabulary
from app.web.context import Context
from app.web.lists import show_list
from app.web.tabs import Done, action, tab_page

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


@tab_page(
    KEY,
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
    KEY,
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
    return vocabulary(ctx) | {
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
    rewards = dict(service.givable(ctx.uow, ctx.locale, named))
    names = called(ctx) | {level.name: level.localized(ctx.locale) for level in draft.levels}

    def shown(name: str, value: Any) -> str | None:
        if value is None:
            return None
        if isinstance(value, bool):
            return translate(ctx.locale, mark("Yes") if value else mark("No"))
        if name == "threshold" and draft.metric == "spend":
            return format_currency(money.to_decimal(value, currency), currency, locale=ctx.locale)
        if name == "multiplier_bp":
            times = format_decimal(Decimal(value) / BASIS_POINTS, locale=ctx.locale)
            return isolated(f"×{times}", ctx.locale, ltr=True)
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


@action(KEY, "apply", page="preview", permission=Permission.TIERS_WRITE)
def apply(ctx: Context, simulation: UUID) -> Done:
    """Save the ladder that was previewed; members move within minutes."""
    service.apply(ctx.uow, simulation)
    return Done(mark("The ladder was saved. Members are placed anew."), location=HOME)
