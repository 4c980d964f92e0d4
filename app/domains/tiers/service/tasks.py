"""The one-click task of tiers: a tier for some days."""

from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from app.core.db import UnitOfWork
from app.core.errors import Invalid
from app.core.i18n import mark
from app.core.permissions import Permission
from app.domains.members import service as members
from app.domains.points import service as points
from app.domains.quick.schemas import Line, Outcome, Preview, Task, named
from app.domains.shops import service as shops
from app.domains.tiers.schemas import Level
from app.domains.tiers.service.assigning import assign, end_of_day, release
from app.domains.tiers.service.placing import ladders, options, standing


class TierTask(BaseModel):
    """A tier that a member cannot lose for some days."""

    member: str = Field(min_length=1, max_length=254)
    tier: UUID
    days: int = Field(gt=0, le=3650)
    reason: str = Field("", max_length=200)


def _chosen(uow: UnitOfWork, tier_id: UUID) -> tuple[Level, UUID]:
    """A tier and its ladder. Raises Invalid."""
    for ladder in ladders(uow):
        for level in ladder.levels:
            if level.id == tier_id:
                return level, ladder.id
    raise Invalid(fields={"tier": mark("Choose a tier.")})


def _preview(uow: UnitOfWork, form: TierTask, locale: str) -> Preview:
    member = points.one_member(uow, form.member)
    profile = members.profile(uow, member.id)
    level, _ = _chosen(uow, form.tier)
    now = standing(uow, member.id).tier
    lines = [
        Line(mark("Member"), profile.name or profile.email or str(member.id)),
        Line(mark("Tier now"), now.localized(locale) if now else "–"),
        Line(mark("Tier afterwards"), level.localized(locale)),
        Line(mark("Kept until"), _last_day(uow, form.days), "date"),
    ]
    return Preview(lines, [(mark("What the tier gives on entering is given."), {})])


def _last_day(uow: UnitOfWork, days: int) -> Any:
    zone = ZoneInfo(shops.get(uow).timezone)
    return uow.now.astimezone(zone).date() + timedelta(days=days)


def _give(uow: UnitOfWork, form: TierTask) -> Outcome:
    member = points.one_member(uow, form.member)
    level, ladder_id = _chosen(uow, form.tier)
    until = end_of_day(uow, _last_day(uow, form.days))
    assign(uow, {member.id: form.tier}, reason=form.reason, lock_until=until)
    return Outcome(
        mark("The member has the tier {tier} for {days} days."),
        {"tier": named(level.name, level.names), "days": form.days},
        url=f"/app/members/{member.id}",
        undo={"member": str(member.id), "ladder": str(ladder_id)},
    )


def _undo(uow: UnitOfWork, kept: dict[str, Any]) -> None:
    """The ladder decides again where the member stands."""
    release(uow, UUID(kept["member"]), UUID(kept["ladder"]))


TASKS = (
    Task(
        key="give-tier",
        title=mark("Give a tier for some days"),
        text=mark("Let a member feel a higher tier; afterwards it is what they earned."),
        icon="award",
        permission=Permission.TIERS_WRITE,
        form=TierTask,
        template="admin/tiers/_quick_tier.html",
        submit=mark("Give tier"),
        preview=_preview,
        run=_give,
        undo=_undo,
        choices=lambda uow, locale: {
            "tiers": [(str(one), name) for one, name in options(uow, locale)],
            "initial": {"days": 30},
        },
        position=75,
    ),
)
