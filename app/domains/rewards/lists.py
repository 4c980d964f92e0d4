"""The lists of rewards and of redemptions: columns, filters, and how rows are read."""

from typing import Any

from app.core.i18n import mark, mark_plural
from app.core.paging import Found, Page
from app.core.permissions import Permission
from app.domains.members import service as members
from app.domains.programs import service as programs
from app.domains.rewards import queries, rules, service
from app.domains.rewards.schemas import CODE_KINDS, CatalogQuery, Redemption, RedemptionsFilter
from app.web.context import Context
from app.web.lists import Choice, Column, Given, ListSpec, Ready, Search, declare_list

STATUSES = {"active": mark("Active"), "draft": mark("Draft"), "retired": mark("Retired")}
STATES = {
    "waiting": mark("Being taken back"),
    "owed": mark("To be handed over"),
    "reserved": mark("Being created"),
    "issued": mark("Issued"),
    "used": mark("Used"),
    "expired": mark("Expired"),
    "cancelled": mark("Canceled"),
    "failed": mark("Failed"),
}


def _rewards(ctx: Context, query: CatalogQuery) -> Found:
    page = queries.listed(ctx.uow, query)
    uses = queries.redeemed_recently(ctx.uow, [reward.id for reward in page.items])
    homes = programs.some(ctx.uow, {reward.program_id for reward in page.items})
    rows = [
        service.snapshot(reward)
        | {
            "id": reward.id,
            "program": homes[reward.program_id].name,
            "program_status": homes[reward.program_id].status,
            "name": rules.localized(reward.name, reward.names, ctx.locale),
            "redeemed": uses.get(reward.id, 0),
            "left": None if reward.stock is None else max(0, reward.stock - reward.stock_taken),
        }
        for reward in page.items
    ]
    return Found(Page(rows, page.next_cursor, page.previous_cursor), queries.count(ctx.uow, query))


REWARDS = declare_list(
    ListSpec(
        key="rewards",
        title=mark("Rewards"),
        place="reward-catalog",
        permission=Permission.REWARDS_READ,
        query=CatalogQuery,
        rows=_rewards,
        csv="/v1/api/rewards.csv",
        columns=(
            Column("name", mark("Reward")),
            Column("kind", mark("What members get"), phone="note"),
            Column("points_cost", mark("Points price"), kind="number", unit=mark_plural("point", "points")),
            Column("left", mark("In stock"), kind="number", priority=2),
            Column("redeemed", mark("Redeemed in 30 days"), kind="number", priority=2),
            Column("valid_days", mark("Days to use it"), kind="number", shown=False, priority=2),
            Column("program", mark("Program"), shown=False, priority=2),
            Column("status", mark("Status"), kind="status", words=STATUSES),
        ),
        filters=(Choice("program", mark("Program")),),
        ready=(
            Ready(mark("Active"), {"status": "active"}),
            Ready(mark("Drafts"), {"status": "draft"}),
            Ready(mark("Retired"), {"status": "retired"}),
        ),
    )
)


def row_of(ctx: Context, one: Redemption) -> dict[str, Any]:
    """A redemption as lists and drawers show it; `member` is the name where the reader may see names."""
    over = one.status == "issued" and one.expires_at is not None and one.expires_at < ctx.uow.now
    owed = one.kind == "custom" and one.status == "reserved"
    return {
        "id": one.id,
        "code": one.code if one.kind in (*CODE_KINDS, "custom") else "",
        "kind": one.kind,
        "reward_id": one.reward_id,
        "reward": rules.localized(one.terms.name, one.terms.names, ctx.locale),
        "member_id": one.member_id,
        "points": one.points,
        "state": "waiting" if one.cancelling else "owed" if owed else "expired" if over else one.status,
        "ending": one.ending or "",
        "failure": one.failure or "",
        "created_at": one.created_at,
        "issued_at": one.issued_at,
        "used_at": one.used_at,
        "expires_at": one.expires_at,
        "cancellable": service.cancellable(one),
        "sendable": ctx.can(Permission.POINTS_REDEEM) and service.sendable(ctx.uow, one),
        "owed": owed,
    }


def named(ctx: Context, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Redemptions with the names of their members, where the reader may see names."""
    may_see = ctx.can(Permission.MEMBERS_READ)
    known = members.profiles(ctx.uow, {row["member_id"] for row in rows}) if may_see else {}
    return [
        row | {"member": known[row["member_id"]].name if row["member_id"] in known else ""} for row in rows
    ]


def _redemptions(ctx: Context, query: RedemptionsFilter) -> Found:
    text = (query.search or "").strip()
    if not text or queries.owners_by_code(ctx.uow, text):
        page = queries.redemptions(ctx.uow, query, code=text or None)
    else:
        people = [one.merged_into or one.id for one in members.search(ctx.uow, text)]
        page = queries.redemptions(ctx.uow, query, member_ids=people)
    rows = named(ctx, [row_of(ctx, one) for one in page.items])
    return Found(Page(rows, page.next_cursor, page.previous_cursor))


REDEMPTIONS = declare_list(
    ListSpec(
        key="redemptions",
        title=mark("Redemptions"),
        place="reward-catalog.redemptions",
        permission=Permission.REWARDS_READ,
        query=RedemptionsFilter,
        rows=_redemptions,
        csv="/v1/api/redemptions.csv",
        columns=(
            Column("code", mark("Code"), field="discount_code"),
            Column("member", mark("Member"), priority=2),
            Column("reward", mark("Reward"), phone="note", field="reward_name"),
            Column("points", mark("Points"), kind="number", unit=mark_plural("point", "points")),
            Column("state", mark("Status"), phone="mark", words=STATES),
            Column("created_at", mark("Redeemed"), kind="date", phone="hide"),
            Column("issued_at", mark("Issued"), kind="date", shown=False, priority=2),
            Column("used_at", mark("Used"), kind="date", shown=False, priority=2),
            Column("expires_at", mark("Expires"), kind="date", shown=False, priority=2),
            Column("actions", mark("Actions"), kind="actions"),
        ),
        search=Search("search", mark("Name, e-mail, order, code or customer id")),
        filters=(
            Given("reward", mark("Reward"), mark("one reward")),
            Given("member", mark("Member"), mark("one member")),
        ),
        ready=tuple(
            Ready(STATES[one], {"status": one})
            for one in ("owed", "issued", "used", "expired", "cancelled", "failed")
        ),
    )
)
