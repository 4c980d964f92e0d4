"""The lists of moves between tiers and of tiers that end: columns, filters, orders, and how rows are read."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core.i18n import mark
from app.core.money import to_decimal
from app.core.paging import Found
from app.core.permissions import Permission
from app.domains.members import service as members
from app.domains.programs import service as programs
from app.domains.shops import service as shops
from app.domains.tiers import service
from app.domains.tiers.queries import lists
from app.domains.tiers.schemas import EndingsQuery, MovesQuery, SimulatedQuery
from app.web.context import Context
from app.web.lists import (
    Between,
    BulkAction,
    Choice,
    Column,
    ListSpec,
    Ready,
    Row,
    Search,
    Sort,
    declare_list,
)

METRICS = {
    "points": mark("Points earned"),
    "spend": mark("Money spent"),
    "orders": mark("Orders placed"),
    "rfm": mark("RFM score"),
}
REASONS = {
    "earned": mark("Earned"),
    "lapsed": mark("No longer earned"),
    "refund": mark("A refund took it back"),
    "by_hand": mark("Moved by hand"),
    "ladder": mark("The ladder was changed"),
}
DIRECTIONS = {"up": mark("Up"), "down": mark("Down")}
OUTCOMES = {**DIRECTIONS, "later": mark("After grace")}
WHYS = {"grace": mark("In grace"), "period": mark("The period ends")}
WITHIN = {"7": mark("Within 7 days"), "30": mark("Within 30 days"), "90": mark("Within 90 days")}
_BULK = (BulkAction("bulk", mark("Start a bulk action"), "bulk-actions.new", Permission.BULK_WRITE),)


def called(ctx: Context) -> dict[str | None, str]:
    """Tiers' names in the reader's language by those the merchant always gave."""
    return service.called(ctx.uow, ctx.locale)


def tell_who(ctx: Context, rows: Iterable[Row]) -> None:
    """Give rows about members their `name`, as far as it is known."""
    rows = list(rows)
    people = members.profiles(ctx.uow, {row["member_id"] for row in rows}) if rows else {}
    for row in rows:
        who = people.get(row["member_id"])
        row["name"] = (who.name or who.email or "") if who else ""


def ladder_options(ctx: Context) -> list[tuple[str, str]]:
    """The active program's ladders, when there are several to choose from."""
    program = programs.active(ctx.uow)
    found = service.program_ladders(ctx.uow, program.id) if program else []
    return [(str(one.id), one.name) for one in found] if len(found) > 1 else []


def tier_options(ctx: Context) -> list[tuple[str, str]]:
    """The active program's tiers in the reader's language; those of further ladders say which."""
    return [
        (
            str(level.id),
            level.localized(ctx.locale) if one.main else f"{one.name}: {level.localized(ctx.locale)}",
        )
        for one in service.ladders(ctx.uow)
        for level in one.levels
    ]


def _searched(ctx: Context, text: str | None) -> list[UUID] | None:
    return [one.merged_into or one.id for one in members.search(ctx.uow, text)] if text else None


def _midnight(ctx: Context, day: date | None) -> datetime | None:
    return datetime.combine(day, time(), ZoneInfo(shops.get(ctx.uow).timezone)) if day else None


def _day_after(day: date | None) -> date | None:
    return day + timedelta(days=1) if day else None


def _moves(ctx: Context, query: MovesQuery) -> Found:
    span = (_midnight(ctx, query.start), _midnight(ctx, _day_after(query.end)))
    found = lists.moves(ctx.uow, query, _searched(ctx, query.search), span)
    names = called(ctx)
    tell_who(ctx, found.page.items)
    for row in found.page.items:
        for side in ("from_name", "to_name"):
            row[side] = names.get(row[side], row[side])
    return found


MOVES = declare_list(
    ListSpec(
        key="tier-moves",
        title=mark("Moves between tiers"),
        place="tier-management.moves",
        permission=Permission.TIERS_READ,
        query=MovesQuery,
        rows=_moves,
        csv="/v1/api/vip-tiers/moves.csv",
        columns=(
            Column("name", mark("Member")),
            Column("member_id", mark("Member id"), shown=False, priority=2),
            Column("direction", mark("Direction"), kind="status", phone="mark", words=DIRECTIONS),
            Column("from_name", mark("From"), phone="hide"),
            Column("to_name", mark("To"), phone="more"),
            Column("reason", mark("Reason"), phone="more", words=REASONS),
            Column("note", mark("Note"), shown=False, priority=2),
            Column("ladder", mark("Ladder"), shown=False, priority=2),
            Column("created_at", mark("When"), kind="date"),
        ),
        search=Search("search", mark("Name, e-mail, order, code or customer id")),
        filters=(
            Choice("direction", mark("Direction"), tuple(DIRECTIONS.items())),
            Choice("reason", mark("Reason"), tuple(REASONS.items())),
            Choice("ladder", mark("Ladder"), more=True),
            Between("start", "end", mark("Days"), "date"),
        ),
        sorts=(
            Sort("newest", mark("Newest first"), "created_at"),
            Sort("oldest", mark("Oldest first"), "created_at", descending=False),
        ),
        bulk=_BULK,
        chosen="member_id",
    )
)


