"""One-click tasks of the ledger: points for a member, and a few days on which orders earn more."""

from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from app.core import ids
from app.core.db import UnitOfWork
from app.core.errors import Invalid
from app.core.i18n import mark
from app.core.permissions import Permission
from app.domains.members import service as members
from app.domains.members.schemas import Member
from app.domains.points import queries
from app.domains.points.errors import NoProgramActive, NothingEndsSooner
from app.domains.points.schemas import Wish
from app.domains.points.service import adjustments, extending, rehearsing, statement
from app.domains.programs import service as programs
from app.domains.programs.schemas import Goods, Multiplier
from app.domains.quick.schemas import Line, Outcome, Preview, Task, dated
from app.domains.shops import service as shops

_WEEKS_BACK = 4
_LONGEST_DAYS = 14
_LONGEST_KEPT = timedelta(days=5 * 366)
_KEPT_FOR = timedelta(days=90)
_SATURDAY = 5


class AwardTask(BaseModel):
    """Points for one member."""

    member: str = Field(min_length=1, max_length=254)
    points: int = Field(gt=0, le=100_000_000)
    reason: Literal["goodwill", "correction", "promotion", "missing_points", "other"] = "goodwill"
    note: str = Field("", max_length=200)


class DoubleTask(BaseModel):
    """Days on which orders earn more, first and last included, in the shop's zone."""

    name: str = Field(min_length=1, max_length=80)
    factor: Decimal = Field(gt=1, le=100, decimal_places=2)
    starts_on: date
    ends_on: date


class ExtendTask(BaseModel):
    """Points of one member that end within so many days, and the last day until which they are kept."""

    member: str = Field(min_length=1, max_length=254)
    within: Literal["30", "90", "365", "all"] = "30"
    until: date


def one_member(uow: UnitOfWork, text: str) -> Member:
    """The member that staff mean by an e-mail, a name, an order or an id. Raises Invalid for none or several."""
    found = [one for one in members.search(uow, text.strip()) if one.status != "merged"]
    if len(found) != 1:
        raise Invalid(fields={"member": mark("No member, or more than one, matches. Enter the member id.")})
    return found[0]


def _preview_award(uow: UnitOfWork, form: AwardTask, locale: str) -> Preview:
    member = one_member(uow, form.member)
    profile = members.profile(uow, member.id)
    shown = adjustments.adjust_preview(uow, member.id, "award", form.points)
    lines = [
        Line(mark("Member"), profile.name or profile.email or str(member.id)),
        Line(mark("Available now"), shown.available, "points"),
        Line(mark("Available afterwards"), shown.available_after, "points"),
    ]
    if shown.debt:
        lines.append(Line(mark("Debt afterwards"), shown.debt_after, "points"))
    warned = shown.needs_approval
    return Preview(
        lines,
        [(mark("Somebody else will have to approve this."), {})] if warned else [],
        submit=(mark("Award {points}"), {"points": statement.counted(form.points, locale)}),
    )


def _award(uow: UnitOfWork, form: AwardTask) -> Outcome:
    member = one_member(uow, form.member)
    wish = Wish(member.id, "award", form.points, f"staff:{ids.new_id()}", form.reason, note=form.note)
    done = adjustments.adjust_by_hand(uow, [wish])[0]
    if done.status == "waiting":
        return Outcome(
            mark("This waits until somebody else approves it."), url="/app/points-ledger/adjustments"
        )
    return Outcome(
        mark("Points added: {points}."),
        {"points": done.moved},
        url=f"/app/members/{member.id}",
        undo={"adjustment": str(done.id)},
    )


def _undo_award(uow: UnitOfWork, kept: dict[str, Any]) -> None:
    adjustments.undo(uow, UUID(kept["adjustment"]))


def _check_days(uow: UnitOfWork, form: DoubleTask) -> None:
    today = uow.now.astimezone(ZoneInfo(shops.get(uow).timezone)).date()
    if form.starts_on < today:
        raise Invalid(fields={"starts_on": mark("Choose today or a later day.")})
    if not form.starts_on <= form.ends_on < form.starts_on + timedelta(days=_LONGEST_DAYS):
        raise Invalid(fields={"ends_on": mark("Choose a day from the first one on, at most 14 days in all.")})


