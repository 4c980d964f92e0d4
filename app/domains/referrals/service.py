"""The verbs of referrals."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm.exc import StaleDataError

from app.core import ids
from app.core.db import UnitOfWork
from app.domains.compliance import service as compliance
from app.domains.referrals import queries, rules
from app.domains.referrals.errors import (
    AnotherCampaignActive,
    CampaignInUse,
    CampaignNotFound,
    CampaignStatusNotAllowed,
    StaleCampaign,
)
from app.domains.referrals.models import ReferralCampaign
from app.domains.referrals.schemas import CampaignCreate


def get(uow: UnitOfWork, campaign_id: UUID) -> ReferralCampaign:
    """One campaign. Raises CampaignNotFound."""
    campaign = queries.get(uow, campaign_id)
    if campaign is None:
        raise CampaignNotFound()
    return campaign


def create(uow: UnitOfWork, wanted: CampaignCreate) -> ReferralCampaign:
    """Create a campaign. Raises AnotherCampaignActive when it is to be active and cannot."""
    if wanted.status == "active":
        _refuse_second_active(uow, None)
    campaign = ReferralCampaign(**wanted.model_dump(), id=ids.new_id())
    uow.session.add(campaign)
    uow.session.flush()
    compliance.record(
        uow, "referral_campaign.created", ("referral_campaign", str(campaign.id)), None, snapshot(campaign)
    )
    return campaign


def update(uow: UnitOfWork, campaign_id: UUID, changes: dict[str, Any], *, version: int) -> ReferralCampaign:
    """Change a campaign. Raises CampaignNotFound, StaleCampaign, CampaignStatusNotAllowed, AnotherCampaignActive."""
    campaign = get(uow, campaign_id)
    if campaign.version != version:
        raise StaleCampaign(current=campaign.version)
    before = snapshot(campaign)
    wanted = changes.get("status", campaign.status)
    if wanted != campaign.status:
        if not rules.may_become(campaign.status, wanted):
            raise CampaignStatusNotAllowed(status=campaign.status, wanted=wanted)
        if wanted == "active":
            _refuse_second_active(uow, campaign.id)
    for name, value in changes.items():
        setattr(campaign, name, value)
    try:
        uow.session.flush()
    except StaleDataError:
        raise StaleCampaign() from None
    if snapshot(campaign) != before:
        compliance.record(
            uow,
            "referral_campaign.updated",
            ("referral_campaign", str(campaign.id)),
            before,
            snapshot(campaign),
        )
    return campaign


def delete(uow: UnitOfWork, campaign_id: UUID) -> None:
    """Delete a campaign that brought nobody. Raises CampaignNotFound, CampaignInUse."""
    campaign = get(uow, campaign_id)
    if campaign.status == "active" or queries.counts(uow, [campaign_id]):
        raise CampaignInUse()
    before = snapshot(campaign)
    uow.session.delete(campaign)
    uow.session.flush()
    compliance.record(uow, "referral_campaign.deleted", ("referral_campaign", str(campaign_id)), before, None)


def _refuse_second_active(uow: UnitOfWork, campaign_id: UUID | None) -> None:
    other = queries.active(uow)
    if other is not None and other.id != campaign_id:
        raise AnotherCampaignActive(name=other.name)


def snapshot(campaign: ReferralCampaign) -> dict[str, Any]:
    """A campaign's settings as JSON values."""
    names = (
        "name",
        "description",
        "status",
        "advocate_points",
        "friend_points",
        "minimum_purchase_minor",
        "maximum_per_advocate",
        "sharing_channels",
    )
    return {name: getattr(campaign, name) for name in names}


def forget_link(uow: UnitOfWork, member_id: UUID) -> None:
    """Delete the link that leads to a person; referrals keep their numbers under a member id that leads to nobody."""
    uow.execute(
        "DELETE FROM referral_links WHERE shop_id = %(shop)s AND member_id = %(member)s",
        {"shop": uow.shop, "member": member_id},
    )
