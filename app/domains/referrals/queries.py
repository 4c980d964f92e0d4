"""Every SELECT on referrals."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_

from app.core import paging
from app.core.db import UnitOfWork
from app.domains.referrals.models import ReferralCampaign
from app.domains.referrals.schemas import CampaignsQuery


def get(uow: UnitOfWork, campaign_id: UUID) -> ReferralCampaign | None:
    """One campaign."""
    return uow.session.scalar(select(ReferralCampaign).where(ReferralCampaign.id == campaign_id))


def active(uow: UnitOfWork) -> ReferralCampaign | None:
    """The campaign that runs now."""
    return uow.session.scalar(select(ReferralCampaign).where(ReferralCampaign.status == "active"))


def page(uow: UnitOfWork, query: CampaignsQuery) -> paging.Page[ReferralCampaign]:
    """Campaigns, newest first."""
    key = (ReferralCampaign.created_at, ReferralCampaign.id)
    statement = select(ReferralCampaign).order_by(key[0].desc(), key[1].desc()).limit(query.limit + 1)
    if query.status:
        statement = statement.where(ReferralCampaign.status == query.status)
    if query.cursor:
        created, last = paging.decode_cursor(query.cursor, 2)
        statement = statement.where(tuple_(*key) < tuple_(datetime.fromisoformat(created), UUID(last)))
    rows = list(uow.session.scalars(statement))
    items = rows[: query.limit]
    more = len(rows) > query.limit
    return paging.Page(items, paging.encode_cursor(items[-1].created_at, items[-1].id) if more else None)


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
