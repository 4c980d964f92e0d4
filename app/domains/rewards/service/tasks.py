"""One-click tasks of rewards: a reward for nothing, a code once more, and more pieces of a reward that runs out."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from app.core import ids
from app.core.db import UnitOfWork
from app.core.errors import Invalid
from app.core.i18n import mark
from app.core.permissions import Permission
from app.domains.compliance import service as compliance
from app.domains.members import service as members
from app.domains.points import service as points
from app.domains.quick.schemas import Line, Outcome, Preview, Task, named
from app.domains.rewards import queries, rules
from app.domains.rewards.errors import RedemptionNotCancellable, StockBelowTaken
from app.domains.rewards.models import Reward
from app.domains.rewards.schemas import Redemption, RedemptionsFilter
from app.domains.rewards.service import giving, resending
from app.domains.rewards.service.catalog import get_reward
from app.domains.shops import service as shops

_MOST_PIECES = 1_000_000
_CHOICES = 100
_LOOKED_AT = 20
_NO_ACCOUNT = mark("Only an active member with a customer account can be given a reward.")


class GiveTask(BaseModel):
    """A reward for one member, for nothing."""

    member: str = Field(min_length=1, max_length=254)
    reward: UUID


class ResendTask(BaseModel):
    """A code to send again, or whose newest one."""

    code: str = Field(min_length=1, max_length=254)


class RefillTask(BaseModel):
    """More pieces of a reward."""

    reward: UUID
    pieces: int = Field(gt=0, le=_MOST_PIECES)


def _givable(uow: UnitOfWork, reward_id: UUID) -> Reward:
    found = giving.givable(uow, [reward_id])
    if not found:
        raise Invalid(fields={"reward": mark("Choose a reward that makes a discount code.")})
    return found[0]


def _preview_give(uow: UnitOfWork, form: GiveTask, locale: str) -> Preview:
    member, reward = points.one_member(uow, form.member), _givable(uow, form.reward)
    profile = members.profile(uow, member.id)
    lines = [
        Line(mark("Member"), profile.name or profile.email or str(member.id)),
        Line(mark("Reward"), rules.localized(reward.name, reward.names, locale)),
        Line(mark("Points"), 0, "points"),
    ]
    works_until = rules.expiry(uow.now, reward.valid_days, shops.get(uow).timezone)
    if works_until:
        lines.append(Line(mark("Works until"), works_until, "moment"))
    able = member.active and member.customer_id is not None
    return Preview(lines, [] if able else [(_NO_ACCOUNT, {})], possible=able)


def _give(uow: UnitOfWork, form: GiveTask) -> Outcome:
    member, reward = points.one_member(uow, form.member), _givable(uow, form.reward)
    given = giving.give(uow, member.id, reward.id, key=f"staff:{ids.new_id()}", channel="admin")
    if given is None:
        raise Invalid(fields={"member": _NO_ACCOUNT})
    return Outcome(
        mark("{reward} was given. The code is on its way to the member."),
        {"reward": named(reward.name, reward.names)},
        url=f"/app/reward-catalog/redemptions?open={given.id}",
        undo={"redemption": str(given.id)},
    )


def _undo_give(uow: UnitOfWork, kept: dict[str, Any]) -> None:
    if not giving.withdraw(uow, UUID(kept["redemption"])):
        raise RedemptionNotCancellable(status="used")


def _to_give(uow: UnitOfWork, locale: str) -> dict[str, Any]:
    return {"rewards": [(str(reward), name) for reward, name in giving.choices(uow, locale)]}


def _meant(uow: UnitOfWork, text: str) -> Redemption:
    """The redemption with a code, or the newest of a member that can be sent. Raises Invalid."""
    found = list(queries.by_codes(uow, [text.strip().upper()]).values())
    if found:
        return found[0]
    people = [one.id for one in members.search(uow, text.strip()) if one.active]
    if len(people) != 1:
        words = mark("More than one member matches.") if people else mark("No code and no member matches.")
        raise Invalid(fields={"code": words})
    latest = queries.redemptions(uow, RedemptionsFilter(member=people[0], status="issued", limit=_LOOKED_AT))
    working = next((one for one in latest.items if resending.sendable(uow, one)), None)
    if working is None:
        raise Invalid(fields={"code": mark("This member has no code that works.")})
    return working


def _preview_resend(uow: UnitOfWork, form: ResendTask, locale: str) -> Preview:
    redemption = _meant(uow, form.code)
    profile = members.profile(uow, redemption.member_id)
    lines = [
        Line(mark("Member"), profile.name or str(redemption.member_id)),
        Line(mark("E-mail"), profile.email or "–"),
        Line(mark("Reward"), rules.localized(redemption.terms.name, redemption.terms.names, locale)),
        Line(mark("Code"), redemption.code),
    ]
    if redemption.expires_at:
        lines.append(Line(mark("Works until"), redemption.expires_at, "moment"))
    warnings: list[tuple[str, dict[str, Any]]] = []
    if not resending.sendable(uow, redemption):
        warnings.append((mark("This code does not work any more, so it cannot be sent again."), {}))
    elif not profile.email:
        warnings.append((mark("This member has no e-mail address."), {}))
    return Preview(lines, warnings, possible=not warnings)


def _resend(uow: UnitOfWork, form: ResendTask) -> Outcome:
    redemption = resending.resend(uow, _meant(uow, form.code).id)
    return Outcome(
        mark("The code is on its way to the member."),
        url=f"/app/reward-catalog/redemptions?open={redemption.id}",
    )


def _with_stock(uow: UnitOfWork, reward_id: UUID) -> Reward:
    reward = queries.get(uow, reward_id)
    if reward is None or reward.stock is None:
        raise Invalid(fields={"reward": mark("Choose a reward with a limited stock.")})
    return reward


def _preview_refill(uow: UnitOfWork, form: RefillTask, locale: str) -> Preview:
    reward = _with_stock(uow, form.reward)
    stock = reward.stock or 0
    return Preview(
        [
            Line(mark("Reward"), rules.localized(reward.name, reward.names, locale)),
            Line(mark("Left now"), max(stock - reward.stock_taken, 0), "number"),
            Line(mark("Left afterwards"), stock + form.pieces - reward.stock_taken, "number"),
        ]
    )


def _change_stock(uow: UnitOfWork, reward_id: UUID, change: int) -> None:
    """Pieces more or fewer. The row's lock keeps redemptions away. Raises StockBelowTaken."""
    changed = uow.one(
        "UPDATE rewards SET stock = stock + %(change)s, version = version + 1 WHERE shop_id = %(shop)s AND id = %(id)s"
        " AND stock + %(change)s >= stock_taken RETURNING stock",
        {"shop": uow.shop, "id": reward_id, "change": change},
    )
    if changed is None:
        raise StockBelowTaken()
    before = {"stock": changed["stock"] - change}
    compliance.record(uow, "reward.updated", ("reward", str(reward_id)), before, {"stock": changed["stock"]})


