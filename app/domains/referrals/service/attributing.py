"""Who brought whom: links of advocates, codes that friends claim, codes that orders carry."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

import orjson

from app.core import ids
from app.core.db import UnitOfWork
from app.domains.members import service as members
from app.domains.orders.events import OrderChanged
from app.domains.referrals import queries, rules
from app.domains.referrals.errors import ReferralCodeUnknown, ReferralsNotRunning
from app.domains.referrals.events import ReferralRecorded
from app.domains.referrals.models import ReferralCampaign
from app.domains.referrals.schemas import Referral, Terms
from app.domains.referrals.service.campaigns import running
from app.domains.referrals.service.settling import judge, take_back
from app.domains.rewards import service as rewards

_INSERT = """
INSERT INTO referrals (shop_id, id, campaign_id, advocate_id, friend_id, terms, recorded_at, created_at, updated_at)
SELECT %(shop)s, v.id, %(campaign)s, v.advocate_id, v.friend_id, %(terms)s::jsonb, v.at, %(now)s, %(now)s
FROM jsonb_to_recordset(%(rows)s::jsonb) AS v (id uuid, advocate_id uuid, friend_id uuid, at timestamptz)
ON CONFLICT (shop_id, friend_id) DO NOTHING RETURNING id, advocate_id, friend_id
"""


@dataclass(frozen=True)
class Arrival:
    """A friend who came with a code at some time."""

    friend_id: UUID
    code: str
    at: datetime


def link(uow: UnitOfWork, member_id: UUID) -> str:
    """The member's own code, made when they first ask for it."""
    while (code := queries.code_of(uow, member_id)) is None:
        uow.execute(
            "INSERT INTO referral_links (shop_id, id, member_id, code, created_at)"
            " VALUES (%(shop)s, %(id)s, %(member)s, %(code)s, %(now)s) ON CONFLICT DO NOTHING",
            {
                "shop": uow.shop,
                "id": ids.new_id(),
                "member": member_id,
                "code": "".join(secrets.choice(rules.ALPHABET) for _ in range(rules.CODE_LENGTH)),
                "now": uow.now,
            },
        )
    return code


def claim(uow: UnitOfWork, friend_id: UUID, code: str) -> Referral:
    """A member says whose code brought them; the first to bring somebody counts, so a repeat changes nothing.

    Returns the referral as it stands. Raises ReferralsNotRunning, ReferralCodeUnknown.
    """
    known = queries.lock_of_friends(uow, [friend_id])
    if known:
        return known[0]
    if running(uow, uow.now) is None:
        raise ReferralsNotRunning()
    if not queries.advocates(uow, [code]):
        raise ReferralCodeUnknown()
    _record(uow, [Arrival(friend_id, code, uow.now)], {})
    judge(uow, queries.lock_of_friends(uow, [friend_id]), [])
    return queries.lock_of_friends(uow, [friend_id])[0]


def note_orders(uow: UnitOfWork, events: Sequence[OrderChanged]) -> None:
    """Orders changed: friends who came with a code are noted, and what their referrals have come to is decided anew."""
    told = [one for one in events if one.known and not one.test and one.member_id is not None]
    if not told:
        return
    friends = {one.member_id for one in told if one.member_id}
    found = queries.lock_of_friends(uow, friends)
    arrivals = _first_arrivals(told)
    if arrivals:
        _record(uow, arrivals, {one.member_id: one for one in found})
        found = queries.lock_of_friends(uow, friends)
    judge(uow, found, told)


def _first_arrivals(events: Sequence[OrderChanged]) -> list[Arrival]:
    """Each friend's earliest order that carries a code."""
    found: dict[UUID, Arrival] = {}
    placed = [(one.placed_at, one.order_id, one) for one in events if one.referral_code and one.placed_at]
    for at, _, one in sorted(placed, key=lambda told: told[:2]):
        if one.member_id:
            found.setdefault(one.member_id, Arrival(one.member_id, one.referral_code, at))
    return list(found.values())


