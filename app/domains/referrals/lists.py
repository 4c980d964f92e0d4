"""The lists of referral campaigns and of the friends who came through one: columns, filters, and how rows are read."""

from typing import Any
from uuid import UUID

from app.core.i18n import mark, mark_plural
from app.core.paging import Found, Page
from app.core.permissions import Permission
from app.domains.members import service as members
from app.domains.referrals import queries, rules
from app.domains.referrals.models import ReferralCampaign
from app.domains.referrals.schemas import CampaignsQuery, FriendsQuery
from app.web.context import Context
from app.web.lists import Column, ListSpec, Ready, declare_list

STATUSES = {
    "active": mark("Active"),
    "draft": mark("Draft"),
    "paused": mark("Paused"),
    "completed": mark("Completed"),
}
REFERRAL_STATUSES = {
    "recorded": mark("Recorded"),
    "qualified": mark("Qualified"),
    "rewarded": mark("Rewarded"),
    "rejected": mark("Rejected"),
    "reversed": mark("Reversed"),
}
REASONS = {
    "same_person": mark("Advocate and friend are one person"),
    "not_new": mark("Had ordered before"),
    "member_blocked": mark("One of them is blocked"),
    "maximum_reached": mark("The advocate has reached the maximum"),
    "order_taken_back": mark("The order was refunded or canceled"),
    "came_before": mark("This person had come by another invitation before"),
}


def numbers(campaign: ReferralCampaign, counts: dict[str, int], visits: int) -> dict[str, Any]:
    """A campaign as the list shows it, with how many came and bought."""
    return {
        "id": campaign.id,
        "name": campaign.name,
        "status": campaign.status,
        "advocate_points": campaign.advocate_points,
        "friend_points": campaign.friend_points,
        "visits": visits,
        "friends": sum(counts.values()),
        "bought": counts.get("qualified", 0) + counts.get("rewarded", 0),
        "updated_at": campaign.updated_at,
    }


def _campaigns(ctx: Context, query: CampaignsQuery) -> Found:
    page = queries.page(ctx.uow, query)
    campaigns = [one.id for one in page.items]
    counts, visits = queries.counts(ctx.uow, campaigns), queries.visits(ctx.uow, campaigns)
    rows = [numbers(one, counts.get(one.id, {}), visits[one.id]) for one in page.items]
    return Found(Page(rows, page.next_cursor, page.previous_cursor))


CAMPAIGNS = declare_list(
    ListSpec(
        key="campaigns",
        title=mark("Referral campaigns"),
        place="referral-campaigns",
        permission=Permission.REFERRALS_READ,
        query=CampaignsQuery,
        rows=_campaigns,
        csv="/v1/api/referral-campaigns.csv",
        columns=(
            Column("name", mark("Campaign")),
            Column("status", mark("Status"), kind="status", phone="mark", words=STATUSES),
            Column(
                "advocate_points",
                mark("For the advocate"),
                kind="number",
                unit=mark_plural("point", "points"),
                priority=2,
            ),
            Column(
                "friend_points",
                mark("For the friend"),
                kind="number",
                unit=mark_plural("point", "points"),
                priority=2,
            ),
            Column("visits", mark("Visitors by a link"), kind="number", priority=2),
            Column("friends", mark("Friends who came"), kind="number"),
            Column("bought", mark("Friends who bought"), kind="number"),
            Column("updated_at", mark("Last change"), kind="date", priority=2),
        ),
        ready=(
            Ready(mark("Active"), {"status": "active"}),
            Ready(mark("Drafts"), {"status": "draft"}),
            Ready(mark("Paused"), {"status": "paused"}),
            Ready(mark("Completed"), {"status": "completed"}),
        ),
    )
)


def _friends(ctx: Context, query: FriendsQuery, id: UUID) -> Found:
    page = queries.of_campaign(ctx.uow, id, query.status, query.limit, query.cursor)
    people = {one.advocate_id for one in page.items} | {one.friend_id for one in page.items}
    names = members.profiles(ctx.uow, people) if ctx.can(Permission.MEMBERS_READ) else {}
    rows: list[dict[str, Any]] = [
        {
            "id": one.id,
            "advocate_id": one.advocate_id,
            "advocate": names[one.advocate_id].name if one.advocate_id in names else "",
            "friend_id": one.friend_id,
            "friend": rules.masked(names[one.friend_id].email) if one.friend_id in names else "",
            "status": one.status,
            "reason": one.reason,
            "given": one.advocate_given + one.friend_given,
            "recorded_at": one.recorded_at,
            "rewarded_at": one.rewarded_at,
        }
        for one in page.items
    ]
    return Found(Page(rows, page.next_cursor, page.previous_cursor))


FRIENDS = declare_list(
    ListSpec(
        key="referrals",
        title=mark("Friends who came through this campaign"),
        place="referral-campaigns.campaign",
        permission=Permission.REFERRALS_READ,
        query=FriendsQuery,
        rows=_friends,
        csv="/v1/api/referral-campaigns/{id}/friends.csv",
        columns=(
            Column("friend", mark("Friend")),
            Column("advocate", mark("Advocate")),
            Column("status", mark("Status"), kind="status", phone="mark", words=REFERRAL_STATUSES),
            Column("reason", mark("Why"), priority=2, words=REASONS),
            Column("given", mark("Points given"), kind="number", unit=mark_plural("point", "points")),
            Column("recorded_at", mark("Came"), kind="date", priority=2),
            Column("rewarded_at", mark("Rewarded"), kind="date", shown=False, priority=2),
            Column("actions", mark("Actions"), kind="actions"),
        ),
        ready=tuple(
            Ready(REFERRAL_STATUSES[one], {"status": one})
            for one in ("recorded", "qualified", "rewarded", "rejected", "reversed")
        ),
    )
)