def _refill(uow: UnitOfWork, form: RefillTask) -> Outcome:
    reward = _with_stock(uow, form.reward)
    _change_stock(uow, reward.id, form.pieces)
    return Outcome(
        mark("{reward} has {pieces} more pieces."),
        {"reward": named(reward.name, reward.names), "pieces": form.pieces},
        url=f"/app/reward-catalog/{reward.id}",
        undo={"reward": str(reward.id), "pieces": form.pieces},
    )


def _undo_refill(uow: UnitOfWork, kept: dict[str, Any]) -> None:
    _change_stock(uow, get_reward(uow, UUID(kept["reward"])).id, -kept["pieces"])


def _stocked(uow: UnitOfWork, locale: str) -> dict[str, Any]:
    found = queries.stocked(uow, _CHOICES)
    return {
        "rewards": [
            (
                str(one.id),
                rules.localized(one.name, one.names, locale),
                max((one.stock or 0) - one.stock_taken, 0),
            )
            for one in found
        ],
        "initial": {"pieces": 100},
    }


TASKS = (
    Task(
        key="give-reward",
        title=mark("Give a reward"),
        text=mark("Send one member a reward for nothing, as a thank-you or to put something right."),
        icon="gift",
        permission=Permission.POINTS_ADJUST,
        form=GiveTask,
        template="admin/rewards/_quick_give.html",
        submit=mark("Give reward"),
        preview=_preview_give,
        run=_give,
        undo=_undo_give,
        choices=_to_give,
        position=25,
    ),
    Task(
        key="resend-code",
        title=mark("Send a code again"),
        text=mark("A member lost the e-mail: find the code and send it once more."),
        icon="mail",
        permission=Permission.POINTS_REDEEM,
        form=ResendTask,
        template="admin/rewards/_quick_resend.html",
        submit=mark("Send code"),
        preview=_preview_resend,
        run=_resend,
        position=60,
    ),
    Task(
        key="refill-stock",
        title=mark("Refill a reward"),
        text=mark("Add pieces to a reward that is running out."),
        icon="package",
        permission=Permission.REWARDS_WRITE,
        form=RefillTask,
        template="admin/rewards/_quick_refill.html",
        submit=mark("Add pieces"),
        preview=_preview_refill,
        run=_refill,
        undo=_undo_refill,
        choices=_stocked,
        position=70,
    ),
)