def _endings(ctx: Context, query: EndingsQuery) -> Found:
    found = lists.endings(ctx.uow, query, _searched(ctx, query.search))
    currency = shops.get(ctx.uow).currency
    tell_who(ctx, found.page.items)
    for row in found.page.items:
        row |= {
            "id": f"{row['member_id']}-{row['ladder_id']}",
            "last_at": row["ends_at"] - timedelta(seconds=1),
            "tier": row["tier_names"].get(ctx.locale) or row["tier"],
            "why": "grace" if row["grace_until"] else "period",
            "counts": to_decimal(row["value"], currency) if row["metric"] == "spend" else row["value"],
        }
    return replace(found, until=None)


def _counts(row: Row) -> Any:
    return row["counts"]


ENDINGS = declare_list(
    ListSpec(
        key="tier-endings",
        title=mark("Members who lose a tier"),
        place="tier-management.endings",
        permission=Permission.TIERS_READ,
        query=EndingsQuery,
        rows=_endings,
        csv="/v1/api/vip-tiers/endings.csv",
        columns=(
            Column("name", mark("Member")),
            Column("member_id", mark("Member id"), shown=False, priority=2),
            Column("tier", mark("Tier"), phone="mark"),
            Column("ladder", mark("Ladder"), shown=False, priority=2),
            Column("value", mark("Counts now"), kind="number", value=_counts),
            Column("metric", mark("What counts"), shown=False, priority=2, words=METRICS),
            Column("last_at", mark("Last day"), kind="date", phone="note"),
            Column("why", mark("Why"), phone="more", words=WHYS),
        ),
        search=Search("search", mark("Name, e-mail, order, code or customer id")),
        filters=(
            Choice("tier", mark("Tier")),
            Choice("why", mark("Why"), tuple(WHYS.items())),
            Choice("ladder", mark("Ladder"), more=True),
        ),
        sorts=(Sort("soonest", mark("Soonest first"), "last_at", descending=False),),
        ready=tuple(Ready(words, {"days": days}) for days, words in WITHIN.items()),
        bulk=_BULK,
        chosen="member_id",
    )
)


def _simulated(ctx: Context, query: SimulatedQuery, simulation: UUID) -> Found:
    run = service.get(ctx.uow, simulation)
    metric, currency = run["ladder"].metric, shops.get(ctx.uow).currency
    page = lists.simulated(ctx.uow, simulation, query)
    tell_who(ctx, page.items)
    names = called(ctx)
    for row in page.items:
        row |= {side: names.get(row[side], row[side]) for side in ("from_name", "to_name")}
        row["counts"] = to_decimal(row["value"], currency) if metric == "spend" else row["value"]
    asked = {query.outcome} if query.outcome else set(OUTCOMES)
    matrix = run["result"].get("matrix", [])
    return Found(page, sum(count for (*_, outcome), count in matrix if outcome in asked))


SIMULATED = declare_list(
    ListSpec(
        key="tier-preview",
        title=mark("Members who move"),
        place="tier-management.preview",
        permission=Permission.TIERS_READ,
        query=SimulatedQuery,
        rows=_simulated,
        csv="/v1/api/vip-tiers/previews/{simulation}/members.csv",
        columns=(
            Column("name", mark("Member")),
            Column("member_id", mark("Member id"), shown=False, priority=2),
            Column("from_name", mark("Now"), phone="more"),
            Column("to_name", mark("Then"), phone="mark"),
            Column("outcome", mark("Direction"), shown=False, priority=2, words=OUTCOMES),
            Column("value", mark("Counts now"), kind="number", value=_counts),
        ),
        ready=tuple(Ready(words, {"outcome": outcome}) for outcome, words in OUTCOMES.items()),
        bulk=_BULK,
        chosen="member_id",
    )
)
