"""Every SELECT on referrals."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.core import paging
from app.core.db import UnitOfWork
from app.core.walking import placed
from app.domains.members.schemas import TimelineSlice
from app.domains.referrals.models import ReferralCampaign
from app.domains.referrals.schemas import CampaignsQuery, Referral


def get(uow: UnitOfWork, campaign_id: UUID) -> ReferralCampaign | None:
    """One campaign."""
    return uow.session.scalar(select(ReferralCampaign).where(ReferralCampaign.id == campaign_id))


def active(uow: UnitOfWork) -> ReferralCampaign | None:
    """The campaign that runs now."""
    return uow.session.scalar(select(ReferralCampaign).where(ReferralCampaign.status == "active"))


_NEWEST = paging.Order({"created_at": datetime, "id": UUID}, descending=True)


def page(uow: UnitOfWork, query: CampaignsQuery) -> paging.Page[ReferralCampaign]:
    """Campaigns, newest first. Raises StaleCursor."""
    statement = select(ReferralCampaign).limit(query.limit + 1)
    if query.status:
        statement = statement.where(ReferralCampaign.status == query.status)
    keys = (ReferralCampaign.created_at, ReferralCampaign.id)

    def read(place: paging.Place | None) -> Sequence[ReferralCampaign]:
        return uow.session.scalars(placed(statement, keys, _NEWEST, place)).all()

    return _NEWEST.page(query.cursor, query.limit, read)


def counts(uow: UnitOfWork, campaign_ids: Iterable[UUID]) -> dict[UUID, dict[str, int]]:
    """How many friends each campaign brought, by the state of their referral."""
    rows = uow.all(
        "SELECT campaign_id, status, count(*) AS friends FROM referrals"
        " WHERE shop_id = %(shop)s AND campaign_id = ANY(%(ids)s) GROUP BY campaign_id, status",
        {"shop": uow.shop, "ids": list(campaign_ids)},
    )
    found: dict[UUID, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row["campaign_id"], {})[row["status"]] = row["friends"]
    return found


_REFERRAL = """
SELECT r.id, r.campaign_id, r.advocate_id, r.friend_id, r.order_id, r.status, r.reason, r.terms, r.recorded_at, r.due_at,
  r.rewarded_at, r.advocate_given, r.friend_given, r.postings, r.advocate_redemption_id, r.friend_redemption_id,
  r.coupons, coalesce(f.merged_into, r.friend_id) AS member_id
FROM referrals r JOIN members f ON f.shop_id = r.shop_id AND f.id = r.friend_id WHERE r.shop_id = %(shop)s AND """


def lock_of_friends(uow: UnitOfWork, friend_ids: Iterable[UUID]) -> list[Referral]:
    """The referrals that brought these members or somebody whom they are one with, theirs until the end of the
    transaction, in one order everywhere."""
    return _found(
        uow,
        """r.friend_id = ANY(ARRAY(SELECT m.id FROM members m WHERE m.shop_id = %(shop)s
          AND m.merged_into = ANY(%(friends)s)) || %(friends)s::uuid[]) ORDER BY r.id FOR UPDATE OF r""",
        friends=list(friend_ids),
    )


def lock_between(uow: UnitOfWork, member_ids: Iterable[UUID]) -> list[Referral]:
    """The referrals in which these members have a part on either side, locked."""
    return _found(
        uow,
        """(r.advocate_id = ANY(%(members)s) OR r.friend_id = ANY(ARRAY(SELECT m.id FROM members m
          WHERE m.shop_id = %(shop)s AND m.merged_into = ANY(%(members)s)) || %(members)s::uuid[]))
          ORDER BY r.id FOR UPDATE OF r""",
        members=list(member_ids),
    )


def lock_due(uow: UnitOfWork, limit: int) -> list[Referral]:
    """Qualified referrals whose holding period is over."""
    return _found(
        uow,
        "r.status = 'qualified' AND r.due_at <= %(now)s ORDER BY r.id LIMIT %(limit)s FOR UPDATE OF r SKIP LOCKED",
        limit=limit,
    )


def referral(uow: UnitOfWork, referral_id: UUID) -> Referral | None:
    """One referral."""
    return next(iter(_found(uow, "r.id = %(id)s", id=referral_id)), None)


def _found(uow: UnitOfWork, where: str, **values: Any) -> list[Referral]:
    return [
        Referral(**row) for row in uow.all(_REFERRAL + where, {"shop": uow.shop, "now": uow.now, **values})
    ]


def of_advocate(uow: UnitOfWork, advocate_id: UUID, limit: int = 50) -> list[Referral]:
    """The friends that a member brought, newest first."""
    newest = "r.advocate_id = %(advocate)s ORDER BY r.recorded_at DESC, r.id DESC LIMIT %(limit)s"
    return _found(uow, newest, advocate=advocate_id, limit=limit)


_LATEST = paging.Order(
    {"recorded_at": datetime, "id": UUID}, descending=True, sql={"recorded_at": "r.recorded_at", "id": "r.id"}
)


def of_campaign(
    uow: UnitOfWork, campaign_id: UUID, status: str | None, limit: int, cursor: str | None
) -> paging.Page[Referral]:
    """A page of a campaign's referrals, newest first. Raises StaleCursor."""
    where = "r.campaign_id = %(campaign)s" + (" AND r.status = %(status)s" if status else "")

    def read(place: paging.Place | None) -> list[Referral]:
        return _found(
            uow,
            f"{where}{_LATEST.beside(place)} ORDER BY {_LATEST.by(place)} LIMIT %(limit)s",
            campaign=campaign_id,
            status=status,
            limit=limit + 1,
            **_LATEST.values(place),
        )

    return _LATEST.page(cursor, limit, read)


