"""Referral campaigns on the REST API."""

from typing import Any
from uuid import UUID

from app.core.paging import Page
from app.core.permissions import Permission
from app.domains.referrals import errors, queries, schemas, service
from app.domains.referrals.lists import CAMPAIGNS, FRIENDS
from app.domains.referrals.models import ReferralCampaign
from app.domains.shops import service as shops
from app.web.endpoints import Context, Download, endpoint
from app.web.list_export import download, export_query

_PATH = "/api/loyalty-referral/referrals"
_TAG = "Referral campaigns"


def _out(ctx: Context, campaigns: list[ReferralCampaign]) -> list[schemas.CampaignOut]:
    counts = queries.counts(ctx.uow, [campaign.id for campaign in campaigns])
    currency = shops.get(ctx.uow).currency
    return [
        schemas.CampaignOut.model_validate(
            service.snapshot(campaign)
            | {
                "id": campaign.id,
                "currency": currency,
                "referrals_pending": sum(
                    counts.get(campaign.id, {}).get(status, 0) for status in ("recorded", "qualified")
                ),
                "referrals_rewarded": counts.get(campaign.id, {}).get("rewarded", 0),
                "version": campaign.version,
                "created_at": campaign.created_at,
                "updated_at": campaign.updated_at,
            }
        )
        for campaign in campaigns
    ]


@endpoint(
    "POST",
    _PATH,
    permission=Permission.REFERRALS_WRITE,
    tag=_TAG,
    body=schemas.CampaignCreate,
    out=schemas.CampaignOut,
    key="campaign",
    status=201,
    errors=(errors.AnotherCampaignActive, errors.WindowIsEmpty, errors.RewardNotGivable),
)
def create_campaign(ctx: Context, body: schemas.CampaignCreate) -> schemas.CampaignOut:
    """Create a referral campaign.

    It starts as a draft unless `status` is "active"; a shop has one active campaign.
    """
    return _out(ctx, [service.create(ctx.uow, body)])[0]


@endpoint(
    "GET",
    _PATH,
    permission=Permission.REFERRALS_READ,
    tag=_TAG,
    query=schemas.CampaignsQuery,
    out=Page[schemas.CampaignOut],
    key="campaigns",
)
def list_campaigns(ctx: Context, query: schemas.CampaignsQuery) -> Page[schemas.CampaignOut]:
    """List the shop's referral campaigns, newest first."""
    page = queries.page(ctx.uow, query)
    return Page(_out(ctx, page.items), page.next_cursor)


@endpoint(
    "GET",
    _PATH + "/{id}",
    permission=Permission.REFERRALS_READ,
    tag=_TAG,
    out=schemas.CampaignOut,
    key="campaign",
    errors=(errors.CampaignNotFound,),
)
def get_campaign(ctx: Context, id: UUID) -> schemas.CampaignOut:
    """Get one referral campaign."""
    return _out(ctx, [service.get(ctx.uow, id)])[0]


@endpoint(
    "PUT",
    _PATH + "/{id}",
    permission=Permission.REFERRALS_WRITE,
    tag=_TAG,
    body=schemas.CampaignUpdate,
    out=schemas.CampaignOut,
    key="campaign",
    errors=(
        errors.CampaignNotFound,
        errors.StaleCampaign,
        errors.CampaignStatusNotAllowed,
        errors.AnotherCampaignActive,
        errors.WindowIsEmpty,
        errors.RewardNotGivable,
    ),
)
def update_campaign(ctx: Context, id: UUID, body: schemas.CampaignUpdate) -> schemas.CampaignOut:
    """Change a referral campaign.

    Send the `version` that you read; fields that are absent stay as they are.
    """
    changes = body.model_dump(exclude_unset=True, exclude={"version"})
    return _out(ctx, [service.update(ctx.uow, id, changes, version=body.version)])[0]


@endpoint(
    "DELETE",
    _PATH + "/{id}",
    permission=Permission.REFERRALS_WRITE,
    tag=_TAG,
    out=None,
    errors=(errors.CampaignNotFound, errors.CampaignInUse),
)
def delete_campaign(ctx: Context, id: UUID) -> None:
    """Delete a referral campaign that brought nobody; otherwise complete it."""
    service.delete(ctx.uow, id)


@endpoint(
    "GET",
    "/v1/api/referral-campaigns.csv",
    permission=Permission.REFERRALS_READ,
    tag=_TAG,
    query=export_query(schemas.CampaignsQuery),
    out=Download,
    produces="text/csv",
)
def campaigns_csv(ctx: Context, query: Any) -> Download:
    """Download the shop's referral campaigns as CSV, newest first."""
    return download(ctx, CAMPAIGNS, query)


@endpoint(
    "GET",
    "/v1/api/referral-campaigns/{id}/friends.csv",
    permission=Permission.REFERRALS_READ,
    tag=_TAG,
    query=export_query(schemas.FriendsQuery),
    out=Download,
    produces="text/csv",
)
def friends_csv(ctx: Context, query: Any, id: UUID) -> Download:
    """Download the friends who came through a campaign as CSV, newest first; names only for who may read members."""
    service.get(ctx.uow, id)
    return download(ctx, FRIENDS, query, id=id)
