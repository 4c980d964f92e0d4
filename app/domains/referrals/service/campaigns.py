"""Keeping campaigns."""

from datetime import datetime
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
    RewardNotGivable,
    StaleCampaign,
    WindowIsEmpty,
)
from app.domains.referrals.models import ReferralCampaign
from app.domains.referrals.schemas import CampaignCreate
from app.domains.rewards import service as rewards


def get(uow: UnitOfWork, campaign_id: UUID) -> ReferralCampaign:
    """One campaign. Raises CampaignNotFound."""
    campaign = queries.get(uow, campaign_id)
    if campaign is None:
        raise CampaignNotFound()
    return campaign


def running(uow: UnitOfWork, at: datetime) -> ReferralCampaign | None:
    """The campaign that is active, when an instant lies in its window."""
    campaign = queries.active(uow)
    return campaign if campaign and rules.runs(campaign.starts_at, campaign.ends_at, at) else None


def create(uow: UnitOfWork, wanted: CampaignCreate) -> ReferralCampaign:
    """Create a campaign. Raises AnotherCampaignActive when it is to be active and cannot."""
    if wanted.status == "active":
        _refuse_second_active(uow, None)
    _refuse_empty_window(wanted.starts_at, wanted.ends_at)
    _refuse_other_rewards(uow, wanted.model_dump(), {})
    campaign = ReferralCampaign(
        **(wanted.model_dump() | {"share_texts": wanted.share_texts.model_dump(exclude_none=True)}),
        id=ids.new_id(),
    )
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
    _refuse_other_rewards(uow, changes, before)
    if "share_texts" in changes:
        changes = changes | {"share_texts": _filled(changes["share_texts"])}
    for name, value in changes.items():
        setattr(campaign, name, value)
    _refuse_empty_window(campaign.starts_at, campaign.ends_at)
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


def _filled(texts: dict[str, str | None]) -> dict[str, str]:
    return {language: text for language, text in texts.items() if text}


def _refuse_empty_window(starts_at: datetime | None, ends_at: datetime | None) -> None:
    if starts_at and ends_at and starts_at >= ends_at:
        raise WindowIsEmpty(fields={"ends_at": WindowIsEmpty.default_message})


def _refuse_other_rewards(uow: UnitOfWork, wanted: dict[str, Any], before: dict[str, Any]) -> None:
    """A reward that the campaign gives already may have been retired meanwhile."""
    chosen = {name: wanted.get(name) for name in ("advocate_reward_id", "friend_reward_id")}
    new = {name: one for name, one in chosen.items() if one and str(one) != before.get(name)}
    known = {one.id for one in rewards.givable(uow, set(new.values()))} if new else set()
    wrong = {name: RewardNotGivable.default_message for name, one in new.items() if one not in known}
    if wrong:
        raise RewardNotGivable(fields=wrong)


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
        "reward_on",
        "share_texts",
        "sharing_channels",
    )
    times = {name: getattr(campaign, name) for name in ("starts_at", "ends_at")}
    coupons = {name: getattr(campaign, name) for name in ("advocate_reward_id", "friend_reward_id")}
    return (
        {name: getattr(campaign, name) for name in names}
        | {name: at.isoformat() if at else None for name, at in times.items()}
        | {name: str(reward) if reward else None for name, reward in coupons.items()}
    )