def lock_advocates(uow: UnitOfWork, advocate_ids: Iterable[UUID]) -> None:
    """Let nobody else count these advocates' referrals until the end of the transaction."""
    uow.execute(
        "SELECT id FROM referral_links WHERE shop_id = %(shop)s AND member_id = ANY(%(ids)s) ORDER BY id FOR UPDATE",
        {"shop": uow.shop, "ids": list(advocate_ids)},
    )


def successes(uow: UnitOfWork, advocate_ids: Iterable[UUID]) -> dict[tuple[UUID, UUID], int]:
    """By advocate and campaign: how many of their referrals are rewarded or about to be."""
    rows = uow.all(
        "SELECT advocate_id, campaign_id, count(*) AS friends FROM referrals WHERE shop_id = %(shop)s"
        " AND advocate_id = ANY(%(ids)s) AND status IN ('qualified', 'rewarded') GROUP BY advocate_id, campaign_id",
        {"shop": uow.shop, "ids": list(advocate_ids)},
    )
    return {(row["advocate_id"], row["campaign_id"]): row["friends"] for row in rows}


def advocates(uow: UnitOfWork, codes: Iterable[str]) -> dict[str, UUID]:
    """Whose codes these are; unknown ones are left out."""
    rows = uow.all(
        "SELECT code, member_id FROM referral_links WHERE shop_id = %(shop)s AND code = ANY(%(codes)s)",
        {"shop": uow.shop, "codes": list(codes)},
    )
    return {row["code"]: row["member_id"] for row in rows}


def link_of_code(uow: UnitOfWork, code: str) -> UUID | None:
    """The link that a code belongs to."""
    found: UUID | None = uow.scalar(
        "SELECT id FROM referral_links WHERE shop_id = %(shop)s AND code = %(code)s",
        {"shop": uow.shop, "code": code},
    )
    return found


def visits(uow: UnitOfWork, campaign_ids: Iterable[UUID]) -> dict[UUID, int]:
    """How many visitors opened a link of each campaign, counted up to ten thousand."""
    rows = uow.all(
        "SELECT v.id, (SELECT count(*) FROM (SELECT FROM referral_visits r WHERE r.shop_id = %(shop)s"
        " AND r.campaign_id = v.id LIMIT 10000) few) AS visits FROM unnest(%(ids)s::uuid[]) AS v (id)",
        {"shop": uow.shop, "ids": list(campaign_ids)},
    )
    return {row["id"]: row["visits"] for row in rows}


def count_links(uow: UnitOfWork) -> int:
    """How many members have a link, counted up to ten thousand."""
    found: int = uow.scalar(
        "SELECT count(*) FROM (SELECT FROM referral_links WHERE shop_id = %(shop)s LIMIT 10000) few",
        {"shop": uow.shop},
    )
    return found


def code_of(uow: UnitOfWork, member_id: UUID) -> str | None:
    """A member's code, when they have one."""
    found: str | None = uow.scalar(
        "SELECT code FROM referral_links WHERE shop_id = %(shop)s AND member_id = %(member)s",
        {"shop": uow.shop, "member": member_id},
    )
    return found


def owners_by_code(uow: UnitOfWork, text: str) -> list[UUID]:
    """Whose referral code this is, however its letters are written."""
    rows = uow.all(
        "SELECT member_id FROM referral_links WHERE shop_id = %(shop)s AND code = %(code)s",
        {"shop": uow.shop, "code": text.strip().upper()},
    )
    return [row["member_id"] for row in rows]


def of_person(uow: UnitOfWork, member_id: UUID) -> dict[str, Any]:
    """A member's link and the referrals they had a part in, as JSON values."""
    known = {"shop": uow.shop, "member": member_id}
    return {
        "links": uow.all(
            "SELECT code, created_at::text FROM referral_links WHERE shop_id = %(shop)s AND member_id = %(member)s",
            known,
        ),
        "referrals": uow.all(
            "SELECT status, created_at::text, advocate_id = %(member)s AS as_advocate FROM referrals"
            " WHERE shop_id = %(shop)s AND (advocate_id = %(member)s OR friend_id = %(member)s)",
            known,
        ),
    }


_HAPPENED = """
SELECT id, recorded_at AS at, status, true AS brought FROM referrals WHERE shop_id = %(shop)s
  AND advocate_id = ANY(%(members)s){within}
UNION ALL
SELECT id, recorded_at, status, false FROM referrals WHERE shop_id = %(shop)s AND friend_id = ANY(%(members)s)
  AND NOT advocate_id = ANY(%(members)s){within}
ORDER BY {by} LIMIT %(limit)s
"""


def happened(uow: UnitOfWork, part: TimelineSlice) -> list[dict[str, Any]]:
    """Referrals in a slice of a member's timeline; `brought` when the member was the advocate."""
    return uow.all(_HAPPENED.format(within=part.within("recorded_at"), by=part.by()), part.values(uow.shop))


def recorded_by_day(uow: UnitOfWork, first: date, last: date, zone: str) -> dict[date, int]:
    """How many friends came by an invitation on each local day, both days included."""
    rows = uow.all(
        "SELECT (recorded_at AT TIME ZONE %(zone)s)::date AS day, count(*) AS friends FROM referrals"
        " WHERE shop_id = %(shop)s AND recorded_at >= %(first)s::timestamp AT TIME ZONE %(zone)s"
        " AND recorded_at < (%(last)s::timestamp + interval '1 day') AT TIME ZONE %(zone)s GROUP BY 1",
        {"shop": uow.shop, "first": first, "last": last, "zone": zone},
    )
    return {row["day"]: row["friends"] for row in rows}