def _record(uow: UnitOfWork, arrivals: Sequence[Arrival], known: Mapping[UUID, Referral]) -> None:
    """Note friends who are new, and those who, as we learn only now, came earlier and by another's code."""
    codes = queries.advocates(uow, {one.code for one in arrivals}) if arrivals else {}
    brought = members.by_ids(uow, codes.values()) if codes else {}
    owners = {code: brought[owner].merged_into or owner for code, owner in codes.items() if owner in brought}
    fresh: list[Arrival] = []
    for one in arrivals:
        if one.code not in owners:
            continue
        before = known.get(one.friend_id)
        if before is None:
            fresh.append(one)
        elif one.at < before.recorded_at:
            _move(uow, before, owners[one.code], one.at)
    campaigns = {one.friend_id: running(uow, one.at) for one in fresh}
    for campaign in {one.id: one for one in campaigns.values() if one}.values():
        chosen = [one for one in fresh if campaigns[one.friend_id] is campaign]
        rows = [
            {"id": ids.new_id(), "advocate_id": owners[one.code], "friend_id": one.friend_id, "at": one.at}
            for one in chosen
        ]
        written = uow.all(
            _INSERT,
            {
                "shop": uow.shop,
                "campaign": campaign.id,
                "terms": orjson.dumps(promised(campaign)).decode(),
                "rows": orjson.dumps(rows).decode(),
                "now": uow.now,
            },
        )
        later = campaign.advocate_points if campaign.reward_on == "first_order" else 0
        uow.publish(
            [ReferralRecorded(row["id"], row["advocate_id"], row["friend_id"], later) for row in written]
        )


def _move(uow: UnitOfWork, referral: Referral, advocate_id: UUID, at: datetime) -> None:
    """An earlier order carried a code: that advocate brought the friend. What the other one got goes back first."""
    if advocate_id != referral.advocate_id:
        take_back(uow, referral, "referral_moved")
    uow.execute(
        "UPDATE referrals SET advocate_id = %(advocate)s, recorded_at = %(at)s, updated_at = %(now)s"
        " WHERE shop_id = %(shop)s AND id = %(id)s",
        {"shop": uow.shop, "id": referral.id, "advocate": advocate_id, "at": at, "now": uow.now},
    )


def promised(campaign: ReferralCampaign) -> Terms:
    """What a campaign promises to those who come now."""
    return Terms(**{one.name: getattr(campaign, one.name) for one in fields(Terms)})


def coupons(uow: UnitOfWork, terms: Terms, locale: str) -> dict[str, str]:
    """The names of the coupons that a promise holds, by side, in a language."""
    wanted = {"advocate": terms.advocate_reward_id, "friend": terms.friend_reward_id}
    named = {one for one in wanted.values() if one is not None}
    known = {one.id: one for one in rewards.givable(uow, named)} if named else {}
    return {
        side: known[one].names.get(locale) or known[one].name
        for side, one in wanted.items()
        if one is not None and one in known
    }


def invited(uow: UnitOfWork, advocate_id: UUID) -> list[Referral]:
    """The friends that a member brought, newest first."""
    return queries.of_advocate(uow, advocate_id)


def visit(uow: UnitOfWork, code: str, cart: str) -> bool:
    """Count that somebody opened an advocate's link: each cart once, and no more of a link than the campaign can use.

    False when nothing runs, nobody has the code, or the visit is known.
    """
    campaign = running(uow, uow.now)
    link_id = queries.link_of_code(uow, code) if campaign else None
    if campaign is None or link_id is None:
        return False
    written = uow.execute(
        "INSERT INTO referral_visits (shop_id, campaign_id, link_id, visitor, created_at)"
        " SELECT %(shop)s, %(campaign)s, %(link)s, %(visitor)s, %(now)s WHERE %(most)s > (SELECT count(*) FROM"
        " (SELECT FROM referral_visits WHERE shop_id = %(shop)s AND link_id = %(link)s AND campaign_id = %(campaign)s"
        " LIMIT %(most)s) known) ON CONFLICT DO NOTHING",
        {
            "shop": uow.shop,
            "campaign": campaign.id,
            "link": link_id,
            "visitor": uow.blind_index(cart, "referrals.visitor")[:12],
            "most": rules.MOST_VISITS,
            "now": uow.now,
        },
    )
    return written.rowcount == 1


def find(uow: UnitOfWork, referral_id: UUID) -> Referral | None:
    """One referral."""
    return queries.referral(uow, referral_id)
