"""Referral campaigns on the REST API."""

from uuid import UUID

from app.core.paging import Page
from app.core.permissions import Permission
from app.domains.referrals import errors, queries, schemas, service
from app.domains.referrals.models import ReferralCampaign
from app.domains.shops import service as shops
from app.web.endpoints import Context, endpoint

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
                "referrals_pending": counts.get(campaign.id, {}).get("pending", 0),
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
    errors=(errors.AnotherCampaignActive,),
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