def _preview_double(uow: UnitOfWork, form: DoubleTask, locale: str) -> Preview:
    """What the same days brought in the last four weeks, and what the factor would have added."""
    _check_days(uow, form)
    shop = shops.get(uow)
    zone = ZoneInfo(shop.timezone)
    first = (form.ends_on - uow.now.astimezone(zone).date()).days // 7 + 1
    orders = given = 0
    for weeks in range(first, first + _WEEKS_BACK):
        began, ended = (
            datetime.combine(day - timedelta(weeks=weeks), time.min, zone)
            for day in (form.starts_on, form.ends_on + timedelta(days=1))
        )
        found = queries.awarded_between(uow, began, ended)
        orders, given = orders + found[0], given + found[1]
    extra = int((Decimal(given) * (form.factor - 1) / _WEEKS_BACK).to_integral_value(ROUND_HALF_UP))
    lines = [
        Line(mark("From"), form.starts_on, "date"),
        Line(mark("To"), form.ends_on, "date"),
        Line(
            mark("Orders that earned on such days, a week on average"), round(orders / _WEEKS_BACK), "number"
        ),
        Line(mark("Points that they earned"), round(given / _WEEKS_BACK), "points"),
        Line(mark("Points that would come on top"), extra, "points"),
    ]
    warnings: list[tuple[str, dict[str, Any]]] = []
    worth = rehearsing.worth(uow)
    if worth:
        lines.append(Line(mark("Which are worth"), extra * worth // 1_000, "money"))
    else:
        warnings.append((mark("Say under points liability what points are worth, to see the cost here."), {}))
    if not orders:
        warnings.append(
            (mark("No order earned on such days in the last four weeks, so nothing is expected."), {})
        )
    return Preview(lines, warnings)


def _double(uow: UnitOfWork, form: DoubleTask) -> Outcome:
    _check_days(uow, form)
    program = programs.active(uow)
    if program is None:
        raise NoProgramActive()
    campaign = Multiplier(
        id=f"quick-{ids.new_id().hex[-12:]}",
        name=form.name,
        factor=form.factor,
        conditions=Goods(starts_on=form.starts_on, ends_on=form.ends_on),
    )
    kept = [Multiplier.model_validate(one) for one in programs.settings(uow, program.id)["multipliers"]]
    wanted = programs.settings_with(uow, program.id, {"multipliers": [*kept, campaign]})
    programs.apply(uow, program.id, wanted, version=program.version)
    return Outcome(
        mark("Orders from {start} to {end} earn {factor} times the points."),
        {
            "start": dated(form.starts_on),
            "end": dated(form.ends_on),
            "factor": f"{form.factor.normalize():f}",
        },
        url=f"/app/loyalty-programs/{program.id}",
        undo={"program": str(program.id), "campaign": campaign.id},
    )


def _undo_double(uow: UnitOfWork, kept: dict[str, Any]) -> None:
    """Points that were given meanwhile stay; orders after this earn as before."""
    program = programs.get(uow, UUID(kept["program"]))
    settings = programs.settings(uow, program.id)
    left = [
        Multiplier.model_validate(one) for one in settings["multipliers"] if one["id"] != kept["campaign"]
    ]
    wanted = programs.settings_with(uow, program.id, {"multipliers": left})
    programs.apply(uow, program.id, wanted, version=program.version)


def _within(form: ExtendTask) -> int | None:
    return None if form.within == "all" else int(form.within)


def _check_until(uow: UnitOfWork, form: ExtendTask) -> None:
    today = uow.now.astimezone(ZoneInfo(shops.get(uow).timezone)).date()
    if not today < form.until <= today + _LONGEST_KEPT:
        raise Invalid(fields={"until": mark("Choose a day in the future, at most five years ahead.")})


def _preview_extend(uow: UnitOfWork, form: ExtendTask, locale: str) -> Preview:
    _check_until(uow, form)
    member = one_member(uow, form.member)
    profile = members.profile(uow, member.id)
    found = extending.extend_preview(uow, member.id, form.until, _within(form))
    lines = [
        Line(mark("Member"), profile.name or profile.email or str(member.id)),
        Line(mark("Points that would be kept"), found.points, "points"),
    ]
    if found.last_day is None:
        return Preview(lines[:1], [(NothingEndsSooner.default_message, {})], possible=False)
    lines += [
        Line(mark("The first of them end after"), found.last_day, "date"),
        Line(mark("All of them would end after"), form.until, "date"),
    ]
    return Preview(lines)


def _extend(uow: UnitOfWork, form: ExtendTask) -> Outcome:
    _check_until(uow, form)
    member = one_member(uow, form.member)
    extension_id, points = extending.extend(uow, member.id, form.until, _within(form))
    return Outcome(
        mark("{points} points are kept until {day}."),
        {"points": points, "day": dated(form.until)},
        url=f"/app/members/{member.id}",
        undo={"member": str(member.id), "extension": str(extension_id)},
    )


def _undo_extend(uow: UnitOfWork, kept: dict[str, Any]) -> None:
    extending.shorten_back(uow, UUID(kept["member"]), UUID(kept["extension"]))


def _in_three_months(uow: UnitOfWork, locale: str) -> dict[str, Any]:
    today = uow.now.astimezone(ZoneInfo(shops.get(uow).timezone)).date()
    return {"initial": {"within": "30", "until": today + _KEPT_FOR}}


def _next_weekend(uow: UnitOfWork, locale: str) -> dict[str, Any]:
    today = uow.now.astimezone(ZoneInfo(shops.get(uow).timezone)).date()
    saturday = today + timedelta(days=(_SATURDAY - today.weekday()) % 7)
    return {
        "initial": {
            "name": "Double points",
            "factor": Decimal(2),
            "starts_on": saturday,
            "ends_on": saturday + timedelta(days=1),
        }
    }


TASKS = (
    Task(
        key="award-points",
        title=mark("Award points"),
        text=mark("Give a member points, for an apology or a thank-you."),
        icon="coins",
        permission=Permission.POINTS_ADJUST,
        form=AwardTask,
        template="admin/points/_quick_award.html",
        submit=mark("Award points"),
        preview=_preview_award,
        run=_award,
        undo=_undo_award,
        choices=lambda uow, locale: {"initial": {"reason": "goodwill"}},
        position=10,
    ),
    Task(
        key="double-points",
        title=mark("Double points for a few days"),
        text=mark("Let orders earn more on a weekend, with what that would cost."),
        icon="sparkles",
        permission=Permission.PROGRAMS_WRITE,
        form=DoubleTask,
        template="admin/points/_quick_double.html",
        submit=mark("Set the days"),
        preview=_preview_double,
        run=_double,
        undo=_undo_double,
        choices=_next_weekend,
        position=20,
    ),
    Task(
        key="extend-points",
        title=mark("Keep a member's points for longer"),
        text=mark("Give points that expire soon a later day."),
        icon="calendar",
        permission=Permission.POINTS_ADJUST,
        form=ExtendTask,
        template="admin/points/_quick_extend.html",
        submit=mark("Keep these points"),
        preview=_preview_extend,
        run=_extend,
        undo=_undo_extend,
        choices=_in_three_months,
        position=15,
    ),
)
